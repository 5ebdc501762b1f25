//! The transitions of a job between its first start and its end.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A transition as it was told.
#[derive(Debug, Clone)]
pub struct JobEventRow {
    /// Its number within the job.
    pub event_no: i32,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The job's state from then on.
    pub state: String,
    /// The step to run next.
    pub step: String,
    /// Why the job waits.
    pub waiting_reason: Option<String>,
    /// One sentence for people.
    pub message: String,
}

/// The most transitions that one look returns.
pub const PAGE: usize = 1_000;

/// Lists a job's transitions after number `after`, in order, at most [`PAGE`] of them. Read the job
/// first: then whatever it tells has its events here already.
pub async fn list_after(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    job_id: Uuid,
    after: i32,
) -> Result<Vec<JobEventRow>, sqlx::Error> {
    sqlx::query_as!(
        JobEventRow,
        "-- list_job_events
        select event_no, occurred_at, state, step, waiting_reason, message
        from job_events
        where account_id = $1
          and job_id = $2
          and event_no > $3
        order by event_no
        limit 1000",
        account_id,
        job_id,
        after,
    )
    .fetch_all(executor)
    .await
}
