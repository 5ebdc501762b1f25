//! Repairs: leases of dead workers, lanes without a head, rows nobody needs any more.
//!
//! Every worker runs it; each statement is safe to run twice and takes only what is not locked.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::bounded;

/// A job that lost its worker this often has probably killed it: it fails.
const MOST_RESCUES: i32 = 20;

/// What one round repaired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Jobs taken from dead workers.
    pub rescued: u64,
    /// Lanes that had lost their head.
    pub promoted: u64,
}

/// One round of repairs, in bounded time.
pub async fn repair(pool: &PgPool) -> Result<Repaired, sqlx::Error> {
    let mut connection = bounded::connection(pool).await?;
    let done = bounded::within(repair_on(&mut connection)).await;
    bounded::given_back(connection, done)
}

async fn repair_on(connection: &mut PgConnection) -> Result<Repaired, sqlx::Error> {
    let rescued = rescue(&mut *connection).await?;
    expire(&mut *connection).await?;
    let promoted = promote_headless(&mut *connection).await?;
    Ok(Repaired { rescued, promoted })
}

/// Takes the jobs of workers whose heartbeat is older than their lease, or who are gone.
///
/// The lane stays with the job. The token stays too: the next claim raises it, and until then a
/// write of the old worker is refused because the job is not leased.
pub async fn rescue(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let rescued = sqlx::query_scalar!(
        r#"-- rescue
        with dead as (
            delete from workers
            where heartbeat_at + lease < now()
            returning worker_id
        ),
        lost as (
            select account_id, job_id
            from jobs j
            where phase = 'leased'
              and (
                  lease_worker in (select worker_id from dead)
                  or not exists (select from workers w where w.worker_id = j.lease_worker)
              )
            order by account_id, job_id
            for update skip locked
        ),
        rescued as (
            update jobs j
            set phase = 'ready',
                state = case when j.state = 'canceling' then j.state else 'waiting' end,
                waiting_reason = 'retry',
                ready_seq = nextval('jobs_ready_seq'),
                due_at = now(),
                lease_worker = null,
                rescues = j.rescues + 1,
                version = j.version + 1,
                updated_at = now()
            from lost
            where j.account_id = lost.account_id
              and j.job_id = lost.job_id
            returning 1
        ),
        woken as materialized (
            select pg_notify('fleet_ready', '')
            where exists (select from rescued)
        )
        select (select count(*) from rescued) + 0 * (select count(*) from woken) as "rescued!"
        "#
    )
    .fetch_one(&mut *connection)
    .await?;
    if rescued > 0 {
        give_up(&mut *connection).await?;
    }
    Ok(u64::try_from(rescued).unwrap_or(0))
}

/// Hands back the jobs that `worker` holds, all but those it knows to be running.
///
/// Run when a claim's answer was lost, and when a worker stops.
pub async fn release(
    pool: &PgPool,
    worker: Uuid,
    but_running: &[Uuid],
) -> Result<u64, sqlx::Error> {
    let mut connection = bounded::connection(pool).await?;
    let released = bounded::within(release_on(&mut connection, worker, but_running)).await;
    bounded::given_back(connection, released)
}

async fn release_on(
    connection: &mut PgConnection,
    worker: Uuid,
    but_running: &[Uuid],
) -> Result<u64, sqlx::Error> {
    let released = sqlx::query!(
        "-- release
        with released as (
            update jobs
            set phase = 'ready',
                state = case when state = 'canceling' then state else 'waiting' end,
                waiting_reason = 'retry',
                ready_seq = nextval('jobs_ready_seq'),
                due_at = now(),
                lease_worker = null,
                version = version + 1,
                updated_at = now()
            where phase = 'leased'
              and lease_worker = $1
              and job_id <> all ($2::uuid[])
            returning 1
        )
        select pg_notify('fleet_ready', '')
        from released
        limit 1",
        worker,
        but_running,
    )
    .fetch_all(connection)
    .await?;
    Ok(released.len() as u64)
}

