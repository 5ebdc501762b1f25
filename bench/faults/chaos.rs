//! F2 and F7: the real processes under load while one of them is killed every other second and
//! Postgres crashes twice; afterwards everything that was acknowledged, seen and done at AWS is
//! held against each other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::FleetShape;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use super::ending;
use super::history;
use super::load::Load;
use super::process::Process;
use super::record::Record;
use super::server::Server;
use super::stage::Stage;
use super::stuck;

/// A creation takes 0.4 s at this speed, a deletion 0.8 s.
const SPEED: u32 = 300;
const FLEET: FleetShape = FleetShape {
    accounts: 5,
    regions: 1,
    clusters: 10,
};
/// Long enough that a kill meets some change whose answer is on its way.
const CHANGES_ANSWERED_AFTER_MS: u64 = 300;
const WORKERS: usize = 4;
/// How long the jobs may take to end once the chaos is over.
const SETTLE_WITHIN: Duration = Duration::from_mins(3);

#[derive(Debug, Parser)]
#[command(name = "F2", about = "Chaos with a history check")]
struct Options {
    /// How long things are killed
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// How many jobs are submitted in that time
    #[arg(long, default_value_t = 2_000)]
    jobs: u64,
    /// Seconds between two kills
    #[arg(long, default_value_t = 2.0)]
    kill_every: f64,
    /// Repeats a run's dice; without it, new ones
    #[arg(long)]
    seed: Option<u64>,
    /// Keeps the logs of a run that went well too
    #[arg(long)]
    keep_logs: bool,
}

/// Runs it; an error when a promise was broken.
pub fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let named = std::iter::once("F2".to_owned()).chain(arguments);
    let options = Options::try_parse_from(named)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(chaos(&options))
}

async fn chaos(options: &Options) -> anyhow::Result<()> {
    let seed = options
        .seed
        .unwrap_or_else(|| Rng::from_os().below(1_000_000));
    println!("seed {seed}");
    let mut stage = Stage::set(FLEET, SPEED).await?;
    let judged = on_stage(&mut stage, options, seed).await;
    let failed = !matches!(&judged, Ok(wrong) if wrong.is_empty());
    if let Some(logs) = stage.end(failed || options.keep_logs).await? {
        println!("the logs are in {}", logs.display());
    }
    let wrong = judged?;
    for words in &wrong {
        println!("WRONG: {words}");
    }
    ensure!(
        wrong.is_empty(),
        "{} promises broken; seed {seed}",
        wrong.len()
    );
    Ok(())
}

/// Everything between set-up and end; what went wrong, in words.
async fn on_stage(stage: &mut Stage, options: &Options, seed: u64) -> anyhow::Result<Vec<String>> {
    let mut crew = vec![stage.serve("api", "api")?];
    for n in 1..=WORKERS {
        crew.push(stage.serve(&format!("worker-{n}"), "worker")?);
    }
    let caller = Caller::new(&stage.api_url, &stage.token, Rng::seeded(seed))?;
    stage.register(&caller).await?;
    stage
        .answer_changes_after(CHANGES_ANSWERED_AFTER_MS)
        .await?;
    let load = Load::new(caller, stage.clusters());

    let over = CancellationToken::new();
    let settled = CancellationToken::new();
    let length = Duration::from_secs(options.seconds);
    let main = async {
        // The last tenth is for what the submissions set going.
        load.run(options.jobs, length.mul_f64(0.9), seed).await?;
        sleep_until(load.began + length).await;
        over.cancel();
        let ended = settle(&load).await;
        settled.cancel();
        ended
    };
    let every = Duration::from_secs_f64(options.kill_every);
    let chaos = kills(&mut crew, every, Rng::seeded(seed), &over);
    let crashes = crashes(&mut stage.server, load.began, length, &over);
    let samples = stuck::sample(&stage.pool, &settled);
    // The first failure ends them all.
    let (took, kills, crashes, samples) = tokio::try_join!(main, chaos, crashes, samples)?;
    println!("{kills}; Postgres stopped hard {crashes} times");
    println!("{samples}");
    println!(
        "all jobs had ended {:.1} s after the last kill",
        took.as_secs_f64()
    );
    println!("answers: {}", load.caller.tally);

    let mut wrong = samples.wrong();
    wrong.extend(judge(stage, &load).await?);
    Ok(wrong)
}

