//! What is set of the network beyond its addresses and subnets.

use serde::{Deserialize, Serialize};

/// Settings of the network; all of it is eksctl's default where it is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcSpec {
    /// How hosts in the subnets are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname_type: Option<String>,
    /// Whether the VPC of an IPv4 cluster gets IPv6 addresses too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_allocate_ipv6: bool,
    /// An IPv6 block of the account's own, and the pool that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_block: Option<(String, String)>,
    /// Local zones with subnets of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_zones: Vec<String>,
    /// The subnets of the control plane, if they are not all of the cluster's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub control_plane_subnets: Vec<String>,
    /// Whether the control plane is in the private subnets alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub control_plane_on_private_subnets: bool,
    /// The security groups of the control plane that exist; one is made if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub control_plane_groups: Vec<String>,
    /// The security group that nodes share, if it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_node_group: Option<String>,
    /// Whether the rules between that group and the cluster's are somebody else's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub leave_shared_rules: bool,
    /// Other networks that may reach the control plane's security group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_cidrs: Vec<String>,
    /// The same, of IPv6.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_ipv6_cidrs: Vec<String>,
    /// Which way the control plane's own traffic goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress_mode: Option<String>,
}

/// A cluster without a way to or from the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrivateSpec {
    /// The services that get VPC endpoints; empty where others make them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
}