/// Ends jobs that lost too many workers: whatever they do, they must not take the fleet with them.
async fn give_up(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lanes = sqlx::query!(
        r#"-- give_up
        with ended as (
            update jobs
            set phase = 'finished',
                state = 'failed',
                ready_seq = null,
                due_at = null,
                finished_at = now(),
                updated_at = now(),
                event_no = event_no + 1,
                version = version + 1,
                message = 'Given up: every worker that ran this job died.',
                error = jsonb_build_object(
                    'code', 'internal',
                    'message', 'every worker that ran this job died; look at the workers'' logs, then retry the job',
                    'retryable', false
                )
            where phase = 'ready'
              and rescues > $1
            returning account_id, lane
        )
        update lanes l
        set pending = greatest(l.pending - 1, 0)
        from ended
        where l.account_id = ended.account_id
          and l.lane = ended.lane
        returning l.account_id, l.lane
        "#,
        MOST_RESCUES,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in lanes {
        promote_lane(&mut *connection, &row.account_id, &row.lane).await?;
    }
    Ok(())
}

/// Ends jobs whose deadline passed while nobody may claim them: their account is parked or
/// disabled. Everybody else's get a last look from a worker.
async fn expire(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lanes = sqlx::query!(
        r#"-- expire
        with expired as (
            update jobs j
            set phase = 'finished',
                state = 'failed',
                ready_seq = null,
                due_at = null,
                waiting_reason = null,
                finished_at = now(),
                updated_at = now(),
                event_no = j.event_no + 1,
                version = j.version + 1,
                message = 'The deadline passed while the account was ' || a.state || '.',
                error = jsonb_build_object(
                    'code', 'deadline_exceeded',
                    'message', 'the deadline passed while the account was ' || a.state
                        || '; mend or enable the account, then retry the job',
                    'retryable', true
                )
            from accounts a
            where a.account_id = j.account_id
              and a.state <> 'active'
              and j.phase = 'ready'
              and j.deadline_at < now()
            returning j.account_id, j.lane, j.job_id
        ),
        lane_left as (
            update lanes l
            set pending = greatest(l.pending - 1, 0)
            from expired
            where l.account_id = expired.account_id
              and l.lane = expired.lane
        ),
        heard as materialized (
            select pg_notify('fleet_jobs', job_id::text)
            from expired
        )
        select account_id, lane, (select count(*) from heard) as "heard!"
        from expired
        "#,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in lanes {
        if let Some(lane) = &row.lane {
            promote_lane(&mut *connection, &row.account_id, lane).await?;
        }
    }
    Ok(())
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
        "-- promote_head
        with promoted as (
            update jobs j
            set phase = 'ready',
                ready_seq = nextval('jobs_ready_seq'),
                due_at = now(),
                waiting_reason = null,
                version = j.version + 1,
                updated_at = now()
            where j.account_id = $1
              and j.job_id = (
                  select b.job_id
                  from jobs b
                  where b.account_id = $1
                    and b.lane = $2
                    and b.phase = 'blocked'
                    and not exists (
                        select
                        from jobs h
                        where h.account_id = $1
                          and h.lane = $2
                          and h.phase in ('ready', 'leased', 'parked')
                    )
                  order by b.seq
                  limit 1
              )
              and j.phase = 'blocked'
            returning j.job_id
        )
        select pg_notify('fleet_ready', ''), pg_notify('fleet_jobs', job_id::text)
        from promoted",
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
        "-- headless_lanes
        select l.account_id, l.lane
        from lanes l
        where l.pending > 0
          and not exists (
              select
              from jobs h
              where h.account_id = l.account_id
                and h.lane = l.lane
                and h.phase in ('ready', 'leased', 'parked')
          )
        limit 1000"
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &lanes {
        promote_lane(&mut *connection, &row.account_id, &row.lane).await?;
    }
    Ok(lanes.len() as u64)
}

/// Removes idempotency keys past their day and lanes idle for an hour.
pub async fn sweep(pool: &PgPool) -> Result<(), sqlx::Error> {
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
    .execute(pool)
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
    .execute(pool)
    .await?;
    Ok(())
}

/// How often a worker repairs: often enough that a dead worker's jobs wait little beyond its lease.
#[must_use]
pub fn repair_interval(lease: Duration) -> Duration {
    (lease / 3).clamp(Duration::from_millis(50), Duration::from_secs(5))
}
