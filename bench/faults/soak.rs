//! F11: the whole service in one process under a modest, constant load of every sort, for a long
//! time; its memory, its open files and the dead rows of its tables must not grow.

mod load;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::FleetShape;
use tokio_util::sync::CancellationToken;

use self::load::Load;
use self::samples::Samples;
use super::caller::Caller;
use super::process::Process;
use super::stage::Stage;

/// A creation takes 0.4 s at this speed, a deletion 0.8 s.
const SPEED: u32 = 300;
const FLEET: FleetShape = FleetShape {
    accounts: 5,
    regions: 1,
    clusters: 10,
};

#[derive(Debug, Parser)]
#[command(name = "F11", about = "A soak of the whole service")]
struct Options {
    /// How long
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Requests that begin each second
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Seconds between two samples
    #[arg(long, default_value_t = 10)]
    sample_every: u64,
    /// Repeats a run's dice; without it, new ones
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs it; an error when something grew.
pub fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let named = std::iter::once("F11".to_owned()).chain(arguments);
    let options = Options::try_parse_from(named)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(soak(&options))
}

async fn soak(options: &Options) -> anyhow::Result<()> {
    let stage = Stage::set(FLEET, SPEED).await?;
    let service = stage.serve("service", "all")?;
    let outcome = on_stage(&stage, &service, options).await;
    drop(service);
    if let Some(logs) = stage.end(outcome.is_err()).await? {
        println!("the logs are in {}", logs.display());
    }
    let wrong = outcome?;
    for words in &wrong {
        println!("WRONG: {words}");
    }
    ensure!(wrong.is_empty(), "{} things grew or failed", wrong.len());
    Ok(())
}

async fn on_stage(
    stage: &Stage,
    service: &Process,
    options: &Options,
) -> anyhow::Result<Vec<String>> {
    let seed = options
        .seed
        .unwrap_or_else(|| Rng::from_os().below(1_000_000));
    println!(
        "seed {seed}, {} requests a second, {} minutes",
        options.rate, options.minutes
    );
    let caller = Caller::new(&stage.api_url, &stage.token, Rng::seeded(seed))?;
    stage.register(&caller).await?;
    let load = Arc::new(Load::new(caller, stage.clusters(), Rng::seeded(seed)));

    let length = Duration::from_secs(options.minutes * 60);
    let over = CancellationToken::new();
    let requests = async {
        let done = load.run(options.rate, length).await;
        over.cancel();
        done
    };
    let process = service.id().context("the service has ended")?;
    let every = Duration::from_secs(options.sample_every);
    let sampling = samples::take(process, &stage.pool, every, &over);
    let ((), samples) = tokio::try_join!(requests, sampling)?;
    println!("answers: {}", load.caller.tally);
    Ok(judge(&samples))
}

fn judge(samples: &Samples) -> Vec<String> {
    let mut wrong = Vec::new();
    let slope = samples.memory_slope();
    println!(
        "memory: {}; {slope:+.2} MiB in 10 minutes over the second half",
        samples.memory()
    );
    if slope >= 1.0 {
        wrong.push(format!("memory grows by {slope:.2} MiB in 10 minutes"));
    }
    let (before, after) = samples.open_files();
    println!("open files: {before} in the second quarter, {after} in the last");
    if after > before + 2.0 {
        wrong.push(format!("open files went from {before} to {after}"));
    }
    for rows in samples.dead_rows() {
        println!("{rows}");
        if rows.are_too_many() {
            wrong.push(format!("too many dead rows in {}", rows.table));
        }
    }
    wrong
}