/// Waits until all jobs have ended; how long that took.
async fn settle(load: &Arc<Load>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let wait = async {
        while !ending::all_have_ended(&load.caller).await? {
            sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(began.elapsed())
    };
    tokio::time::timeout(SETTLE_WITHIN, wait)
        .await
        .context("not all jobs ended in time")?
}

/// Kills one of the crew every so often, and starts whoever has ended.
async fn kills(
    crew: &mut [Process],
    every: Duration,
    rng: Rng,
    over: &CancellationToken,
) -> anyhow::Result<String> {
    const LOOK_EVERY: Duration = Duration::from_millis(200);
    let mut killed = vec![0_u32; crew.len()];
    let mut ended_alone: Vec<String> = Vec::new();
    let mut next = Instant::now() + every;
    while !over.is_cancelled() {
        sleep_until(next.min(Instant::now() + LOOK_EVERY)).await;
        for process in crew.iter_mut() {
            if process.revive()? {
                ended_alone.push(process.name.clone());
            }
        }
        if Instant::now() >= next {
            let victim = usize::try_from(rng.below(crew.len() as u64))?;
            crew[victim].kill_and_restart().await?;
            killed[victim] += 1;
            next += every;
        }
    }
    let parts: Vec<String> = crew
        .iter()
        .zip(&killed)
        .map(|(process, times)| format!("{} {times}", process.name))
        .collect();
    let total: u32 = killed.iter().sum();
    Ok(format!(
        "kill -9: {total} ({}); ended by themselves: {} {ended_alone:?}",
        parts.join(", "),
        ended_alone.len(),
    ))
}

/// Crashes Postgres after a third and after two thirds of the time.
async fn crashes(
    server: &mut Server,
    began: Instant,
    length: Duration,
    over: &CancellationToken,
) -> anyhow::Result<u32> {
    let mut crashes = 0;
    for third in 1..=2 {
        tokio::select! {
            () = sleep_until(began + length * third / 3) => {}
            () = over.cancelled() => return Ok(crashes),
        }
        server.stop_immediate().await?;
        sleep(Duration::from_secs(1)).await;
        server.start().await?;
        crashes += 1;
    }
    Ok(crashes)
}

/// Holds jobs, history and the simulator's record against each other.
async fn judge(stage: &Stage, load: &Load) -> anyhow::Result<Vec<String>> {
    let record = Record::of(&stage.sim_url).await?;
    let jobs = ending::jobs(&load.caller).await?;
    let accepted = record.accepted();
    let mut history = load.history();
    let mut wrong = ending::lost_or_doubled(&jobs, &history);
    history.extend(ending::last_sights(&jobs, load.began.elapsed()));
    let broken_rules = history::check(&history, &accepted);
    println!("{} jobs: {}", jobs.len(), ending::summary(&jobs));
    println!(
        "{} events of 8 clients, {} rules broken; {} calls to AWS, {} changes asked for again, {} overlaps",
        history.len(),
        broken_rules.len(),
        record.calls.len(),
        record.repeated(),
        record.overlaps.len(),
    );
    wrong.extend(broken_rules);
    wrong.extend(ending::broken(&jobs));
    wrong.extend(ending::dishonest(&jobs, &accepted));
    wrong.extend(record.doubled());
    wrong.extend(
        record
            .overlaps
            .iter()
            .map(|overlap| format!("overlap: {overlap}")),
    );
    wrong.extend(ending::disagreements(&load.caller, &jobs, &load.clusters).await?);
    Ok(wrong)
}
