//! Claims: as many heads of lanes as there are free slots, round the accounts, in one statement.
//!
//! Promises: an account with a thousand jobs gets no more of a batch than one with ten, while both
//! have some; parked and disabled accounts are passed over without touching their jobs; a claim
//! raises the lease token, so that whoever held the job before can no longer write.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

/// A job under lease, as its step sees it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the columns of a row, each a fact of its own"
)]
pub struct ClaimedJob {
    /// AWS account.
    pub account_id: String,
    /// UUIDv7.
    pub job_id: Uuid,
    /// What to do.
    pub kind: String,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: Option<String>,
    /// Fargate profile.
    pub profile_name: Option<String>,
    /// What the caller asked for.
    pub input: Value,
    /// The step to run.
    pub step: String,
    /// What that step has to know.
    pub step_data: Value,
    /// Failures so far.
    pub attempt: i32,
    /// Looks at AWS so far.
    pub poll_count: i32,
    /// AWS was asked for a change: it may have accepted.
    pub asked: bool,
    /// AWS has accepted a change.
    pub accepted: bool,
    /// Someone asked to cancel.
    pub cancel_requested: bool,
    /// The fence.
    pub lease_token: i64,
    /// Who asked, by name.
    pub requested_by: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When a worker first took it.
    pub started_at: DateTime<Utc>,
    /// By the database's clock.
    pub claimed_at: DateTime<Utc>,
    /// This is the last look: the deadline has passed.
    pub last_look: bool,
    /// The account's place in the round of this claim.
    pub place: i64,
}

/// Takes up to `limit` ready jobs for `worker`, beginning after account `cursor`.
/// `busy` are the steps that the worker runs, by account, of which one may have `most`.
pub async fn claim(
    executor: impl PgExecutor<'_>,
    worker: Uuid,
    limit: i64,
    cursor: &str,
    (busy, most): (&[(String, i64)], i64),
) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let (accounts, steps): (Vec<String>, Vec<i64>) = busy.iter().cloned().unzip();
    sqlx::query_file_as!(
        ClaimedJob,
        "src/queue/claim.sql",
        worker,
        limit,
        cursor,
        &accounts,
        &steps,
        most,
    )
    .fetch_all(executor)
    .await
}
