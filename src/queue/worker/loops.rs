//! The loops of a worker: claim, wake what is due, repair.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::settle::run_step;
use super::{Handler, Running, Shared};
use crate::queue::claim::{ClaimedJob, claim};
use crate::queue::lease::Standing;
use crate::queue::{bounded, due, maintenance};

/// At most this many jobs in one claim.
const LARGEST_CLAIM: usize = 500;

/// Claims as many jobs as there are free slots, whenever there may be some.
pub(super) async fn claim_loop<H: Handler>(shared: Arc<Shared<H>>, tracker: TaskTracker) {
    let mut cursor = String::new();
    let mut may_hold_unknown = false;
    let mut looked = shared.clock.monotonic();
    loop {
        let found = match shared.standing() {
            None => 0,
            Some(standing) => {
                // Once a lease anyway: the net under every way to forget a job.
                let now = shared.clock.monotonic();
                if now.saturating_duration_since(looked) > shared.options.lease {
                    (looked, may_hold_unknown) = (now, true);
                }
                if may_hold_unknown {
                    may_hold_unknown = !hand_back_unknown(&shared, &standing).await;
                }
                match claim_some(&shared, &standing, &mut cursor, &tracker).await {
                    Ok(found) => found,
                    Err(error) => {
                        tracing::warn!(%error, "claiming jobs");
                        // The claim may have been committed although its answer was lost.
                        may_hold_unknown = true;
                        0
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(shared.options.poll_interval) => {}
            // More was there than slots: go on as soon as one is free.
            Ok(_) = shared.slots.acquire(), if found > 0 => {}
        }
    }
}

async fn claim_some<H: Handler>(
    shared: &Arc<Shared<H>>,
    standing: &Standing,
    cursor: &mut String,
    tracker: &TaskTracker,
) -> Result<usize, sqlx::Error> {
    let free = shared.slots.available_permits().min(LARGEST_CLAIM);
    if free == 0 {
        return Ok(1);
    }
    let limit = i64::try_from(free).unwrap_or(1);
    let busy = shared.steps_by_account();
    let most = i64::from(shared.options.slots_an_account);
    let mut connection = bounded::connection(&shared.pool).await?;
    let claiming = claim(
        &mut *connection,
        standing.worker,
        limit,
        cursor,
        (&busy, most),
    );
    let claimed = bounded::within(claiming).await;
    let jobs = bounded::given_back(connection, claimed)?;
    if let Some(last) = jobs.iter().max_by_key(|job| job.place) {
        last.account_id.clone_into(cursor);
    }
    let found = jobs.len();
    for job in jobs {
        start(shared, standing, job, tracker).await;
    }
    Ok(found)
}

async fn start<H: Handler>(
    shared: &Arc<Shared<H>>,
    standing: &Standing,
    job: ClaimedJob,
    tracker: &TaskTracker,
) {
    let running = Running {
        account_id: job.account_id.clone(),
        lease_token: job.lease_token,
    };
    shared.running().insert(job.job_id, running);
    // The claim took no more than the free slots, so this does not wait.
    let Ok(slot) = Arc::clone(&shared.slots).acquire_owned().await else {
        return;
    };
    let shared = Arc::clone(shared);
    let standing = standing.clone();
    tracker.spawn(async move {
        run_step(&shared, &standing, &job).await;
        shared.ended(&job);
        drop(slot);
    });
}

/// True when the worker's leases and its running steps are the same again.
async fn hand_back_unknown<H: Handler>(shared: &Arc<Shared<H>>, standing: &Standing) -> bool {
    let known: Vec<_> = shared.running().keys().copied().collect();
    match maintenance::release(&shared.pool, standing.worker, &known).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "handing back unknown jobs");
            false
        }
    }
}

/// Makes parked jobs ready when they are due.
pub(super) async fn due_loop<H: Handler>(shared: Arc<Shared<H>>) {
    loop {
        let pause = match due::wake_due(&shared.pool).await {
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

/// Repairs what dead workers left, and sweeps once in a while.
pub(super) async fn repair_loop<H: Handler>(shared: Arc<Shared<H>>) {
    const ROUNDS_A_SWEEP: u32 = 60;
    let mut round = 0_u32;
    loop {
        match maintenance::repair(&shared.pool).await {
            Ok(repaired) if repaired != maintenance::Repaired::default() => {
                tracing::info!(repaired.rescued, repaired.promoted, "repaired the queue");
                shared.wake.notify_one();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "repairing the queue"),
        }
        if round.is_multiple_of(ROUNDS_A_SWEEP)
            && let Err(error) = maintenance::sweep(&shared.pool).await
        {
            tracing::warn!(%error, "sweeping old rows");
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = tokio::time::sleep(maintenance::repair_interval(shared.options.lease)) => {}
        }
    }
}
