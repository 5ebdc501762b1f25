//! A simulated AWS over its real wire protocols: EKS, CloudFormation with what stacks of clusters hold,
//! the parts of IAM and EC2 that go with it, and STS.
//!
//! It is how `demo`, the tests and the benchmarks run without an AWS account. Clients point
//! `AWS_ENDPOINT_URL` (or an SDK's `endpoint_url`) at it. It uses nothing else of this crate.
//!
//! Promises:
//! - state lives in one `World` behind a plain mutex; nothing runs in the background:
//!   what a profile, an add-on or a stack has become is worked out from the simulated clock when somebody looks;
//! - one mutation a cluster at a time, with EKS's own words when a second one is tried, and every such
//!   try is on record;
//! - calls are recorded when they arrive, their status when they are answered;
//! - a call is held to AWS's own model of its request before anything else is looked at (`model`);
//! - durations are divided by the speed; times of day, sessions and injected delays are real time.

mod access;
mod access_entries;
mod access_entry;
mod access_policies;
mod accounts;
mod action;
mod addon;
mod addon_roles;
mod addons;
mod arn;
mod arrange;
mod attached;
mod balancing;
mod bucket;
mod caller;
mod capabilities;
mod catalog;
mod change;
mod clock;
mod cloudformation;
mod cluster;
mod cluster_update;
mod config_change;
mod control;
mod control_capabilities;
mod control_http;
mod control_iam;
mod control_network;
mod create;
mod details;
mod ec2;
mod ec2_nodes;
mod eks;
mod elb;
mod error;
mod fargate_subnets;
mod faults;
mod fleet;
mod forwarded;
mod host;
mod iam;
mod identity_providers;
mod interfaces;
mod inventory;
mod kubernetes;
mod logs;
mod lookups;
mod model;
mod mutation;
mod network;
mod nodegroup;
mod nodes;
mod offerings;
mod options;
mod page;
mod pod_identities;
mod policy;
mod profile;
mod query;
mod record;
mod rights;
mod roles;
mod selector;
mod serve;
mod server;
mod session;
mod sts;
mod tags;
mod text;
mod vpc_endpoints;
mod wire;
mod world;
mod xml;
mod zones;

pub use balancing::BalancerSpec;
pub use control::{AccountSettings, ClusterSettings, ProfileSpec, SimControl};
pub use control_iam::RoleSpec;
pub use control_network::SubnetSpec;
pub use faults::Fault;
pub use fleet::{FleetShape, FleetShapeError, SimAccount};
pub use interfaces::{GroupSpec, InterfaceSpec};
pub use options::SimOptions;
pub use profile::{Health, HealthIssue, ProfileView};
pub use record::{Call, Overlap, Record};
pub use rights::CheckedRight;
pub use selector::Selector;
pub use server::Simulator;
