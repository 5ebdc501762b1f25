//! The programs under `bench/peers`: makes one ready, runs it as a process, reads its line of JSON.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::Row;
use crate::ground::Ground;

/// `peers` runs the peers alone, to see that they are at their best.
pub const ROWS: &[Row] = &[Row {
    name: "peers",
    shows: "the peers alone: a drain, or with --latency the way from enqueue to first statement",
    run: |options| tokio::runtime::Runtime::new()?.block_on(run_alone(options)),
}];

/// Longer than any run of a row.
const PATIENCE: Duration = Duration::from_mins(15);

/// A queue that we are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// graphile-worker, for Node
    #[value(name = "graphile-worker")]
    GraphileNode,
    /// The `graphile_worker` crate
    #[value(name = "graphile_worker")]
    GraphileCrate,
    Procrastinate,
    Sqlxmq,
}

/// How a peer is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// At its best
    Batched,
    /// As it comes
    Default,
}

/// What a peer is given to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Load {
    #[arg(long, value_enum, default_value = "batched")]
    pub mode: Mode,
    #[arg(long, default_value_t = 100_000)]
    pub jobs: u32,
    /// Job i has key i mod this; 0 means no keys
    #[arg(long, default_value_t = 0)]
    pub keys: u32,
    /// How long each job sleeps
    #[arg(long, default_value_t = 0)]
    pub duration_ms: u32,
    #[arg(long, default_value_t = 24)]
    pub concurrency: u32,
}

/// A drained backlog.
#[derive(Clone, Debug, Deserialize)]
pub struct Drained {
    pub peer: String,
    pub version: String,
    pub jobs: u32,
    pub seconds: f64,
    pub jobs_per_second: f64,
    /// Two jobs of a key at a time
    pub overlaps: u32,
    /// Jobs that began after a later one of their key
    pub out_of_order: u32,
}

/// From just before the enqueue to the job's first statement.
#[derive(Clone, Debug, Deserialize)]
pub struct Latency {
    pub peer: String,
    pub version: String,
    pub p50_us: f64,
    pub p95_us: f64,
}

/// A fleet read by `bench/peers/boto3/fleet_read.py`.
#[derive(Clone, Debug, Deserialize)]
pub struct FleetRead {
    pub profiles: u32,
    pub calls: u32,
    pub throttled: u32,
    pub seconds: f64,
}

/// A peer that is ready to run.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Peer {
    /// Builds or installs it if needed: minutes, the first time.
    pub async fn prepare(self) -> anyhow::Result<Program> {
        let value = self.to_possible_value().context("no peer is hidden")?;
        prepare(value.get_name()).await
    }
}

impl Program {
    /// Enqueues into an empty database, then measures from the worker's start to the last job's end.
    pub async fn drain(&self, url: &str, load: &Load) -> anyhow::Result<Drained> {
        let mode = match load.mode {
            Mode::Batched => "batched",
            Mode::Default => "default",
        };
        let mut command = Command::new(&self.0);
        command
            .args(["--url", url, "--mode", mode])
            .args(["--jobs", &load.jobs.to_string()])
            .args(["--keys", &load.keys.to_string()])
            .args(["--duration-ms", &load.duration_ms.to_string()])
            .args(["--concurrency", &load.concurrency.to_string()]);
        let drained: Drained = answer(command, String::new()).await?;
        ensure!(drained.jobs == load.jobs, "a peer ran another load");
        Ok(drained)
    }

    /// Enqueues one at a time beside an idle worker.
    pub async fn latency(&self, url: &str, mode: Mode, samples: u32) -> anyhow::Result<Latency> {
        let mode = match mode {
            Mode::Batched => "batched",
            Mode::Default => "default",
        };
        let mut command = Command::new(&self.0);
        command
            .args(["--url", url, "--mode", mode])
            .args(["--latency", &samples.to_string()]);
        answer(command, String::new()).await
    }
}

/// Reads all profiles of the clusters, each given as account, region and name, with boto3.
pub async fn read_fleet(
    endpoint: &str,
    clusters: &[(String, String, String)],
) -> anyhow::Result<FleetRead> {
    let Program(path) = prepare("fleet-read").await?;
    let mut command = Command::new(path);
    command.args(["--endpoint", endpoint, "--targets", "-"]);
    let lines: Vec<String> = clusters
        .iter()
        .map(|(account, region, name)| format!("{account} {region} {name}"))
        .collect();
    answer(command, lines.join("\n")).await
}

/// The script prints where the program is.
async fn prepare(name: &str) -> anyhow::Result<Program> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers/prepare");
    let mut command = Command::new(script);
    command.arg(name);
    let path = output(command, String::new()).await?;
    Ok(Program(PathBuf::from(path.trim())))
}

async fn answer<T: DeserializeOwned>(command: Command, input: String) -> anyhow::Result<T> {
    let text = output(command, input).await?;
    serde_json::from_str(text.trim()).with_context(|| format!("a peer said: {text}"))
}

async fn output(mut command: Command, input: String) -> anyhow::Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("can't start {command:?}"))?;
    let mut stdin = child.stdin.take().context("it was piped")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .with_context(|| format!("{command:?} does not end"))??;
    ensure!(
        ended.status.success(),
        "{command:?} failed: {}",
        ended.status
    );
    Ok(String::from_utf8(ended.stdout)?)
}

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    /// All of them, if none is named
    #[arg(long, value_enum)]
    peer: Vec<Peer>,
    #[command(flatten)]
    load: Load,
    /// So many samples of the latency instead of a drain
    #[arg(long)]
    latency: Option<u32>,
}

async fn run_alone(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let peers = if options.peer.is_empty() {
        Peer::value_variants()
    } else {
        &options.peer
    };
    let ground = Ground::start().await?;
    for peer in peers {
        let program = peer.prepare().await?;
        ground.empty("peer").await?;
        let url = ground.url("peer");
        if let Some(samples) = options.latency {
            let Latency {
                peer,
                version,
                p50_us,
                p95_us,
            } = program.latency(&url, options.load.mode, samples).await?;
            println!("{peer} {version}: p50 {p50_us:.0} us, p95 {p95_us:.0} us");
        } else {
            print_drain(&program.drain(&url, &options.load).await?);
        }
    }
    ground.stop().await;
    Ok(())
}

fn print_drain(drained: &Drained) {
    println!(
        "{} {}: {} jobs in {:.2} s, {:.0} jobs/s, {} overlaps, {} out of order",
        drained.peer,
        drained.version,
        drained.jobs,
        drained.seconds,
        drained.jobs_per_second,
        drained.overlaps,
        drained.out_of_order
    );
}
