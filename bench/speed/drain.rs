//! `drain`: our side alone, for whoever works on the queue's speed.

use std::time::Duration;

use clap::Parser;

use super::ours::{self, Load};
use crate::Row;
use crate::ground::Ground;

pub const ROW: Row = Row {
    name: "drain",
    shows: "our worker alone, jobs a second",
    run,
};

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
    #[arg(long, default_value_t = 0)]
    lanes: usize,
    #[arg(long, default_value_t = 5)]
    accounts: usize,
    #[arg(long, default_value_t = 0)]
    job_ms: u64,
    #[arg(long, default_value_t = 500)]
    slots: u32,
    #[arg(long, default_value_t = 2)]
    rounds: usize,
}

#[tokio::main]
async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let load = Load {
        jobs: options.jobs,
        lanes: options.lanes,
        accounts: options.accounts,
        job_takes: Duration::from_millis(options.job_ms),
        slots: options.slots,
    };
    let ground = Ground::start().await?;
    for _ in 0..options.rounds {
        let pool = ground.ours("ours").await?;
        ours::add_accounts(&pool, load.accounts).await?;
        let begun = std::time::Instant::now();
        ours::fill(&pool, load).await?;
        let filled = begun.elapsed().as_secs_f64();
        let drained = ours::drain(&pool, load).await?;
        #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
        let jobs = load.jobs as f64;
        #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
        let statements = drained.statements as f64;
        println!(
            "filled {:.0}/s, drained {:.0}/s, {:.4} statements a job, {} overlaps, {} out of order",
            jobs / filled,
            jobs / drained.seconds,
            statements / jobs,
            drained.overlaps,
            drained.out_of_order,
        );
        pool.close().await;
    }
    ground.stop().await;
    Ok(())
}
