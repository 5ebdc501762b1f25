//! What a job has to know and what it gives back: the JSON of a job row's `input` and `result`.
//!
//! The API writes the first and reads the second; a worker does the reverse. They meet only here.

use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, Region};
use super::profile::{FargateProfile, ProfileSpec};
use super::role_arn::RoleArn;

/// Input of `create_fargate_profile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProfileInput {
    /// The profile, with a name unless `name_generated`.
    pub profile: ProfileSpec,
    /// The role, decided when the job was made: the profile's, the file's or the account's.
    pub pod_execution_role_arn: RoleArn,
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

/// Input of `get_fargate_profile` and `list_fargate_profiles`: the row's columns say it all.
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
}

/// The lane of a cluster's mutations, inside its account.
#[must_use]
pub fn lane(region: &Region, cluster: &ClusterName) -> String {
    format!("{region}/{cluster}")
}
