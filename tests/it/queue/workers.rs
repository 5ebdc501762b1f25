//! Workers that stop, crash or lose their hints.

use std::sync::Arc;
use std::time::Duration;

use fargate_fleet::clock::Clock;
use fargate_fleet::database::Shares;
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, Worker, WorkerOptions};
use fargate_fleet::rng::Rng;
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use super::support::{ACCOUNT, Queue, Scripted, done, failure, options};

/// Steps that wait for the test's permission.
#[derive(Clone)]
struct Gated {
    entered: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl Gated {
    fn new() -> Self {
        Self {
            entered: Arc::new(Semaphore::new(0)),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    async fn entered(&self, steps: u32) {
        self.entered
            .acquire_many(steps)
            .await
            .expect("open")
            .forget();
    }
}

impl Handler for Gated {
    async fn run(&self, _: &ClaimedJob, _: &Lease) -> Verdict {
        self.entered.add_permits(1);
        self.gate.acquire().await.expect("open").forget();
        done()
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        failure(&format!("{trouble:?}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_worker_takes_over_after_a_crash() {
    let queue = Queue::new().await;
    for _ in 0..5 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    let gated = Gated::new();
    let short = WorkerOptions {
        lease: Duration::from_millis(600),
        ..options()
    };
    let first = queue.worker_with(gated.clone(), short.clone());
    gated.entered(5).await;
    first.crash().await;
    let leased: i64 = sqlx::query_scalar("select count(*) from jobs where phase = 'leased'")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(leased, 5, "a crash hands nothing back");

    let handler = Scripted::new(|_| done());
    let second = queue.worker_with(handler.clone(), short);
    queue.until_idle().await;
    second.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(handler.steps.borrow().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_drained_worker_ends_its_steps_and_leaves_no_lease() {
    let queue = Queue::new().await;
    for _ in 0..5 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    let gated = Gated::new();
    let worker = queue.worker_with(
        gated.clone(),
        WorkerOptions {
            slots: 3,
            ..options()
        },
    );
    gated.entered(3).await;
    gated.gate.add_permits(2);
    // Two steps may end, the third is cut off and handed back; the others were never claimed,
    // or are handed back too.
    worker
        .drain(Duration::from_millis(300))
        .await
        .expect("drained");
    let leased: i64 = sqlx::query_scalar("select count(*) from jobs where phase = 'leased'")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(leased, 0);
    let workers: i64 = sqlx::query_scalar("select count(*) from workers")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(workers, 0);

    let next = queue.worker(Scripted::new(|_| done()));
    queue.until_idle().await;
    next.drain(Duration::from_secs(5)).await.expect("drained");
    let rescues: i64 = sqlx::query_scalar("select sum(rescues + attempt)::bigint from jobs")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(rescues, 0, "a hand-back costs nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_poll_finds_what_no_notification_told() {
    let queue = Queue::new().await;
    // Its wake-up is nobody's: it has nothing but its poll.
    let parts = (Clock::system(), Rng::seeded(1));
    let shares = Shares::on(&queue.database.another_pool());
    let handler = Scripted::new(|_| done());
    let worker = Worker::start(&shares, handler, parts, Arc::new(Notify::new()), options());
    for n in 0..20 {
        queue
            .submit(ACCOUNT, Some(&format!("lane-{}", n % 3)), json!({}))
            .await;
    }
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_was_declared_dead_stops_its_steps_and_registers_anew() {
    let queue = Queue::new().await;
    queue.submit(ACCOUNT, None, json!({})).await;
    let gated = Gated::new();
    let worker = queue.worker_with(
        gated.clone(),
        WorkerOptions {
            lease: Duration::from_millis(900),
            ..options()
        },
    );
    gated.entered(1).await;
    // Another worker's repair takes it for dead, as after a long pause.
    sqlx::query("delete from workers")
        .execute(queue.pool())
        .await
        .unwrap();
    queue.rescue().await;
    // It notices at its next heartbeat, drops the step, and runs the job again under a new id.
    gated.entered(1).await;
    gated.gate.add_permits(10);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
}

#[tokio::test]
async fn jobs_whose_claim_was_never_answered_are_handed_back() {
    let queue = Queue::new().await;
    let known = queue.submit(ACCOUNT, None, json!({})).await;
    let lost = queue.submit(ACCOUNT, None, json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    assert_eq!(queue.claim(worker, 2).await.len(), 2);
    fargate_fleet::queue::maintenance::release(&queue.share(), worker, &[known])
        .await
        .unwrap();
    assert_eq!(queue.column(known, "phase").await, "leased");
    assert_eq!(queue.column(lost, "phase").await, "ready");
    assert_eq!(queue.column(lost, "rescues").await, "0");
}
