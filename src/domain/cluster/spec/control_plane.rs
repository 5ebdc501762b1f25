//! Settings of the control plane that not every cluster has.

use crate::domain::eksctl::{
    KubeApiServerConfig, KubeControllerManagerConfig, KubeSchedulerConfig,
};
use serde::{Deserialize, Serialize};

/// What is set of the control plane; all of it is EKS's default where it is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ControlPlaneSpec {
    /// The ARN of the KMS key for Secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_key: Option<String>,
    /// `STANDARD` or `EXTENDED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_type: Option<String>,
    /// Whether AWS may move traffic out of an ailing zone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub zonal_shift: bool,
    /// The tier of a provisioned control plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling_tier: Option<String>,
    /// Settings of kube-apiserver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<KubeApiServerConfig>,
    /// Settings of kube-scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<KubeSchedulerConfig>,
    /// Settings of kube-controller-manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_manager: Option<KubeControllerManagerConfig>,
    /// EKS Auto Mode, if it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_mode: Option<AutoModeSpec>,
    /// Whether pods and services get IPv6 addresses, not IPv4 ones.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ipv6: bool,
    /// The IPv4 addresses of services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_cidr: Option<String>,
    /// The networks of hybrid nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteNetworkSpec>,
}

impl ControlPlaneSpec {
    /// Whether EKS starts nodes as pods need them.
    #[must_use]
    pub fn has_node_pools(&self) -> bool {
        self.auto_mode
            .as_ref()
            .is_some_and(|auto| !auto.node_pools.is_empty())
    }
}

/// EKS Auto Mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoModeSpec {
    /// The node pools that EKS makes.
    pub node_pools: Vec<String>,
    /// The role of the nodes, if it exists. One is made for node pools that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_role: Option<String>,
    /// The permissions boundary of a role that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
}

impl AutoModeSpec {
    /// Whether the cluster's stack has to make the role of the nodes.
    #[must_use]
    pub fn makes_role(&self) -> bool {
        self.node_role.is_none() && !self.node_pools.is_empty()
    }
}

/// Networks outside of AWS whose machines join the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteNetworkSpec {
    /// The addresses of the nodes; never empty.
    pub node_cidrs: Vec<String>,
    /// The addresses of the pods on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pod_cidrs: Vec<String>,
    /// The gateway that leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The role of the nodes, if it exists; one for Systems Manager is made otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl RemoteNetworkSpec {
    /// All addresses.
    pub fn cidrs(&self) -> impl Iterator<Item = &String> {
        self.node_cidrs.iter().chain(&self.pod_cidrs)
    }
}
