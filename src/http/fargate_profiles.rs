//! Fargate profiles of one cluster, live: every request becomes a job.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod output;
pub(super) mod read;

use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{WaitSeconds, text};
use super::wire::paths;
use crate::domain::{AccountId, ClusterName, ProfileName, Region};

/// The cluster in a path.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterPath {
    pub account_id: AccountId,
    pub region: Region,
    pub cluster_name: ClusterName,
}

/// The profile in a path.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfilePath {
    pub account_id: AccountId,
    pub region: Region,
    pub cluster_name: ClusterName,
    pub profile_name: ProfileName,
}

impl ClusterPath {
    /// Where the cluster's profiles are.
    pub(super) fn base(&self) -> String {
        paths::profiles(
            self.account_id.as_str(),
            self.region.as_str(),
            self.cluster_name.as_str(),
        )
    }
}

impl From<ProfilePath> for ClusterPath {
    fn from(path: ProfilePath) -> Self {
        Self {
            account_id: path.account_id,
            region: path.region,
            cluster_name: path.cluster_name,
        }
    }
}

/// What every request that makes a job may say in its query.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ChangeQuery {
    /// Hold the answer until the job has ended, at most so many seconds.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 30)]
    pub wait_seconds: Option<WaitSeconds>,
    /// The twin of the header `Idempotency-Key`; wins over it.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "create-fp-dev-1"
    )]
    #[expect(
        dead_code,
        reason = "read by http::idempotency; declared so that it is known"
    )]
    pub request_id: Option<String>,
    /// A webhook of a portal: it is told when the job, or the operation, has ended. Goes with
    /// `callbackRun`.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        value_type = Option<String>,
        max_length = 36,
        pattern = "^[0-9a-fA-F-]{36}$",
    )]
    #[expect(
        dead_code,
        reason = "read by http::callback; declared so that it is known"
    )]
    pub callback: Option<String>,
    /// The portal's run that is told: the id of a run of Port's actions, or the URL of a callback of
    /// Cortex's workflows.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 2048,
        pattern = "^[!-~]+$"
    )]
    #[expect(
        dead_code,
        reason = "read by http::callback; declared so that it is known"
    )]
    pub callback_run: Option<String>,
}
