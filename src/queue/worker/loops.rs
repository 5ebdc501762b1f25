//! The loops of a worker: claim, wake what is due, repair.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::task::TaskTracker;

use super::settle::run_step;
use super::{Handler, Shared};
use crate::queue::claim::{ClaimedJob, Round, claim};
use crate::queue::lease::Standing;
use crate::queue::{bounded, due, lanes, maintenance};

/// At most this many jobs in one claim.
pub(super) const LARGEST_CLAIM: usize = 500;

/// Claims as many jobs as there is room for, whenever there may be some.
pub(super) async fn claim_loop<H: Handler>(shared: Arc<Shared<H>>, tracker: TaskTracker) {
    let mut round = Round::default();
    let mut unknown_looked_at = shared.clock.monotonic();
    loop {
        let found = match shared.standing() {
            None => 0,
            Some(standing) => {
                let now = shared.clock.monotonic();
                // Once a lease anyway: the net under every way to forget a job.
                let overdue =
                    now.saturating_duration_since(unknown_looked_at) > shared.options.lease;
                if shared.may_hold_unknown.swap(false, Ordering::Relaxed) || overdue {
                    unknown_looked_at = now;
                    hand_back_unknown(&shared, &standing).await;
                }
                round.set_out(now, shared.options.poll_interval);
                match claim_some(&shared, &standing, &mut round, &tracker).await {
                    Ok(found) => found,
                    Err(error) => {
                        tracing::warn!(%error, "claiming jobs");
                        // The claim may have been committed although its answer was lost.
                        shared.may_hold_unknown.store(true, Ordering::Relaxed);
                        0
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            // More was there than room: go on as soon as there is some.
            () = shared.pace.roomy(), if found > 0 => {}
            () = shared.wake.notified(), if found == 0 => {}
            () = tokio::time::sleep(shared.options.poll_interval) => {}
        }
    }
}

/// How many were found; with no room to look, as if there were one.
async fn claim_some<H: Handler>(
    shared: &Arc<Shared<H>>,
    standing: &Standing,
    round: &mut Round,
    tracker: &TaskTracker,
) -> Result<usize, sqlx::Error> {
    let room = shared.pace.room().min(LARGEST_CLAIM);
    if room == 0 {
        return Ok(1);
    }
    let limit = i64::try_from(room).unwrap_or(1);
    let busy = (&shared.held_by_account(), most_an_account(shared));
    let begun = shared.clock.monotonic();
    let mut connection = bounded::connection(&shared.engine).await?;
    let claiming = claim(&mut connection, standing.worker, limit, round, busy);
    let claimed = bounded::within(claiming).await;
    let jobs = bounded::given_back(connection, claimed)?;
    shared
        .pace
        .claimed(shared.clock.monotonic().saturating_duration_since(begun));
    let found = jobs.len();
    for job in jobs {
        shared.takes(&job);
        let (shared, standing) = (Arc::clone(shared), standing.clone());
        // Boxed before it is handed on: a step's future is large, and would be copied at each turn.
        tracker.spawn(Box::pin(
            async move { work_on(&shared, &standing, job).await },
        ));
    }
    Ok(found)
}

/// An account's part of the slots, and the same part of what is claimed ahead.
fn most_an_account<H>(shared: &Shared<H>) -> i64 {
    let slots = u64::from(shared.options.slots.max(1));
    let in_all = shared.pace.most() as u64;
    let most = u64::from(shared.options.slots_an_account) * in_all / slots;
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Runs a job's step, and then those of the lane's next jobs, as long as they are handed on.
async fn work_on<H: Handler>(shared: &Shared<H>, standing: &Standing, job: ClaimedJob) {
    let begun = shared.clock.monotonic();
    let mut next = Some(job);
    while let Some(job) = next.take() {
        next = run_step(shared, standing, &job, begun).await;
        shared.forgets(&job);
    }
}

/// Makes the worker's leases and the jobs it knows of the same again.
async fn hand_back_unknown<H: Handler>(shared: &Arc<Shared<H>>, standing: &Standing) {
    let _nothing_is_handed_meanwhile = shared.handing.write().await;
    let known: Vec<_> = shared.held().keys().copied().collect();
    if let Err(error) = maintenance::release(&shared.engine, standing.worker, &known).await {
        tracing::warn!(%error, "handing back unknown jobs");
        shared.may_hold_unknown.store(true, Ordering::Relaxed);
    }
}

/// Makes parked jobs ready when they are due.
pub(super) async fn due_loop<H: Handler>(shared: Arc<Shared<H>>) {
    loop {
        let pause = match due::wake_due(&shared.engine).await {
            Ok(due) => {
                if due.woken > 0 {
                    shared.wake.notify_one();
                }
                if due.woken == due::MOST_AT_ONCE {
                    continue;
                }
                due.next
                    .unwrap_or(Duration::MAX)
                    .min(shared.options.poll_interval)
            }
            Err(error) => {
                tracing::warn!(%error, "waking due jobs");
                shared.options.poll_interval
            }
        };
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = shared.parked.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Puts wrong counts of lanes right; takes at most a hundredth of the time.
async fn mend_lanes<H: Handler>(shared: &Shared<H>, mend_at: &mut Instant) {
    let begun = shared.clock.monotonic();
    if begun < *mend_at {
        return;
    }
    match lanes::mend(&shared.engine).await {
        Ok(0) => {}
        Ok(_) => shared.wake.notify_one(),
        Err(error) => tracing::warn!(%error, "comparing lanes with their jobs"),
    }
    let ended = shared.clock.monotonic();
    *mend_at = ended + 100 * ended.saturating_duration_since(begun);
}

/// Removes reads that have been kept long enough, and `all` that is old.
async fn sweep<H: Handler>(shared: &Shared<H>, all: bool) {
    if let Err(error) = maintenance::sweep_reads(&shared.engine, shared.options.read_history).await
    {
        tracing::warn!(%error, "removing old reads");
    }
    if all && let Err(error) = maintenance::sweep(&shared.engine).await {
        tracing::warn!(%error, "sweeping old rows");
    }
}

/// Repairs what dead workers left, and sweeps once in a while.
pub(super) async fn repair_loop<H: Handler>(shared: Arc<Shared<H>>) {
    const ROUNDS_A_SWEEP: u32 = 60;
    let mut round = 0_u32;
    let mut mend_at = shared.clock.monotonic();
    loop {
        mend_lanes(&shared, &mut mend_at).await;
        match maintenance::repair(&shared.engine).await {
            Ok(repaired) if repaired != maintenance::Repaired::default() => {
                tracing::info!(
                    repaired.rescued,
                    repaired.promoted,
                    repaired.expired,
                    "repaired the queue"
                );
                shared.wake.notify_one();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "repairing the queue"),
        }
        sweep(&shared, round.is_multiple_of(ROUNDS_A_SWEEP)).await;
        round = round.wrapping_add(1);
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = tokio::time::sleep(maintenance::repair_interval(shared.options.lease)) => {}
        }
    }
}
