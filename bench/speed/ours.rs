//! Our side: a queue filled through the enqueuer, drained by a worker whose jobs do next to nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::ensure;
use fargate_fleet::clock::Clock;
use fargate_fleet::database::{Share, Shares};
use fargate_fleet::queue::enqueue::{Audit, NewJob, NewOperation};
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{
    ClaimedJob, Enqueuer, Failure, Handler, Lease, Submission, Submitted, Verdict, Worker,
    WorkerOptions,
};
use fargate_fleet::rng::Rng;
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// What to drain.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub jobs: usize,
    /// 0: jobs without lane.
    pub lanes: usize,
    pub accounts: usize,
    pub job_takes: Duration,
    pub slots: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drained {
    pub seconds: f64,
    pub statements: i64,
    pub overlaps: u64,
    pub out_of_order: u64,
}

/// A submission of an operation with these jobs.
pub fn operation(clock: &Clock, account_id: String, jobs: Vec<NewJob>) -> Submission {
    Submission {
        subject_id: clock.uuid(),
        account_id,
        requested_by: "bench".to_owned(),
        caller: "bench".to_owned(),
        idempotency: None,
        traceparent: None,
        audit: Some(Audit {
            actor: "bench".to_owned(),
            on_behalf_of: None,
            action: "bench",
            resource: "/bench".to_owned(),
            request_id: "bench".to_owned(),
            detail: json!({}),
        }),
        operation: Some(NewOperation {
            action: "bench",
            region: "eu-central-1".to_owned(),
            cluster_name: "bench".to_owned(),
        }),
        callback: None,
        share: None,
        jobs,
    }
}

/// A job with about 400 bytes of input.
pub fn job(clock: &Clock, lane: Option<String>, number: usize) -> NewJob {
    NewJob {
        job_id: clock.uuid(),
        kind: "bench",
        region: "eu-central-1".to_owned(),
        cluster_name: lane.clone(),
        profile_name: None,
        retry_of: None,
        lane,
        input: json!({"number": number, "padding": "x".repeat(360)}),
        message: "Queued.".to_owned(),
        warnings: json!([]),
        deadline_after: Duration::from_hours(24),
    }
}

pub fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000_usize + number)
}

