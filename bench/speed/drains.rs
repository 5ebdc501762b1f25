//! B4 to B7, B13, B14: a backlog is drained, by us and by the peers in turn, on one Postgres.

use std::time::Duration;

use anyhow::ensure;
use clap::Parser;

use super::ours::{self, Drained, Load};
use super::real_steps;
use crate::Row;
use crate::figures::{idle, median};
use crate::ground::Ground;
use crate::peers::{self, Mode, Peer};

pub const B4: Row = Row {
    name: "B4",
    shows: "100,000 no-op jobs without lanes, beside the peers at their best: at least 1.3 x",
    run: |options| compare(options, &LANELESS),
};
pub const B5: Row = Row {
    name: "B5",
    shows: "1,000 lanes x 100 no-op jobs, beside the peers' named queues at their best: at least 2 x",
    run: |options| compare(options, &LANES),
};
pub const B6: Row = Row {
    name: "B6",
    shows: "lanes, beside the peers as they come: at least 40 x",
    run: |options| compare(options, &LANES_AS_THEY_COME),
};
pub const B7: Row = Row {
    name: "B7",
    shows: "1,000 lanes x 10 jobs of 1 ms in 24 slots: at least 0.85 of slots / duration",
    run: |options| compare(options, &SHORT_JOBS),
};
pub const B13: Row = Row {
    name: "B13",
    shows: "statements a job in a drained backlog: at most 0.1 with no-op steps, 0.5 with real ones",
    run: statements,
};
pub const B14: Row = Row {
    name: "B14",
    shows: "a lane of 100,000 jobs beside 999 lanes x 10: the small ones' p95 at most 1.3 x",
    run: super::hot_lane::run,
};

/// A comparison: our load, and what each peer gets.
struct Comparison {
    ours: Load,
    mode: Mode,
    peers: &'static [Peer],
    /// The peers are given fewer jobs where the same number would take minutes.
    peers_jobs: u32,
    peers_concurrency: u32,
    /// What the ratio has to be, to the quickest peer.
    at_least: f64,
}

const NO_OP: Load = Load {
    jobs: 100_000,
    lanes: 0,
    accounts: 5,
    job_takes: Duration::ZERO,
    slots: 500,
};

const BEST: &[Peer] = &[Peer::GraphileNode, Peer::GraphileCrate];

const LANELESS: Comparison = Comparison {
    ours: NO_OP,
    mode: Mode::Batched,
    peers: BEST,
    peers_jobs: 100_000,
    peers_concurrency: 24,
    at_least: 1.3,
};

const LANES: Comparison = Comparison {
    ours: Load {
        lanes: 1_000,
        ..NO_OP
    },
    at_least: 2.0,
    ..LANELESS
};

const LANES_AS_THEY_COME: Comparison = Comparison {
    mode: Mode::Default,
    peers: &[
        Peer::GraphileNode,
        Peer::GraphileCrate,
        Peer::Procrastinate,
        Peer::Sqlxmq,
    ],
    peers_jobs: 5_000,
    at_least: 40.0,
    ..LANES
};

const SHORT_JOBS: Comparison = Comparison {
    ours: Load {
        jobs: 10_000,
        lanes: 1_000,
        job_takes: Duration::from_millis(1),
        slots: 24,
        ..NO_OP
    },
    mode: Mode::Batched,
    peers: &[Peer::GraphileNode],
    peers_jobs: 10_000,
    peers_concurrency: 24,
    at_least: 1.0,
};

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    /// Pairs of runs.
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Leaves the peers out.
    #[arg(long)]
    alone: bool,
}

