//! What a step leaves behind: one fenced write a job, gathered over all steps that end together.
//!
//! Promises: a write names the lease token and the worker, and touches exactly one row or is
//! refused as [`Fenced`]; a finish promotes the next job of the lane in the same statement; a
//! cancel that came in time turns a wait into `canceled`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::group_commit::{GroupCommit, GroupCommitError, Statement};
use super::maintenance;

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
}

/// The write was refused: someone else holds the job by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease is lost: another worker took the job over")]
pub struct Fenced;

/// The write was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// A cancel is waiting, and AWS has accepted nothing yet: stop before it does.
    pub stop: bool,
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
        pool: PgPool,
        wake: Arc<Notify>,
        parked: Arc<Notify>,
        tracker: &TaskTracker,
    ) -> Self {
        const WAITING_OUTCOMES: usize = 16_384;
        const ROWS_A_STATEMENT: usize = 500;
        let update = Update { pool, wake, parked };
        Self {
            writer: GroupCommit::start(update, WAITING_OUTCOMES, ROWS_A_STATEMENT, tracker),
        }
    }

    /// Commits an outcome, together with whatever else is waiting.
    pub async fn write(&self, outcome: Outcome) -> Result<Result<Noted, Fenced>, GroupCommitError> {
        self.writer.commit(outcome).await
    }
}

struct Update {
    pool: PgPool,
    wake: Arc<Notify>,
    parked: Arc<Notify>,
}

impl Statement for Update {
    type Item = Outcome;
    type Reply = Result<Noted, Fenced>;

    fn weight(_: &Outcome) -> usize {
        1
    }

    fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        items: &[Outcome],
    ) -> Result<Vec<Self::Reply>, sqlx::Error> {
        // One process has one worker at a time; a batch that straddles a change of worker is rare.
        let mut replies = vec![Err(Fenced); items.len()];
        let mut workers: Vec<Uuid> = items.iter().map(|item| item.worker).collect();
        workers.sort_unstable();
        workers.dedup();
        for worker in workers {
            let of_worker: Vec<&Outcome> =
                items.iter().filter(|item| item.worker == worker).collect();
            for written in self.write(connection, worker, &of_worker).await? {
                let at = items
                    .iter()
                    .position(|item| item.worker == worker && item.job_id == written.job_id);
                if let Some(reply) = at.and_then(|at| replies.get_mut(at)) {
                    *reply = Ok(Noted { stop: written.stop });
                }
            }
        }
        if items.iter().any(|item| item.next == Next::Parked) {
            self.parked.notify_one();
        }
        Ok(replies)
    }
}

struct Written {
    job_id: Uuid,
    stop: bool,
}

/// The columns of the outcomes, one array a column.
#[derive(Default)]
struct Columns {
    account_id: Vec<String>,
    job_id: Vec<Uuid>,
    lease_token: Vec<i64>,
    phase: Vec<String>,
    state: Vec<String>,
    step: Vec<String>,
    step_data: Vec<Value>,
    after_ms: Vec<i64>,
    waiting_reason: Vec<Option<String>>,
    blocked_by: Vec<Option<String>>,
    message: Vec<String>,
    attempts: Vec<i32>,
    polls: Vec<i32>,
    asked: Vec<bool>,
    accepted: Vec<bool>,
    profile_name: Vec<Option<String>>,
    result: Vec<Option<Value>>,
    warnings: Vec<Value>,
    error: Vec<Option<Value>>,
}

impl Columns {
    fn push(&mut self, item: &Outcome) {
        self.account_id.push(item.account_id.clone());
        self.job_id.push(item.job_id);
        self.lease_token.push(item.lease_token);
        self.phase.push(item.next.phase().to_owned());
        self.state.push(item.next.state().to_owned());
        self.step.push(item.step.clone());
        self.step_data.push(item.step_data.clone());
        self.after_ms
            .push(i64::try_from(item.after.as_millis()).unwrap_or(i64::MAX));
        self.waiting_reason
            .push(item.waiting_reason.map(str::to_owned));
        self.blocked_by.push(item.blocked_by.clone());
        self.message.push(item.message.clone());
        self.attempts.push(item.attempts);
        self.polls.push(item.polls);
        self.asked.push(item.asked);
        self.accepted.push(item.accepted);
        self.profile_name.push(item.profile_name.clone());
        self.result.push(item.result.clone());
        self.warnings.push(json!(item.warnings));
        self.error.push(item.error.clone());
    }
}

impl Update {
    async fn write(
        &self,
        connection: &mut PgConnection,
        worker: Uuid,
        outcomes: &[&Outcome],
    ) -> Result<Vec<Written>, sqlx::Error> {
        let mut columns = Columns::default();
        for outcome in outcomes {
            columns.push(outcome);
        }
        let rows = sqlx::query_file!(
            "src/queue/outcome.sql",
            worker,
            &columns.account_id,
            &columns.job_id,
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
        )
        .fetch_all(&mut *connection)
        .await?;
        for row in rows.iter().filter(|row| row.headless) {
            if let Some(lane) = &row.lane {
                maintenance::promote_lane(&mut *connection, &row.account_id, lane).await?;
            }
        }
        if rows.iter().any(|row| row.phase == "finished") {
            self.wake.notify_one();
        }
        Ok(rows
            .into_iter()
            .map(|row| Written {
                job_id: row.job_id,
                stop: row.stop,
            })
            .collect())
    }
}
