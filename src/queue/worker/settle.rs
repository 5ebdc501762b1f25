//! From verdict to row: runs a step within its bounds and writes down what it answered.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tracing::Instrument;

use super::{Handler, Shared, Trouble};
use crate::queue::backoff::{RETRY, THROTTLED, TROUBLE};
use crate::queue::claim::ClaimedJob;
use crate::queue::group_commit::GroupCommitError;
use crate::queue::lease::{Lease, Standing};
use crate::queue::outcome::{Next, Outcome};
use crate::queue::verdict::{Again, Failure, Verdict, Wait};

/// How long a worker stays with a lane that it frees; then the others have their turn.
const STAY: Duration = Duration::from_millis(100);

/// Runs one step and writes its outcome, unless the lease is lost on the way. The lane's next job,
/// if it was handed on.
pub(super) async fn run_step<H: Handler>(
    shared: &Shared<H>,
    standing: &Standing,
    job: &ClaimedJob,
    lane_since: Instant,
) -> Option<ClaimedJob> {
    let lease = Lease::new(standing.clone(), shared.outcomes.clone(), job);
    let span = tracing::info_span!(
        "step",
        job.id = %job.job_id,
        job.kind = %job.kind,
        job.step = %job.step,
        account.id = %job.account_id,
        cluster.name = job.cluster_name.as_deref(),
        traceparent = job.traceparent.as_deref(),
    );
    let step = async {
        let verdict = in_a_slot(shared, standing, job, &lease).await?;
        let mut outcome = outcome_of(shared, job, &lease, verdict);
        let stayed = shared
            .clock
            .monotonic()
            .saturating_duration_since(lane_since);
        outcome.take_next = job.lane.is_some()
            && stayed < STAY
            && outcome.next.is_end()
            && !shared.stopping.is_cancelled();
        shared.pace.writes();
        let next = tokio::select! {
            next = write(shared, &lease, outcome) => next,
            () = standing.lost.cancelled() => None,
            () = shared.abandon.cancelled() => None,
        };
        shared.pace.wrote();
        next
    };
    step.instrument(span).await
}

/// Waits for a slot and runs the step in it; the slot is free again before the outcome is written.
/// Nothing when the worker stops first, or the lease is lost.
async fn in_a_slot<H: Handler>(
    shared: &Shared<H>,
    standing: &Standing,
    job: &ClaimedJob,
    lease: &Lease,
) -> Option<Verdict> {
    let mut took = None;
    let verdict = async {
        let _slot = tokio::select! {
            biased;
            // What has not begun is handed back.
            () = shared.stopping.cancelled() => return None,
            () = standing.lost.cancelled() => return None,
            slot = shared.slots.acquire() => slot.ok()?,
        };
        let begun = shared.clock.monotonic();
        let verdict = tokio::select! {
            verdict = judge(shared, job, lease) => Some(verdict),
            () = standing.lost.cancelled() => None,
            () = shared.abandon.cancelled() => None,
        };
        took = Some(shared.clock.monotonic().saturating_duration_since(begun));
        verdict
    }
    .await;
    shared.ends(job);
    shared.pace.let_go(took);
    verdict
}

async fn judge<H: Handler>(shared: &Shared<H>, job: &ClaimedJob, lease: &Lease) -> Verdict {
    let step = AssertUnwindSafe(shared.handler.run(job, lease)).catch_unwind();
    match tokio::time::timeout(shared.options.step_timeout, step).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(_)) => {
            tracing::error!("the step panicked");
            Verdict::Retry(shared.handler.failure(Trouble::Panicked))
        }
        Err(_) => timed_out(shared, lease),
    }
}

/// Something did not answer for so long that the step was stopped: its calls have bounds of their
/// own, so that it was asked too much at once, or waited for too often.
fn timed_out<H: Handler>(shared: &Shared<H>, lease: &Lease) -> Verdict {
    tracing::warn!("the step was stopped: it took too long");
    let message = shared.handler.failure(Trouble::TimedOut).message;
    let progress = lease.progress();
    Verdict::Again(Box::new(Again {
        after: Duration::ZERO,
        step: progress.step,
        step_data: progress.step_data,
        wait: Wait::Trouble(message.clone()),
        message,
        accepted: false,
    }))
}

fn outcome_of<H: Handler>(
    shared: &Shared<H>,
    job: &ClaimedJob,
    lease: &Lease,
    verdict: Verdict,
) -> Outcome {
    match verdict {
        Verdict::Done { result, message } => Outcome {
            result: Some(result),
            message,
            ..lease.outcome(Next::Succeeded)
        },
        Verdict::Fail(failure) => failed(lease, failure, 1),
        Verdict::Canceled => Outcome {
            message: "Canceled before AWS was asked to change anything.".to_owned(),
            ..lease.outcome(Next::Canceled)
        },
        Verdict::Again(_) | Verdict::Retry(_) if job.last_look => {
            failed(lease, shared.handler.failure(Trouble::DeadlineExceeded), 0)
        }
        Verdict::Again(again) => parked(shared, job, lease, *again),
        Verdict::Retry(failure) => retried(shared, job, lease, failure),
    }
}

