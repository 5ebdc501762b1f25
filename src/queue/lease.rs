//! What a running step holds: the right to write its job's row, for as long as the worker lives.
//!
//! A lease points at the worker's heartbeat. A worker that can't renew it in time stops its steps
//! *before* the lease runs out; a paused one finds its writes refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::claim::ClaimedJob;
use super::group_commit::GroupCommitError;
use super::outcome::{Fenced, Next, Noted, Outcome, Outcomes};

/// A worker's standing: its id, and until when its leases hold.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The id that leases name.
    pub worker: Uuid,
    /// Canceled when the leases are lost.
    pub lost: CancellationToken,
    until: Arc<Mutex<Instant>>,
}

impl Standing {
    /// Standing of a worker registered at `since`.
    #[must_use]
    pub fn new(worker: Uuid, since: Instant, lease: Duration) -> Self {
        let until = Arc::new(Mutex::new(since + safe_part(lease)));
        Self {
            worker,
            lost: CancellationToken::new(),
            until,
        }
    }

    /// A heartbeat sent at `sent` was written.
    pub fn renew(&self, sent: Instant, lease: Duration) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = sent + safe_part(lease);
    }

    /// Until when it is safe to act on the leases.
    #[must_use]
    pub fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is safe to act on the leases now.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.lost.is_cancelled() && Instant::now() < self.until()
    }
}

/// The last sixth of a lease is left unused: clocks drift, and a stop takes time.
fn safe_part(lease: Duration) -> Duration {
    lease.mul_f64(5.0 / 6.0)
}

/// Why a step must stop at once, without asking AWS for anything more.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LeaseLost {
    /// Another worker holds the job.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// The note could not be written.
    #[error("noting progress")]
    Write(#[from] GroupCommitError),
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The step to run if this worker dies.
    pub step: String,
    /// What that step has to know.
    pub step_data: Value,
    /// AWS is about to be asked for a change.
    pub asked: bool,
}

/// What else a step may write down on its way.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// One sentence for people.
    pub message: String,
    /// A name chosen on the way.
    pub profile_name: Option<String>,
    /// What the caller should know.
    pub warnings: Vec<Value>,
}

/// The lease of one running step.
pub struct Lease {
    standing: Standing,
    account_id: String,
    job_id: Uuid,
    lane: Option<String>,
    token: i64,
    outcomes: Outcomes,
    progress: Mutex<Progress>,
}

impl Lease {
    pub(super) fn new(standing: Standing, outcomes: Outcomes, job: &ClaimedJob) -> Self {
        let progress = Progress {
            step: job.step.clone(),
            step_data: job.step_data.clone(),
            asked: job.asked,
        };
        Self {
            standing,
            account_id: job.account_id.clone(),
            job_id: job.job_id,
            lane: job.lane.clone(),
            token: job.lease_token,
            outcomes,
            progress: Mutex::new(progress),
        }
    }

    /// Writes down how far the step has come, before it goes on.
    ///
    /// `stop` in the answer means that a cancel is waiting: don't ask AWS for the change.
    pub async fn note(&self, progress: Progress, note: Note) -> Result<Noted, LeaseLost> {
        self.firm().await;
        let outcome = Outcome {
            step: progress.step.clone(),
            step_data: progress.step_data.clone(),
            asked: progress.asked,
            message: note.message,
            profile_name: note.profile_name,
            warnings: note.warnings,
            ..self.outcome(Next::Leased)
        };
        let noted = self.outcomes.write(outcome).await??;
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        self.firm().await;
        Ok(noted)
    }

    /// Waits while the heartbeat is overdue: either it comes after all, or the step is stopped.
    /// Asked before every change at AWS.
    pub async fn firm(&self) {
        const LOOK_AGAIN: Duration = Duration::from_millis(10);
        while !self.standing.holds() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The last progress written down.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// An outcome that changes nothing but the place of the job.
    pub(super) fn outcome(&self, next: Next) -> Outcome {
        let Progress {
            step,
            step_data,
            asked,
        } = self.progress();
        Outcome {
            worker: self.standing.worker,
            account_id: self.account_id.clone(),
            job_id: self.job_id,
            lane: self.lane.clone(),
            lease_token: self.token,
            next,
            step,
            step_data,
            after: Duration::ZERO,
            waiting_reason: None,
            blocked_by: None,
            message: String::new(),
            attempts: 0,
            polls: 0,
            troubles: 0,
            asked,
            accepted: false,
            profile_name: None,
            result: None,
            warnings: Vec::new(),
            error: None,
            take_next: false,
        }
    }
}
