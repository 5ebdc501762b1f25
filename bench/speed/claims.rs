//! B8, B9: what a claim costs, whatever else is in the tables.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use fargate_fleet::clock::Clock;
use fargate_fleet::database::Share;
use fargate_fleet::queue::claim::{Round, claim};
use fargate_fleet::queue::maintenance;
use sqlx::PgPool;

use super::ours::{self, Load};
use crate::Row;
use crate::figures::{idle, percentile};
use crate::ground::Ground;

pub const B8: Row = Row {
    name: "B8",
    shows: "claims beside a million waiting, parked or finished jobs, and a lane of 10,000: at most 1.5 x",
    run: crowded,
};
pub const B9: Row = Row {
    name: "B9",
    shows: "claims after 200,000 jobs went by under a pinned snapshot: at most 3 x",
    run: pinned,
};

/// Jobs a claim takes, as many as a worker has slots.
const LIMIT: i64 = 64;

/// What stands in the table beside the jobs to be claimed.
const CROWDS: [(&str, &str, u32); 4] = [
    ("1,000,000 waiting", "ready", 1_000_000),
    ("1,000,000 parked", "parked", 1_000_000),
    ("1,000,000 finished", "finished", 1_000_000),
    ("10,000 in one lane", "blocked", 10_000),
];

#[tokio::main]
async fn crowded(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let mut worst = 0.0_f64;
    for (name, phase, jobs) in CROWDS {
        let pool = ground.ours("ours").await?;
        ours::add_accounts(&pool, 5).await?;
        add(&pool, "ready", 10_000).await?;
        settle(&pool).await?;
        idle().await;
        let alone = p50(&pool).await?;
        add(&pool, phase, jobs).await?;
        settle(&pool).await?;
        idle().await;
        let crowded = p50(&pool).await?;
        let ratio = crowded.as_secs_f64() / alone.as_secs_f64();
        println!("{name}: a claim takes {crowded:?}, {alone:?} without, {ratio:.2} x");
        worst = worst.max(ratio);
        pool.close().await;
    }
    ground.stop().await;
    ensure!(worst <= 1.5, "{worst:.2} x, not 1.5");
    Ok(())
}

#[tokio::main]
async fn pinned(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let pool = ground.ours("ours").await?;
    ours::add_accounts(&pool, 5).await?;
    add(&pool, "ready", 10_000).await?;
    settle(&pool).await?;
    idle().await;
    let before = p50(&pool).await?;
    sqlx::query("truncate job_rows, leases")
        .execute(&pool)
        .await?;

    let other = ground.pool("ours", 1).await?;
    let mut pin = other.begin().await?;
    sqlx::query("set transaction isolation level repeatable read")
        .execute(&mut *pin)
        .await?;
    sqlx::query("select count(*) from job_rows")
        .execute(&mut *pin)
        .await?;
    let load = Load {
        jobs: 200_000,
        lanes: 0,
        accounts: 5,
        job_takes: Duration::ZERO,
        slots: 500,
    };
    ours::fill(&pool, load).await?;
    ours::drain(&pool, load).await?;
    // The worker's rounds know where they are; this one learns it from a first claim.
    add(&pool, "ready", 10_000).await?;
    idle().await;
    let after = p50(&pool).await?;
    pin.rollback().await?;
    pool.close().await;
    ground.stop().await;
    let ratio = after.as_secs_f64() / before.as_secs_f64();
    println!("a claim takes {after:?} under the pin, {before:?} before, {ratio:.2} x");
    ensure!(ratio <= 3.0, "{ratio:.2} x, not 3");
    Ok(())
}

/// Jobs put there by hand, quickly; those that wait or are parked have a lane each.
async fn add(pool: &PgPool, phase: &'static str, jobs: u32) -> anyhow::Result<()> {
    if phase == "blocked" {
        return ours::fill_lane(pool, "hot/hot", jobs as usize).await;
    }
    let state = match phase {
        "ready" => "queued",
        "parked" => "waiting",
        _ => "succeeded",
    };
    sqlx::query(
        "insert into job_rows (
            account_id, job_id, kind, region, lane, phase, state, ready_seq, due_at, finished_at,
            input, message, requested_by, deadline_at
        )
        select
            (100000000000 + n % 5)::text,
            (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
                || '7000' || '8' || substr(md5(random()::text), 1, 15))::uuid,
            'bench', 'eu-central-1',
            'r/' || gen_random_uuid(), $1, $2,
            case when $1 = 'ready' then nextval('jobs_ready_seq') end,
            case $1 when 'ready' then now() when 'parked' then now() + interval '1 hour' end,
            case when $1 = 'finished' then now() end,
            jsonb_build_object('number', n, 'padding', repeat('x', 360)),
            'Queued.', 'bench', now() + interval '1 day'
        from generate_series(1, $3) as n",
    )
    .bind(phase)
    .bind(state)
    .bind(i32::try_from(jobs)?)
    .execute(pool)
    .await?;
    Ok(())
}

/// As autovacuum would have left it.
async fn settle(pool: &PgPool) -> anyhow::Result<()> {
    for statement in [
        "vacuum analyze job_rows",
        "vacuum analyze leases",
        "checkpoint",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}

/// The middle of fifty claims, each handed back before the next.
async fn p50(pool: &PgPool) -> anyhow::Result<Duration> {
    let mut connection = pool.acquire().await?;
    let (mut round, nothing) = (Round::default(), HashMap::new());
    let clock = Clock::system();
    let mut taken = Vec::new();
    for _ in 0..50 {
        let worker = clock.uuid();
        let begun = Instant::now();
        let claimed = claim(
            &mut connection,
            worker,
            LIMIT,
            &mut round,
            (&nothing, LIMIT),
        )
        .await?;
        taken.push(begun.elapsed());
        ensure!(claimed.len() == 64, "claimed {}", claimed.len());
        maintenance::release(&Share::of(pool.clone()), worker, &[]).await?;
    }
    Ok(percentile(&mut taken, 0.5))
}
