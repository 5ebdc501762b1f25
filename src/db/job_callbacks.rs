//! Runs of portals that wait for the end of a job or an operation.
//!
//! They are written by the statement that makes the job ([`crate::queue`]'s enqueue).

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::webhook_deliveries::interval;
use super::webhook_events::Wanted;

/// Takes the runs whose job or operation has ended: those of `subjects`, or any. They are back if
/// the transaction fails. Those of a disabled webhook stay.
pub async fn take_ended(
    connection: &mut PgConnection,
    subjects: Option<&[Uuid]>,
    limit: i64,
) -> Result<Vec<Wanted>, sqlx::Error> {
    sqlx::query_as!(
        Wanted,
        r#"-- take_ended_callbacks
        with waiting as materialized (
            select c.subject_id, c.account_id, c.webhook_id, c.run
            from job_callbacks c
            join webhooks w on w.webhook_id = c.webhook_id and w.enabled
            where $1::uuid[] is null
               or c.subject_id = any ($1)
        ),
        ended as (
            select c.subject_id, 'job.' || j.state as event_type, j.finished_at as occurred_at
            from waiting c
            join job_rows j on j.account_id = c.account_id and j.job_id = c.subject_id
            where j.phase = 'finished'
            union all
            select c.subject_id, 'operation.finished', last.finished_at
            from waiting c
            cross join lateral (
                select j.phase, j.finished_at
                from job_rows j
                where j.operation_id = c.subject_id
                -- one that has not ended, if there is any
                order by j.finished_at desc nulls first
                limit 1
            ) as last
            where last.phase = 'finished'
            limit $2
        )
        delete from job_callbacks c
        using ended
        where c.subject_id = ended.subject_id
        returning
            c.webhook_id,
            ended.event_type as "event_type!",
            c.subject_id,
            ended.occurred_at as "occurred_at!",
            c.run as "run?""#,
        subjects as Option<&[Uuid]>,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Forgets the runs that wait for a webhook's word.
pub async fn forget(executor: impl PgExecutor<'_>, webhook_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- forget_callbacks
        delete from job_callbacks
        where webhook_id = $1",
        webhook_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Forgets runs that were named longer than `age` ago.
pub async fn sweep(executor: impl PgExecutor<'_>, age: Duration) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!(
        "-- sweep_callbacks
        delete from job_callbacks
        where created_at < now() - $1::interval",
        interval(age),
    )
    .execute(executor)
    .await?;
    Ok(swept.rows_affected())
}
