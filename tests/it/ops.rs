//! The operations, against the simulated AWS.

mod adoption;
mod busy;
mod crashes;
mod findings;
mod journey;
mod refusals;
mod roles;
mod support;
