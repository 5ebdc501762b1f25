//! Deliveries: one event for one webhook, and how its sending goes.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::types::PgInterval;
use sqlx::{Connection as _, PgConnection, PgExecutor};
use uuid::Uuid;

use super::walk;

/// One claimer at a time, so that no webhook gets more at once than it may.
const CLAIMER: i64 = 0x0066_6c65_6574_7768;

/// A delivery's row.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The webhook.
    pub webhook_id: Uuid,
    /// A UUID of version 7.
    pub delivery_id: Uuid,
    /// Such as `job.succeeded`.
    pub event_type: String,
    /// The job, the operation, or for a ping the delivery itself.
    pub subject_id: Uuid,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// `pending`, `succeeded` or `failed`.
    pub state: String,
    /// Sendings begun.
    pub attempts: i32,
    /// While pending: when it is sent next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was last sent.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    pub last_status: Option<i32>,
    /// Why the last sending failed.
    pub last_error: Option<String>,
    /// The portal's run that is told.
    pub callback_run: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was accepted or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which deliveries of a webhook to list.
#[derive(Debug, Clone)]
pub struct DeliveryFilter {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Only those in one of these states.
    pub states: Option<Vec<String>>,
    /// Only those older than this one.
    pub before: Option<Uuid>,
    /// Only this one, and those that are newer.
    pub from: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// The oldest of the next so many deliveries of a webhook, whatever their states; none when fewer
/// are left.
pub async fn reach(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    before: Option<Uuid>,
    rows: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- list_webhook_deliveries_reach
        select delivery_id
        from webhook_deliveries
        where webhook_id = $1
          and delivery_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by delivery_id desc
        offset $3
        limit 1",
        webhook_id,
        before,
        rows - 1,
    )
    .fetch_optional(executor)
    .await
}

/// Lists deliveries, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &DeliveryFilter,
) -> Result<Vec<Delivery>, sqlx::Error> {
    sqlx::query_as!(
        Delivery,
        "-- list_webhook_deliveries
        select
            webhook_id, delivery_id, event_type, subject_id, occurred_at, state, attempts,
            next_attempt_at, last_attempt_at, last_status, last_error, callback_run, created_at,
            finished_at
        from webhook_deliveries
        where webhook_id = $1
          and ($2::text[] is null or state = any ($2))
          and delivery_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and delivery_id >= coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
        order by delivery_id desc
        limit $5",
        filter.webhook_id,
        filter.states.as_deref() as Option<&[String]>,
        filter.before,
        filter.from,
        filter.limit,
    )
    .fetch_all(executor)
    .await
}

/// Reads one delivery.
pub async fn find(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    delivery_id: Uuid,
) -> Result<Option<Delivery>, sqlx::Error> {
    let filter = DeliveryFilter {
        webhook_id,
        states: None,
        before: Some(walk::after(delivery_id)),
        from: Some(delivery_id),
        limit: 1,
    };
    Ok(list(executor, &filter).await?.pop())
}

/// Writes the delivery of a ping.
pub async fn insert_ping(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    delivery_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- insert_webhook_ping
        insert into webhook_deliveries (
            webhook_id, delivery_id, event_type, subject_id, occurred_at
        )
        select webhook_id, $2, 'webhook.ping', $2, now()
        from webhooks
        where webhook_id = $1
        for key share",
        webhook_id,
        delivery_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Makes a delivery due now, whatever came of it before; `false` when there is none.
pub async fn replay(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    delivery_id: Uuid,
) -> Result<bool, sqlx::Error> {
    let replayed = sqlx::query!(
        "-- replay_webhook_delivery
        update webhook_deliveries
        set state = 'pending',
            retry_no = 0,
            next_attempt_at = now(),
            leased_until = null,
            lease_token = lease_token + 1,
            finished_at = null
        where webhook_id = $1
          and delivery_id = $2",
        webhook_id,
        delivery_id,
    )
    .execute(executor)
    .await?;
    Ok(replayed.rows_affected() == 1)
}

/// A delivery that is leased to be sent.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Where to post, or the base of a portal's API.
    pub url: String,
    /// Whom it tells.
    pub format: String,
    /// The accounts that it may be told of, as they are now; `None` is all.
    pub account_ids: Option<Vec<String>>,
    /// Port: what the secret belongs to.
    pub client_id: Option<String>,
    /// The portal's run that is told.
    pub callback_run: Option<String>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The one before, while it signs too; sealed.
    pub old_secret: Option<Vec<u8>>,
    /// The delivery.
    pub delivery_id: Uuid,
    /// Such as `job.succeeded`.
    pub event_type: String,
    /// The job, the operation, or the delivery itself.
    pub subject_id: Uuid,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Place in the list of delays.
    pub retry_no: i32,
    /// The fence.
    pub lease_token: i64,
    /// The account whose webhook it is, the first of several; empty for one of all accounts.
    pub owner: String,
    /// The webhook's last delivery failed.
    pub failing: bool,
}

