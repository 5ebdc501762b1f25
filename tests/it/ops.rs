//! The operations, against the simulated AWS.

mod adoption;
mod ambiguity;
mod busy;
mod crashes;
mod journey;
mod refusals;
mod roles;
mod support;
