//! B10: from an idle start, how long until an enqueued job's first step runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use fargate_fleet::clock::Clock;
use fargate_fleet::database::{Share, Shares};
use fargate_fleet::queue::listener::{self, Watchers};
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{
    ClaimedJob, Enqueuer, Failure, Handler, Lease, Submission, Verdict, Worker, WorkerOptions,
};
use fargate_fleet::rng::Rng;
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ours;
use crate::Row;
use crate::figures::{idle, percentile};
use crate::floors;
use crate::ground::Ground;
use crate::peers::{Mode, Peer};

pub const ROW: Row = Row {
    name: "B10",
    shows: "from enqueue to first step, idle: p50 at most 2 x, p95 at most 3 x INSERT + NOTIFY + claim",
    run,
};

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    #[arg(long, default_value_t = 400)]
    samples: u32,
    #[arg(long)]
    alone: bool,
}

#[tokio::main]
async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let ground = Ground::start().await?;
    let (mut p50, mut p95) = (Vec::new(), Vec::new());
    for pair in 1..=3 {
        idle().await;
        ground.empty("floor").await?;
        let floor = floors::wake::measure(&ground.url("floor"), options.samples).await?;
        let ours = measure(&ground, options.samples).await?;
        println!(
            "pair {pair}: floor {floor}; ours p50 {:?}, p95 {:?}",
            ours.0, ours.1
        );
        p50.push(ours.0.as_secs_f64() / floor.p50.as_secs_f64());
        p95.push(ours.1.as_secs_f64() / floor.p95.as_secs_f64());
    }
    if !options.alone {
        ground.empty("theirs").await?;
        let program = Peer::GraphileNode.prepare().await?;
        let url = ground.url("theirs");
        let theirs = program
            .latency(&url, Mode::Default, options.samples)
            .await?;
        println!(
            "graphile-worker: p50 {} us, p95 {} us",
            theirs.p50_us, theirs.p95_us
        );
    }
    ground.stop().await;
    let (p50, p95) = (crate::figures::median(&p50), crate::figures::median(&p95));
    println!("p50 {p50:.2} x, p95 {p95:.2} x the floor");
    ensure!(p50 <= 2.0 && p95 <= 3.0, "not 2 x and 3 x");
    Ok(())
}

/// The worker has its own pool and learns by NOTIFY, as another process would.
async fn measure(ground: &Ground, samples: u32) -> anyhow::Result<(Duration, Duration)> {
    let api = ground.ours("ours").await?;
    ours::add_accounts(&api, 1).await?;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let enqueuer = Enqueuer::start(Share::of(api.clone()), Arc::default(), &tracker);
    let pool = ground.pool("ours", 10).await?;
    let wake = Arc::new(Notify::new());
    let shares = Shares::on(&pool);
    let listening = listener::listen(
        shares.listen.clone(),
        Arc::clone(&wake),
        Watchers::default(),
        stop.clone(),
    );
    tracker.spawn(listening);
    let (first_step, mut first_steps) = mpsc::unbounded_channel();
    let parts = (Clock::system(), Rng::seeded(1));
    let worker = Worker::start(
        &shares,
        First(first_step),
        parts,
        wake,
        WorkerOptions::default(),
    );
    let (clock, rng) = (Clock::system(), Rng::seeded(2));
    let mut taken = Vec::new();
    // The first few open the connections.
    for sample in 0..samples + 20 {
        let pause = rng.jitter(Duration::from_millis(15), 0.6);
        tokio::time::sleep(pause).await;
        let lane = format!("eu-central-1/cluster-{sample}");
        let job = ours::job(&clock, Some(lane), 1);
        let submission = Submission {
            subject_id: job.job_id,
            operation: None,
            ..ours::operation(&clock, ours::account(0), vec![job])
        };
        let begun = Instant::now();
        enqueuer.submit(submission).await?;
        let at: Instant = first_steps.recv().await.unwrap();
        if sample >= 20 {
            taken.push(at.saturating_duration_since(begun));
        }
    }
    worker.drain(Duration::from_secs(5)).await?;
    stop.cancel();
    api.close().await;
    Ok((percentile(&mut taken, 0.5), percentile(&mut taken, 0.95)))
}

struct First(mpsc::UnboundedSender<Instant>);

impl Handler for First {
    async fn run(&self, _: &ClaimedJob, _: &Lease) -> Verdict {
        self.0.send(Instant::now()).unwrap();
        Verdict::Done {
            result: json!({}),
            message: "Done.".to_owned(),
        }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        ours::unexpected(trouble)
    }
}
