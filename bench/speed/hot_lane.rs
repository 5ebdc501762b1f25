//! B14: one lane with 100,000 jobs beside 999 lanes with 10 each, and the same without the hot lane.

use std::time::Duration;

use anyhow::ensure;

use super::ours::{self, Load};
use crate::figures::{idle, median};
use crate::ground::Ground;

/// The small lanes' jobs, without the hot lane.
const SMALL: Load = Load {
    jobs: 9_990,
    lanes: 999,
    accounts: 5,
    job_takes: Duration::ZERO,
    slots: 64,
};
const HOT: usize = 100_000;

#[tokio::main]
pub async fn run(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let mut ratios = Vec::new();
    for pair in 1..=3 {
        idle().await;
        let without = p95_of_small(&ground, 0).await?;
        let with = p95_of_small(&ground, HOT).await?;
        println!("pair {pair}: p95 {without:.3} s without, {with:.3} s beside the hot lane");
        ratios.push(with / without);
    }
    ground.stop().await;
    let ratio = median(&ratios);
    println!("median ratio {ratio:.2}");
    ensure!(ratio <= 1.3, "{ratio:.2}, not 1.3");
    Ok(())
}

/// Seconds from the worker's start until 95 % of the small lanes' jobs have ended.
async fn p95_of_small(ground: &Ground, hot: usize) -> anyhow::Result<f64> {
    let pool = ground.ours("ours").await?;
    ours::add_accounts(&pool, SMALL.accounts).await?;
    if hot > 0 {
        ours::fill_lane(&pool, "hot/hot", hot).await?;
    }
    ours::fill(&pool, SMALL).await?;
    let begun: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("select now()").fetch_one(&pool).await?;
    let worker = ours::worker(&pool, SMALL.slots);
    let ended = "select count(*) from job_rows where phase = 'finished' and lane <> 'hot/hot'";
    while sqlx::query_scalar::<_, i64>(ended).fetch_one(&pool).await? < 9_990 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.drain(Duration::from_secs(5)).await?;
    let p95 = sqlx::query_scalar(
        "select percentile_cont(0.95) within group (order by extract(epoch from finished_at - $1)::float8)
        from job_rows
        where phase = 'finished' and lane <> 'hot/hot'",
    )
    .bind(begun)
    .fetch_one(&pool)
    .await?;
    pool.close().await;
    Ok(p95)
}
