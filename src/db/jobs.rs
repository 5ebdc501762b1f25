//! Jobs as callers read them: the row, and where it stands in its lane.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::walk::Looked;

/// A job's row, with what is known about the wait of one that has not begun.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// AWS account.
    pub account_id: String,
    /// A UUID of version 7.
    pub job_id: Uuid,
    /// What it does.
    pub kind: String,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: Option<String>,
    /// Fargate profile.
    pub profile_name: Option<String>,
    /// The operation it belongs to.
    pub operation_id: Option<Uuid>,
    /// The job it repeats.
    pub retry_of: Option<Uuid>,
    /// Its place in the queue: one of the five phases.
    pub phase: String,
    /// What callers see of that.
    pub state: String,
    /// When it may be looked at next.
    pub due_at: Option<DateTime<Utc>>,
    /// The step to run next.
    pub step: String,
    /// Failures so far.
    pub attempt: i32,
    /// Looks at AWS so far.
    pub poll_count: i32,
    /// AWS has accepted a change.
    pub accepted: bool,
    /// Why it waits, as the last step said.
    pub waiting_reason: Option<String>,
    /// Who or what it waits for, as the last step said.
    pub blocked_by: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// What was asked.
    pub input: Value,
    /// What it gave.
    pub result: Option<Value>,
    /// A list.
    pub warnings: Value,
    /// Why it failed.
    pub error: Option<Value>,
    /// The number of its newest event.
    pub event_no: i32,
    /// Raised by every write.
    pub version: i64,
    /// Who asked, by name.
    pub requested_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it is given up.
    pub deadline_at: DateTime<Utc>,
    /// The lane's job that runs, when this one is blocked.
    pub lane_head: Option<Uuid>,
    /// How many jobs are ahead in the lane, when this one is blocked.
    pub lane_position: Option<i64>,
    /// That number is an estimate: only so many jobs of a lane are counted.
    pub lane_position_estimated: bool,
    /// The account's state; none when it was deleted since.
    pub account_state: Option<String>,
    /// When this was read, by the database's clock.
    pub read_at: DateTime<Utc>,
}

/// Reads one job that the caller may see (`visible`: none means all accounts).
pub async fn find(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    job_id: Uuid,
) -> Result<Option<JobRow>, sqlx::Error> {
    Ok(load(executor, visible, &[job_id]).await?.pop())
}

/// Reads jobs by id, newest first; those that the caller may not see are left out.
pub async fn load(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    job_ids: &[Uuid],
) -> Result<Vec<JobRow>, sqlx::Error> {
    sqlx::query_file_as!(
        JobRow,
        "src/db/load_jobs.sql",
        job_ids,
        visible as Option<&[String]>,
    )
    .fetch_all(executor)
    .await
}

/// A page of jobs that holds so many bytes of JSON ends there.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Jobs of a page that are read before it is known how large they are.
const FIRST: usize = 32;

/// Reads the jobs that a list found, as many as a page may hold: at least one.
pub async fn load_page(
    connection: &mut PgConnection,
    visible: Option<&[String]>,
    found: Looked<Uuid, Uuid>,
) -> Result<Looked<JobRow, Uuid>, sqlx::Error> {
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut rest = found.items.as_slice();
    let mut reached = found.reached;
    while !rest.is_empty() {
        if bytes >= PAGE_BYTES {
            reached = items.last().map(|job: &JobRow| job.job_id);
            break;
        }
        let fits = match bytes / items.len().max(1) {
            0 => FIRST,
            each => (PAGE_BYTES - bytes).div_ceil(each),
        };
        let (next, later) = rest.split_at(fits.min(rest.len()));
        let loaded = load(&mut *connection, visible, next).await?;
        bytes += loaded.iter().map(JobRow::bytes).sum::<usize>();
        items.extend(loaded);
        rest = later;
    }
    Ok(Looked { items, reached })
}

impl JobRow {
    /// About how many bytes of JSON it is.
    fn bytes(&self) -> usize {
        let length = |value: &Value| value.to_string().len();
        let optional = [&self.result, &self.error];
        let optional = optional.into_iter().flatten().map(length).sum::<usize>();
        1_000 + self.message.len() + length(&self.input) + length(&self.warnings) + optional
    }
}