fn failed(lease: &Lease, failure: Failure, attempts: i32) -> Outcome {
    Outcome {
        message: failure.message,
        error: Some(failure.error),
        attempts,
        ..lease.outcome(Next::Failed)
    }
}

fn parked<H: Handler>(
    shared: &Shared<H>,
    job: &ClaimedJob,
    lease: &Lease,
    again: Again,
) -> Outcome {
    let Again {
        after,
        step,
        step_data,
        wait,
        message,
        accepted,
    } = again;
    Outcome {
        after: scaled(shared, pause(&wait, job.troubles, after)),
        troubles: troubles(&wait, job.troubles),
        step,
        step_data,
        waiting_reason: Some(wait.as_str()),
        polls: i32::from(wait == Wait::Poll),
        blocked_by: match wait {
            Wait::ClusterBusy(words) | Wait::Trouble(words) => Some(words),
            _ => None,
        },
        message,
        accepted,
        ..lease.outcome(Next::Parked)
    }
}

/// How long to wait: at least what the step asks for.
fn pause(wait: &Wait, troubles: i32, after: Duration) -> Duration {
    let troubles = u32::try_from(troubles).unwrap_or(0);
    match wait {
        Wait::Trouble(_) => after.max(TROUBLE.delay(troubles)),
        Wait::Throttled => after.max(THROTTLED.delay(troubles)),
        _ => after,
    }
}

/// How many waits for trouble there have been in a row, with this one.
fn troubles(wait: &Wait, before: i32) -> i32 {
    match wait {
        Wait::Trouble(_) | Wait::Throttled => before.saturating_add(1),
        // The trouble was not met again, and is not known to be over.
        Wait::OverBudget => before,
        _ => 0,
    }
}

fn retried<H: Handler>(
    shared: &Shared<H>,
    job: &ClaimedJob,
    lease: &Lease,
    failure: Failure,
) -> Outcome {
    let failures = u32::try_from(job.attempt).unwrap_or(u32::MAX);
    // What AWS has accepted is followed to its end, whatever goes wrong on the way.
    if failures as usize >= RETRY.len() && !job.accepted {
        return failed(lease, failure, 1);
    }
    Outcome {
        after: scaled(shared, RETRY.delay(failures)),
        waiting_reason: Some(Wait::Retry.as_str()),
        message: failure.message,
        attempts: 1,
        ..lease.outcome(Next::Parked)
    }
}

fn scaled<H: Handler>(shared: &Shared<H>, delay: Duration) -> Duration {
    shared
        .rng
        .jitter(delay, 0.2)
        .div_f64(shared.options.time_scale.max(0.001))
}

/// Writes until it is written or refused. The caller stops it when the lease is over: then another
/// worker takes the job. A lease that is merely overdue is no reason to let go of the outcome.
async fn write<H: Handler>(
    shared: &Shared<H>,
    lease: &Lease,
    mut outcome: Outcome,
) -> Option<ClaimedJob> {
    let mut pause = Duration::from_millis(50);
    let mut replaced = false;
    loop {
        let handing = shared.handing.read().await;
        match shared.outcomes.write(outcome.clone()).await {
            Ok(Ok(noted)) => {
                log_end(&outcome);
                let next = noted.next.map(|next| *next);
                if let Some(next) = &next {
                    shared.takes(next);
                }
                return next;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the step's outcome was refused");
                return None;
            }
            Err(GroupCommitError::Stopped) => return None,
            Err(error) if error.is_refusal() && !replaced => {
                // It would be refused for ever; the job must not hold its lane for ever.
                tracing::error!(%error, "Postgres refuses the step's outcome; the job ends");
                let accepted = outcome.accepted;
                outcome = failed(lease, shared.handler.failure(Trouble::Unwritable), 1);
                outcome.accepted = accepted;
                replaced = true;
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "writing the step's outcome; trying again");
                // It may have been committed, and the lane's next job leased to this worker.
                shared.may_hold_unknown.store(true, Ordering::Relaxed);
            }
        }
        drop(handing);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

fn log_end(outcome: &Outcome) {
    match outcome.next {
        Next::Succeeded | Next::Canceled => tracing::info!(message = %outcome.message),
        Next::Failed => tracing::warn!(message = %outcome.message),
        Next::Leased | Next::Parked => {
            tracing::debug!(message = %outcome.message, after = ?outcome.after);
        }
    }
}
