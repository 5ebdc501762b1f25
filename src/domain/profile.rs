//! Fargate profiles in eksctl's words: as they are read, as they are asked for, as we run them.

use super::decode::{null_as_default, unique_text_map};
use super::ids::ProfileName;
use super::invalid::Invalid;
use super::profile_rules;
use super::role_arn::RoleArn;
use super::selector::Selector;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A profile as it is in EKS. Every text passes through as AWS sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "name": "fp-default",
    "podExecutionRoleARN": "arn:aws:iam::111111111111:role/fargate-pod-execution",
    "selectors": [{"namespace": "default"}, {"namespace": "kube-system"}],
    "status": "ACTIVE"
})))]
pub struct FargateProfile {
    /// The profile's name.
    #[schema(max_length = 100, examples("fp-default"))]
    pub name: String,
    /// The role that the kubelet of its pods runs under.
    #[serde(
        rename = "podExecutionRoleARN",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/fargate-pod-execution")
    )]
    pub pod_execution_role_arn: Option<String>,
    /// Which pods it takes: those that match any of them.
    #[serde(default)]
    #[schema(max_items = 100, required = true)]
    pub selectors: Vec<Selector>,
    /// The private subnets its pods run in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = super::schema::subnets)]
    pub subnets: Vec<String>,
    /// Its AWS tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(schema_with = super::schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// CREATING, ACTIVE, DELETING, `CREATE_FAILED`, `DELETE_FAILED`, or a value AWS adds later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 64, examples("ACTIVE"))]
    pub status: Option<String>,
    /// The profile's own ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 2048)]
    pub arn: Option<String>,
    /// The cluster it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 100, examples("prod-1"))]
    pub cluster_name: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only, max_length = 35)]
    pub created_at: Option<DateTime<Utc>>,
    /// What ails it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only, max_items = 100)]
    pub health_issues: Vec<HealthIssue>,
}

/// One thing that AWS says is wrong with a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthIssue {
    /// AWS's code, such as `PodExecutionRoleAlreadyInUse`.
    #[schema(max_length = 256, examples("AccessDenied"))]
    pub code: String,
    /// AWS's own words.
    #[schema(max_length = 4096)]
    pub message: String,
    /// The resources concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = super::schema::resource_ids)]
    pub resource_ids: Vec<String>,
}

/// A profile as a caller asks for it: an entry of a `ClusterConfig`'s `fargateProfiles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "name": "fp-dev",
    "selectors": [{"namespace": "dev", "labels": {"env": "dev", "checks": "passed"}}]
})))]
pub struct ProfileInput {
    /// The profile's name; generated (`fp-` and eight of `[a-f0-9]`) where it may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$",
        examples("fp-dev")
    )]
    pub name: Option<String>,
    /// The role that the kubelet of its pods runs under; without one, the account's default.
    #[serde(
        rename = "podExecutionRoleARN",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = RoleArn, required = false)]
    pub pod_execution_role_arn: Option<String>,
    /// The permissions boundary of that role, if it has to be created: the ARN of a policy; without
    /// it, the account's. Not in a config, whose `iam` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub permissions_boundary: Option<String>,
    /// Which pods it takes: those that match any of them. At least one.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(min_items = 1, max_items = 100, required = true)]
    pub selectors: Vec<SelectorInput>,
    /// The private subnets its pods run in; without any, EKS picks the cluster's.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(schema_with = super::schema::new_subnets)]
    pub subnets: Vec<String>,
    /// Its AWS tags.
    #[serde(
        default,
        deserialize_with = "unique_text_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schema(schema_with = super::schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// Ignored, as eksctl ignores it: there so that what was printed can be sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("ACTIVE"))]
    pub status: Option<String>,
    /// Ignored, as `status` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub arn: Option<String>,
    /// Ignored: the path names the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub cluster_name: Option<String>,
    /// Ignored, as `status` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 35)]
    pub created_at: Option<String>,
    /// Ignored, as `status` is.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(max_items = 100)]
    pub health_issues: Vec<HealthIssue>,
}

/// A selector as a caller writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelectorInput {
    /// The Kubernetes namespace; `*` and `?` are wildcards.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(
        min_length = 1,
        max_length = 253,
        pattern = r"^[^\s\x00-\x1F\x7F-\x9F]+$",
        required = true,
        examples("dev")
    )]
    pub namespace: String,
    /// Labels that the pod must carry, all of them.
    #[serde(
        default,
        deserialize_with = "unique_text_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schema(schema_with = super::schema::new_labels)]
    pub labels: BTreeMap<String, String>,
}

/// Whether a profile must come with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// A missing or empty name is generated later (a single profile).
    Optional,
    /// A missing or empty name is an error (a config file, a set of profiles).
    Required,
}

/// A profile whose every field has been checked: what jobs carry and run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileSpec {
    /// The name, unless it is to be generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ProfileName>,
    /// The role, unless a default is to be found.
    #[serde(
        rename = "podExecutionRoleARN",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub pod_execution_role_arn: Option<RoleArn>,
    /// At least one.
    pub selectors: Vec<Selector>,
    /// Empty lets EKS pick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
    /// AWS tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl ProfileInput {
    /// Checks the profile: eksctl's rules in eksctl's order and words, of which only the first
    /// failure is told, and then ours, all at once.
    pub fn validate(self, naming: Naming) -> Result<ProfileSpec, Vec<Invalid>> {
        profile_rules::check(self, naming)
    }
}
