//! A job as callers see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paths;
use super::standing::Standing;
use crate::db::jobs::JobRow;
use crate::domain::cluster::ClusterDeletionPlan;
use crate::domain::job_input::JobResult;
use crate::domain::{
    AccessEntry, AccountId, ClusterName, ClusterView, FargateProfile, JobError, JobKind, JobState,
    ProfileName, Region, WaitingReason, Warning,
};

/// Something that is being done, or was: durable, followed to its end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "kind": "create_fargate_profile",
    "state": "waiting",
    "accountId": "111111111111",
    "region": "eu-central-1",
    "clusterName": "prod-1",
    "profileName": "fp-dev",
    "message": "AWS is creating the profile.",
    "step": "follow",
    "pollCount": 2,
    "attempts": 0,
    "waitingReason": "poll",
    "nextCheckAt": "2026-01-02T03:04:35Z",
    "warnings": [],
    "requestedBy": "payments-ci",
    "createdAt": "2026-01-02T03:04:05Z",
    "startedAt": "2026-01-02T03:04:06Z",
    "deadlineAt": "2026-01-03T03:04:05Z",
    "retryAfterSeconds": 10,
    "links": {
        "self": "/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
        "events": "/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f/events",
        "cancel": "/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f/cancel"
    }
})))]
pub(in crate::http) struct Job {
    /// The job's id, a UUID of version 7.
    pub id: Uuid,
    /// What it does.
    #[schema(value_type = JobKind)]
    pub kind: String,
    /// Where it stands.
    #[schema(value_type = JobState)]
    pub state: String,
    /// The AWS account.
    #[schema(value_type = AccountId)]
    pub account_id: String,
    /// The AWS region.
    #[schema(value_type = Region)]
    pub region: String,
    /// The EKS cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ClusterName, required = false)]
    pub cluster_name: Option<String>,
    /// The Fargate profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProfileName, required = false)]
    pub profile_name: Option<String>,
    /// The operation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub operation_id: Option<Uuid>,
    /// The job that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_of: Option<Uuid>,
    /// One sentence a person understands.
    #[schema(max_length = 4096, examples("AWS is creating the profile."))]
    pub message: String,
    /// The step that runs or comes next.
    #[schema(max_length = 64, examples("start"))]
    pub step: String,
    /// How often it looked at AWS for a change to end.
    #[schema(minimum = 0)]
    pub poll_count: i32,
    /// Failures that counted. Waiting never does.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WaitingReason, required = false)]
    pub waiting_reason: Option<String>,
    /// The id of the job it waits for, or AWS's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4096)]
    pub blocked_by: Option<String>,
    /// How many jobs of the cluster are ahead. Exact up to 1,000; above 1,000 it is an estimate, and
    /// `queuePositionEstimated` is true. Show an estimate as `1000+`. On a page with queued jobs of
    /// more than 100 clusters, smaller numbers may be estimates too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub queue_position: Option<i64>,
    /// True when `queuePosition` is an estimate; absent when it is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub queue_position_estimated: Option<bool>,
    /// When it looks again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_check_at: Option<DateTime<Utc>>,
    /// When it is likely to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub estimated_finish_at: Option<DateTime<Utc>>,
    /// The result: the profile created or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = FargateProfile, required = false)]
    pub profile: Option<FargateProfile>,
    /// The result: all profiles of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 1000)]
    pub profiles: Option<Vec<FargateProfile>>,
    /// The result: the cluster created or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ClusterView, required = false)]
    pub cluster: Option<ClusterView>,
    /// The result: all clusters of the account in the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 1000)]
    pub clusters: Option<Vec<ClusterView>>,
    /// The result: what deleting the cluster would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ClusterDeletionPlan, required = false)]
    pub deletion_plan: Option<ClusterDeletionPlan>,
    /// The result: the access entry made, changed or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = AccessEntry, required = false)]
    pub access_entry: Option<AccessEntry>,
    /// The result: all access entries of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 1000)]
    pub access_entries: Option<Vec<AccessEntry>>,
    /// What to look at before it surprises.
    #[schema(max_items = 1000)]
    pub warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = JobError, required = false)]
    pub error: Option<JobError>,
    /// Who asked, by the name of the token.
    #[schema(max_length = 256, examples("payments-ci"))]
    pub requested_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub finished_at: Option<DateTime<Utc>>,
    /// When it is given up.
    pub deadline_at: DateTime<Utc>,
    /// In how many seconds to ask again, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 86_400)]
    pub retry_after_seconds: Option<u32>,
    /// Where to go from here.
    pub links: JobLinks,
}

