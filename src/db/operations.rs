//! Operations: changes that became several jobs.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::walk::{Looked, MAX_SOURCES, WINDOW};

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

/// Which operations to list.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Only those of these accounts; none means all.
    pub account_ids: Option<Vec<String>>,
    /// Only those older than this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
    /// Look at so many rows at most: jobs of the operations, which are counted.
    pub rows: i64,
}

/// Lists operations, newest first. In a transaction of [`super::walk::begin_list`].
pub async fn list(
    connection: &mut PgConnection,
    filter: &OperationFilter,
) -> Result<Looked<OperationRow, Uuid>, sqlx::Error> {
    let reached = reach(&mut *connection, filter).await?;
    let accounts = filter.account_ids.as_deref();
    let found = match accounts.filter(|accounts| accounts.len() <= MAX_SOURCES) {
        Some(accounts) => of_accounts(&mut *connection, accounts, filter, reached).await?,
        None => of_all(&mut *connection, accounts, filter, reached).await?,
    };
    // Their jobs are counted, so a page ends where these become many.
    let mut jobs = 0;
    let counted = found.iter().take_while(|operation| {
        jobs += i64::from(operation.job_count);
        jobs - i64::from(operation.job_count) < filter.rows
    });
    let ids: Vec<Uuid> = counted.map(|row| row.operation_id).collect();
    let cut = ids.len() < found.len();
    Ok(Looked {
        items: load(connection, None, &ids).await?,
        reached: if cut { ids.last().copied() } else { reached },
    })
}

/// An operation, and how many jobs it has.
struct Found {
    operation_id: Uuid,
    job_count: i32,
}

/// The oldest operation that the page looks at; none when it looks at all that are left.
///
/// Pairs are compared, not the account alone: only the index by account is in that order. For an
/// account with few operations Postgres might else walk those of all accounts.
async fn reach(
    connection: &mut PgConnection,
    filter: &OperationFilter,
) -> Result<Option<Uuid>, sqlx::Error> {
    match &filter.account_ids {
        Some(accounts) if accounts.len() <= MAX_SOURCES => {
            let sources = i64::try_from(accounts.len()).unwrap_or(1).max(1);
            sqlx::query_scalar!(
                r#"-- list_operations_reach
                select last.operation_id
                from unnest($1::text[]) as source (account_id)
                cross join lateral (
                    select o.operation_id
                    from operations o
                    where (o.account_id, o.operation_id) < (
                            source.account_id,
                            coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                        )
                      and o.account_id >= source.account_id
                    order by o.account_id desc, o.operation_id desc
                    offset $3
                    limit 1
                ) as last
                order by last.operation_id desc
                limit 1"#,
                accounts,
                filter.before,
                (WINDOW / sources).max(1) - 1,
            )
            .fetch_optional(connection)
            .await
        }
        _ => {
            sqlx::query_scalar!(
                "-- list_all_operations_reach
                select operation_id
                from operations
                where operation_id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                order by operation_id desc
                offset $2
                limit 1",
                filter.before,
                WINDOW - 1,
            )
            .fetch_optional(connection)
            .await
        }
    }
}

async fn of_accounts(
    connection: &mut PgConnection,
    accounts: &[String],
    filter: &OperationFilter,
    from: Option<Uuid>,
) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"-- list_operations
        select found.operation_id, found.job_count
        from unnest($1::text[]) as source (account_id)
        cross join lateral (
            select o.operation_id, o.job_count
            from operations o
            where (o.account_id, o.operation_id) < (
                    source.account_id,
                    coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                )
              and (o.account_id, o.operation_id) >= (
                    source.account_id,
                    coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
                )
            order by o.account_id desc, o.operation_id desc
            limit $4
        ) as found
        order by found.operation_id desc
        limit $4"#,
        accounts,
        filter.before,
        from,
        filter.limit,
    )
    .fetch_all(connection)
    .await
}

async fn of_all(
    connection: &mut PgConnection,
    accounts: Option<&[String]>,
    filter: &OperationFilter,
    from: Option<Uuid>,
) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"-- list_all_operations
        select operation_id, job_count
        from operations
        where ($1::text[] is null or account_id = any ($1))
          and operation_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and operation_id >= coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
        order by operation_id desc
        limit $4"#,
        accounts as Option<&[String]>,
        filter.before,
        from,
        filter.limit,
    )
    .fetch_all(connection)
    .await
}

/// Reads operations by id, newest first; those that the caller may not see are left out.
pub async fn load(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    operation_ids: &[Uuid],
) -> Result<Vec<OperationRow>, sqlx::Error> {
    sqlx::query_file_as!(
        OperationRow,
        "src/db/load_operations.sql",
        operation_ids,
        visible as Option<&[String]>,
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
    Ok(load(executor, visible, &[operation_id]).await?.pop())
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
