//! The `kubernetesNetworkConfig` of a config.

use serde::Deserialize;
use utoipa::ToSchema;

/// The addresses of Kubernetes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesNetworkConfig {
    /// `IPv4` (the default) or `IPv6`: which addresses pods and services get.
    #[schema(nullable = false, max_length = 16, examples("IPv4"))]
    pub ip_family: Option<String>,
    /// The addresses of services: a private network from /12 to /24 outside of the VPC; EKS chooses
    /// if it is absent.
    #[serde(rename = "serviceIPv4CIDR")]
    #[schema(nullable = false, max_length = 18, examples("10.100.0.0/16"))]
    pub service_ipv4_cidr: Option<String>,
}
