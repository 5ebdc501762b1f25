//! Which job of ours last asked AWS for a change of something: to say who brought it to its state.

use chrono::{DateTime, Duration, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::jobs::Place;

/// How far back jobs are looked at. Keeps the look to a part of the account's history.
pub const LOOKED_BACK: Duration = Duration::days(7);

/// A job, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The job.
    pub job_id: Uuid,
    /// The name of its caller.
    pub requested_by: String,
}

/// What was changed, and by which kinds of jobs.
#[derive(Debug, Clone)]
pub struct Changed<'a> {
    /// The cluster.
    pub place: &'a Place,
    /// The profile; none: the cluster itself.
    pub profile_name: Option<&'a str>,
    /// The kind of job that changes the profile.
    pub profile_kind: &'a str,
    /// The kind of job that changes the cluster with all its profiles.
    pub cluster_kind: &'a str,
    /// The job that asks, which does not count.
    pub except: Uuid,
}

/// The newest job of the last days that may have asked AWS for such a change.
pub async fn last_change(
    executor: impl PgExecutor<'_>,
    changed: &Changed<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Asker>, sqlx::Error> {
    let since = (now - LOOKED_BACK).timestamp_millis();
    // The ids are UUIDs of version 7: they begin with the time.
    let since = Uuid::from_u128(u128::from(since.unsigned_abs()) << 80);
    sqlx::query_as!(
        Asker,
        r#"-- last_change
        select job_id, requested_by
        from job_rows
        where account_id = $1
          and job_id > $2
          and job_id <> $3
          and region = $4
          and cluster_name = $5
          and ((kind = $6 and profile_name = $7) or kind = $8)
          and (asked or accepted or state = 'succeeded')
        order by job_id desc
        limit 1"#,
        &changed.place.account_id,
        since,
        changed.except,
        &changed.place.region,
        &changed.place.cluster_name,
        changed.profile_kind,
        changed.profile_name,
        changed.cluster_kind,
    )
    .fetch_optional(executor)
    .await
}
