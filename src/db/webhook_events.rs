//! From what happened to who is told: events become deliveries, in one transaction of the caller.
//!
//! The events are written by the statements that end jobs ([`crate::queue`]'s outcome).

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The end of a job, to be told.
#[derive(Debug, Clone)]
pub struct EndedJob {
    /// AWS account.
    pub account_id: String,
    /// The job.
    pub job_id: Uuid,
    /// The operation it belongs to.
    pub operation_id: Option<Uuid>,
    /// How it ended.
    pub state: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Something that webhooks may want to know.
#[derive(Debug, Clone)]
pub struct Event {
    /// Such as `job.succeeded`.
    pub event_type: String,
    /// The job or operation.
    pub subject_id: Uuid,
    /// AWS account.
    pub account_id: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An event for a webhook that wants to know it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Such as `job.succeeded`.
    pub event_type: String,
    /// The job or operation.
    pub subject_id: Uuid,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The portal's run that is told, if it is one.
    pub run: Option<String>,
}

/// Whether there may be anything to do: an event to be told, or a webhook to tell.
pub async fn anything(executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- anything_to_tell
        select exists (select from webhooks where enabled)
            or exists (select from webhook_events) as "anything!""#
    )
    .fetch_one(executor)
    .await
}

/// Takes the oldest events that nobody else is taking. They are back if the transaction fails.
pub async fn take(connection: &mut PgConnection, limit: i64) -> Result<Vec<EndedJob>, sqlx::Error> {
    sqlx::query_as!(
        EndedJob,
        "-- take_webhook_events
        delete from webhook_events
        where event_no in (
            select event_no
            from webhook_events
            order by event_no
            limit $1
            for update skip locked
        )
        returning account_id, job_id, operation_id, state, occurred_at",
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Which of these operations have ended. Asked after [`take`], in a statement of its own: whoever
/// takes the last of an operation's events then sees the ends of all its jobs.
pub async fn ended_operations(
    connection: &mut PgConnection,
    operation_ids: &[Uuid],
) -> Result<Vec<Event>, sqlx::Error> {
    sqlx::query_as!(
        Event,
        r#"-- ended_operations
        select
            'operation.finished' as "event_type!",
            o.operation_id as subject_id,
            o.account_id,
            max(j.finished_at) as "occurred_at!"
        from operations o
        join job_rows j on j.operation_id = o.operation_id
        where o.operation_id = any ($1)
        group by o.operation_id
        having bool_and(j.phase = 'finished')"#,
        operation_ids,
    )
    .fetch_all(connection)
    .await
}

/// Finds the enabled webhooks that want to know some of these events.
pub async fn wanted(
    connection: &mut PgConnection,
    events: &[Event],
) -> Result<Vec<Wanted>, sqlx::Error> {
    let event_types: Vec<String> = events.iter().map(|e| e.event_type.clone()).collect();
    let subject_ids: Vec<Uuid> = events.iter().map(|e| e.subject_id).collect();
    let account_ids: Vec<String> = events.iter().map(|e| e.account_id.clone()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|e| e.occurred_at).collect();
    sqlx::query_as!(
        Wanted,
        r#"-- wanted_webhook_events
        select
            w.webhook_id,
            e.event_type as "event_type!",
            e.subject_id as "subject_id!",
            e.occurred_at as "occurred_at!",
            null::text as run
        from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
            as e (event_type, subject_id, account_id, occurred_at)
        join webhooks w
            on w.enabled
           and w.format = 'standard'
           and e.event_type = any (w.event_types)
           and (w.account_ids is null or e.account_id = any (w.account_ids))
        order by e.occurred_at"#,
        &event_types,
        &subject_ids,
        &account_ids,
        &times,
    )
    .fetch_all(connection)
    .await
}

/// Writes deliveries, each under an id of its own; one that is there already stays as it is.
pub async fn insert_deliveries(
    connection: &mut PgConnection,
    wanted: &[Wanted],
    delivery_ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    let webhook_ids: Vec<Uuid> = wanted.iter().map(|w| w.webhook_id).collect();
    let event_types: Vec<String> = wanted.iter().map(|w| w.event_type.clone()).collect();
    let subject_ids: Vec<Uuid> = wanted.iter().map(|w| w.subject_id).collect();
    let times: Vec<DateTime<Utc>> = wanted.iter().map(|w| w.occurred_at).collect();
    let runs: Vec<Option<String>> = wanted.iter().map(|w| w.run.clone()).collect();
    sqlx::query!(
        "-- insert_webhook_deliveries
        insert into webhook_deliveries (
            webhook_id, delivery_id, event_type, subject_id, occurred_at, callback_run
        )
        select *
        from unnest(
            $1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[]
        )
        on conflict (webhook_id, subject_id, event_type) do nothing",
        &webhook_ids,
        delivery_ids,
        &event_types,
        &subject_ids,
        &times,
        &runs as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
