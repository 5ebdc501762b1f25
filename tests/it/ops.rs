//! The operations, against the simulated AWS.

mod access_entries;
mod adoption;
mod ambiguity;
mod busy;
mod cluster_api;
pub mod clusters;
mod coredns;
pub mod crashes;
mod journey;
mod kubernetes;
mod outages;
mod pod_roles;
mod refusals;
mod rights;
mod roles;
mod sessions;
mod sts;
pub mod support;