/// About how many jobs of an account are unfinished; counts no further than just beyond `most`.
///
/// Changes are counted by lane. Of live reads those that are ready are counted, and not the few that
/// wait for AWS.
pub async fn count_unfinished(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    most: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- count_unfinished_jobs
        select
            (select coalesce(sum(pending), 0) from lanes where account_id = $1)
            + (
                select count(*)
                from (
                    select
                    from job_rows
                    where account_id = $1
                      and phase = 'ready'
                      and lane is null
                    limit $2::bigint + 1
                ) as reads
            ) as "count!""#,
        account_id,
        most,
    )
    .fetch_one(executor)
    .await
}

/// Which of these jobs are over.
pub async fn finished_of(
    executor: impl PgExecutor<'_>,
    job_ids: &[Uuid],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- finished_of
        select job_id
        from job_rows
        where job_id = any ($1)
          and phase = 'finished'",
        job_ids,
    )
    .fetch_all(executor)
    .await
}

/// Whether another job deleted the profile of this one after this one was made.
pub async fn deleted_meanwhile(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    job_id: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- deleted_meanwhile
        select exists (
            select
            from job_rows mine
            join job_rows other
                on other.account_id = mine.account_id
               and other.region = mine.region
               and other.cluster_name = mine.cluster_name
               and other.profile_name = mine.profile_name
            where mine.account_id = $1
              and mine.job_id = $2
              and other.kind = 'delete_fargate_profile'
              and other.phase = 'finished'
              and other.state = 'succeeded'
              and other.finished_at >= mine.created_at
        ) as "exists!""#,
        account_id,
        job_id,
    )
    .fetch_one(executor)
    .await
}

/// Whether another job deleted the cluster of this one after this one was made.
pub async fn cluster_deleted_meanwhile(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    job_id: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- cluster_deleted_meanwhile
        select exists (
            select
            from job_rows mine
            join job_rows other
                on other.account_id = mine.account_id
               and other.region = mine.region
               and other.cluster_name = mine.cluster_name
            where mine.account_id = $1
              and mine.job_id = $2
              and other.kind = 'delete_cluster'
              and other.phase = 'finished'
              and other.state = 'succeeded'
              and other.finished_at >= mine.created_at
        ) as "exists!""#,
        account_id,
        job_id,
    )
    .fetch_one(executor)
    .await
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// AWS account.
    pub account_id: String,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: String,
}

/// The profile of each cluster that a job of ours asked AWS to delete without following it, if that
/// was so lately that AWS may still be at it.
pub async fn unfollowed_deletions(
    executor: impl PgExecutor<'_>,
    places: &[Place],
) -> Result<HashMap<Place, String>, sqlx::Error> {
    let column =
        |of: fn(&Place) -> &String| -> Vec<String> { places.iter().map(of).cloned().collect() };
    let deleted = sqlx::query!(
        r#"-- unfollowed_deletions
        select
            place.account_id as "account_id!",
            place.region as "region!",
            place.cluster_name as "cluster_name!",
            deleted.profile_name as "profile_name!"
        from unnest($1::text[], $2::text[], $3::text[]) as place (account_id, region, cluster_name)
        cross join lateral (
            select profile_name
            from job_rows j
            where j.account_id = place.account_id
              and j.region = place.region
              and j.cluster_name = place.cluster_name
              and j.kind = 'delete_fargate_profile'
              and j.phase = 'finished'
              and j.state = 'succeeded'
              and j.finished_at > now() - interval '2 hours'
              and j.input = '{"wait": false}'
            order by j.finished_at desc
            limit 1
        ) as deleted
        where deleted.profile_name is not null"#,
        &column(|place| &place.account_id),
        &column(|place| &place.region),
        &column(|place| &place.cluster_name),
    )
    .fetch_all(executor)
    .await?;
    Ok(deleted
        .into_iter()
        .map(|row| {
            let place = Place {
                account_id: row.account_id,
                region: row.region,
                cluster_name: row.cluster_name,
            };
            (place, row.profile_name)
        })
        .collect())
}
