//! What a step leaves behind: one fenced write a job, gathered over all steps that end together.
//!
//! Promises: a write names the lease token and the worker, and touches exactly one row or is
//! refused as [`Fenced`]; a finish promotes the next job of the lane in the same statement, or hands
//! it to the worker that freed the lane; a cancel that came in time turns a wait into `canceled`.

mod columns;
mod row;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use columns::Columns;
use row::Row;

use super::claim::ClaimedJob;
use super::group_commit::{Bounds, GroupCommit, GroupCommitError, Statement};
use super::maintenance;
use crate::database::Share;

/// Where a job goes after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Stays under lease; the step only notes how far it came.
    Leased,
    /// Waits until due.
    Parked,
    /// `succeeded`.
    Succeeded,
    /// `failed`.
    Failed,
    /// `canceled`.
    Canceled,
}

impl Next {
    /// The job is over.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    const fn phase(self) -> &'static str {
        match self {
            Self::Leased => "leased",
            Self::Parked => "parked",
            Self::Succeeded | Self::Failed | Self::Canceled => "finished",
        }
    }

    const fn state(self) -> &'static str {
        match self {
            Self::Leased => "running",
            Self::Parked => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// One job's write.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The worker that holds the lease.
    pub worker: Uuid,
    /// AWS account.
    pub account_id: String,
    /// The job.
    pub job_id: Uuid,
    /// The job's lane.
    pub lane: Option<String>,
    /// The fence.
    pub lease_token: i64,
    /// Where it goes.
    pub next: Next,
    /// The step to run next.
    pub step: String,
    /// What that step has to know.
    pub step_data: Value,
    /// How long it is parked.
    pub after: Duration,
    /// Why it waits.
    pub waiting_reason: Option<&'static str>,
    /// Who or what it waits for.
    pub blocked_by: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Added to the failures.
    pub attempts: i32,
    /// Added to the looks at AWS.
    pub polls: i32,
    /// Waits in a row for trouble that passes by itself, with this one.
    pub troubles: i32,
    /// AWS may have accepted a change without our knowing.
    pub asked: bool,
    /// AWS has accepted a change.
    pub accepted: bool,
    /// A name chosen on the way.
    pub profile_name: Option<String>,
    /// The result.
    pub result: Option<Value>,
    /// Added to the warnings.
    pub warnings: Vec<Value>,
    /// The error, with `Failed`.
    pub error: Option<Value>,
    /// With an end: the worker goes on with the lane's next job, if there is one.
    pub take_next: bool,
}

/// The write was refused: someone else holds the job by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease is lost: another worker took the job over")]
pub struct Fenced;

/// The write was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noted {
    /// A cancel is waiting, and AWS has accepted nothing yet: stop before it does.
    pub stop: bool,
    /// The lane's next job, leased to the worker.
    pub next: Option<Box<ClaimedJob>>,
}

/// The writer of outcomes; clones share it.
#[derive(Clone)]
pub struct Outcomes {
    writer: GroupCommit<Update>,
}

impl Outcomes {
    /// Starts the writer. `wake` is told of promoted jobs, `parked` of new due times.
    #[must_use]
    pub fn start(
        share: Share,
        wake: Arc<Notify>,
        parked: Arc<Notify>,
        tracker: &TaskTracker,
    ) -> Self {
        const BOUNDS: Bounds = Bounds {
            room: 16_384,
            room_bytes: 0,
            rows: 300,
            bytes: usize::MAX,
            statements: 2,
        };
        let update = Update {
            share,
            wake,
            parked,
        };
        Self {
            writer: GroupCommit::start(update, BOUNDS, tracker),
        }
    }

    /// Commits an outcome, together with whatever else is waiting.
    pub async fn write(&self, outcome: Outcome) -> Result<Result<Noted, Fenced>, GroupCommitError> {
        self.writer.commit(outcome).await
    }
}

struct Update {
    share: Share,
    wake: Arc<Notify>,
    parked: Arc<Notify>,
}

impl Statement for Update {
    type Item = Outcome;
    type Reply = Result<Noted, Fenced>;

    fn weight(_: &Outcome) -> usize {
        1
    }

