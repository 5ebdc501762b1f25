//! The `sqlxmq` crate: a runner in this process. It has no batched completion: both modes differ in how many
//! jobs it takes at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{Arguments, Mode, Payload, Record, Samples, pause, report_drain, report_latency};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use sqlxmq::{CurrentJob, JobBuilder, JobRunnerHandle, JobRunnerOptions};

const PEER: &str = "sqlxmq";
const VERSION: &str = "0.6.0";
const BATCH: usize = 1_000;
const CHANNEL: &str = "work";

type Failure = Box<dyn std::error::Error>;

/// A key is a channel of ordered jobs.
const INSERT: &str = "
select mq_insert(array_agg(
    row(
        lpad(to_hex(number), 32, '0')::uuid, interval '0', 4, interval '1 second', $1, key, null, $2, 'work', payload, null
    )::mq_new_t
    order by number
))
from unnest($3::int8[], $4::text[], $5::text[]) as job (number, key, payload)";

async fn enqueue(pool: &PgPool, arguments: &Arguments) -> Result<(), Failure> {
    for batch in arguments.batches(BATCH) {
        let jobs: Vec<Payload> = batch
            .map(|number| Payload::new(number, arguments.keys))
            .collect();
        let numbers: Vec<i64> = jobs.iter().map(|job| job.number as i64 + 1).collect();
        let keys: Vec<String> = jobs.iter().map(|job| job.key.to_string()).collect();
        let payloads = jobs
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()?;
        sqlx::query(INSERT)
            .bind(CHANNEL)
            .bind(arguments.keys > 0)
            .bind(numbers)
            .bind(keys)
            .bind(payloads)
            .execute(pool)
            .await?;
    }
    Ok(())
}

async fn run<W>(pool: &PgPool, arguments: &Arguments, work: W) -> Result<JobRunnerHandle, Failure>
where
    W: Fn(CurrentJob) + Send + Sync + 'static,
{
    let most = match arguments.mode {
        Mode::Default => arguments.concurrency,
        Mode::Batched => arguments.concurrency * 4,
    };
    Ok(JobRunnerOptions::new(pool, work)
        .set_concurrency(most / 2, most)
        .run()
        .await?)
}

async fn drain(pool: &PgPool, arguments: &Arguments) -> Result<(), Failure> {
    enqueue(pool, arguments).await?;
    sqlx::query("vacuum analyze").execute(pool).await?;
    let record = Arc::new(Record::new(arguments));
    let (seen, duration) = (record.clone(), arguments.duration());
    let begun = Instant::now();
    let mut runner = run(pool, arguments, move |job| {
        tokio::spawn(work(job, seen.clone(), duration));
    })
    .await?;
    let took = record.finished().await - begun;
    runner.wait_jobs_finish(Duration::from_secs(10)).await;
    runner.stop().await;
    let left: i64 = sqlx::query_scalar("select count(*) from mq_msgs where id <> uuid_nil()")
        .fetch_one(pool)
        .await?;
    assert_eq!(left, 0, "jobs that are left");
    report_drain(PEER, VERSION, arguments, &record, took);
    Ok(())
}

async fn work(mut job: CurrentJob, record: Arc<Record>, duration: Duration) {
    let payload: Payload = job.json().expect("JSON").expect("a payload");
    record.begin(&payload);
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
    record.end(&payload);
    job.complete().await.expect("completes");
}

async fn latency(pool: &PgPool, arguments: &Arguments) -> Result<(), Failure> {
    let (mut samples, begun) = Samples::new();
    let mut runner = run(pool, arguments, move |mut job| {
        let begun = begun.clone();
        tokio::spawn(async move {
            begun
                .send(Instant::now())
                .expect("the measuring side waits");
            job.complete().await.expect("completes");
        });
    })
    .await?;
    let mut taken = Vec::new();
    for number in 0..arguments.latency {
        pause().await;
        let sent = Instant::now();
        JobBuilder::new("work")
            .set_channel_name(CHANNEL)
            .set_json(&Payload::new(number, 0))?
            .spawn(pool)
            .await?;
        taken.push(samples.next().await - sent);
    }
    runner.wait_jobs_finish(Duration::from_secs(10)).await;
    runner.stop().await;
    report_latency(PEER, VERSION, taken);
    Ok(())
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
    sqlx::migrate!().run(&pool).await?;
    if arguments.latency > 0 {
        latency(&pool, &arguments).await
    } else {
        drain(&pool, &arguments).await
    }
}
