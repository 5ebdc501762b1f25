//! A queue with jobs that do what the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fargate_fleet::clock::Clock;
use fargate_fleet::database::{Share, Shares};
use fargate_fleet::queue::claim::{ClaimedJob, Round, claim};
use fargate_fleet::queue::enqueue::{Audit, IdempotencyKey, NewJob};
use fargate_fleet::queue::maintenance;
use fargate_fleet::queue::verdict::Again;
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{
    Enqueuer, Failure, Handler, Lease, Submission, Submitted, Verdict, Wait, Worker, WorkerOptions,
};
use fargate_fleet::rng::Rng;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::support::database::Database;

/// The account that tests use when one is enough.
pub const ACCOUNT: &str = "111111111111";

/// A database, and a writer of submissions.
pub struct Queue {
    pub database: Database,
    pub enqueuer: Enqueuer,
    pub wake: Arc<Notify>,
    pub clock: Clock,
    _tracker: TaskTracker,
}

impl Queue {
    /// An empty queue with the account [`ACCOUNT`].
    pub async fn new() -> Self {
        let database = Database::new().await;
        let (wake, tracker) = (Arc::new(Notify::new()), TaskTracker::new());
        let enqueuer = Enqueuer::start(
            Share::of(database.pool.clone()),
            Arc::clone(&wake),
            &tracker,
        );
        let queue = Self {
            database,
            enqueuer,
            wake,
            clock: Clock::system(),
            _tracker: tracker,
        };
        queue.add_account(ACCOUNT).await;
        queue
    }

    pub fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// The same, as the engine takes it.
    pub fn share(&self) -> Share {
        Share::of(self.pool().clone())
    }

    pub async fn add_account(&self, account_id: &str) {
        sqlx::query(
            "insert into accounts (account_id, name, role_arn, external_id, regions)
            values ($1, $1, 'arn', 'id', '{eu-central-1}')",
        )
        .bind(account_id)
        .execute(self.pool())
        .await
        .expect("an account");
    }

    /// A submission of one job.
    pub fn one(&self, account_id: &str, lane: Option<&str>, input: Value) -> Submission {
        let job_id = self.clock.uuid();
        Submission {
            subject_id: job_id,
            account_id: account_id.to_owned(),
            requested_by: "tester".to_owned(),
            caller: "tester".to_owned(),
            idempotency: None,
            traceparent: None,
            audit: Some(Audit {
                actor: "tester".to_owned(),
                on_behalf_of: None,
                action: "test",
                resource: "/test".to_owned(),
                request_id: "request".to_owned(),
                detail: json!({}),
            }),
            operation: None,
            callback: None,
            share: None,
            jobs: vec![new_job(job_id, lane, input)],
        }
    }

    /// Submits one job; its id.
    pub async fn submit(&self, account_id: &str, lane: Option<&str>, input: Value) -> Uuid {
        let submission = self.one(account_id, lane, input);
        let id = submission.subject_id;
        let submitted = self.enqueuer.submit(submission).await.expect("committed");
        assert_eq!(submitted, Submitted::Accepted);
        id
    }

    /// Starts a worker of its own pool, as another process would be.
    pub fn worker(&self, handler: impl Handler) -> Worker {
        self.worker_with(
            handler,
            WorkerOptions {
                lease: Duration::from_secs(2),
                ..options()
            },
        )
    }

    pub fn worker_with(&self, handler: impl Handler, options: WorkerOptions) -> Worker {
        let parts = (self.clock.clone(), Rng::seeded(1));
        let shares = Shares::on(&self.database.another_pool());
        Worker::start(&shares, handler, parts, Arc::clone(&self.wake), options)
    }

    /// Claims like a worker would, without being one.
    pub async fn claim(&self, worker: Uuid, limit: i64) -> Vec<ClaimedJob> {
        self.claim_in(&mut Round::default(), worker, limit).await
    }

    /// The same for a worker that has been round before.
    pub async fn claim_in(&self, round: &mut Round, worker: Uuid, limit: i64) -> Vec<ClaimedJob> {
        let mut connection = self.pool().acquire().await.expect("a connection");
        claim(
            &mut connection,
            worker,
            limit,
            round,
            (&HashMap::new(), 1_000),
        )
        .await
        .expect("a claim")
    }

    /// Takes the jobs of dead workers; how many.
    pub async fn rescue(&self) -> u64 {
        let mut connection = self.pool().acquire().await.expect("a connection");
        maintenance::rescue(&mut connection)
            .await
            .expect("a rescue")
    }

    /// A worker's row whose heartbeat is `age` old.
    pub async fn register(&self, age: Duration) -> Uuid {
        let worker = self.clock.uuid();
        sqlx::query(
            "insert into workers (worker_id, host, heartbeat_at, lease)
            values ($1, 'test', now() - $2 * interval '1 second', interval '10 seconds')",
        )
        .bind(worker)
        .bind(age.as_secs_f64())
        .execute(self.pool())
        .await
        .expect("a worker");
        worker
    }

    /// One column of a job, as text.
    pub async fn column(&self, job_id: Uuid, column: &str) -> String {
        let sql = format!("select coalesce(({column})::text, '') from jobs where job_id = $1");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(job_id)
            .fetch_one(self.pool())
            .await
            .expect("the job")
    }

    /// Waits, for a bounded time, until every job has finished.
    pub async fn until_idle(&self) {
        let unfinished = "select count(*) from jobs where phase <> 'finished'";
        self.until(unfinished, |count| count == 0).await;
        self.database.assert_settled().await;
    }

