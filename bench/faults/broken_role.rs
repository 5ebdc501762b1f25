//! F5: a broken role. AssumeRole is refused for A, whose jobs wait; B goes on.

use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use clap::Parser;
use fargate_fleet::sim::{AccountSettings, FleetShape, SimOptions};
use reqwest::Method;
use serde_json::json;

use crate::ground::Ground;
use crate::site::{Plan, Site, profiles};

const REGION: &str = "eu-central-1";
/// Three park the account; two processes may have one more under way by then.
const MOST_TRIES: usize = 5;

#[derive(Parser)]
struct Options {
    /// Jobs of the account whose role is broken
    #[arg(long, default_value_t = 100)]
    jobs: usize,
    /// Probes to wait for
    #[arg(long, default_value_t = 4)]
    probes: i64,
    /// How much faster AWS is, and the pauses between probes are shorter
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
}

#[tokio::main]
pub async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(std::iter::once("F5".to_owned()).chain(options))?;
    let ground = Ground::start().await?;
    let plan = Plan {
        roles: &["api", "worker", "worker"],
        variables: Vec::new(),
        fleet: FleetShape {
            accounts: 2,
            regions: 1,
            clusters: 20,
        },
        aws: SimOptions {
            speed: options.speed,
            ..SimOptions::default()
        },
    };
    let site = Site::open(&ground, "broken_role", plan).await?;
    let told = shown(&site, &options).await;
    site.close().await?;
    ground.stop().await;
    told
}

async fn shown(site: &Site, options: &Options) -> anyhow::Result<()> {
    let (a, b) = (
        site.accounts[0].account_id.clone(),
        site.accounts[1].account_id.clone(),
    );
    deny(site, &a, true);
    submit(site, &a, options.jobs).await?;
    submit(site, &b, 20).await?;

    let wanted = 3 + options.probes;
    site.until("select sum(role_failures) from accounts", |n| n >= wanted)
        .await?;
    let refused = refusals(site, &a);
    let tries = refused.len() - usize::try_from(options.probes)?;
    let pauses: Vec<Duration> = refused[tries..]
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).to_std().unwrap_or_default())
        .collect();
    println!(
        "parked after {tries} tries (at most {MOST_TRIES}); {} probes since, {pauses:.2?} apart",
        options.probes
    );
    ensure!(tries <= MOST_TRIES, "{tries} tries before it was parked");
    // The first pause is half a minute of AWS's; each is twice the last.
    let mut least = Duration::from_secs_f64(60.0 / options.speed);
    for pause in &pauses {
        ensure!(*pause >= least.mul_f64(0.95), "two probes within {least:?}");
        least = (least * 2).min(Duration::from_secs_f64(600.0 / options.speed));
    }
    let kept = site.count("select count(*) from jobs where account_id = '111111111111' and phase <> 'finished' and attempt = 0").await?;
    println!("{kept} of {} jobs kept, none charged", options.jobs);
    ensure!(usize::try_from(kept)? == options.jobs, "jobs were lost");
    site.until(
        "select count(*) from jobs where account_id <> '111111111111' and phase <> 'finished'",
        |n| n == 0,
    )
    .await?;
    println!("the other account's jobs all finished meanwhile");

    deny(site, &a, false);
    let mended = tokio::time::Instant::now();
    site.until("select count(*) from jobs where phase <> 'finished'", |n| {
        n == 0
    })
    .await?;
    println!("all finished {:.1?} after it was mended", mended.elapsed());
    let harmed = site
        .count("select count(*) from jobs where state <> 'succeeded' or attempt > 0")
        .await?;
    ensure!(harmed == 0, "{harmed} jobs failed or lost an attempt");
    ensure!(site.sim.record().overlaps.is_empty(), "changes overlapped");
    Ok(())
}

fn deny(site: &Site, account: &str, deny_assume_role: bool) {
    let settings = AccountSettings {
        deny_assume_role,
        ..AccountSettings::default()
    };
    site.sim.set_account(account, settings);
}

/// Creations, on all clusters in turn.
async fn submit(site: &Site, account: &str, count: usize) -> anyhow::Result<()> {
    let clusters = &site.accounts[1].clusters;
    for n in 0..count {
        let path = profiles(account, REGION, &clusters[n % clusters.len()].1);
        let name = format!("fp-{n}");
        let body = json!({"name": name, "selectors": [{"namespace": name}]});
        let (status, answer) = site.caller.call(Method::POST, &path, Some(body)).await?;
        ensure!(status == 202, "{status}: {answer}");
    }
    Ok(())
}

/// When STS refused the account's role.
fn refusals(site: &Site, account: &str) -> Vec<DateTime<Utc>> {
    let calls = site.sim.record().calls;
    calls
        .into_iter()
        .filter(|call| call.action == "AssumeRole" && call.account_id == account)
        .filter(|call| call.status == Some(403))
        .map(|call| call.at)
        .collect()
}
