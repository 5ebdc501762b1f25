//! What can go wrong between the lines: drains, silence, floods of failures, bounds.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fargate_fleet::queue::budget::{Budget, Rates};
use fargate_fleet::queue::cancel::cancel;
use fargate_fleet::queue::claim::{Round, claim};
use fargate_fleet::queue::maintenance;
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, WorkerOptions};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::support::{ACCOUNT, Queue, Scripted, done, failure, options};
use crate::support::silence::{Silent, silenceable};

#[derive(Clone)]
struct Held {
    entered: Arc<Semaphore>,
    gate: Arc<Semaphore>,
    running: Arc<AtomicU32>,
    most: Arc<AtomicU32>,
}

impl Held {
    fn new() -> Self {
        Self {
            entered: Arc::new(Semaphore::new(0)),
            gate: Arc::new(Semaphore::new(0)),
            running: Arc::default(),
            most: Arc::default(),
        }
    }
}

impl Handler for Held {
    async fn run(&self, _: &ClaimedJob, _: &Lease) -> Verdict {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.entered.add_permits(1);
        self.gate.acquire().await.expect("open").forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        done()
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        failure(&format!("{trouble:?}"))
    }
}

/// Callers that come back when they are told to: in ten minutes a budget of ten a second gives
/// some thousands of calls.
#[test]
fn a_budget_that_is_in_demand_gives_what_it_has() {
    for (rates, callers) in [
        (Rates::MUTATE, 1_u64),
        (Rates::MUTATE, 30),
        (Rates::READ, 200),
    ] {
        let start = Instant::now();
        let mut budget = Budget::new(rates, start);
        let mut given = 0;
        let mut comes: BinaryHeap<std::cmp::Reverse<(Duration, u64)>> = (0..callers)
            .map(|n| std::cmp::Reverse((Duration::from_millis(n), n)))
            .collect();
        while let Some(std::cmp::Reverse((at, caller))) = comes.pop() {
            if at > Duration::from_mins(10) {
                break;
            }
            let next = match budget.take(start + at, Duration::ZERO) {
                // Each job polls every second: one caller asks for less than there is.
                Ok(_) => {
                    given += 1;
                    at + Duration::from_secs(1)
                }
                // Five milliseconds late, as a queue is.
                Err(wait) => at + wait + Duration::from_millis(5),
            };
            comes.push(std::cmp::Reverse((next, caller)));
        }
        let fair = if callers == 1 { 500 } else { 5_000 };
        assert!(
            given >= fair,
            "{callers} callers were given {given} calls in ten minutes, of {fair} or more"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_heartbeat_goes_on_while_a_drained_workers_steps_end() {
    let queue = Queue::new().await;
    let held = Held::new();
    let lease = Duration::from_secs(2);
    let worker = queue.worker_with(held.clone(), WorkerOptions { lease, ..options() });
    queue.submit(ACCOUNT, None, json!({})).await;
    held.entered.acquire().await.expect("open").forget();
    let drained = async { worker.drain(Duration::from_secs(8)).await };
    let looked = async {
        // Heartbeats come for longer than a lease that began before the worker was told to stop.
        let beats = "select count(*) from workers where heartbeat_at > started_at + 2 * lease";
        queue.until(beats, |n| n == 1).await;
        let rescued = queue.rescue().await;
        held.gate.add_permits(1);
        rescued
    };
    let (drained, rescued) = tokio::join!(drained, looked);
    drained.unwrap();
    assert_eq!(rescued, 0, "the job was taken away from a step that runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outcome_that_postgres_refuses_ends_the_job_all_the_same() {
    let queue = Queue::new().await;
    let job = queue
        .submit(ACCOUNT, Some("a"), json!({"poison": true}))
        .await;
    let handler = Scripted::new(|job| {
        if job.input.get("poison").is_some() {
            Verdict::Fail(failure("AWS said: \u{0}"))
        } else {
            done()
        }
    });
    let worker = queue.worker(handler);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    assert_eq!(queue.column(job, "state").await, "failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_account_never_fills_more_than_its_slots() {
    let queue = Queue::new().await;
    for _ in 0..20 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    let held = Held::new();
    let worker = queue.worker_with(
        held.clone(),
        WorkerOptions {
            slots: 8,
            slots_an_account: 4,
            ..options()
        },
    );
    // Each step that ends lets one more in, until all have been.
    held.entered.acquire_many(4).await.expect("open").forget();
    for _ in 4..20 {
        held.gate.add_permits(1);
        held.entered.acquire().await.expect("open").forget();
    }
    held.gate.add_permits(100);
    queue.until_idle().await;
    let most = held.most.load(Ordering::SeqCst);
    worker.drain(Duration::from_secs(5)).await.unwrap();
    assert!(most <= 4, "{most} steps of one account ran at once");
}

/// A leased job is written to while rescue is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rescue_bears_a_job_that_changes_meanwhile() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, None, json!({})).await;
    let dead = queue.register(Duration::from_mins(1)).await;
    assert_eq!(queue.claim(dead, 1).await.len(), 1);
    // Another process holds the row of a dead worker for a moment.
    let mut other = queue.pool().begin().await.unwrap();
    sqlx::query("select from workers where worker_id = $1 for update")
        .bind(dead)
        .execute(&mut *other)
        .await
        .unwrap();
    let pool = queue.pool().clone();
    let rescue = TaskTracker::new().spawn(async move {
        let mut connection = pool.acquire().await?;
        maintenance::rescue(&mut connection).await
    });
    queue
        .until(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'
            and datname = current_database()",
            |n| n == 1,
        )
        .await;
    let mut transaction = queue.pool().begin().await.unwrap();
    cancel(&mut transaction, ACCOUNT, job).await.unwrap();
    transaction.commit().await.unwrap();
    other.rollback().await.unwrap();
    let rescued = rescue.await.unwrap();
    assert!(rescued.is_ok(), "{rescued:?}");
}

/// A short hiccup of a role that ten processes notice at once is one failure, not ten.
#[tokio::test]
async fn failures_that_come_together_do_not_make_the_pause_longer() {
    let queue = Queue::new().await;
    for _ in 0..12 {
        fargate_fleet::db::breaker::role_failed(queue.pool(), ACCOUNT, "denied", 1.0)
            .await
            .unwrap();
    }
    let pause: f64 =
        sqlx::query_scalar("select extract(epoch from probe_at - now())::float8 from accounts")
            .fetch_one(queue.pool())
            .await
            .unwrap();
    assert!(pause < 61.0, "the first pause is {pause} seconds");
}

/// Some processes look for a probe at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_parked_account_is_probed_by_one_process() {
    let queue = Queue::new().await;
    for _ in 0..5 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    sqlx::query("update accounts set state = 'parked', probe_at = now()")
        .execute(queue.pool())
        .await
        .unwrap();
    // While somebody changes the account nobody waits for it, and nobody probes.
    let mut other = queue.pool().begin().await.unwrap();
    sqlx::query("select from accounts for no key update")
        .execute(&mut *other)
        .await
        .unwrap();
    assert!(queue.claim(queue.clock.uuid(), 10).await.is_empty());
    other.rollback().await.unwrap();
    let claims = [(), (), (), ()].map(|()| {
        let (pool, worker) = (queue.pool().clone(), queue.clock.uuid());
        TaskTracker::new().spawn(async move {
            let mut connection = pool.acquire().await.unwrap();
            let (mut round, nothing) = (Round::default(), HashMap::new());
            claim(&mut connection, worker, 10, &mut round, (&nothing, 1_000))
                .await
                .unwrap()
                .len()
        })
    });
    let mut probes = 0;
    for claimed in claims {
        probes += claimed.await.unwrap();
    }
    assert_eq!(probes, 1);
}

/// A read may take two minutes; its account's role is broken for longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deadline_holds_for_jobs_that_nobody_may_claim() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, None, json!({})).await;
    sqlx::query("update job_rows set deadline_at = now() - interval '1 hour'")
        .execute(queue.pool())
        .await
        .unwrap();
    sqlx::query("update accounts set state = 'disabled'")
        .execute(queue.pool())
        .await
        .unwrap();
    let worker = queue.worker(Scripted::new(|_| done()));
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    assert_eq!(
        queue.column(job, "error->>'code'").await,
        "deadline_exceeded"
    );
}

/// The database's host dies without a word while an outcome is being written: the connection stays
/// open and says nothing any more. New connections reach the new primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_falls_silent_does_not_stop_a_worker_for_good() {
    let queue = Queue::new().await;
    let (port, silence) = silenceable(&queue.database.url()).await;
    let direct: sqlx::postgres::PgConnectOptions = queue.database.url().parse().unwrap();
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(1))
        .connect_lazy_with(direct.host("127.0.0.1").port(port));
    let held = Held::new();
    let worker = fargate_fleet::queue::Worker::start(
        &fargate_fleet::database::Shares::on(&pool),
        held.clone(),
        (queue.clock.clone(), fargate_fleet::rng::Rng::seeded(1)),
        Arc::new(tokio::sync::Notify::new()),
        WorkerOptions {
            lease: Duration::from_secs(2),
            ..options()
        },
    );
    queue.submit(ACCOUNT, Some("a"), json!({})).await;
    held.entered.acquire().await.expect("open").forget();
    let mut other = queue.pool().begin().await.unwrap();
    sqlx::query("select from lanes for update")
        .execute(&mut *other)
        .await
        .unwrap();
    held.gate.add_permits(1_000);
    queue
        .until(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'
            and datname = current_database()",
            |n| n == 1,
        )
        .await;
    silence.send(Silent::Old).unwrap();
    other.rollback().await.unwrap();
    let next = queue.submit(ACCOUNT, Some("b"), json!({})).await;
    let ended = tokio::time::timeout(Duration::from_secs(45), async {
        while queue.column(next, "phase").await != "finished" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let healthy = worker.is_healthy();
    assert!(
        ended.is_ok(),
        "it calls itself healthy ({healthy}), but ends no job any more; {}",
        queue.dump().await
    );
}
