//! What a job has to know and what it gives back: the JSON of a job row's `input` and `result`.
//!
//! The API writes the first and reads the second; a worker does the reverse. They meet only here.

use serde::{Deserialize, Serialize};

use super::access_entry::{AccessEntry, AccessEntrySpec, PrincipalArn};
use super::cluster::{ClusterDeletionPlan, ClusterSpec};
use super::cluster_view::ClusterView;
use super::ids::{ClusterName, Region};
use super::profile::{FargateProfile, ProfileSpec};
use super::role_arn::RoleArn;

/// Input of `create_fargate_profile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProfileInput {
    /// The profile, with a name unless `name_generated`.
    pub profile: ProfileSpec,
    /// The role, decided when the job was made: the profile's, the file's or the account's. Without
    /// one of these the worker finds or makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_execution_role_arn: Option<RoleArn>,
    /// The permissions boundary of a role that has to be made: the ARN of a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_permissions_boundary: Option<String>,
    /// The name is ours to choose, and must be free on the cluster.
    pub name_generated: bool,
}

/// Input of `delete_fargate_profile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteProfileInput {
    /// Follow the deletion until the profile is gone.
    pub wait: bool,
}

/// Input of `create_cluster`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateClusterInput {
    /// The cluster, checked.
    pub spec: ClusterSpec,
}

/// Input of `delete_cluster` and of `plan_cluster_deletion`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteClusterInput {
    /// Delete it although neither eksctl nor this service has made it: its Fargate profiles, its
    /// managed nodegroups and its control plane.
    pub unowned: bool,
    /// Turn EKS's deletion protection off first, if it is on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lift_protection: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Input of `put_access_entry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutAccessEntryInput {
    /// The entry as it shall be.
    pub entry: AccessEntrySpec,
}

/// Input of `get_access_entry` and `delete_access_entry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrincipalInput {
    /// Whose entry.
    #[serde(rename = "principalARN")]
    pub principal_arn: PrincipalArn,
}

/// Input of the other kinds that read: the row's columns say it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadInput {}

/// The result of a job, by kind: the fields join the Job that callers see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobResult {
    /// The profile created or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<FargateProfile>,
    /// All profiles of the cluster, in AWS's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<FargateProfile>>,
    /// The cluster created or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterView>,
    /// All clusters of the account in the region, in AWS's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<ClusterView>>,
    /// What deleting the cluster would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_plan: Option<ClusterDeletionPlan>,
    /// The access entry made, changed or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_entry: Option<AccessEntry>,
    /// All access entries of the cluster, in AWS's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_entries: Option<Vec<AccessEntry>>,
}

/// The lane of a cluster's mutations, inside its account.
#[must_use]
pub fn lane(region: &Region, cluster: &ClusterName) -> String {
    format!("{region}/{cluster}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inputs_of_the_version_before_are_read() {
        let role = "arn:aws:iam::111111111111:role/fargate-pod-execution";
        let row = json!({
            "profile": { "name": "fp", "selectors": [{ "namespace": "a" }] },
            "podExecutionRoleArn": role,
            "nameGenerated": false,
        });
        let input: CreateProfileInput = serde_json::from_value(row.clone()).unwrap();
        let found = input.pod_execution_role_arn.as_ref().map(RoleArn::as_str);
        assert_eq!(found, Some(role));
        let written = json!(input);
        for member in ["podExecutionRoleArn", "nameGenerated"] {
            assert_eq!(written[member], row[member], "{member}");
        }
        assert_eq!(written.get("rolePermissionsBoundary"), None);
    }
}
