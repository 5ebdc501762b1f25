//! Repairs: leases of dead workers, lanes without a head, rows nobody needs any more.
//!
//! Every worker runs it; each statement is safe to run twice and takes only what is not locked.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection as _, PgConnection, PgExecutor};
use uuid::Uuid;

use super::bounded;
use super::expire::expire;
use super::locked::{End, Locked};
use crate::database::Share;

/// A job that lost its worker this often has probably killed it: it fails.
const MOST_RESCUES: i32 = 20;

/// What one round repaired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Jobs taken from dead workers.
    pub rescued: u64,
    /// Lanes that had lost their head.
    pub promoted: u64,
    /// Jobs whose deadline passed while nobody may claim them.
    pub expired: u64,
}

/// One round of repairs, each in bounded time.
pub async fn repair(share: &Share) -> Result<Repaired, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let done = bounded::within(repair_on(&mut connection)).await;
    let (rescued, promoted) = bounded::given_back(connection, done)?;
    let expired = expire(share).await?;
    Ok(Repaired {
        rescued,
        promoted,
        expired,
    })
}

/// How many were rescued, and promoted.
async fn repair_on(connection: &mut PgConnection) -> Result<(u64, u64), sqlx::Error> {
    let rescued = rescue(&mut *connection).await?;
    let promoted = promote_headless(&mut *connection).await?;
    Ok((rescued, promoted))
}

/// Takes the jobs of workers whose heartbeat is older than their lease, or who are gone.
///
/// The lane stays with the job. The lease goes, and with it the right to write.
pub async fn rescue(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let rescued = sqlx::query_file_scalar!("src/queue/rescue.sql")
        .fetch_one(&mut *connection)
        .await?;
    if rescued > 0 {
        give_up(&mut *connection).await?;
    }
    Ok(u64::try_from(rescued).unwrap_or(0))
}

/// Hands back the jobs that `worker` holds, all but those it knows of.
///
/// Run when a claim's answer was lost, and when a worker stops.
pub async fn release(share: &Share, worker: Uuid, but_known: &[Uuid]) -> Result<u64, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let released = bounded::within(release_on(&mut connection, worker, but_known)).await;
    bounded::given_back(connection, released)
}

async fn release_on(
    connection: &mut PgConnection,
    worker: Uuid,
    but_known: &[Uuid],
) -> Result<u64, sqlx::Error> {
    let released = sqlx::query_scalar!(
        r#"-- release
        with held as materialized (
            select l.account_id, l.job_id, l.lease_token
            from leases l
            join job_rows j using (account_id, job_id)
            where l.worker_id = $1
              and l.job_id <> all ($2::uuid[])
            order by l.account_id, l.job_id
            for update of j
        ),
        unleased as (
            delete from leases l
            using held
            where l.account_id = held.account_id
              and l.job_id = held.job_id
              and l.lease_token = held.lease_token
            returning l.account_id, l.job_id, l.claimed_at
        ),
        released as (
            update job_rows j
            set phase = 'ready',
                state = case when j.cancel_requested and not j.accepted then 'canceling' else 'waiting' end,
                waiting_reason = 'retry',
                ready_seq = nextval('jobs_ready_seq'),
                due_at = now(),
                event_no = greatest(j.event_no, 2),
                version = j.version + 2,
                started_at = coalesce(j.started_at, unleased.claimed_at),
                updated_at = now()
            from unleased
            where j.account_id = unleased.account_id
              and j.job_id = unleased.job_id
            returning 1
        ),
        woken as materialized (
            select pg_notify('fleet_ready', '')
            where exists (select from released)
        )
        select (select count(*) from released) + 0 * (select count(*) from woken) as "released!"
        "#,
        worker,
        but_known,
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(released).unwrap_or(0))
}

/// Ends jobs that lost too many workers: whatever they do, they must not take the fleet with them.
async fn give_up(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let given_up = sqlx::query!(
        "-- given_up
        select account_id, job_id
        from job_rows
        where phase = 'ready'
          and rescues > $1
        limit 100",
        MOST_RESCUES,
    )
    .fetch_all(&mut *connection)
    .await?;
    for job in given_up {
        let error = json!({
            "code": "internal",
            "message": "every worker that ran this job died; look at the workers' logs, then retry the job",
            "retryable": false,
        });
        let end = End {
            state: "failed",
            message: "Given up: every worker that ran this job died.",
            error: Some(error),
        };
        end_unleased(&mut *connection, &job.account_id, job.job_id, end).await?;
    }
    Ok(())
}

/// Ends a job that still waits to be claimed.
async fn end_unleased(
    connection: &mut PgConnection,
    account_id: &str,
    job_id: Uuid,
    end: End<'_>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let job = Locked::lock(&mut transaction, account_id, job_id).await?;
    if let Some(job) = job.filter(|job| job.phase == "ready" && !job.leased) {
        job.end(&mut transaction, end).await?;
    }
    transaction.commit().await
}

