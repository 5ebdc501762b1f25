//! B1, B2, B3, B16: what it takes to enqueue, over HTTP and in bulk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use fargate_fleet::clock::Clock;
use fargate_fleet::database::Share;
use fargate_fleet::queue::{Enqueuer, Submitted};
use fargate_fleet::sim::{FleetShape, SimOptions};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::http_load;
use super::ours;
use crate::Row;
use crate::figures::{idle, median, percentile};
use crate::floors;
use crate::ground::Ground;
use crate::site::{self, Plan, Site};

pub const B1: Row = Row {
    name: "B1",
    shows: "enqueue over HTTP, 64 connections, 1,000 lanes, beside pgbench with 8 clients: at least 2 x",
    run: many,
};
pub const B2: Row = Row {
    name: "B2",
    shows: "enqueue over HTTP, one connection, beside pgbench with one client: p50 at most 2 x",
    run: one,
};
pub const B3: Row = Row {
    name: "B3",
    shows: "operations of 500 jobs, beside UNNEST inserts on 2 connections: at least 0.6 x",
    run: bulk,
};
pub const B16: Row = Row {
    name: "B16",
    shows: "memory of an API process under B1's load: at most 64 MiB",
    run: memory,
};

const SECONDS: u32 = 5;
const TIME: Duration = Duration::from_secs(SECONDS as u64);
const PAIRS: usize = 3;

#[tokio::main]
async fn many(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let (mut ratios, mut p99s) = (Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        idle().await;
        ground.empty("floor").await?;
        let floor = floors::insert::measure(&ground.url("floor"), 8, SECONDS).await?;
        let site = api(&ground).await?;
        let mut answers = load(&site, 64).await?;
        let (rate, p50, p99) = (
            answers.per_second(),
            percentile(&mut answers.took, 0.5),
            percentile(&mut answers.took, 0.99),
        );
        println!(
            "pair {pair}: pgbench {:.0}/s; ours {rate:.0}/s, p50 {p50:?}, p99 {p99:?}",
            floor.tps
        );
        check(&site, answers.took.len()).await?;
        site.close().await?;
        ratios.push(rate / floor.tps);
        p99s.push(p99.as_secs_f64());
    }
    ground.stop().await;
    let (ratio, p99) = (median(&ratios), median(&p99s) * 1_000.0);
    println!("median {ratio:.2} x, p99 {p99:.1} ms");
    ensure!(ratio >= 2.0 && p99 <= 5.0, "not 2 x within 5 ms");
    Ok(())
}

#[tokio::main]
async fn one(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let mut ratios = Vec::new();
    for pair in 1..=PAIRS {
        idle().await;
        ground.empty("floor").await?;
        let floor = floors::insert::measure(&ground.url("floor"), 1, SECONDS).await?;
        let site = api(&ground).await?;
        let mut answers = load(&site, 1).await?;
        let p50 = percentile(&mut answers.took, 0.5);
        println!("pair {pair}: pgbench {}; ours p50 {p50:?}", floor.latency);
        site.close().await?;
        ratios.push(p50.as_secs_f64() / floor.latency.p50.as_secs_f64());
    }
    ground.stop().await;
    let ratio = median(&ratios);
    println!("median {ratio:.2} x");
    ensure!(ratio <= 2.0, "not 2 x");
    Ok(())
}

#[tokio::main]
async fn bulk(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let mut ratios = Vec::new();
    for pair in 1..=PAIRS {
        idle().await;
        ground.empty("floor").await?;
        let floor = floors::bulk::rows_per_second(&ground.url("floor"), SECONDS).await?;
        let ours = operations(&ground).await?;
        println!("pair {pair}: UNNEST {floor:.0} rows/s, ours {ours:.0} jobs/s");
        ratios.push(ours / floor);
    }
    ground.stop().await;
    let ratio = median(&ratios);
    println!("median {ratio:.2} x");
    ensure!(ratio >= 0.6, "not 0.6 x");
    Ok(())
}

