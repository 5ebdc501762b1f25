//! EKS capabilities: what EKS runs for a cluster, outside of it.

use super::role::RoleSource;
use crate::domain::access_entry::AccessPolicy;
use crate::domain::macros::open_enum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

open_enum! {
    /// What a capability is.
    CapabilityType as "type of capability" {
        /// AWS Controllers for Kubernetes.
        Ack => "ACK",
        /// Kube Resource Orchestrator.
        Kro => "KRO",
        /// Argo CD.
        ArgoCd => "ARGOCD",
    }
}

/// A capability, with the role under which it acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitySpec {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: CapabilityType,
    /// Its role.
    pub role: RoleSource,
    /// What becomes of what it made in the cluster when it is deleted.
    pub delete_propagation_policy: String,
    /// What the role may do in the cluster besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_policies: Vec<AccessPolicy>,
    /// The settings of Argo CD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argo_cd: Option<ArgoCdSpec>,
    /// AWS tags of its stacks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The settings of Argo CD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArgoCdSpec {
    /// The namespace that it looks at; AWS's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The VPC endpoints by which alone its server can be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoints: Vec<String>,
    /// Roles of Argo CD, and who has each: ids and types of identities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<(String, Vec<(String, String)>)>,
    /// The instance of IAM Identity Center.
    pub instance: String,
    /// Its region; the cluster's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_region: Option<String>,
}
