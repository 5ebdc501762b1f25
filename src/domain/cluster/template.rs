//! `CloudFormation` templates that are eksctl's, resource by resource and name by name.
//!
//! Each is made of small functions that add to a `Draft`. ARNs and service principals are looked up by
//! `CloudFormation` itself, so that hardly anything here depends on the region or the partition.

mod capability;
mod cluster;
mod components;
mod control_plane;
mod draft;
mod fargate;
mod hybrid;
mod iam;
mod launch;
mod managed_nodegroup;
mod node_role;
mod nodegroup;
mod policies;
mod role;
mod scaling;
mod security;
mod toml;
mod user_data;
mod volumes;
mod vpc;
mod vpc_endpoints;
mod vpc_ipv4;
mod vpc_ipv6;

use super::network::NetworkPlan;
use super::placing::NodeNetwork;
use super::role_stack::RoleStack;
use super::spec::capability::CapabilitySpec;
use super::spec::{ClusterSpec, NodegroupKind, NodegroupSpec};
use crate::domain::ids::ClusterName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest template that `CloudFormation` takes in a request, in bytes.
pub const MAX_BYTES: usize = 51_200;

/// What EKS says of a cluster that is there, and its nodes have to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFacts {
    /// Where its Kubernetes API is.
    pub endpoint: String,
    /// The certificate of its authority, in Base64.
    pub certificate_authority: String,
    /// The addresses of its services.
    pub service_cidr: String,
    /// Its network.
    #[serde(default)]
    pub network: NodeNetwork,
    /// Its OIDC issuer, without `https://`.
    #[serde(default)]
    pub issuer: String,
}

impl ClusterFacts {
    /// Stand-ins, for a plan that is made before there is a cluster.
    #[must_use]
    pub fn placeholder() -> Self {
        Self {
            endpoint: "https://ENDPOINT-OF-THE-CLUSTER".to_owned(),
            certificate_authority: "CERTIFICATE-AUTHORITY-OF-THE-CLUSTER".to_owned(),
            service_cidr: "10.100.0.0/16".to_owned(),
            network: NodeNetwork::default(),
            issuer: "OIDC-ISSUER-OF-THE-CLUSTER".to_owned(),
        }
    }

    /// The address of the cluster's DNS: the tenth of the services' addresses.
    #[must_use]
    pub fn cluster_dns(&self) -> String {
        match self.service_cidr.parse::<IpNet>() {
            Ok(IpNet::V4(net)) => {
                let bits = u32::from(net.network()).wrapping_add(10);
                std::net::Ipv4Addr::from(bits).to_string()
            }
            Ok(IpNet::V6(net)) => {
                let bits = u128::from(net.network()).wrapping_add(10);
                std::net::Ipv6Addr::from(bits).to_string()
            }
            Err(_) => "10.100.0.10".to_owned(),
        }
    }
}

/// The template of the cluster's stack: network, security groups, roles, control plane.
#[must_use]
pub fn cluster(spec: &ClusterSpec, network: &NetworkPlan) -> Value {
    cluster::template(spec, network)
}

/// The template of the stack of a pod execution role that is made after the cluster.
#[must_use]
pub fn fargate_role(cluster: &ClusterName, permissions_boundary: Option<&str>) -> Value {
    fargate::template(cluster, permissions_boundary)
}

/// The template of the stack of a workload's role.
#[must_use]
pub fn role(stack: &RoleStack, facts: &ClusterFacts) -> Value {
    role::template(stack, &facts.issuer)
}

/// The template of a capability's stack.
#[must_use]
pub fn capability(spec: &ClusterSpec, one: &CapabilitySpec, role_arn: &str) -> Value {
    capability::template(spec, one, role_arn)
}

/// The template of a nodegroup's stack, of either kind.
#[must_use]
pub fn nodegroup(spec: &ClusterSpec, nodegroup: &NodegroupSpec, facts: &ClusterFacts) -> Value {
    match nodegroup.kind {
        NodegroupKind::Managed => managed_nodegroup::template(spec, nodegroup, facts),
        NodegroupKind::SelfManaged => nodegroup::template(spec, nodegroup, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dns_of_a_cluster_is_the_tenth_address_of_its_services() {
        let mut facts = ClusterFacts::placeholder();
        assert_eq!(facts.cluster_dns(), "10.100.0.10");
        facts.service_cidr = "172.20.0.0/16".to_owned();
        assert_eq!(facts.cluster_dns(), "172.20.0.10");
        facts.service_cidr = "fd30:1c53:5f8a::/108".to_owned();
        assert_eq!(facts.cluster_dns(), "fd30:1c53:5f8a::a");
    }
}
