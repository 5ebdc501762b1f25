//! Operations: changes that became several jobs.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

/// An operation's row, with how its jobs stand.
#[derive(Debug, Clone)]
pub struct OperationRow {
    /// A UUID of version 7.
    pub operation_id: Uuid,
    /// What it does.
    pub action: String,
    /// AWS account.
    pub account_id: String,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: String,
    /// How many jobs it has.
    pub job_count: i32,
    /// Who asked, by name.
    pub requested_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Jobs in that state.
    pub queued: i64,
    /// Jobs in that state.
    pub running: i64,
    /// Jobs in that state.
    pub waiting: i64,
    /// Jobs in that state.
    pub canceling: i64,
    /// Jobs in that state.
    pub succeeded: i64,
    /// Jobs in that state.
    pub failed: i64,
    /// Jobs in that state.
    pub canceled: i64,
    /// When the last of its jobs ended so far.
    pub last_finished_at: Option<DateTime<Utc>>,
}

/// Which operations to read.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Only those of these accounts, when the caller may see no others.
    pub visible: Option<Vec<String>>,
    /// Only this one.
    pub operation_id: Option<Uuid>,
    /// Only those of these accounts, as the caller asked.
    pub account_ids: Option<Vec<String>>,
    /// Only those older than this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// Reads operations, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &OperationFilter,
) -> Result<Vec<OperationRow>, sqlx::Error> {
    sqlx::query_file_as!(
        OperationRow,
        "src/db/list_operations.sql",
        filter.visible.as_deref() as Option<&[String]>,
        filter.operation_id,
        filter.account_ids.as_deref() as Option<&[String]>,
        filter.before,
        filter.limit,
    )
    .fetch_all(executor)
    .await
}

/// Reads one operation that the caller may see.
pub async fn find(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    operation_id: Uuid,
) -> Result<Option<OperationRow>, sqlx::Error> {
    let filter = OperationFilter {
        visible: visible.map(<[String]>::to_vec),
        operation_id: Some(operation_id),
        limit: 1,
        ..OperationFilter::default()
    };
    Ok(list(executor, &filter).await?.pop())
}

/// The ids of an operation's jobs, in the order in which they run.
pub async fn job_ids(
    executor: impl PgExecutor<'_>,
    operation_id: Uuid,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- operation_job_ids
        select job_id
        from job_rows
        where operation_id = $1
        order by seq
        limit 1000",
        operation_id,
    )
    .fetch_all(executor)
    .await
}
