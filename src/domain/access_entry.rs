//! Access entries: which IAM principals may use a cluster's Kubernetes API, and what they may do
//! there. In eksctl's words (`accessConfig.accessEntries`), with what EKS adds.

mod changes;
mod principal;
mod rules;

pub use changes::Changes;
pub use principal::PrincipalArn;
pub(in crate::domain) use rules::{misplaced_policies, policies};

use super::decode::{null_as_default, unique_text_map};
use super::ids::Partition;
use super::invalid::Invalid;
use super::macros::open_enum;
use super::schema;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most access entries of one config.
pub const MAX_ENTRIES: usize = 100;
/// The most cluster admins of one account.
pub const MAX_CLUSTER_ADMINS: usize = 20;

const CLUSTER_ADMIN: &str = "AmazonEKSClusterAdminPolicy";

open_enum! {
    /// What a principal is, for EKS.
    AccessEntryType as "type of access entry" {
        /// Whoever calls Kubernetes: people, pipelines.
        Standard => "STANDARD",
        /// Nodes that run Linux.
        Ec2Linux => "EC2_LINUX",
        /// Nodes that run Windows.
        Ec2Windows => "EC2_WINDOWS",
        /// Pods on Fargate.
        FargateLinux => "FARGATE_LINUX",
        /// Nodes of EKS Auto Mode.
        Ec2 => "EC2",
        /// Nodes outside of AWS.
        HybridLinux => "HYBRID_LINUX",
    }
}

/// An access entry as a caller asks for it: an entry of `accessConfig.accessEntries`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "accessPolicies": [{
        "policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        "accessScope": {"type": "namespace", "namespaces": ["dev"]}
    }]
})))]
pub struct AccessEntryInput {
    /// The IAM role or user. In a config it must be there; in a request it may be left out, as the
    /// path names it.
    #[serde(rename = "principalARN")]
    #[schema(value_type = PrincipalArn, required = false)]
    pub principal_arn: Option<String>,
    /// `STANDARD` (the default), `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2` or
    /// `HYBRID_LINUX`. It can't be changed later.
    #[serde(rename = "type")]
    #[schema(nullable = false, max_length = 64, examples("STANDARD"))]
    pub kind: Option<String>,
    /// Kubernetes groups that the principal is in; for type `STANDARD` only.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(schema_with = groups)]
    pub kubernetes_groups: Vec<String>,
    /// The name by which Kubernetes knows the principal; for type `STANDARD` only. Without it EKS
    /// makes one of the ARN.
    #[schema(nullable = false, max_length = 256, examples("ci:{{SessionName}}"))]
    pub kubernetes_username: Option<String>,
    /// What EKS lets the principal do; for types `STANDARD` and `EC2` only.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(max_items = 50)]
    pub access_policies: Vec<AccessPolicyInput>,
    /// Its AWS tags.
    #[serde(default, deserialize_with = "unique_text_map")]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// An access policy and where it holds, as a caller asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    "accessScope": {"type": "cluster"}
})))]
pub struct AccessPolicyInput {
    /// One of EKS's access policies.
    #[serde(rename = "policyARN")]
    #[schema(
        max_length = 2048,
        pattern = "^arn:aws[a-z-]*:eks::aws:cluster-access-policy/[A-Za-z0-9-]+$",
        examples("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy")
    )]
    pub policy_arn: String,
    /// Where it holds.
    pub access_scope: AccessScopeInput,
}

/// Where an access policy holds, as a caller asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"type": "namespace", "namespaces": ["dev"]})))]
pub struct AccessScopeInput {
    /// `cluster` or `namespace`.
    #[serde(rename = "type")]
    #[schema(
        max_length = 16,
        pattern = "^(cluster|namespace)$",
        examples("namespace")
    )]
    pub kind: String,
    /// The namespaces, where the type is `namespace`; `*` and `?` are wildcards.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(schema_with = namespaces)]
    pub namespaces: Vec<String>,
}

