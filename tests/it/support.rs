//! What the tests share: an API on a database of its own, callers, and hands that settle jobs.

pub mod app;
pub mod hands;
