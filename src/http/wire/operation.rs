//! An operation as callers see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::Job;
use super::paths;
use crate::db::operations::OperationRow;
use crate::domain::{AccountId, ClusterName, JobState, Region};

/// One change that became several jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Operation {
    /// The operation's id, a UUID of version 7.
    pub id: Uuid,
    /// What it does.
    #[schema(max_length = 64, examples("create_fargate_profiles"))]
    pub action: String,
    /// `queued` until a job begins, `running` until all have ended, then `failed` if one of them
    /// failed, `canceled` if one was canceled, else `succeeded`.
    #[schema(value_type = JobState)]
    pub state: &'static str,
    /// The AWS account.
    #[schema(value_type = AccountId)]
    pub account_id: String,
    /// The AWS region.
    #[schema(value_type = Region)]
    pub region: String,
    /// The EKS cluster.
    #[schema(value_type = ClusterName)]
    pub cluster_name: String,
    /// How many jobs it has.
    #[schema(minimum = 1, maximum = 100_000)]
    pub job_count: i32,
    /// How many of them are in which state.
    pub counts: JobCounts,
    /// The part of its jobs that has ended, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub progress_percent: i64,
    /// Its jobs in the order in which they run; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 1000)]
    pub jobs: Option<Vec<Job>>,
    /// Who asked, by the name of the token.
    #[schema(max_length = 256)]
    pub requested_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its last job ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub finished_at: Option<DateTime<Utc>>,
    /// In how many seconds to ask again, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 86_400)]
    pub retry_after_seconds: Option<u32>,
    /// Where to go from here.
    pub links: OperationLinks,
}

/// How many jobs of an operation are in which state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct JobCounts {
    /// Not begun.
    #[schema(minimum = 0)]
    pub queued: i64,
    /// Taking a step.
    #[schema(minimum = 0)]
    pub running: i64,
    /// Between steps.
    #[schema(minimum = 0)]
    pub waiting: i64,
    /// Being canceled.
    #[schema(minimum = 0)]
    pub canceling: i64,
    /// Ended as asked.
    #[schema(minimum = 0)]
    pub succeeded: i64,
    /// Ended with an error.
    #[schema(minimum = 0)]
    pub failed: i64,
    /// Ended before AWS had accepted anything.
    #[schema(minimum = 0)]
    pub canceled: i64,
}

/// Where to go from an operation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct OperationLinks {
    /// The operation, as in `Location`.
    #[serde(rename = "self")]
    #[schema(max_length = 2048)]
    pub own: String,
    /// Its jobs.
    #[schema(max_length = 2048)]
    pub jobs: String,
}

/// Whether all jobs of an operation have ended.
pub(in crate::http) fn is_finished(row: &OperationRow) -> bool {
    ended(row) >= i64::from(row.job_count)
}

fn ended(row: &OperationRow) -> i64 {
    row.succeeded + row.failed + row.canceled
}

impl Operation {
    pub(in crate::http) fn of(row: OperationRow, jobs: Option<Vec<Job>>) -> Self {
        let own = paths::operation(row.operation_id);
        let finished = is_finished(&row);
        Self {
            id: row.operation_id,
            state: state(&row),
            progress_percent: (ended(&row) * 100 / i64::from(row.job_count.max(1))).clamp(0, 100),
            counts: JobCounts {
                queued: row.queued,
                running: row.running,
                waiting: row.waiting,
                canceling: row.canceling,
                succeeded: row.succeeded,
                failed: row.failed,
                canceled: row.canceled,
            },
            action: row.action,
            account_id: row.account_id,
            region: row.region,
            cluster_name: row.cluster_name,
            job_count: row.job_count,
            jobs,
            requested_by: row.requested_by,
            created_at: row.created_at,
            finished_at: row.last_finished_at.filter(|_| finished),
            retry_after_seconds: (!finished).then_some(5),
            links: OperationLinks {
                jobs: format!("/v1/jobs?operationId={}", row.operation_id),
                own,
            },
        }
    }
}

fn state(row: &OperationRow) -> &'static str {
    let state = if row.queued >= i64::from(row.job_count) {
        JobState::Queued
    } else if !is_finished(row) {
        JobState::Running
    } else if row.failed > 0 {
        JobState::Failed
    } else if row.canceled > 0 {
        JobState::Canceled
    } else {
        JobState::Succeeded
    };
    state.as_str()
}
