//! Clusters: created as eksctl does, read, and deleted until nothing is left.

mod balanced;
pub mod capabilities;
mod creation;
mod deletion;
mod failures;
mod leftovers;
pub mod nodegroups;
mod nodes;
mod preflight;
mod protections;
mod reads;
mod settings;
pub mod support;
pub mod workloads;