#[tokio::main]
async fn compare(options: Vec<String>, row: &Comparison) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let ground = Ground::start().await?;
    let mut ours = Vec::new();
    let mut theirs: Vec<(Peer, Vec<f64>)> = Vec::new();
    for pair in 1..=options.pairs {
        idle().await;
        let rate = run_ours(&ground, row.ours).await?;
        println!("pair {pair}: ours {rate:.0} jobs/s{}", share(row, rate));
        ours.push(rate);
        if options.alone {
            continue;
        }
        for peer in row.peers {
            let rate = run_peer(&ground, row, *peer).await?;
            println!("pair {pair}: {peer:?} {rate:.0} jobs/s{}", share(row, rate));
            match theirs.iter_mut().find(|(known, _)| known == peer) {
                Some((_, rates)) => rates.push(rate),
                None => theirs.push((*peer, vec![rate])),
            }
        }
    }
    ground.stop().await;
    println!(
        "ours: median {:.0} jobs/s{}",
        median(&ours),
        share(row, median(&ours))
    );
    let mut worst = f64::INFINITY;
    for (peer, rates) in theirs {
        let ratios: Vec<f64> = ours.iter().zip(&rates).map(|(a, b)| a / b).collect();
        let ratio = median(&ratios);
        worst = worst.min(ratio);
        println!(
            "{peer:?}: median {:.0} jobs/s, ours is {ratio:.2} x",
            median(&rates)
        );
    }
    if !row.ours.job_takes.is_zero() {
        let reached = median(&ours) / ideal(row);
        ensure!(reached >= 0.85, "{reached:.2} of the ideal, not 0.85");
    }
    ensure!(
        worst >= row.at_least,
        "{worst:.2} x the quickest peer, not {}",
        row.at_least
    );
    Ok(())
}

/// Jobs a second if no slot were ever idle.
fn ideal(row: &Comparison) -> f64 {
    f64::from(row.ours.slots) / row.ours.job_takes.as_secs_f64()
}

fn share(row: &Comparison, rate: f64) -> String {
    if row.ours.job_takes.is_zero() {
        return String::new();
    }
    format!(", {:.2} of the ideal", rate / ideal(row))
}

async fn run_ours(ground: &Ground, load: Load) -> anyhow::Result<f64> {
    let drained = drained(ground, load).await?;
    Ok(f64::from(u32::try_from(load.jobs)?) / drained.seconds)
}

/// A fresh database is filled and drained; order and overlap are asserted.
async fn drained(ground: &Ground, load: Load) -> anyhow::Result<Drained> {
    let pool = ground.ours("ours").await?;
    ours::add_accounts(&pool, load.accounts).await?;
    ours::fill(&pool, load).await?;
    let drained = ours::drain(&pool, load).await?;
    pool.close().await;
    ensure!(drained.overlaps == 0, "{} overlaps", drained.overlaps);
    ensure!(
        drained.out_of_order == 0,
        "{} jobs out of order",
        drained.out_of_order
    );
    Ok(drained)
}

async fn run_peer(ground: &Ground, row: &Comparison, peer: Peer) -> anyhow::Result<f64> {
    let program = peer.prepare().await?;
    ground.empty("theirs").await?;
    let keys = u32::try_from(row.ours.lanes)?;
    let load = peers::Load {
        mode: row.mode,
        jobs: row.peers_jobs,
        keys,
        duration_ms: u32::try_from(row.ours.job_takes.as_millis())?,
        concurrency: row.peers_concurrency,
    };
    let drained = program.drain(&ground.url("theirs"), &load).await?;
    Ok(drained.jobs_per_second)
}

#[tokio::main]
async fn statements(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let ground = Ground::start().await?;
    let mut figures = Vec::new();
    for _ in 0..options.pairs {
        for load in [LANELESS.ours, LANES.ours] {
            let drained = drained(&ground, load).await?;
            let jobs = f64::from(u32::try_from(load.jobs)?);
            let figure = f64::from(u32::try_from(drained.statements)?) / jobs;
            println!("{} lanes: {figure:.4} statements a job", load.lanes);
            figures.push(figure);
        }
    }
    let most = figures.into_iter().fold(0.0, f64::max);
    let real = real_steps::statements(&ground).await?;
    println!("real steps: {real:.4} statements a job");
    ground.stop().await;
    ensure!(most <= 0.1, "{most:.4} statements a job, not 0.1");
    ensure!(real <= 0.5, "{real:.4} statements a job, not 0.5");
    Ok(())
}
