//! What the tests stand on.

pub mod app;
pub mod database;
pub mod hands;
pub mod issuer;
pub mod logs;
pub mod silence;
pub mod wire;