    /// Waits, for a bounded time, until a count is right.
    pub async fn until(&self, sql: &'static str, right: impl Fn(i64) -> bool) {
        let wait = async {
            loop {
                let count: i64 = sqlx::query_scalar(sql)
                    .fetch_one(self.pool())
                    .await
                    .expect("a count");
                if right(count) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        assert!(
            waited.is_ok(),
            "in a minute it did not come true: {sql}; {}",
            self.dump().await
        );
    }

    /// The jobs and the workers, to be read when a test fails.
    pub async fn dump(&self) -> String {
        let rows: Vec<String> = sqlx::query_scalar(
            "select to_json(jobs)::text from jobs
            union all
            select to_json(workers)::text from workers
            union all
            select to_json(accounts)::text from accounts
            union all
            select to_json(activity)::text
            from (
                select pid, state, wait_event_type, wait_event, left(query, 60), query_start
                from pg_stat_activity
                where datname = current_database()
            ) as activity
            union all
            select now()::text",
        )
        .fetch_all(self.pool())
        .await
        .expect("the jobs and the workers");
        format!("there are {rows:#?}")
    }
}

/// Small times, so that tests wait for nothing.
pub fn options() -> WorkerOptions {
    WorkerOptions {
        slots: 16,
        slots_an_account: 16,
        lease: Duration::from_secs(10),
        poll_interval: Duration::from_millis(50),
        step_timeout: Duration::from_secs(20),
        read_history: Duration::from_hours(1),
        time_scale: 1_000.0,
        host: "test".to_owned(),
    }
}

pub fn new_job(job_id: Uuid, lane: Option<&str>, input: Value) -> NewJob {
    NewJob {
        job_id,
        kind: "test",
        region: "eu-central-1".to_owned(),
        cluster_name: Some("prod".to_owned()),
        profile_name: None,
        retry_of: None,
        lane: lane.map(str::to_owned),
        input,
        message: "Queued.".to_owned(),
        warnings: json!([]),
        deadline_after: Duration::from_hours(1),
    }
}

pub fn key(text: &str, request: &str) -> IdempotencyKey {
    IdempotencyKey {
        key: text.to_owned(),
        request_sha256: request.as_bytes().to_vec(),
    }
}

pub fn done() -> Verdict {
    Verdict::Done {
        result: json!({}),
        message: "Done.".to_owned(),
    }
}

pub fn again(after: Duration, step: &str, wait: Wait) -> Verdict {
    Verdict::Again(Box::new(Again {
        after,
        step: step.to_owned(),
        step_data: json!({}),
        wait,
        message: format!("Waits before {step}."),
        accepted: false,
    }))
}

pub fn failure(message: &str) -> Failure {
    Failure {
        message: message.to_owned(),
        error: json!({"code": "internal", "message": message, "retryable": false}),
    }
}

/// A step's rule.
type Rule = dyn Fn(&ClaimedJob) -> Verdict + Send + Sync;

/// What was seen of the steps of one lane.
#[derive(Default)]
struct Lane {
    running: Option<Uuid>,
    finished: Vec<Uuid>,
}

/// A handler that does what a closure says, and watches the lanes.
#[derive(Clone)]
pub struct Scripted {
    rule: Arc<Rule>,
    lanes: Arc<Mutex<HashMap<String, Lane>>>,
    pub overlaps: Arc<Mutex<Vec<String>>>,
    pub steps: watch::Sender<Vec<(Uuid, String)>>,
}

impl Scripted {
    pub fn new(rule: impl Fn(&ClaimedJob) -> Verdict + Send + Sync + 'static) -> Self {
        Self {
            rule: Arc::new(rule),
            lanes: Arc::default(),
            overlaps: Arc::default(),
            steps: watch::channel(Vec::new()).0,
        }
    }

    /// The jobs of each lane, in the order in which they ended.
    pub fn finished(&self) -> HashMap<String, Vec<Uuid>> {
        let lanes = self.lanes.lock().expect("the lanes");
        lanes
            .iter()
            .map(|(name, lane)| (name.clone(), lane.finished.clone()))
            .collect()
    }

    fn enter(&self, lane: &str, job: &ClaimedJob) {
        let mut lanes = self.lanes.lock().expect("the lanes");
        let lane_seen = lanes.entry(lane.to_owned()).or_default();
        if let Some(other) = lane_seen.running.filter(|other| *other != job.job_id) {
            let overlap = format!("{lane}: {} while {other}", job.job_id);
            self.overlaps.lock().expect("the overlaps").push(overlap);
        }
        lane_seen.running = Some(job.job_id);
    }

    fn leave(&self, lane: &str, job: &ClaimedJob, verdict: &Verdict) {
        // A wait keeps the lane.
        if !matches!(verdict, Verdict::Again(_) | Verdict::Retry(_)) {
            let mut lanes = self.lanes.lock().expect("the lanes");
            let lane_seen = lanes.entry(lane.to_owned()).or_default();
            lane_seen.running = None;
            lane_seen.finished.push(job.job_id);
        }
    }
}

impl Handler for Scripted {
    async fn run(&self, job: &ClaimedJob, _lease: &Lease) -> Verdict {
        let lane = job
            .input
            .get("lane")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if let Some(lane) = &lane {
            self.enter(lane, job);
        }
        tokio::task::yield_now().await;
        let verdict = (self.rule)(job);
        self.steps
            .send_modify(|steps| steps.push((job.job_id, job.step.clone())));
        if let Some(lane) = &lane {
            self.leave(lane, job, &verdict);
        }
        verdict
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        failure(&format!("{trouble:?}"))
    }
}
