//! B12: what 100,000 deletions that wait for AWS cost, and what they cost the claims beside them.

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use fargate_fleet::sim::{FleetShape, SimOptions};
use sqlx::PgPool;

use super::ours;
use crate::Row;
use crate::figures::{idle, median};
use crate::ground::Ground;
use crate::site::{Plan, Site};

pub const ROW: Row = Row {
    name: "B12",
    shows: "100,000 deletions parked: 100 MiB, no connections, CPU under 5 %, lag under 1 s, claims 1.05 x",
    run,
};

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    #[arg(long, default_value_t = 100_000)]
    jobs: i32,
    /// How long the worker is watched.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

#[tokio::main]
async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(options)?;
    let ground = Ground::start().await?;
    let plan = Plan {
        roles: &["all"],
        variables: Vec::new(),
        fleet: FleetShape {
            accounts: 5,
            regions: 1,
            clusters: 1,
        },
        aws: SimOptions::default(),
    };
    let site = Site::open(&ground, "ours", plan).await?;
    park(&site.pool, options.jobs, "1 hour").await?;
    idle().await;
    let before = site.processor_seconds()?;
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let cpu =
        (site.processor_seconds()? - before) / Duration::from_secs(options.seconds).as_secs_f64();
    let memory = site.resident_mib()?;
    let held = site
        .count(
            "select count(*) from pg_stat_activity
            where datname = current_database() and state like 'idle in transaction%'",
        )
        .await?;
    println!(
        "idle: {:.1} % of a processor, {memory:.1} MiB, {held} connections held",
        cpu * 100.0
    );
    site.close().await?;

    let lag = lag(&ground, options.jobs).await?;
    println!("looks come {lag:.3} s late at p99");
    let slower = slower(&ground, options.jobs).await?;
    println!("a drain beside them takes {slower:.3} x");
    ground.stop().await;
    ensure!(
        cpu < 0.05 && memory <= 100.0 && held == 0,
        "too much for waiting"
    );
    ensure!(lag < 1.0, "late");
    ensure!(slower <= 1.05, "slower");
    Ok(())
}

/// Deletions that AWS has accepted, each in a lane of its own, due after a while.
async fn park(pool: &PgPool, jobs: i32, after: &str) -> anyhow::Result<()> {
    sqlx::query(
        "with parked as (
            insert into job_rows (
                account_id, job_id, kind, region, cluster_name, profile_name, lane, phase, state,
                due_at, step, asked, accepted, input, message, requested_by, deadline_at
            )
            select
                a.account_id, gen_random_uuid(), 'delete_fargate_profile', a.regions[1],
                'parked-' || n, 'fp', a.regions[1] || '/parked-' || n, 'parked', 'waiting',
                now() + $2::interval + n * interval '100 microseconds', 'follow', true, true,
                '{\"wait\": true}', 'AWS is deleting.', 'bench', now() + interval '1 day'
            from generate_series(1, $1) as n
            join lateral (
                select * from accounts order by account_id offset n % 5 limit 1
            ) as a on true
            returning account_id, lane
        )
        insert into lanes (account_id, lane, pending)
        select account_id, lane, 1 from parked",
    )
    .bind(jobs)
    .bind(sqlx::postgres::types::PgInterval {
        months: 0,
        days: 0,
        microseconds: if after == "1 hour" {
            3_600_000_000
        } else {
            3_000_000
        },
    })
    .execute(pool)
    .await?;
    for statement in [
        "vacuum analyze job_rows",
        "vacuum analyze lanes",
        "checkpoint",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}

/// How late the looks come, p99 in seconds, when they are due one after the other at 10,000 a second
/// at most: here a tenth of the jobs, on a worker whose steps do nothing.
async fn lag(ground: &Ground, jobs: i32) -> anyhow::Result<f64> {
    let pool = ground.ours("ours").await?;
    ours::add_accounts(&pool, 5).await?;
    park(&pool, jobs - jobs / 10, "1 hour").await?;
    park_more(&pool, jobs / 10).await?;
    let worker = ours::worker(&pool, 64);
    let looked = "select count(*) from job_rows where phase = 'finished'";
    while ours::count(&pool, looked).await? < i64::from(jobs / 10) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    worker.drain(Duration::from_secs(5)).await?;
    let lag = sqlx::query_scalar(
        "select percentile_cont(0.99) within group (
            order by extract(epoch from started_at - (input ->> 'due')::timestamptz)
        )::float8
        from job_rows
        where phase = 'finished'",
    )
    .fetch_one(&pool)
    .await?;
    pool.close().await;
    Ok(lag)
}

/// Looks that are due within ten seconds from in three seconds on, each knowing when.
async fn park_more(pool: &PgPool, jobs: i32) -> anyhow::Result<()> {
    sqlx::query(
        "insert into job_rows (
            account_id, job_id, kind, region, phase, state, due_at, input, message, requested_by,
            deadline_at
        )
        select
            (100000000000 + n % 5)::text, gen_random_uuid(), 'bench', 'eu-central-1', 'parked',
            'waiting', due, jsonb_build_object('due', due), 'Waits.', 'bench', now() + interval '1 day'
        from generate_series(1, $1) as n,
        lateral (
            select now() + interval '3 seconds' + n * interval '10 seconds' / $1 as due
        ) as at",
    )
    .bind(jobs)
    .execute(pool)
    .await?;
    Ok(())
}

/// How many times as long a drain takes beside the parked.
async fn slower(ground: &Ground, jobs: i32) -> anyhow::Result<f64> {
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let mut took = [0.0; 2];
        for (side, parked) in [0, jobs].into_iter().enumerate() {
            let pool = ground.ours("ours").await?;
            ours::add_accounts(&pool, 5).await?;
            if parked > 0 {
                park(&pool, parked, "1 hour").await?;
            }
            let load = ours::Load {
                jobs: 50_000,
                lanes: 0,
                accounts: 5,
                job_takes: Duration::ZERO,
                slots: 500,
            };
            ours::fill(&pool, load).await?;
            idle().await;
            let begun = Instant::now();
            ours::drain(&pool, load).await?;
            took[side] = begun.elapsed().as_secs_f64();
            pool.close().await;
        }
        ratios.push(took[1] / took[0]);
    }
    Ok(median(&ratios))
}