/// Registers accounts.
pub async fn add_accounts(pool: &PgPool, count: usize) -> anyhow::Result<()> {
    for number in 0..count {
        sqlx::query(
            "insert into accounts (account_id, name, role_arn, external_id, regions)
            values ($1, $1, 'arn', 'id', '{eu-central-1}')",
        )
        .bind(account(number))
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// Enqueues the load, 500 jobs a call: job `i` in lane `i mod lanes`, in order.
pub async fn fill(pool: &PgPool, load: Load) -> anyhow::Result<()> {
    let (clock, tracker) = (Clock::system(), TaskTracker::new());
    let enqueuer = Enqueuer::start(Share::of(pool.clone()), Arc::default(), &tracker);
    let mut batches: HashMap<usize, Vec<NewJob>> = HashMap::new();
    for number in 0..load.jobs {
        let lane = (load.lanes > 0).then(|| number % load.lanes);
        let of = lane.unwrap_or(number) % load.accounts;
        let batch = batches.entry(of).or_default();
        let lane = lane.map(|lane| format!("eu-central-1/cluster-{lane}"));
        batch.push(job(&clock, lane, number));
        if batch.len() == 500 || number + load.accounts >= load.jobs {
            let jobs = std::mem::take(batch);
            let submitted = enqueuer
                .submit(operation(&clock, account(of), jobs))
                .await?;
            ensure!(submitted == Submitted::Accepted);
        }
    }
    sqlx::query("vacuum analyze job_rows").execute(pool).await?;
    sqlx::query("checkpoint").execute(pool).await?;
    Ok(())
}

/// Enqueues jobs of the first account into one lane.
pub async fn fill_lane(pool: &PgPool, lane: &str, jobs: usize) -> anyhow::Result<()> {
    let (clock, tracker) = (Clock::system(), TaskTracker::new());
    let enqueuer = Enqueuer::start(Share::of(pool.clone()), Arc::default(), &tracker);
    for _ in 0..jobs / 500 {
        let jobs = (0..500)
            .map(|number| job(&clock, Some(lane.to_owned()), number))
            .collect();
        let submitted = enqueuer.submit(operation(&clock, account(0), jobs)).await?;
        ensure!(submitted == Submitted::Accepted);
    }
    Ok(())
}

/// A worker whose jobs do nothing.
pub fn worker(pool: &PgPool, slots: u32) -> Worker {
    start(pool, Nothing, slots)
}

fn start(pool: &PgPool, handler: impl Handler, slots: u32) -> Worker {
    Worker::start(
        &Shares::on(pool),
        handler,
        (Clock::system(), Rng::seeded(1)),
        Arc::new(Notify::new()),
        WorkerOptions {
            slots,
            slots_an_account: slots,
            host: "bench".to_owned(),
            ..WorkerOptions::default()
        },
    )
}

/// What a statement counts.
pub async fn count(pool: &PgPool, sql: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

/// Runs a worker until all jobs are done.
pub async fn drain(pool: &PgPool, load: Load) -> anyhow::Result<Drained> {
    let seen = Arc::new(Seen::new(load));
    let before = statements(pool).await?;
    let begun = Instant::now();
    let worker = start(pool, Bench(Arc::clone(&seen)), load.slots);
    seen.all_done.notified().await;
    // Done is what is written: the last outcomes may still be under way.
    while count(pool, "select count(*) from leases").await? > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    worker.drain(Duration::from_secs(5)).await?;
    Ok(Drained {
        seconds,
        statements: statements(pool).await? - before,
        overlaps: seen.overlaps.load(Ordering::Relaxed),
        out_of_order: seen.out_of_order.load(Ordering::Relaxed),
    })
}

/// Transactions of the database so far: ours are of one statement each.
pub async fn statements(pool: &PgPool) -> anyhow::Result<i64> {
    sqlx::query("select pg_stat_force_next_flush()")
        .execute(pool)
        .await?;
    let count = "select xact_commit from pg_stat_database where datname = current_database()";
    Ok(sqlx::query_scalar(count).fetch_one(pool).await?)
}

/// What the jobs saw of each other.
pub struct Seen {
    load: Load,
    left: AtomicI64,
    all_done: Notify,
    overlaps: AtomicU64,
    out_of_order: AtomicU64,
    /// A lane's running job, and the number of its last.
    lanes: Vec<Mutex<(Option<Uuid>, Option<u64>)>>,
}

impl Seen {
    fn new(load: Load) -> Self {
        Self {
            load,
            left: AtomicI64::new(i64::try_from(load.jobs).unwrap()),
            all_done: Notify::new(),
            overlaps: AtomicU64::new(0),
            out_of_order: AtomicU64::new(0),
            lanes: (0..load.lanes).map(|_| Mutex::default()).collect(),
        }
    }

    fn number(job: &ClaimedJob) -> u64 {
        job.input["number"].as_u64().unwrap()
    }

    fn lane(&self, number: u64) -> Option<&Mutex<(Option<Uuid>, Option<u64>)>> {
        let at = usize::try_from(number)
            .unwrap()
            .checked_rem(self.load.lanes)?;
        self.lanes.get(at)
    }

    fn enter(&self, job: &ClaimedJob) {
        let number = Self::number(job);
        let Some(lane) = self.lane(number) else {
            return;
        };
        let mut lane = lane.lock().unwrap();
        if lane.0.replace(job.job_id).is_some() {
            self.overlaps.fetch_add(1, Ordering::Relaxed);
        }
        if lane.1.replace(number).is_some_and(|last| last > number) {
            self.out_of_order.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn leave(&self, job: &ClaimedJob) {
        if let Some(lane) = self.lane(Self::number(job)) {
            lane.lock().unwrap().0 = None;
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.all_done.notify_one();
        }
    }
}

struct Bench(Arc<Seen>);

impl Handler for Bench {
    async fn run(&self, job: &ClaimedJob, _lease: &Lease) -> Verdict {
        self.0.enter(job);
        let takes = self.0.load.job_takes;
        if !takes.is_zero() {
            // On a thread: tokio's timer knows whole milliseconds only, and rounds them up.
            tokio::task::spawn_blocking(move || std::thread::sleep(takes))
                .await
                .unwrap();
        }
        self.0.leave(job);
        Verdict::Done {
            result: json!({}),
            message: "Done.".to_owned(),
        }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        unexpected(trouble)
    }
}

struct Nothing;

impl Handler for Nothing {
    async fn run(&self, _: &ClaimedJob, _: &Lease) -> Verdict {
        Verdict::Done {
            result: json!({}),
            message: "Done.".to_owned(),
        }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        unexpected(trouble)
    }
}

pub fn unexpected(trouble: Trouble) -> Failure {
    Failure {
        message: format!("{trouble:?}"),
        error: json!({"code": "internal", "message": "trouble", "retryable": false}),
    }
}
