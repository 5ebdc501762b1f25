//! A cluster to be created: what a caller may ask for, what is made of it, and in which order.
//!
//! A `ClusterConfig` of eksctl's is checked into a
//! `ClusterSpec`, the input of a job. With the zones or subnets that AWS has (a `NetworkPlan`) the
//! spec becomes `CloudFormation` templates that carry eksctl's names, so that eksctl can take over
//! what was created here.

pub mod addon_access;
pub mod addon_version;
pub mod aws_auth;
pub mod capability_stack;
pub mod coredns;
mod deletion;
mod ec2_instance;
pub mod generated_name;
pub mod image;
pub mod kubernetes_version;
pub mod names;
pub mod network;
pub mod offerings;
pub mod placing;
pub mod plan;
pub mod resolved;
pub mod role_stack;
mod rules;
pub mod selector;
pub mod spec;
pub mod step;
pub mod template;
pub mod vpc_endpoints;
mod warnings;
pub mod zones;

pub use capability_stack::CapabilityStack;
pub use deletion::{AwsResource, ClusterDeletionPlan, DeletionStep, Obstacle};
pub use generated_name::generated_name as generated_cluster_name;
pub use kubernetes_version::OfferedVersion;
pub use network::{DescribedSubnet, KnownSubnet, NetworkPlan, ZoneBlocks};
pub use offerings::Offerings;
pub use plan::ClusterPlan;
pub use resolved::ResolvedVersions;
pub use role_stack::RoleStack;
pub use spec::ClusterSpec;
pub use step::ClusterStep;
pub use template::ClusterFacts;
pub use vpc_endpoints::VpcEndpoint;
pub use zones::AvailableZone;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_settings;
#[cfg(test)]
mod samples;
