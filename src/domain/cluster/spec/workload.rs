//! Workloads that act under a role: by the cluster's OIDC issuer (IRSA), or by EKS Pod Identity.

use super::role::RoleSource;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A Kubernetes `ServiceAccount` with a role that trusts the cluster's OIDC issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSpec {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations, without that of the role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Its role.
    pub role: RoleSource,
    /// Whether the role alone is made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role_only: bool,
    /// The names that may act under the role, in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_pattern: Option<String>,
    /// AWS tags of the role's stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A `ServiceAccount` with a role by EKS Pod Identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodIdentitySpec {
    /// The namespace of the `ServiceAccount`.
    pub namespace: String,
    /// Its name.
    pub service_account: String,
    /// Whether it is created, if it is not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
    /// Its role.
    pub role: RoleSource,
    /// A role of another account that its pods act under in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_role: Option<String>,
    /// Whether sessions get no tags; EKS's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_session_tags: Option<bool>,
    /// A policy that narrows the role, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// AWS tags of the association and of the role's stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A `ServiceAccount` of an add-on with a role by EKS Pod Identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonPodIdentity {
    /// The namespace that the caller names; none when EKS recommends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub service_account: String,
    /// Its role.
    pub role: RoleSource,
}

impl ServiceAccountSpec {
    /// Namespace and name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl PodIdentitySpec {
    /// Namespace and name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.service_account)
    }
}
