//! The count of a lane's unfinished jobs puts itself right.
//!
//! The statements that add and end jobs keep the count. When it is wrong all the same, by a hand at the
//! table, a new job would take a place that is taken, or the next would never be promoted. So the
//! counts are compared with the jobs, each lane that is wrong is counted anew under its lock, and the
//! log says what was mended.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};

use super::bounded;
use super::maintenance::promote_head;
use crate::database::Share;

/// Compares all lanes with their jobs and mends those that are wrong; how many were, up to 1,000.
pub async fn mend(share: &Share) -> Result<u64, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let done = bounded::within(mend_on(&mut connection)).await;
    bounded::given_back(connection, done)
}

async fn mend_on(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    // One snapshot, in which every statement has changed both or neither.
    let wrong = sqlx::query!(
        r#"-- wrong_lanes
        with unfinished as (
            select account_id, lane, count(*) as jobs
            from job_rows
            where lane is not null
              and phase in ('ready', 'blocked', 'parked')
            group by account_id, lane
        )
        select
            coalesce(l.account_id, u.account_id) as "account_id!",
            coalesce(l.lane, u.lane) as "lane!"
        from lanes l
        full join unfinished u
          on u.account_id = l.account_id
         and u.lane = l.lane
        where l.pending is distinct from coalesce(u.jobs, 0)
        limit 1000"#
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut mended = 0;
    for lane in wrong {
        mended += u64::from(mend_lane(&mut *connection, &lane.account_id, &lane.lane).await?);
    }
    Ok(mended)
}

/// The same for the lanes of one account, each of them once; whether one of them was wrong.
pub(super) async fn mend_some(
    connection: &mut PgConnection,
    account_id: &str,
    lanes: BTreeSet<&str>,
) -> Result<bool, sqlx::Error> {
    let mut mended = false;
    for lane in lanes {
        mended |= mend_lane(&mut *connection, account_id, lane).await?;
    }
    Ok(mended)
}

/// Counts a lane anew under its lock; whether the count was wrong.
async fn mend_lane(
    connection: &mut PgConnection,
    account_id: &str,
    lane: &str,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // The lock comes first: the count then sees every job made under it.
    let before = locked_count(&mut transaction, account_id, lane).await?;
    let jobs = sqlx::query_scalar!(
        r#"-- count_lane
        select count(*)::int as "jobs!"
        from job_rows
        where account_id = $1
          and lane = $2
          and phase in ('ready', 'blocked', 'parked')"#,
        account_id,
        lane,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if before == jobs {
        transaction.commit().await?;
        return Ok(false);
    }
    sqlx::query!(
        "-- set_lane_count
        update lanes
        set pending = $3,
            touched_at = now()
        where account_id = $1
          and lane = $2",
        account_id,
        lane,
        jobs,
    )
    .execute(&mut *transaction)
    .await?;
    promote_head(&mut *transaction, account_id, lane).await?;
    transaction.commit().await?;
    tracing::warn!(
        account.id = account_id,
        lane,
        pending.before = before,
        pending.now = jobs,
        "the count of a lane's unfinished jobs was wrong; mended it"
    );
    Ok(true)
}

/// Locks a lane, one whose row was lost too; its count as it stands.
async fn locked_count(
    connection: &mut PgConnection,
    account_id: &str,
    lane: &str,
) -> Result<i32, sqlx::Error> {
    sqlx::query!(
        "-- add_lane
        insert into lanes (account_id, lane, pending)
        values ($1, $2, 0)
        on conflict (account_id, lane) do nothing",
        account_id,
        lane,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        "-- lock_wrong_lane
        select pending
        from lanes
        where account_id = $1
          and lane = $2
        for update",
        account_id,
        lane,
    )
    .fetch_one(&mut *connection)
    .await
}