    fn share(&self) -> &Share {
        &self.share
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        items: &[Outcome],
    ) -> Result<Vec<Self::Reply>, sqlx::Error> {
        let mut replies = vec![Err(Fenced); items.len()];
        // One process has one worker at a time; a batch that straddles a change of worker is rare.
        let mut workers: Vec<Uuid> = items.iter().map(|item| item.worker).collect();
        workers.sort_unstable();
        workers.dedup();
        for worker in workers {
            let of_worker = (0..items.len()).filter(|at| items[*at].worker == worker);
            let mut left: Vec<usize> = of_worker.collect();
            // A statement writes once under a lease: what else the lease brought follows in its order.
            while !left.is_empty() {
                // By token: a late write may stand beside one of the job's next lease.
                let mut at: HashMap<i64, usize> = HashMap::new();
                let mut later = Vec::new();
                for index in left {
                    match at.entry(items[index].lease_token) {
                        Entry::Vacant(first) => drop(first.insert(index)),
                        Entry::Occupied(_) => later.push(index),
                    }
                }
                let mut now: Vec<usize> = at.values().copied().collect();
                now.sort_unstable();
                let outcomes: Vec<&Outcome> = now.iter().map(|index| &items[*index]).collect();
                for (token, noted) in self.write(connection, worker, &outcomes).await? {
                    if let Some(reply) = at.get(&token).and_then(|at| replies.get_mut(*at)) {
                        *reply = Ok(noted);
                    }
                }
                left = later;
            }
        }
        if items.iter().any(|item| item.next == Next::Parked) {
            self.parked.notify_one();
        }
        Ok(replies)
    }
}

impl Update {
    async fn write(
        &self,
        connection: &mut PgConnection,
        worker: Uuid,
        outcomes: &[&Outcome],
    ) -> Result<Vec<(i64, Noted)>, sqlx::Error> {
        let mut columns = Columns::default();
        for outcome in outcomes {
            columns.push(outcome);
        }
        let rows = sqlx::query_file_as!(
            Row,
            "src/queue/outcome.sql",
            worker,
            &columns.account_id,
            &columns.job_id,
            &columns.lane as &[Option<String>],
            &columns.lease_token,
            &columns.phase,
            &columns.state,
            &columns.step,
            &columns.step_data,
            &columns.after_ms,
            &columns.waiting_reason as &[Option<String>],
            &columns.blocked_by as &[Option<String>],
            &columns.message,
            &columns.attempts,
            &columns.polls,
            &columns.asked,
            &columns.accepted,
            &columns.profile_name as &[Option<String>],
            &columns.result as &[Option<Value>],
            &columns.warnings,
            &columns.error as &[Option<Value>],
            &columns.take_next,
            &columns.troubles,
        )
        .fetch_all(&mut *connection)
        .await?;
        self.go_on(connection, rows).await
    }

    /// What each writer is told; lanes that lost their head on the way get one.
    async fn go_on(
        &self,
        connection: &mut PgConnection,
        rows: Vec<Row>,
    ) -> Result<Vec<(i64, Noted)>, sqlx::Error> {
        let mut written = HashMap::with_capacity(rows.len());
        let mut promoted = false;
        // A lane's row comes after the row of the outcome that freed it.
        for row in rows {
            match row {
                Row { freed_by: None, .. } => {
                    let (stop, next) = (row.stop, None);
                    written.insert(row.lease_token, Noted { stop, next });
                }
                Row {
                    job_id: None,
                    account_id,
                    lane: Some(lane),
                    ..
                } => {
                    maintenance::promote_lane(&mut *connection, &account_id, &lane).await?;
                    promoted = true;
                }
                Row {
                    handed: true,
                    freed_by,
                    ..
                } => {
                    if let Some(noted) = written.get_mut(&freed_by) {
                        noted.next = row.into_job().map(Box::new);
                    }
                }
                _ => promoted = true,
            }
        }
        if promoted {
            self.wake.notify_one();
        }
        Ok(written
            .into_iter()
            .filter_map(|(token, noted)| Some((token?, noted)))
            .collect())
    }
}
