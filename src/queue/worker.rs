//! A worker process: one heartbeat, one claimer, and as many running steps as it has slots.
//!
//! A worker claims a little ahead when steps are short (`pace`), and stays with a lane for a moment
//! when it frees one: the outcome's statement leases the lane's next job to it.
//!
//! Promises: a step runs only while the lease holds; a step that panics or hangs costs its job an
//! attempt, not the worker; a job leased to this worker that it does not know of (the claim's
//! answer was lost) is handed back; a drained worker leaves no lease behind.

mod heartbeat;
mod loops;
mod pace;
mod settle;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, RwLock, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use pace::Pace;

use super::claim::ClaimedJob;
use super::lease::{Lease, Standing};
use super::maintenance;
use super::outcome::Outcomes;
use super::verdict::{Failure, Verdict};
use crate::clock::Clock;
use crate::database::{Share, Shares};
use crate::rng::Rng;

/// What jobs do.
pub trait Handler: Send + Sync + 'static {
    /// Runs one step. It may run twice: the worker may die before its verdict is written.
    fn run(&self, job: &ClaimedJob, lease: &Lease) -> impl Future<Output = Verdict> + Send;

    /// The words for failures that the engine finds by itself.
    fn failure(&self, trouble: Trouble) -> Failure;
}

/// Failures that the engine finds by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The step took longer than a step may.
    TimedOut,
    /// The step panicked.
    Panicked,
    /// The job's deadline has passed.
    DeadlineExceeded,
    /// The database refuses what the step wants to write.
    Unwritable,
}

/// Sizes and times of a worker.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Steps that run at once.
    pub slots: u32,
    /// Of the slots, those that one account may fill.
    pub slots_an_account: u32,
    /// How long after the last heartbeat the leases stand.
    pub lease: Duration,
    /// Between looks without a hint.
    pub poll_interval: Duration,
    /// How long a step may take.
    pub step_timeout: Duration,
    /// How long reads are kept.
    pub read_history: Duration,
    /// Divides the delays that verdicts ask for: for simulators, whose clock runs faster.
    pub time_scale: f64,
    /// Told in the workers table.
    pub host: String,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            slots: 64,
            slots_an_account: 48,
            lease: Duration::from_secs(30),
            poll_interval: Duration::from_secs(1),
            step_timeout: Duration::from_mins(2),
            read_history: Duration::from_hours(1),
            time_scale: 1.0,
            host: String::new(),
        }
    }
}

/// What the parts of a worker share.
struct Shared<H> {
    engine: Share,
    heartbeat: Share,
    handler: H,
    clock: Clock,
    rng: Rng,
    options: WorkerOptions,
    outcomes: Outcomes,
    standing: watch::Receiver<Option<Standing>>,
    wake: Arc<Notify>,
    parked: Arc<Notify>,
    slots: Semaphore,
    pace: Pace,
    held: Mutex<HashMap<Uuid, Held>>,
    /// Taken to write while an outcome may lease a lane's next job to this worker: until the job is
    /// in `held`, it looks like one that the worker does not know of.
    handing: RwLock<()>,
    /// An answer of the database was lost, and with it perhaps a lease.
    may_hold_unknown: AtomicBool,
    stopping: CancellationToken,
    abandon: CancellationToken,
}

/// A job in hand: its step runs, or will as soon as there is a slot.
struct Held {
    account_id: String,
    lease_token: i64,
    /// Its step has ended; what is left is to write it down.
    ended: bool,
}

/// A running worker.
pub struct Worker {
    /// The loops and the steps.
    tracker: TaskTracker,
    /// The heartbeat, which outlives them, and the writer of outcomes.
    pulse: TaskTracker,
    ended: CancellationToken,
    engine: Share,
    stopping: CancellationToken,
    abandon: CancellationToken,
    standing: watch::Receiver<Option<Standing>>,
}

