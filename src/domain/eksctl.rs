//! eksctl's `ClusterConfig` (`eksctl.io/v1alpha5`): one type and one reader for whoever takes one.
//!
//! A document is read into a [`ClusterConfig`], whose keys are known and whose values have the right
//! type. What they mean is checked by whoever acts on them: the profiles of a file by
//! [`FargatePart::of`], a cluster to create by `ClusterSpec::of`.
//!
//! | file | what |
//! |---|---|
//! | `cluster_config` | the document, and how it is read |
//! | `metadata`, `iam`, `vpc`, `cloud_watch`, `access_config`, `addon`, `nodegroup` | its sections |
//! | `control_plane`, `auto_mode`, `kubernetes_network`, `private_cluster`, `remote_network` | the same |
//! | `service_account`, `pod_identity_association`, `policies` | roles of workloads |
//! | `capability` | EKS capabilities |
//! | `identity` | `iamIdentityMappings`, `identityProviders` |
//! | `keys` | every key of eksctl's: taken, refused and why |
//! | `fargate` | the part that profiles are made from |
//! | `checks`, `arn` | checks that are made in more than one place |

pub mod access_config;
pub mod addon;
pub(in crate::domain) mod arn;
pub mod auto_mode;
pub mod capability;
pub(in crate::domain) mod checks;
pub mod cloud_watch;
pub mod cluster_config;
pub mod control_plane;
pub mod fargate;
pub mod iam;
pub mod identity;
mod keys;
pub mod kubernetes_network;
pub mod metadata;
pub mod nodegroup;
pub mod owners;
pub mod pod_identity_association;
pub mod policies;
pub mod private_cluster;
pub mod remote_network;
pub mod service_account;
pub mod vpc;

pub use access_config::AccessConfig;
pub use addon::{Addon, AddonNamespaceConfig, AddonsConfig};
pub use auto_mode::AutoModeConfig;
pub use capability::Capability;
pub use cloud_watch::{ClusterCloudWatch, ClusterCloudWatchLogging};
pub use cluster_config::ClusterConfig;
pub use control_plane::{
    ControlPlaneScalingConfig, KubeApiServerConfig, KubeControllerManagerConfig,
    KubeSchedulerConfig, SecretsEncryption, UpgradePolicy, ZonalShiftConfig,
};
pub use fargate::FargatePart;
pub use iam::ClusterIam;
pub use identity::{IdentityMapping, IdentityProvider};
pub use keys::Part;
pub use kubernetes_network::KubernetesNetworkConfig;
pub use metadata::ClusterMeta;
pub use nodegroup::NodeGroup;
pub use pod_identity_association::PodIdentityAssociation;
pub use policies::WellKnownPolicies;
pub use private_cluster::PrivateCluster;
pub use remote_network::{RemoteNetwork, RemoteNetworkConfig, RemoteNodesIam};
pub use service_account::{ServiceAccount, ServiceAccountMeta};
pub use vpc::{AzSubnetSpec, ClusterEndpoints, ClusterNat, ClusterSubnets, ClusterVpc, SubnetMap};
