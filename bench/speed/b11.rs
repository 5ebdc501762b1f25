//! B11: a live GET through the queue, beside the same call by the SDK from here, AWS answering in
//! 20 ms.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use clap::Parser;
use fargate_fleet::sim::{Fault, FleetShape, ProfileSpec, SimOptions};
use reqwest::Method;
use sqlx::{Connection as _, PgConnection};

use crate::figures::{median, percentile};
use crate::ground::Ground;
use crate::site::{Plan, Site, profiles};

/// Ours, of the direct call.
const MOST: f64 = 1.25;
/// What ours adds, of the floor.
const MOST_FLOORS: f64 = 2.5;
const REGION: &str = "eu-central-1";
const CLUSTER: &str = "prod-1";
const PROFILE: &str = "fp-dev";

#[derive(Parser)]
struct Options {
    /// Rounds of each side, in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Reads in a round
    #[arg(long, default_value_t = 60)]
    reads: usize,
    /// Milliseconds in which AWS answers
    #[arg(long, default_value_t = 20)]
    aws_ms: u64,
}

#[tokio::main]
pub async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(std::iter::once("B11".to_owned()).chain(options))?;
    let ground = Ground::start().await?;
    let mut failed = Vec::new();
    for (what, roles) in [
        (
            "API and worker in one process",
            &["all"] as &'static [&'static str],
        ),
        ("API and worker as two processes", &["api", "worker"]),
    ] {
        println!("{what}:");
        if let Err(error) = one(&ground, roles, &options).await {
            failed.push(format!("{what}: {error:#}"));
        }
    }
    ground.stop().await;
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

async fn one(
    ground: &Ground,
    roles: &'static [&'static str],
    options: &Options,
) -> anyhow::Result<()> {
    let plan = Plan {
        roles,
        variables: Vec::new(),
        fleet: FleetShape {
            accounts: 1,
            regions: 1,
            clusters: 1,
        },
        aws: SimOptions {
            speed: 1.0,
            reads_per_second: 1_000,
            ..SimOptions::default()
        },
    };
    let site = Site::open(ground, "b11", plan).await?;
    ground.empty("b11_floor").await?;
    let mut floor = PgConnection::connect(&ground.url("b11_floor")).await?;
    sqlx::raw_sql(
        "create table floor (id bigint generated always as identity primary key, text text)",
    )
    .execute(&mut floor)
    .await?;
    let told = compared(&site, &mut floor, options).await;
    floor.close().await?;
    site.close().await?;
    told
}

async fn compared(site: &Site, floor: &mut PgConnection, options: &Options) -> anyhow::Result<()> {
    let account = &site.accounts[0];
    let spec = ProfileSpec {
        name: PROFILE.to_owned(),
        ..ProfileSpec::default()
    };
    site.sim
        .put_profile(&account.account_id, REGION, CLUSTER, spec, "ACTIVE");
    site.sim.add_faults(
        ["AssumeRole", "DescribeFargateProfile"]
            .map(|action| Fault {
                action: action.to_owned(),
                times: Some(u32::MAX),
                delay_ms: Some(options.aws_ms),
                ..Fault::default()
            })
            .to_vec(),
    );
    let direct = direct(&site.endpoint(), &account.role_arn).await?;
    let path = format!(
        "{}/{PROFILE}",
        profiles(&account.account_id, REGION, CLUSTER)
    );
    // Both sides have their connections and sessions before they are timed.
    for _ in 0..10 {
        described(&direct).await?;
        got(site, &path).await?;
    }
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let (mut theirs, mut ours, mut least) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.reads {
            theirs.push(described(&direct).await?);
        }
        for _ in 0..options.reads {
            ours.push(got(site, &path).await?);
        }
        for _ in 0..options.reads {
            least.push(written(floor).await?);
        }
        let [theirs, ours, least] = [&mut theirs, &mut ours, &mut least]
            .map(|times| percentile(times, 0.5).as_secs_f64() * 1_000.0);
        println!(
            "  round {round}: direct p50 {theirs:.2} ms, ours {ours:.2} ms, floor {least:.2} ms"
        );
        ratios.push(ours / theirs);
        floors.push((ours - theirs) / least);
    }
    let (ratio, added) = (median(&ratios), median(&floors));
    let calls = site.sim.record().calls;
    let assumed = calls.iter().filter(|call| call.action == "AssumeRole");
    println!(
        "  p50 {ratio:.2} x the direct call (at most {MOST}); adds {added:.2} x the floor (at most {MOST_FLOORS}); {} AssumeRole",
        assumed.count()
    );
    ensure!(
        ratio <= MOST && added <= MOST_FLOORS,
        "{ratio:.2} x, {added:.2} floors"
    );
    Ok(())
}

/// EKS by the SDK, in a session of the account.
async fn direct(endpoint: &str, role: &str) -> anyhow::Result<aws_sdk_eks::Client> {
    let own = Credentials::new("any", "any", None, None, "bench");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(own)
        .load()
        .await;
    let session = aws_sdk_sts::Client::new(&config)
        .assume_role()
        .role_arn(role)
        .role_session_name("bench")
        .external_id("any")
        .send()
        .await?;
    let given = session.credentials.context("credentials")?;
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        None,
        "bench",
    );
    let config = config
        .into_builder()
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
        )
        .build();
    Ok(aws_sdk_eks::Client::new(&config))
}

async fn described(direct: &aws_sdk_eks::Client) -> anyhow::Result<Duration> {
    let began = Instant::now();
    direct
        .describe_fargate_profile()
        .cluster_name(CLUSTER)
        .fargate_profile_name(PROFILE)
        .send()
        .await?;
    Ok(began.elapsed())
}

async fn got(site: &Site, path: &str) -> anyhow::Result<Duration> {
    // Reads within a second share one job; here each is one of its own.
    sqlx::query("delete from shared_reads")
        .execute(&site.pool)
        .await?;
    let began = Instant::now();
    let (status, answer) = site.caller.call(Method::GET, path, None).await?;
    let took = began.elapsed();
    ensure!(
        status == 200 && answer["name"] == PROFILE,
        "{status}: {answer}"
    );
    Ok(took)
}

/// The least that a durable job costs: enqueued, claimed and finished, two of which are told.
async fn written(connection: &mut PgConnection) -> anyhow::Result<Duration> {
    const INSERT: &str = "insert into floor (text) values ('a row')";
    const NOTIFY: &str = "notify floor";
    let began = Instant::now();
    for statement in [INSERT, NOTIFY, INSERT, INSERT, NOTIFY] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(began.elapsed())
}
