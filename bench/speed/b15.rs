//! B15: the inventory of a fleet, as fast as AWS lets it be read.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use fargate_fleet::sim::{FleetShape, ProfileSpec, SimOptions};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;

use crate::ground::Ground;
use crate::peers;
use crate::site::{Plan, Site, profiles};

/// Of what AWS's limits allow.
const LEAST: f64 = 0.9;

#[derive(Parser)]
struct Options {
    /// Accounts x regions x clusters
    #[arg(long, default_value = "50x2x10")]
    fleet: FleetShape,
    /// Profiles on each cluster
    #[arg(long, default_value_t = 10)]
    profiles: u32,
    /// Reads that AWS allows a second in an account and region, also the burst
    #[arg(long, default_value_t = 4)]
    reads_per_second: u32,
    /// Requests that the client has open at once
    #[arg(long, default_value_t = 300)]
    at_once: usize,
    /// Steps that the worker has under way at once
    #[arg(long, default_value_t = 256)]
    slots: u32,
}

/// Requests that our service put off.
static PUT_OFF: AtomicUsize = AtomicUsize::new(0);

/// What one side did.
struct Read {
    profiles: usize,
    calls: usize,
    throttled: usize,
    took: Duration,
}

#[tokio::main]
pub async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(std::iter::once("B15".to_owned()).chain(options))?;
    let ground = Ground::start().await?;
    let plan = Plan {
        roles: &["all"],
        variables: vec![("FLEET_WORKER_SLOTS", options.slots.to_string())],
        fleet: options.fleet,
        aws: SimOptions {
            speed: 1.0,
            reads_per_second: options.reads_per_second,
            ..SimOptions::default()
        },
    };
    let site = Site::open(&ground, "b15", plan).await?;
    let told = compared(&site, &options).await;
    site.close().await?;
    ground.stop().await;
    told
}

async fn compared(site: &Site, options: &Options) -> anyhow::Result<()> {
    let clusters = furnish(site, options);
    let limit = limit(options);
    println!(
        "{} clusters with {} profiles each; {} reads a second an account and region allow it in {limit:.1?}",
        clusters.len(),
        options.profiles,
        options.reads_per_second,
    );
    let ours = read_all(site, &clusters, options.at_once).await?;
    told("ours", &ours, limit);
    println!("ours: {} requests put off", PUT_OFF.load(Relaxed));
    let expected = clusters.len() * options.profiles as usize;
    ensure!(
        ours.profiles == expected,
        "{} profiles were read",
        ours.profiles
    );

    // AWS's buckets fill up again within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let theirs = boto3(site, &clusters).await?;
    told("boto3", &theirs, limit);
    ensure!(ours.took < theirs.took, "boto3 is faster");
    let share = share(&ours, limit);
    ensure!(share >= LEAST, "{share:.2} of the limit");
    Ok(())
}

fn told(who: &str, read: &Read, limit: Duration) {
    let Read {
        profiles,
        calls,
        throttled,
        took,
    } = read;
    println!(
        "{who}: {profiles} profiles by {calls} calls, {throttled} of them refused, in {took:.1?}: {:.2} of the limit",
        share(read, limit)
    );
}

fn share(read: &Read, limit: Duration) -> f64 {
    limit.as_secs_f64() / read.took.as_secs_f64()
}

/// Account, region and name of a cluster.
type Target = [String; 3];

/// Puts the profiles in place; all clusters, accounts and regions in turn.
fn furnish(site: &Site, options: &Options) -> Vec<Target> {
    let mut targets = Vec::new();
    let (regions, clusters) = (options.fleet.regions, options.fleet.clusters);
    // Region by region in each account; the first has one more, for the guide.
    for n in 0..clusters * regions {
        let at = (n % regions) * clusters + n / regions;
        for account in &site.accounts {
            let (region, cluster) = &account.clusters[at as usize];
            for profile in 0..options.profiles {
                let spec = ProfileSpec {
                    name: format!("fp-{profile}"),
                    ..ProfileSpec::default()
                };
                site.sim
                    .put_profile(&account.account_id, region, cluster, spec, "ACTIVE");
            }
            targets.push([&account.account_id, region, cluster].map(Clone::clone));
        }
    }
    targets
}

/// A list and a describe for each profile; a bucket gives its burst and then its rate.
fn limit(options: &Options) -> Duration {
    let calls = f64::from(options.fleet.clusters * (1 + options.profiles));
    let rate = f64::from(options.reads_per_second);
    Duration::from_secs_f64((calls - rate).max(0.0) / rate)
}

/// Lists the profiles of all clusters, many at a time, as a client would.
async fn read_all(site: &Site, targets: &[Target], at_once: usize) -> anyhow::Result<Read> {
    let began = Instant::now();
    let counts: Vec<usize> = stream::iter(targets)
        .map(|target| list(site, target))
        .buffer_unordered(at_once)
        .try_collect()
        .await?;
    let took = began.elapsed();
    let calls = site.sim.record().calls;
    let of_eks = calls.iter().filter(|call| call.action != "AssumeRole");
    let refused = calls.iter().filter(|call| call.status == Some(429));
    Ok(Read {
        profiles: counts.into_iter().sum(),
        calls: of_eks.count(),
        throttled: refused.count(),
        took,
    })
}

/// The number of a cluster's profiles.
async fn list(site: &Site, [account, region, cluster]: &Target) -> anyhow::Result<usize> {
    let path = format!("{}?waitSeconds=60", profiles(account, region, cluster));
    let (status, answer) = loop {
        let (status, answer) = site.caller.call(Method::GET, &path, None).await?;
        if answer["retryable"] != true {
            break (status, answer);
        }
        // A busy service says when to come back, and a client does.
        PUT_OFF.fetch_add(1, Relaxed);
        let seconds = answer["retryAfterSeconds"].as_u64().unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    };
    if status == 200 {
        return Ok(answer["items"].as_array().map_or(0, Vec::len));
    }
    ensure!(status == 202, "{status}: {answer}");
    let job = answer["id"].as_str().context("a job")?;
    let path = format!("/v1/jobs/{job}?waitSeconds=60");
    loop {
        let (status, job) = site.caller.call(Method::GET, &path, None).await?;
        ensure!(status == 200 && job["state"] != "failed", "{status}: {job}");
        if job["state"] == "succeeded" {
            return Ok(job["profiles"].as_array().map_or(0, Vec::len));
        }
    }
}

/// The same by a script with 32 threads.
async fn boto3(site: &Site, targets: &[Target]) -> anyhow::Result<Read> {
    let clusters: Vec<(String, String, String)> = targets
        .iter()
        .map(|[account, region, cluster]| (account.clone(), region.clone(), cluster.clone()))
        .collect();
    let read = peers::read_fleet(&site.endpoint(), &clusters).await?;
    Ok(Read {
        profiles: read.profiles as usize,
        calls: read.calls as usize,
        throttled: read.throttled as usize,
        took: Duration::from_secs_f64(read.seconds),
    })
}