impl Worker {
    /// Starts a worker. `wake` is its hint that jobs became ready.
    pub fn start<H: Handler>(
        shares: &Shares,
        handler: H,
        (clock, rng): (Clock, Rng),
        wake: Arc<Notify>,
        options: WorkerOptions,
    ) -> Self {
        let (tracker, pulse) = (TaskTracker::new(), TaskTracker::new());
        let ended = CancellationToken::new();
        let stopping = CancellationToken::new();
        let abandon = CancellationToken::new();
        let parked = Arc::new(Notify::new());
        let (publish, standing) = watch::channel(None);
        let engine = shares.engine.clone();
        let outcomes = Outcomes::start(
            engine.clone(),
            Arc::clone(&wake),
            Arc::clone(&parked),
            &pulse,
        );
        let inner = Arc::new(Shared {
            engine: engine.clone(),
            heartbeat: shares.heartbeat.clone(),
            handler,
            clock,
            rng,
            slots: Semaphore::new(options.slots as usize),
            pace: Pace::new(options.slots as usize),
            options,
            outcomes,
            standing: standing.clone(),
            wake,
            parked,
            held: Mutex::default(),
            handing: RwLock::default(),
            may_hold_unknown: AtomicBool::new(false),
            stopping: stopping.clone(),
            abandon: abandon.clone(),
        });
        pulse.spawn(heartbeat::beat(Arc::clone(&inner), publish, ended.clone()));
        tracker.spawn(loops::claim_loop(Arc::clone(&inner), tracker.clone()));
        tracker.spawn(loops::due_loop(Arc::clone(&inner)));
        tracker.spawn(loops::repair_loop(inner));
        Self {
            tracker,
            pulse,
            ended,
            engine,
            stopping,
            abandon,
            standing,
        }
    }

    /// Whether the worker is registered and its leases hold.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.standing.borrow().as_ref().is_some_and(Standing::holds)
    }

    /// Stops claiming, lets running steps end within `grace`, and hands the rest back.
    pub async fn drain(&self, grace: Duration) -> Result<(), sqlx::Error> {
        self.stopping.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_err()
        {
            self.abandon.cancel();
            let _ = tokio::time::timeout(Duration::from_secs(2), self.tracker.wait()).await;
        }
        self.ended.cancel();
        self.pulse.close();
        let _ = tokio::time::timeout(Duration::from_secs(2), self.pulse.wait()).await;
        let worker = self
            .standing
            .borrow()
            .as_ref()
            .map(|standing| standing.worker);
        if let Some(worker) = worker {
            maintenance::release(&self.engine, worker, &[]).await?;
            heartbeat::deregister(&self.engine, worker).await?;
        }
        Ok(())
    }

    /// Stops at once, as a crash would: no hand-back, no farewell. For tests of crashes.
    pub async fn crash(&self) {
        self.abandon.cancel();
        self.stopping.cancel();
        self.ended.cancel();
        self.tracker.close();
        self.pulse.close();
        self.tracker.wait().await;
        self.pulse.wait().await;
    }
}

impl<H> Shared<H> {
    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job is leased to this worker.
    fn takes(&self, job: &ClaimedJob) {
        let held = Held {
            account_id: job.account_id.clone(),
            lease_token: job.lease_token,
            ended: false,
        };
        self.held().insert(job.job_id, held);
        self.pace.took();
    }

    /// The job's step has ended: it takes no room of its account's any more.
    fn ends(&self, job: &ClaimedJob) {
        if let Some(held) = self.held().get_mut(&job.job_id) {
            held.ended |= held.lease_token == job.lease_token;
        }
    }

    /// Forgets a job, but not a later lease of ours on the same one.
    fn forgets(&self, job: &ClaimedJob) {
        let mut held = self.held();
        let known = held.get(&job.job_id);
        if known.is_some_and(|known| known.lease_token == job.lease_token) {
            held.remove(&job.job_id);
        }
    }

    /// How many jobs of each account are in hand here, their step not ended.
    fn held_by_account(&self) -> HashMap<String, i64> {
        let mut jobs: HashMap<String, i64> = HashMap::new();
        for held in self.held().values().filter(|held| !held.ended) {
            match jobs.get_mut(&held.account_id) {
                Some(count) => *count += 1,
                None => drop(jobs.insert(held.account_id.clone(), 1)),
            }
        }
        jobs
    }

    fn standing(&self) -> Option<Standing> {
        self.standing.borrow().clone().filter(Standing::holds)
    }
}
