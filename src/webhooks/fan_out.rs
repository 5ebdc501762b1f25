//! From events to deliveries: one for each webhook that wants to know, and one for each portal's run
//! that waits for it.
//!
//! One transaction takes events and writes their deliveries, so a crash loses and doubles nothing,
//! however many workers do it at once. An event that is committed late is simply found later.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::clock::Clock;
use crate::database::Share;
use crate::db::job_callbacks;
use crate::db::webhook_events::{self, EndedJob, Event, Wanted};

/// At most so many events at once.
pub const MOST_AT_ONCE: i64 = 500;

/// Takes some events; how many there were.
pub async fn fan_out(share: &Share, clock: &Clock) -> Result<usize, sqlx::Error> {
    let mut transaction = share.begin().await?;
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
    let mut wanted = webhook_events::wanted(&mut transaction, &events).await?;
    let subjects: Vec<Uuid> = events.iter().map(|event| event.subject_id).collect();
    let most = i64::try_from(subjects.len()).unwrap_or(i64::MAX);
    wanted.extend(job_callbacks::take_ended(&mut transaction, Some(&subjects), most).await?);
    insert(&mut transaction, clock, &wanted).await?;
    transaction.commit().await?;
    Ok(ended.len())
}

/// Tells runs whose end was not noted: while no webhook was enabled, or by a worker of a version
/// that knew no runs.
pub async fn fan_out_late(share: &Share, clock: &Clock) -> Result<(), sqlx::Error> {
    loop {
        let mut transaction = share.begin().await?;
        let late = job_callbacks::take_ended(&mut transaction, None, MOST_AT_ONCE).await?;
        insert(&mut transaction, clock, &late).await?;
        transaction.commit().await?;
        if late.is_empty() {
            return Ok(());
        }
    }
}

async fn insert(
    connection: &mut PgConnection,
    clock: &Clock,
    wanted: &[Wanted],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = wanted.iter().map(|_| clock.uuid()).collect();
    webhook_events::insert_deliveries(connection, wanted, &ids).await
}

fn end_of_job(job: &EndedJob) -> Event {
    Event {
        event_type: format!("job.{}", job.state),
        subject_id: job.job_id,
        account_id: job.account_id.clone(),
        occurred_at: job.occurred_at,
    }
}