/// An access entry that has been checked: what jobs carry and bring about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessEntrySpec {
    /// The principal.
    #[serde(rename = "principalARN")]
    pub principal_arn: PrincipalArn,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AccessEntryType,
    /// Kubernetes groups, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kubernetes_groups: Vec<String>,
    /// The name in Kubernetes, unless EKS is to make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_username: Option<String>,
    /// Access policies, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_policies: Vec<AccessPolicy>,
    /// AWS tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// An access policy and where it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessPolicy {
    /// The policy.
    #[serde(rename = "policyARN")]
    #[schema(
        max_length = 2048,
        examples("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy")
    )]
    pub policy_arn: String,
    /// Where it holds.
    pub access_scope: AccessScope,
}

/// Where an access policy holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessScope {
    /// `cluster`, `namespace`, or a value AWS adds later.
    #[serde(rename = "type")]
    #[schema(max_length = 64, examples("cluster"))]
    pub kind: String,
    /// The namespaces, where the type is `namespace`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = namespaces)]
    pub namespaces: Vec<String>,
}

/// An access entry as it is in EKS. Every text passes through as AWS sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "principalARN": "arn:aws:iam::111111111111:role/platform-admins",
    "type": "STANDARD",
    "accessPolicies": [{
        "policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        "accessScope": {"type": "cluster"}
    }]
})))]
pub struct AccessEntry {
    /// The IAM role or user.
    #[serde(rename = "principalARN")]
    #[schema(
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/platform-admins")
    )]
    pub principal_arn: String,
    /// `STANDARD`, `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2`, `HYBRID_LINUX`, or a value AWS
    /// adds later.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("STANDARD"))]
    pub kind: Option<String>,
    /// Kubernetes groups that the principal is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = groups)]
    pub kubernetes_groups: Vec<String>,
    /// The name by which Kubernetes knows the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub kubernetes_username: Option<String>,
    /// What EKS lets the principal do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub access_policies: Vec<AccessPolicy>,
    /// Its AWS tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// The entry's own ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 2048)]
    pub arn: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 35)]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 35)]
    pub modified_at: Option<DateTime<Utc>>,
}

impl AccessEntryInput {
    /// Checks everything; all that is wrong is told at once. `principal` is the one of the path, if
    /// there is a path.
    pub fn validate(
        self,
        principal: Option<&PrincipalArn>,
    ) -> Result<AccessEntrySpec, Vec<Invalid>> {
        rules::check(self, principal)
    }
}

impl AccessEntrySpec {
    /// The entry of a cluster admin.
    #[must_use]
    pub fn cluster_admin(principal_arn: PrincipalArn, partition: Partition) -> Self {
        let policy_arn = format!("arn:{partition}:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}");
        let access_scope = AccessScope {
            kind: "cluster".to_owned(),
            namespaces: Vec::new(),
        };
        Self {
            principal_arn,
            kind: AccessEntryType::Standard,
            kubernetes_groups: Vec::new(),
            kubernetes_username: None,
            access_policies: vec![AccessPolicy {
                policy_arn,
                access_scope,
            }],
            tags: BTreeMap::new(),
        }
    }

    /// Whether the principal may do everything in the cluster.
    #[must_use]
    pub fn is_cluster_admin(&self) -> bool {
        let name =
            |policy: &AccessPolicy| policy.policy_arn.rsplit('/').next() == Some(CLUSTER_ADMIN);
        let mut policies = self.access_policies.iter();
        policies.any(|policy| name(policy) && policy.access_scope.kind == "cluster")
    }

    /// Whether people or programs can do something in Kubernetes by it.
    #[must_use]
    pub fn lets_in(&self) -> bool {
        let rights = !self.kubernetes_groups.is_empty() || !self.access_policies.is_empty();
        self.kind == AccessEntryType::Standard && rights
    }

    /// What is wrong with it in this place: pointers start at the entry.
    #[must_use]
    pub fn misplaced(&self, account_id: &str, partition: Partition) -> Vec<Invalid> {
        rules::misplaced(self, account_id, partition)
    }
}

fn groups() -> utoipa::openapi::schema::Array {
    let about = "Kubernetes groups that the principal is in.";
    let example = serde_json::json!(["developers"]);
    schema::text_list(about, 100, schema::text(256, ""), example)
}

fn namespaces() -> utoipa::openapi::schema::Array {
    let about = "Kubernetes namespaces; * and ? are wildcards.";
    let example = serde_json::json!(["dev"]);
    schema::text_list(about, 100, schema::text(63, ""), example)
}

#[cfg(test)]
mod tests;