/// Operations of 500 jobs in 1,000 lanes, from two callers at once as the floor has two.
async fn operations(ground: &Ground) -> anyhow::Result<f64> {
    let pool = ground.ours("ours").await?;
    ours::add_accounts(&pool, 5).await?;
    let tracker = TaskTracker::new();
    let begun = Instant::now();
    let callers: Vec<_> = (0..2)
        .map(|caller| {
            let enqueuer = Enqueuer::start(Share::of(pool.clone()), Arc::default(), &tracker);
            tracker.spawn(fill(enqueuer, caller, begun + TIME))
        })
        .collect();
    let mut jobs = 0;
    for caller in callers {
        jobs += caller.await??;
    }
    let rate = f64::from(jobs) / begun.elapsed().as_secs_f64();
    pool.close().await;
    Ok(rate)
}

async fn fill(enqueuer: Enqueuer, caller: usize, until: Instant) -> anyhow::Result<u32> {
    let clock = Clock::system();
    let mut operations = 0;
    while Instant::now() < until {
        let first = caller * 500;
        let jobs = (first..first + 500)
            .map(|n| ours::job(&clock, Some(format!("eu-central-1/cluster-{n}")), n))
            .collect();
        let operation = ours::operation(&clock, ours::account(caller), jobs);
        ensure!(enqueuer.submit(operation).await? == Submitted::Accepted);
        operations += 1;
    }
    Ok(operations * 500)
}

#[tokio::main]
async fn memory(_: Vec<String>) -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let site = api(&ground).await?;
    let idle = site.resident_mib()?;
    load(&site, 64).await?;
    let loaded = site.resident_mib()?;
    site.close().await?;
    ground.stop().await;
    println!("{idle:.1} MiB idle, {loaded:.1} MiB at most under load");
    ensure!(loaded <= 64.0, "more than 64 MiB");
    Ok(())
}

/// The API alone, warnings logged and no more.
async fn api(ground: &Ground) -> anyhow::Result<Site> {
    let plan = Plan {
        roles: &["api"],
        variables: Vec::new(),
        fleet: FleetShape {
            accounts: 5,
            regions: 1,
            clusters: 1,
        },
        aws: SimOptions::default(),
    };
    Site::open(ground, "ours", plan).await
}

/// Whole requests: a token, a profile of about 400 bytes, an idempotency key each.
async fn load(site: &Site, connections: u64) -> anyhow::Result<http_load::Answers> {
    let places: Vec<(String, String)> = site
        .accounts
        .iter()
        .map(|account| {
            let region = account.regions.first().context("a region")?;
            Ok((account.account_id.clone(), region.clone()))
        })
        .collect::<anyhow::Result<_>>()?;
    let (host, token) = (
        site.caller.address().to_owned(),
        site.caller.token().to_owned(),
    );
    let run = Uuid::from_u128(0).to_string();
    let request = move |n: u64| {
        let lane = usize::try_from(n % 1_000).unwrap();
        let (account, region) = &places[lane % places.len()];
        let path = site::profiles(account, region, &format!("cluster-{lane}"));
        let body = format!(
            r#"{{"name":"profile-{n}","selectors":[{{"namespace":"namespace-{lane}","labels":{{"team":"payments","tier":"backend","stage":"production"}}}},{{"namespace":"jobs-{lane}"}}],"subnets":["subnet-0a1b2c3d4e5f60718","subnet-1a1b2c3d4e5f60718"],"tags":{{"owner":"platform","cost-center":"4711","managed-by":"bench"}},"podExecutionRoleARN":"arn:aws:iam::{account}:role/fargate-pod-execution"}}"#
        );
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {run}-{n}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    http_load::send(site.caller.address(), connections, TIME, 202, request).await
}

/// What was acknowledged is there: the job, its audit row, its key.
async fn check(site: &Site, answers: usize) -> anyhow::Result<()> {
    let answers = i64::try_from(answers)?;
    for table in [
        "select count(*) from jobs",
        "select count(*) from audit_events where action = 'createFargateProfile'",
        "select count(*) from idempotency_keys",
    ] {
        let rows = site.count(table).await?;
        ensure!(rows == answers, "{table}: {rows}, answered {answers}");
    }
    Ok(())
}
