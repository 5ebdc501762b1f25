//! Ends jobs whose deadline passed where no worker takes a last look: their account is parked or
//! disabled.
//!
//! | account | ready | blocked | parked | leased |
//! |---|---|---|---|---|
//! | active | a claim, the last look | gets its turn when the job ahead ends, then a last look | due at the deadline, then as ready | its step ends, then as parked |
//! | parked, disabled | ended here | ended here | ended here | its step ends, then ended here |
//!
//! Promises: a job is ended only while no worker holds it; jobs of the lane that are still in time
//! go on; two processes that do it at once end each job once. What AWS had accepted goes on at AWS,
//! and the error says so.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::bounded;
use super::maintenance::promote_head;
use crate::database::Share;

/// Jobs ended in one transaction.
const BATCH: i64 = 200;
/// Transactions of one round: the repairs that come after it shall not wait for long.
const MOST_BATCHES: u32 = 25;

/// Ends what has expired, at most some thousand jobs; how many.
pub(super) async fn expire(share: &Share) -> Result<u64, sqlx::Error> {
    let mut ended = 0;
    for _ in 0..MOST_BATCHES {
        let mut connection = bounded::connection(share).await?;
        let done = bounded::within(expire_some(&mut connection)).await;
        let some = bounded::given_back(connection, done)?;
        ended += some;
        if some == 0 {
            break;
        }
    }
    Ok(ended)
}

/// A job to be ended.
struct Expired {
    account_id: String,
    job_id: Uuid,
    lane: Option<String>,
    blocked: bool,
    asked: bool,
    accepted: bool,
    account_state: String,
}

/// One batch. Locks are taken in the order of everyone: lanes, jobs; then a look at the leases, in a
/// statement that begins after the locks are held.
async fn expire_some(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let (account_ids, job_ids) = candidates(&mut *connection).await?;
    if job_ids.is_empty() {
        return Ok(0);
    }
    let mut transaction = connection.begin().await?;
    let locked = lock(&mut transaction, &account_ids, &job_ids).await?;
    let ended = end(&mut transaction, &locked).await?;
    // The lanes' locks are held since the beginning, so this sees all that they guard.
    let freed: BTreeSet<(&str, &str)> = locked
        .iter()
        .filter(|job| !job.blocked && ended.contains(&job.job_id))
        .filter_map(|job| Some((job.account_id.as_str(), job.lane.as_deref()?)))
        .collect();
    for (account_id, lane) in freed {
        promote_head(&mut *transaction, account_id, lane).await?;
    }
    transaction.commit().await?;
    Ok(ended.len() as u64)
}

/// Jobs that have expired and that no worker holds, as a look without locks sees them. Each part is
/// found by an index of its own. A parked job without a lane is due at its deadline at the latest.
async fn candidates(
    connection: &mut PgConnection,
) -> Result<(Vec<String>, Vec<Uuid>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"-- expired
        select a.account_id as "account_id!", job.job_id as "job_id!"
        from accounts a
        cross join lateral (
            select j.job_id
            from job_rows j
            where j.account_id = a.account_id
              and j.phase = 'ready'
              and j.deadline_at <= now()
            union all
            select j.job_id
            from job_rows j
            where j.account_id = a.account_id collate "C"
              and j.lane is not null
              and j.phase = 'parked'
              and j.deadline_at <= now()
            union all
            select j.job_id
            from job_rows j
            where j.account_id = a.account_id collate "C"
              and j.phase = 'blocked'
              and j.deadline_at <= now()
        ) as job
        where a.state <> 'active'
          and not exists (
              select
              from leases l
              where l.account_id = a.account_id
                and l.job_id = job.job_id
          )
        limit $1"#,
        BATCH,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.account_id, row.job_id))
        .unzip())
}

/// Locks the lanes of these jobs, then the jobs that nobody else holds, if they still are as they
/// were seen.
async fn lock(
    transaction: &mut sqlx::PgTransaction<'_>,
    account_ids: &[String],
    job_ids: &[Uuid],
) -> Result<Vec<Expired>, sqlx::Error> {
    sqlx::query!(
        "-- lock_lanes_of_expired
        select l.lane
        from lanes l
        where (l.account_id, l.lane) in (
            select j.account_id, j.lane
            from job_rows j
            join unnest($1::text[], $2::uuid[]) as e (account_id, job_id)
              on j.account_id = e.account_id and j.job_id = e.job_id
        )
        order by l.account_id, l.lane
        for update",
        account_ids,
        job_ids,
    )
    .fetch_all(&mut **transaction)
    .await?;
    sqlx::query_as!(
        Expired,
        r#"-- lock_expired
        select
            j.account_id,
            j.job_id,
            j.lane,
            j.phase = 'blocked' as "blocked!",
            j.asked,
            j.accepted,
            a.state as account_state
        from job_rows j
        join unnest($1::text[], $2::uuid[]) as e (account_id, job_id)
          on j.account_id = e.account_id and j.job_id = e.job_id
        join accounts a on a.account_id = j.account_id
        where j.phase <> 'finished'
          and j.deadline_at <= now()
          and a.state <> 'active'
        order by j.account_id, j.job_id
        for update of j skip locked"#,
        account_ids,
        job_ids,
    )
    .fetch_all(&mut **transaction)
    .await
}

/// Ends those of the locked jobs that no worker holds; which.
async fn end(
    transaction: &mut sqlx::PgTransaction<'_>,
    expired: &[Expired],
) -> Result<Vec<Uuid>, sqlx::Error> {
    let account_ids: Vec<String> = expired.iter().map(|job| job.account_id.clone()).collect();
    let job_ids: Vec<Uuid> = expired.iter().map(|job| job.job_id).collect();
    let (messages, errors): (Vec<String>, Vec<Value>) = expired.iter().map(Expired::words).unzip();
    sqlx::query_file_scalar!(
        "src/queue/expire.sql",
        &account_ids,
        &job_ids,
        &messages,
        &errors,
    )
    .fetch_all(&mut **transaction)
    .await
}

impl Expired {
    /// The sentence for people, and the error.
    fn words(&self) -> (String, Value) {
        let state = &self.account_state;
        let change = if self.accepted {
            "; AWS has accepted a change and goes on with it"
        } else if self.asked {
            "; AWS may have accepted a change"
        } else if self.lane.is_some() {
            "; AWS was not asked to change anything"
        } else {
            ""
        };
        let first = if self.asked || self.accepted {
            "look at the cluster, "
        } else {
            ""
        };
        let error = json!({
            "code": "deadline_exceeded",
            "message": format!(
                "the deadline passed while the account was {state}{change}; {first}mend or enable \
                 the account, then retry the job"
            ),
            "retryable": true,
        });
        let message = format!("The deadline passed while the account was {state}{change}.");
        (message, error)
    }
}
