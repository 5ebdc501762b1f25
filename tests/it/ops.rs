//! The operations, against the simulated AWS.

mod adoption;
mod ambiguity;
mod busy;
pub mod crashes;
mod journey;
mod refusals;
mod roles;
mod sessions;
pub mod support;