/// Makes the first blocked job of a lane its head, if the lane has none.
pub async fn promote_lane(
    connection: &mut PgConnection,
    account_id: &str,
    lane: &str,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // The lock first: the statement after it then sees every job committed under that lock.
    sqlx::query!(
        "-- lock_lane
        select pending
        from lanes
        where account_id = $1
          and lane = $2
        for update",
        account_id,
        lane,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    promote_head(&mut *transaction, account_id, lane).await?;
    transaction.commit().await
}

/// The same for who holds the lane's lock already.
pub(super) async fn promote_head(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    lane: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"-- promote_head
        with promoted as (
            update job_rows j
            set phase = 'ready',
                ready_seq = nextval('jobs_ready_seq'),
                due_at = now(),
                waiting_reason = null,
                version = j.version + 2,
                updated_at = now()
            where j.account_id = $1
              and j.job_id = (
                  select b.job_id
                  from job_rows b
                  where b.account_id = $1 collate "C"
                    and b.lane = $2
                    and b.phase = 'blocked'
                    and not exists (
                        select
                        from job_rows h
                        where h.account_id = $1 collate "C"
                          and h.lane = $2
                          and h.phase in ('ready', 'parked')
                    )
                    and not exists (
                        select
                        from leases l
                        where l.account_id = $1
                          and l.lane = $2
                    )
                  order by b.seq
                  limit 1
              )
              and j.phase = 'blocked'
            returning j.job_id
        )
        select pg_notify('fleet_ready', ''), pg_notify('fleet_jobs', job_id::text)
        from promoted"#,
        account_id,
        lane,
    )
    .fetch_all(executor)
    .await?;
    Ok(())
}

/// The net under promotion at finish: a crash between two statements can leave a lane without head.
async fn promote_headless(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let lanes = sqlx::query!(
        r#"-- headless_lanes
        select l.account_id, l.lane
        from lanes l
        where l.pending > 0
          and not exists (
              select
              from job_rows h
              where h.account_id = l.account_id collate "C"
                and h.lane = l.lane
                and h.phase in ('ready', 'parked')
          )
          and not exists (
              select
              from leases
              where leases.account_id = l.account_id
                and leases.lane = l.lane
          )
        limit 1000"#
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &lanes {
        promote_lane(&mut *connection, &row.account_id, &row.lane).await?;
    }
    Ok(lanes.len() as u64)
}

/// Removes idempotency keys past their day, lanes idle for an hour and reads that nobody shares any
/// more.
pub async fn sweep(share: &Share) -> Result<(), sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let done = bounded::within(sweep_on(&mut connection)).await;
    bounded::given_back(connection, done)
}

async fn sweep_on(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- sweep_idempotency_keys
        delete from idempotency_keys
        where (caller, key) in (
            select caller, key
            from idempotency_keys
            where created_at < now() - interval '24 hours'
            limit 10000
            for update skip locked
        )"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "-- sweep_lanes
        delete from lanes
        where (account_id, lane) in (
            select account_id, lane
            from lanes
            where pending = 0
              and touched_at < now() - interval '1 hour'
            limit 10000
            for update skip locked
        )"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "-- sweep_shared_reads
        delete from shared_reads
        where share in (
            select share
            from shared_reads
            where created_at < now() - interval '1 minute'
            limit 100000
            for update skip locked
        )"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads that one statement removes, and statements of one round.
const READS_AT_ONCE: u64 = 1_000;
const MAX_ROUNDS: u32 = 10;

/// Removes reads that were made longer than `keep` ago and are over, with their events; how many.
///
/// A retry of a read is kept for a day: its idempotency key may name it for so long.
pub async fn sweep_reads(share: &Share, keep: Duration) -> Result<u64, sqlx::Error> {
    const A_DAY: Duration = Duration::from_hours(24);
    let mut removed = 0;
    for (retries, keep) in [(false, keep), (true, keep.max(A_DAY))] {
        for _ in 0..MAX_ROUNDS {
            let mut connection = bounded::connection(share).await?;
            let swept = bounded::within(remove_reads(&mut connection, retries, keep)).await;
            let swept = bounded::given_back(connection, swept)?;
            removed += swept;
            if swept < READS_AT_ONCE {
                break;
            }
        }
    }
    Ok(removed)
}

async fn remove_reads(
    connection: &mut PgConnection,
    retries: bool,
    keep: Duration,
) -> Result<u64, sqlx::Error> {
    let removed = sqlx::query_scalar!(
        r#"-- sweep_reads
        with old as materialized (
            select account_id, job_id
            from job_rows
            where lane is null
              and phase = 'finished'
              and (retry_of is not null) = $1
              -- ids of version 7 begin with the milliseconds of their time
              and job_id < (
                  lpad(to_hex((extract(epoch from now()) * 1000)::bigint - $2), 12, '0')
                  || '00000000000000000000'
              )::uuid
            order by job_id
            limit 1000
            for update skip locked
        ),
        untold as (
            delete from job_events e
            using old
            where e.account_id = old.account_id
              and e.job_id = old.job_id
        ),
        removed as (
            delete from job_rows j
            using old
            where j.account_id = old.account_id
              and j.job_id = old.job_id
            returning 1
        )
        select count(*) as "removed!"
        from removed"#,
        retries,
        i64::try_from(keep.as_millis()).unwrap_or(i64::MAX / 2),
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(removed).unwrap_or(0))
}

/// How often a worker repairs: often enough that a dead worker's jobs wait little beyond its lease.
#[must_use]
pub fn repair_interval(lease: Duration) -> Duration {
    (lease / 3).clamp(Duration::from_millis(50), Duration::from_secs(5))
}
