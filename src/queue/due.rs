//! Parked jobs whose time has come become ready, by the database's clock.
//!
//! Waits stand in an index of their own, so that a hundred thousand of them cost a claim nothing.

use std::time::Duration;

use sqlx::PgConnection;

use super::bounded;
use crate::database::Share;

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Jobs made ready.
    pub woken: u64,
    /// Until the next is due; `None` when nothing is parked.
    pub next: Option<Duration>,
}

/// Jobs made ready at once.
pub const MOST_AT_ONCE: u64 = 1_000;

/// Makes up to [`MOST_AT_ONCE`] due jobs ready.
pub async fn wake_due(share: &Share) -> Result<Due, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let woken = bounded::within(wake_on(&mut connection)).await;
    bounded::given_back(connection, woken)
}

async fn wake_on(connection: &mut PgConnection) -> Result<Due, sqlx::Error> {
    let row = sqlx::query!(
        r#"-- wake_due
        with due as (
            select account_id, job_id
            from job_rows
            where phase = 'parked'
              and due_at <= now()
            order by due_at
            limit 1000
            for update skip locked
        ),
        woken as (
            update job_rows j
            set phase = 'ready',
                ready_seq = nextval('jobs_ready_seq'),
                version = j.version + 2
            from due
            where j.account_id = due.account_id
              and j.job_id = due.job_id
            returning 1
        )
        select
            (select count(*) from woken) as "woken!",
            (
                select extract(epoch from min(due_at) - now())::float8
                from job_rows
                where phase = 'parked'
                  and due_at > now()
            ) as next_seconds
        "#
    )
    .fetch_one(connection)
    .await?;
    Ok(Due {
        woken: u64::try_from(row.woken).unwrap_or(0),
        next: row
            .next_seconds
            .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)),
    })
}
