//! F4: a noisy neighbour. AWS answers 429 to all that account A asks, and A has 1,000 jobs; B has 50.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::ensure;
use clap::Parser;
use fargate_fleet::sim::{AccountSettings, FleetShape, ProfileSpec, SimOptions};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::figures::{median, percentile};
use crate::ground::Ground;
use crate::site::{Plan, Site, profiles};

/// B beside A, of B alone.
const MOST: f64 = 1.2;
const REGION: &str = "eu-central-1";
const CLUSTERS: u32 = 100;

#[derive(Parser)]
struct Options {
    /// Runs of B alone and beside A, in turn
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Jobs of A
    #[arg(long, default_value_t = 1_000)]
    noise: usize,
    /// Jobs of B
    #[arg(long, default_value_t = 50)]
    jobs: usize,
    /// How much faster AWS is
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
}

/// What one run showed.
struct Seen {
    p50: Duration,
    p95: Duration,
    /// Calls of A that AWS refused.
    refused: usize,
}

#[tokio::main]
pub async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(std::iter::once("F4".to_owned()).chain(options))?;
    let ground = Ground::start().await?;
    let (mut ratios, mut line) = (Vec::new(), String::new());
    for pair in 1..=options.pairs {
        let alone = one(&ground, &options, false).await?;
        let beside = one(&ground, &options, true).await?;
        let ratio = beside.p95.as_secs_f64() / alone.p95.as_secs_f64();
        println!(
            "pair {pair}: alone p50 {:?} p95 {:?}; beside A p50 {:?} p95 {:?} ({} calls of A refused); p95 {ratio:.2} x",
            alone.p50, alone.p95, beside.p50, beside.p95, beside.refused,
        );
        write!(line, " {ratio:.2}")?;
        ratios.push(ratio);
    }
    ground.stop().await;
    let ratio = median(&ratios);
    println!("B's p95 beside A: {ratio:.2} x that of B alone (of{line}); at most {MOST}");
    ensure!(ratio <= MOST, "B is slowed by A: {ratio:.2} x");
    Ok(())
}

async fn one(ground: &Ground, options: &Options, noisy: bool) -> anyhow::Result<Seen> {
    let plan = Plan {
        roles: &["api", "worker", "worker"],
        variables: Vec::new(),
        fleet: FleetShape {
            accounts: 2,
            regions: 1,
            clusters: CLUSTERS,
        },
        aws: SimOptions {
            speed: options.speed,
            ..SimOptions::default()
        },
    };
    let site = Site::open(ground, "noisy", plan).await?;
    let (a, b) = (
        site.accounts[0].account_id.clone(),
        site.accounts[1].account_id.clone(),
    );
    for account in [&a, &b] {
        for cluster in clusters() {
            let spec = ProfileSpec {
                name: "old".to_owned(),
                ..ProfileSpec::default()
            };
            site.sim
                .put_profile(account, REGION, &cluster, spec, "ACTIVE");
        }
    }
    // Sessions and connections of B are made in both runs before its jobs are timed.
    submit(&site, &b, 6).await?;
    site.until(UNFINISHED, |count| count == 0).await?;
    if noisy {
        let settings = AccountSettings {
            throttle: true,
            ..AccountSettings::default()
        };
        site.sim.set_account(&a, settings);
        submit(&site, &a, options.noise).await?;
    }
    let submitted = submit(&site, &b, options.jobs).await?;
    site.until(UNFINISHED_OF_B, |count| count == 0).await?;
    let mut times = finished(&site, &b, submitted).await?;
    let calls = site.sim.record().calls;
    let of_a = |call: &&fargate_fleet::sim::Call| call.account_id == a && call.status == Some(429);
    let refused = calls.iter().filter(of_a).count();
    check_kept(&site, &a).await?;
    site.close().await?;
    Ok(Seen {
        p50: percentile(&mut times, 0.5),
        p95: percentile(&mut times, 0.95),
        refused,
    })
}

const UNFINISHED: &str = "select count(*) from jobs where phase <> 'finished'";
const UNFINISHED_OF_B: &str =
    "select count(*) from jobs where phase <> 'finished' and account_id = '222222222222'";

fn clusters() -> impl Iterator<Item = String> {
    FleetShape {
        accounts: 2,
        regions: 1,
        clusters: CLUSTERS,
    }
    .accounts()
    .remove(1)
    .clusters
    .into_iter()
    .map(|(_, name)| name)
}

/// Creations, deletions and reads in equal parts, over all clusters; how many.
async fn submit(site: &Site, account: &str, count: usize) -> anyhow::Result<usize> {
    let clusters: Vec<String> = clusters().collect();
    let requests = (0..count).map(|n| {
        let base = profiles(account, REGION, &clusters[n / 3 % clusters.len()]);
        match n % 3 {
            0 => {
                let name = format!("new-{n}");
                let body = json!({"name": name, "selectors": [{"namespace": name}]});
                (Method::POST, base, Some(body))
            }
            1 => (Method::DELETE, format!("{base}/old"), None),
            _ => (Method::GET, format!("{base}?waitSeconds=0"), None),
        }
    });
    let answers: Vec<(u16, Value)> = stream::iter(requests)
        .map(|(method, path, body)| async move { site.caller.call(method, &path, body).await })
        .buffer_unordered(8)
        .try_collect()
        .await?;
    // A read may be answered before its caller is sent away; a second deletion is refused by AWS.
    for (status, answer) in answers {
        ensure!(matches!(status, 200 | 202), "{status}: {answer}");
    }
    Ok(count)
}

/// From enqueue to finish, of the last `count` jobs.
async fn finished(site: &Site, account: &str, count: usize) -> anyhow::Result<Vec<Duration>> {
    let seconds: Vec<f64> = sqlx::query_scalar(
        "select extract(epoch from finished_at - created_at)::float8
        from jobs
        where account_id = $1
        order by created_at desc
        limit $2",
    )
    .bind(account)
    .bind(i64::try_from(count)?)
    .fetch_all(&site.pool)
    .await?;
    Ok(seconds.into_iter().map(Duration::from_secs_f64).collect())
}

/// None of the throttled account's jobs is lost, failed or charged.
async fn check_kept(site: &Site, account: &str) -> anyhow::Result<()> {
    let harmed: i64 = sqlx::query_scalar(
        "select count(*) from jobs where account_id = $1 and (attempt > 0 or state = 'failed')",
    )
    .bind(account)
    .fetch_one(&site.pool)
    .await?;
    let stuck: i64 = sqlx::query_scalar("select count(*) from stuck_jobs")
        .fetch_one(&site.pool)
        .await?;
    ensure!(
        harmed == 0,
        "{harmed} throttled jobs failed or lost an attempt"
    );
    ensure!(stuck == 0, "{stuck} jobs are stuck");
    Ok(())
}
