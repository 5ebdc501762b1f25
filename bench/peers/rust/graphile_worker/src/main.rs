//! The `graphile_worker` crate: a worker in this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{Arguments, Mode, Payload, Record, Samples, pause, report_drain, report_latency};
use graphile_worker::{
    IntoTaskHandlerResult, JobSpecBuilder, LocalQueueConfig, RawJobSpec, TaskHandler, Worker,
    WorkerContext, WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::mpsc::UnboundedSender;

const PEER: &str = "graphile_worker";
const VERSION: &str = "0.14.1";
const SCHEMA: &str = "graphile_worker";
const BATCH: usize = 5_000;

type Failure = Box<dyn std::error::Error>;

#[derive(Serialize, Deserialize)]
struct Work(Payload);

#[derive(Clone, Debug)]
struct Drain {
    record: Arc<Record>,
    duration: Duration,
}

impl TaskHandler for Work {
    const IDENTIFIER: &'static str = "work";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let drain = context.get_ext::<Drain>().expect("given to the worker");
        drain.record.begin(&self.0);
        if !drain.duration.is_zero() {
            tokio::time::sleep(drain.duration).await;
        }
        drain.record.end(&self.0);
        Ok::<(), String>(())
    }
}

#[derive(Serialize, Deserialize)]
struct Ping(Payload);

#[derive(Clone, Debug)]
struct Begun(UnboundedSender<Instant>);

impl TaskHandler for Ping {
    const IDENTIFIER: &'static str = "ping";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let now = Instant::now();
        let begun = context.get_ext::<Begun>().expect("given to the worker");
        begun.0.send(now).map_err(|error| error.to_string())
    }
}

fn options(arguments: &Arguments, pool: &PgPool) -> WorkerOptions {
    let options = WorkerOptions::default()
        .schema(SCHEMA)
        .concurrency(arguments.concurrency)
        .listen_os_shutdown_signals(false)
        .pg_pool(pool.clone());
    match arguments.mode {
        Mode::Default => options,
        // As in its own performance test. The short poll is for keys: a fetch that finds all of them
        // taken waits for it.
        Mode::Batched => options
            .poll_interval(Duration::from_millis(5))
            .local_queue(LocalQueueConfig::default().with_size(500))
            .complete_job_batch_delay(Duration::ZERO)
            .fail_job_batch_delay(Duration::ZERO),
    }
}

async fn enqueue(utils: &WorkerUtils, arguments: &Arguments) -> Result<(), Failure> {
    for batch in arguments.batches(BATCH) {
        let jobs = batch
            .map(|number| job(number, arguments.keys))
            .collect::<Result<Vec<_>, Failure>>()?;
        utils.add_raw_jobs(&jobs).await?;
    }
    Ok(())
}

fn job(number: usize, keys: usize) -> Result<RawJobSpec, Failure> {
    let payload = Payload::new(number, keys);
    let mut spec = JobSpecBuilder::new();
    if keys > 0 {
        spec = spec.queue_name(format!("key-{}", payload.key));
    }
    Ok(RawJobSpec {
        identifier: Work::IDENTIFIER.to_owned(),
        payload: serde_json::to_value(Work(payload))?,
        spec: spec.build(),
    })
}

async fn drain(arguments: &Arguments, pool: &PgPool, utils: &WorkerUtils) -> Result<(), Failure> {
    enqueue(utils, arguments).await?;
    sqlx::query("vacuum analyze").execute(pool).await?;
    let record = Arc::new(Record::new(arguments));
    let drain = Drain {
        record: record.clone(),
        duration: arguments.duration(),
    };
    let mut options = options(arguments, pool);
    if arguments.mode == Mode::Default {
        // Without a local queue a slot takes one job each time it polls or is notified, and it polls once
        // a second unless told otherwise: nobody would work a backlog off like that.
        options = options.poll_interval(Duration::from_millis(1));
    }
    let worker = options
        .add_extension(drain)
        .define_job::<Work>()
        .init()
        .await?;
    let begun = Instant::now();
    let ended = drain_running(worker, &record).await?;
    let left: i64 = sqlx::query_scalar("select count(*) from graphile_worker._private_jobs")
        .fetch_one(pool)
        .await?;
    assert_eq!(left, 0, "jobs that are left");
    report_drain(PEER, VERSION, arguments, &record, ended - begun);
    Ok(())
}

async fn drain_running(worker: Worker, record: &Record) -> Result<Instant, Failure> {
    let (worker, running) = start(worker);
    let ended = record.finished().await;
    worker.request_shutdown();
    running.await??;
    Ok(ended)
}

async fn latency(arguments: &Arguments, pool: &PgPool, utils: &WorkerUtils) -> Result<(), Failure> {
    let (mut samples, begun) = Samples::new();
    let worker = options(arguments, pool)
        .add_extension(Begun(begun))
        .define_job::<Ping>()
        .init()
        .await?;
    let (worker, running) = start(worker);
    let mut taken = Vec::new();
    for number in 0..arguments.latency {
        pause().await;
        let sent = Instant::now();
        utils
            .add_job(Ping(Payload::new(number, 0)), JobSpecBuilder::new().build())
            .await?;
        taken.push(samples.next().await - sent);
    }
    worker.request_shutdown();
    running.await??;
    report_latency(PEER, VERSION, taken);
    Ok(())
}

type Running = tokio::task::JoinHandle<Result<(), graphile_worker::runner::WorkerRuntimeError>>;

fn start(worker: Worker) -> (Arc<Worker>, Running) {
    let worker = Arc::new(worker);
    let runs = worker.clone();
    (worker, tokio::spawn(async move { runs.run().await }))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read();
    let connections = u32::try_from(arguments.concurrency)? + 4;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .connect(&arguments.url)
        .await?;
    let utils = WorkerUtils::new(pool.clone(), SCHEMA);
    utils.migrate().await?;
    if arguments.latency > 0 {
        latency(&arguments, &pool, &utils).await
    } else {
        drain(&arguments, &pool, &utils).await
    }
}