/// How much to claim.
#[derive(Debug, Clone)]
pub struct Room {
    /// At most so many.
    pub in_all: i64,
    /// At most so many of one webhook, with those that are under way in all processes.
    pub a_webhook: i64,
    /// The slots of this process that one owner's deliveries may fill.
    pub an_owner: i64,
    /// Of those, the slots that go to webhooks whose last delivery failed.
    pub an_owner_failing: i64,
    /// The slots of this process that may go to webhooks whose last delivery failed.
    pub failing: i64,
    /// What this process has under way, by owner.
    pub under_way: HashMap<String, UnderWay>,
    /// How long a lease stands.
    pub lease: Duration,
}

/// The deliveries of one owner that a process has under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// All of them.
    pub all: i64,
    /// Those to webhooks whose last delivery had failed when they were claimed.
    pub failing: i64,
}

/// Leases deliveries that are due. Finds none while another process claims.
pub async fn claim(
    connection: &mut PgConnection,
    room: &Room,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // First, in a statement of its own: the next one then sees every lease that was made under it.
    let alone = sqlx::query_scalar!(
        r#"-- claim_webhooks_alone
        select pg_try_advisory_xact_lock($1) as "alone!""#,
        CLAIMER,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if !alone {
        return Ok(Vec::new());
    }
    let claimed = lease_due(&mut transaction, room).await?;
    transaction.commit().await?;
    Ok(claimed)
}

async fn lease_due(
    connection: &mut PgConnection,
    room: &Room,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let owners: Vec<String> = room.under_way.keys().cloned().collect();
    let all: Vec<i64> = room.under_way.values().map(|held| held.all).collect();
    let failing: Vec<i64> = room.under_way.values().map(|held| held.failing).collect();
    sqlx::query_file_as!(
        Claimed,
        "src/db/claim_webhook_deliveries.sql",
        room.in_all,
        room.a_webhook,
        interval(room.lease),
        &owners,
        &all,
        &failing,
        room.an_owner,
        room.an_owner_failing,
        (room.failing - failing.iter().sum::<i64>()).max(0),
    )
    .fetch_all(connection)
    .await
}

/// What came of a sending.
#[derive(Debug, Clone)]
pub struct Settled {
    /// `succeeded`, `failed`, or `pending` to send it again.
    pub state: &'static str,
    /// Until it is sent again.
    pub after: Duration,
    /// The status of the answer.
    pub status: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// The receiver says that it wants no more.
    pub gone: bool,
    /// A webhook that has failed for so long is disabled; none when this failure says nothing of
    /// the webhook.
    pub disable_after: Option<Duration>,
}

/// Writes what came of a sending; `false` when the lease was lost, and nothing is written.
pub async fn settle(
    executor: impl PgExecutor<'_>,
    claimed: &Claimed,
    settled: &Settled,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query_file_scalar!(
        "src/db/settle_webhook_delivery.sql",
        claimed.webhook_id,
        claimed.delivery_id,
        claimed.lease_token,
        settled.state,
        interval(settled.after),
        settled.status,
        settled.error,
        settled.gone,
        settled.disable_after.map(interval),
    )
    .fetch_one(executor)
    .await?;
    Ok(written == 1)
}

/// Removes deliveries that are older than `age`.
pub async fn sweep(executor: impl PgExecutor<'_>, age: Duration) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!(
        "-- sweep_webhook_deliveries
        delete from webhook_deliveries
        where (webhook_id, delivery_id) in (
            select webhook_id, delivery_id
            from webhook_deliveries
            where created_at < now() - $1::interval
            limit 10000
            for update skip locked
        )",
        interval(age),
    )
    .execute(executor)
    .await?;
    Ok(swept.rows_affected())
}

pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
    }
}
