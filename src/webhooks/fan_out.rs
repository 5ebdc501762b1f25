//! From events to deliveries: one for each webhook that wants to know.
//!
//! One transaction takes events and writes their deliveries, so a crash loses and doubles nothing,
//! however many workers do it at once. An event that is committed late is simply found later.

use std::collections::BTreeSet;

use sqlx::PgPool;
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::webhook_events::{self, EndedJob, Event};

/// At most so many events at once.
pub const MOST_AT_ONCE: i64 = 500;

/// Takes some events; how many there were.
pub async fn fan_out(pool: &PgPool, clock: &Clock) -> Result<usize, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let ended = webhook_events::take(&mut transaction, MOST_AT_ONCE).await?;
    if ended.is_empty() {
        return Ok(0);
    }
    let operations: BTreeSet<Uuid> = ended.iter().filter_map(|job| job.operation_id).collect();
    let operations: Vec<Uuid> = operations.into_iter().collect();
    let mut events: Vec<Event> = ended.iter().map(end_of_job).collect();
    if !operations.is_empty() {
        events.extend(webhook_events::ended_operations(&mut transaction, &operations).await?);
    }
    let wanted = webhook_events::wanted(&mut transaction, &events).await?;
    let ids: Vec<Uuid> = wanted.iter().map(|_| clock.uuid()).collect();
    webhook_events::insert_deliveries(&mut transaction, &wanted, &ids).await?;
    transaction.commit().await?;
    Ok(ended.len())
}

fn end_of_job(job: &EndedJob) -> Event {
    Event {
        event_type: format!("job.{}", job.state),
        subject_id: job.job_id,
        account_id: job.account_id.clone(),
        occurred_at: job.occurred_at,
    }
}
