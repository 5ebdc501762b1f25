//! Claims: as many heads of lanes as there is room for, round the accounts, in one statement.
//!
//! Promises: an account with a thousand jobs gets no more of a batch than one with ten, while both
//! have some; parked and disabled accounts are passed over without touching their jobs; a claim
//! draws a greater lease token than any before, so that whoever held the job can no longer write.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A job under lease, as its step sees it.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the columns of a row, each a fact of its own"
)]
pub struct ClaimedJob {
    /// AWS account.
    pub account_id: String,
    /// UUIDv7.
    pub job_id: Uuid,
    /// What to do.
    pub kind: String,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: Option<String>,
    /// Fargate profile.
    pub profile_name: Option<String>,
    /// Jobs of one lane run one at a time.
    pub lane: Option<String>,
    /// What the caller asked for.
    pub input: Value,
    /// The step to run.
    pub step: String,
    /// What that step has to know.
    pub step_data: Value,
    /// Failures so far.
    pub attempt: i32,
    /// Looks at AWS so far.
    pub poll_count: i32,
    /// Waits in a row for trouble that passes by itself.
    pub troubles: i32,
    /// AWS was asked for a change: it may have accepted.
    pub asked: bool,
    /// AWS has accepted a change.
    pub accepted: bool,
    /// Someone asked to cancel.
    pub cancel_requested: bool,
    /// The fence.
    pub lease_token: i64,
    /// Who asked, by name.
    pub requested_by: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When a worker first took it.
    pub started_at: DateTime<Utc>,
    /// By the database's clock.
    pub claimed_at: DateTime<Utc>,
    /// This is the last look: the deadline has passed.
    pub last_look: bool,
}

/// Where a worker stands in its rounds: the account that was served last, and how far it has come
/// in each account's ready jobs.
///
/// Looking only beyond what was claimed before spares the claim the entries of the index that are
/// dead but can't be removed, while a long transaction somewhere may still want to see them.
#[derive(Debug, Clone, Default)]
pub struct Round {
    cursor: String,
    reached: HashMap<String, i64>,
    /// The last claim got all that it could take.
    full: bool,
    /// The next look begins right behind the last claimed job.
    ahead_only: bool,
    looked_for_late: Option<Instant>,
    looked_at_all: Option<Instant>,
}

impl Round {
    /// How far behind the last claimed job the next look begins: numbers are drawn before their
    /// statement commits, so some appear late. What is later still waits for a look at all.
    const LATE: i64 = 1_000;

    /// While there is more than a claim can take, late numbers wait for so long: a look for them
    /// passes over all that this worker has in hand.
    const PATIENCE: Duration = Duration::from_millis(100);

    /// Decides how far back the next look begins; it looks at the oldest jobs again when it has not
    /// for so long.
    pub fn set_out(&mut self, now: Instant, all_every: Duration) {
        let passed = |since: Option<Instant>, time: Duration| {
            since.is_none_or(|since| now.saturating_duration_since(since) >= time)
        };
        if passed(self.looked_at_all, all_every) {
            self.looked_at_all = Some(now);
            self.reached.clear();
        }
        self.ahead_only = self.full && !passed(self.looked_for_late, Self::PATIENCE);
        if !self.ahead_only {
            self.looked_for_late = Some(now);
        }
    }

    fn served(&mut self, account_id: &str, ready_seq: i64) {
        let reached = self.reached.entry(account_id.to_owned()).or_default();
        *reached = ready_seq.max(*reached);
    }

    /// The accounts that the worker knows, its steps there, and behind which job each look begins.
    fn known(&self, busy: &HashMap<String, i64>) -> (Vec<String>, Vec<i64>, Vec<i64>) {
        let known: HashSet<&String> = busy.keys().chain(self.reached.keys()).collect();
        let accounts: Vec<String> = known.into_iter().cloned().collect();
        let steps = accounts
            .iter()
            .map(|account| busy.get(account).copied().unwrap_or(0))
            .collect();
        let after = accounts.iter().map(|account| self.after(account)).collect();
        (accounts, steps, after)
    }

    fn after(&self, account_id: &str) -> i64 {
        let reached = self.reached.get(account_id).copied().unwrap_or(0);
        let late = if self.ahead_only { 0 } else { Self::LATE };
        (reached - late).max(0)
    }
}

/// Takes up to `limit` ready jobs for `worker`, in the order in which they became ready.
/// `busy` are the jobs that the worker holds, by account, of which one may have `most`.
#[expect(clippy::implicit_hasher, reason = "a worker's own count")]
pub async fn claim(
    connection: &mut PgConnection,
    worker: Uuid,
    limit: i64,
    round: &mut Round,
    (busy, most): (&HashMap<String, i64>, i64),
) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let (accounts, steps, after) = round.known(busy);
    let rows = sqlx::query_file!(
        "src/queue/claim.sql",
        worker,
        limit,
        round.cursor,
        &accounts,
        &steps,
        most,
        &after,
    )
    .fetch_all(&mut *connection)
    .await?;

    round.full = i64::try_from(rows.len()).is_ok_and(|found| found >= limit);
    if let Some(last) = rows.iter().max_by_key(|row| row.place) {
        last.account_id.clone_into(&mut round.cursor);
    }
    let all_leased = rows
        .first()
        .is_none_or(|row| usize::try_from(row.leased) == Ok(rows.len()));
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        round.served(&row.account_id, row.ready_seq);
        jobs.push(ClaimedJob {
            account_id: row.account_id,
            job_id: row.job_id,
            kind: row.kind,
            region: row.region,
            cluster_name: row.cluster_name,
            profile_name: row.profile_name,
            lane: row.lane,
            input: row.input,
            step: row.step,
            step_data: row.step_data,
            attempt: row.attempt,
            poll_count: row.poll_count,
            troubles: row.troubles,
            asked: row.asked,
            accepted: row.accepted,
            cancel_requested: row.cancel_requested,
            lease_token: row.lease_token,
            requested_by: row.requested_by,
            traceparent: row.traceparent,
            started_at: row.started_at,
            claimed_at: row.claimed_at,
            last_look: row.last_look,
        });
    }
    if !all_leased {
        keep_leased(connection, worker, &mut jobs).await?;
    }
    Ok(jobs)
}

/// Keeps the jobs whose lease is this worker's: another was quicker with the rest.
async fn keep_leased(
    connection: &mut PgConnection,
    worker: Uuid,
    jobs: &mut Vec<ClaimedJob>,
) -> Result<(), sqlx::Error> {
    let tokens: Vec<i64> = jobs.iter().map(|job| job.lease_token).collect();
    let leased: HashSet<i64> = sqlx::query_scalar!(
        "-- leased_tokens
        select lease_token
        from leases
        where worker_id = $1
          and lease_token = any ($2)",
        worker,
        &tokens,
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .collect();
    jobs.retain(|job| leased.contains(&job.lease_token));
    Ok(())
}