/// Where to go from a job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct JobLinks {
    /// The job, as in `Location`.
    #[serde(rename = "self")]
    #[schema(
        max_length = 2048,
        examples("/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f")
    )]
    pub own: String,
    /// Its transitions as they happen.
    #[schema(max_length = 2048)]
    pub events: String,
    /// POST here to cancel it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub cancel: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 8192)]
    pub target: Option<String>,
}

impl Job {
    pub(in crate::http) fn of(row: JobRow, time_scale: f64) -> Self {
        let standing = Standing::of(&row, time_scale);
        let result = result_of(&row);
        Self {
            id: row.job_id,
            links: JobLinks::of(&row),
            kind: row.kind,
            state: row.state,
            account_id: row.account_id,
            region: row.region,
            cluster_name: row.cluster_name,
            profile_name: row.profile_name,
            operation_id: row.operation_id,
            retry_of: row.retry_of,
            message: row.message,
            step: row.step,
            poll_count: row.poll_count,
            attempts: row.attempt,
            waiting_reason: standing.waiting_reason,
            blocked_by: standing.blocked_by,
            queue_position: standing.queue_position,
            queue_position_estimated: standing.queue_position_estimated,
            next_check_at: standing.next_check_at,
            estimated_finish_at: standing.estimated_finish_at,
            profile: result.profile,
            profiles: result.profiles,
            cluster: result.cluster,
            clusters: result.clusters,
            deletion_plan: result.deletion_plan,
            access_entry: result.access_entry,
            access_entries: result.access_entries,
            warnings: serde_json::from_value(row.warnings).unwrap_or_default(),
            error: row
                .error
                .and_then(|error| serde_json::from_value(error).ok()),
            requested_by: row.requested_by,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            deadline_at: row.deadline_at,
            retry_after_seconds: standing.retry_after_seconds,
        }
    }
}

/// The result of a job, whatever else a later version put there.
pub(in crate::http) fn result_of(row: &JobRow) -> JobResult {
    let read = row.result.clone().map(serde_json::from_value);
    let read: JobResult = read.and_then(Result::ok).unwrap_or_default();
    let placed = |cluster: ClusterView| cluster.at(&row.account_id, &row.region);
    JobResult {
        cluster: read.cluster.map(placed),
        clusters: read
            .clusters
            .map(|clusters| clusters.into_iter().map(placed).collect()),
        ..read
    }
}

impl JobLinks {
    fn of(row: &JobRow) -> Self {
        let own = paths::job(row.job_id);
        Self {
            events: format!("{own}/events"),
            // What AWS has accepted can't be taken back.
            cancel: (row.finished_at.is_none() && !row.accepted).then(|| format!("{own}/cancel")),
            target: target(row),
            own,
        }
    }
}

/// The path of what a job is about.
fn target(row: &JobRow) -> Option<String> {
    let (account, region) = (&row.account_id, &row.region);
    let cluster = row.cluster_name.as_deref();
    match row.kind.parse() {
        Ok(JobKind::ListClusters) => Some(paths::clusters(account, region)),
        Ok(
            JobKind::CreateCluster
            | JobKind::GetCluster
            | JobKind::DeleteCluster
            | JobKind::PlanClusterDeletion,
        ) => cluster.map(|cluster| paths::cluster(account, region, cluster)),
        Ok(JobKind::PutAccessEntry | JobKind::GetAccessEntry | JobKind::DeleteAccessEntry) => {
            let of_entry = row.input.pointer("/entry/principalARN");
            let principal = of_entry.or_else(|| row.input.get("principalARN"))?;
            Some(paths::access_entry(
                (account, region),
                cluster?,
                principal.as_str()?,
            ))
        }
        Ok(JobKind::ListAccessEntries) => {
            cluster.map(|cluster| paths::access_entries(account, region, cluster))
        }
        _ => {
            let base = paths::profiles(account, region, cluster?);
            Some(match &row.profile_name {
                Some(name) => paths::profile(&base, name),
                None => base,
            })
        }
    }
}
