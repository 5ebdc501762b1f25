//! F3: the primary dies under load and its synchronous standby takes over.
//!
//! One API process and two workers are given both hosts and nothing else; eight clients create,
//! read and delete. The standby is promoted some seconds after the primary was killed, as a tool
//! that decides such things would.

mod clients;
mod processes;
mod relay;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use fargate_fleet::clock::Clock;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::rng::Rng;
use fargate_fleet::service::MIGRATIONS;
use fargate_fleet::sim::FleetShape;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use uuid::Uuid;

use self::clients::{Clients, Seen};
use self::processes::Processes;
use self::relay::Relay;
use super::pair::Pair;
use crate::Row;

pub const ROW: Row = Row {
    name: "F3",
    shows: "failover under load: writes resume in 10 s, nothing acknowledged is lost, clean 503s",
    run,
};

/// The bound on the first write after the promotion began.
const RESUME_WITHIN: Duration = Duration::from_secs(10);
/// No answer may take longer, whatever happens to the database.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// How long what was accepted may take to finish.
const FINISH_WITHIN: Duration = Duration::from_mins(3);

/// Options of the row.
#[derive(Parser)]
struct Options {
    /// Seconds of load before the primary dies
    #[arg(long, default_value_t = 8)]
    before: u64,
    /// Seconds from its death to the promotion
    #[arg(long, default_value_t = 4)]
    headless: u64,
    /// Seconds of load after the promotion
    #[arg(long, default_value_t = 15)]
    after: u64,
    /// The primary's host dies: its connections stay open and say nothing any more
    #[arg(long)]
    silently: bool,
    /// Divides AWS's waiting times
    #[arg(long, default_value_t = 600)]
    speed: u32,
    /// Accounts x regions x clusters
    #[arg(long, default_value = "4x2x5")]
    fleet: FleetShape,
}

fn run(options: Vec<String>) -> anyhow::Result<()> {
    let name = [ROW.name.to_owned()];
    let options = Options::try_parse_from(name.into_iter().chain(options))?;
    Runtime::new()?.block_on(on_a_pair(options))
}

async fn on_a_pair(options: Options) -> anyhow::Result<()> {
    let pair = Pair::start().await?;
    let ran = on_processes(&options, &pair).await;
    pair.stop().await;
    ran
}

async fn on_processes(options: &Options, pair: &Pair) -> anyhow::Result<()> {
    let relay = Relay::to(pair.port()).await?;
    let way = if options.silently {
        relay.port
    } else {
        pair.port()
    };
    let url = pair.url(way);
    let token = prepare(&url).await?;
    let processes = Processes::start(&url, options.fleet, options.speed).await?;
    let ran = fail_over(options, (pair, &relay), &processes, &token).await;
    if let Some(logs) = processes.stop(ran.is_err()).await? {
        println!("the logs are kept in {}", logs.display());
    }
    ran
}

/// The schema, and a token.
async fn prepare(url: &str) -> anyhow::Result<String> {
    let servers: fargate_fleet::database::Servers = url.parse()?;
    let tasks = tokio_util::task::TaskTracker::new();
    let pool: PgPool = servers.pool(2, &tasks).await;
    MIGRATIONS.run(&pool).await?;
    let new = NewToken {
        name: "harness".to_owned(),
        role: Role::Admin,
        account_ids: None,
        expires_at: None,
        may_act_for: false,
        created_by: None,
    };
    let (_, token) = tokens::create(
        &mut *pool.acquire().await?,
        &Clock::system(),
        &Rng::from_os(),
        new,
    )
    .await?;
    pool.close().await;
    Ok(token)
}

async fn fail_over(
    options: &Options,
    (pair, relay): (&Pair, &Relay),
    processes: &Processes,
    token: &str,
) -> anyhow::Result<()> {
    processes.register(token, options.fleet).await?;
    let clients = Clients::start(&processes.api, token, options.fleet)?;
    let wait = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    wait(options.before).await;
    let killed = Instant::now();
    relay.be_silent();
    pair.kill_primary()?;
    wait(options.headless).await;
    let promoting = Instant::now();
    pair.promote().await?;
    let promoted = Instant::now();
    wait(options.after).await;
    let seen = clients.stop().await?;

    let mut database = pair.standby()?.connect().await?;
    until_finished(&mut database).await?;
    let moments = Moments {
        killed,
        promoting,
        promoted,
    };
    let writes = Writes::of(&seen, &moments).context("nothing was accepted after the promotion")?;
    let kept = Kept::of(&mut database, &seen).await?;
    let aws = Aws::of(&processes.record().await?);
    database.close().await?;
    tell(&seen, &writes, &kept, &aws);
    verify(&seen, &writes, &kept, &aws)
}

async fn until_finished(database: &mut PgConnection) -> anyhow::Result<()> {
    let query = "select count(*) from jobs where phase <> 'finished'";
    let until = Instant::now() + FINISH_WITHIN;
    loop {
        let left: i64 = sqlx::query_scalar(query).fetch_one(&mut *database).await?;
        if left == 0 {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "{left} jobs have not finished in {FINISH_WITHIN:?}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// When what was done to the servers.
struct Moments {
    killed: Instant,
    promoting: Instant,
    promoted: Instant,
}

/// When changes were accepted.
struct Writes {
    before: usize,
    after: usize,
    /// The longest time without one, in which the primary died.
    gap: Duration,
    /// From the order to promote to the first one.
    resumed: Duration,
    /// What of that the promotion itself took.
    promotion: Duration,
}

impl Writes {
    fn of(seen: &Seen, moments: &Moments) -> Option<Self> {
        let mut times: Vec<Instant> = seen.accepted.iter().map(|(_, at)| *at).collect();
        times.sort_unstable();
        let first = times.partition_point(|at| *at < moments.promoting);
        let resumed = *times.get(first)?;
        let last = times[..first].last().copied().unwrap_or(moments.killed);
        Some(Self {
            before: first,
            after: times.len() - first,
            gap: resumed - last,
            resumed: resumed - moments.promoting,
            promotion: moments.promoted - moments.promoting,
        })
    }
}

/// What the new primary has of the accepted jobs.
struct Kept {
    accepted: usize,
    lost: Vec<Uuid>,
    states: HashMap<String, usize>,
    stuck: i64,
}

impl Kept {
    async fn of(database: &mut PgConnection, seen: &Seen) -> anyhow::Result<Self> {
        let jobs: Vec<(Uuid, String)> = sqlx::query_as("select job_id, state from jobs")
            .fetch_all(&mut *database)
            .await?;
        let known: HashMap<Uuid, String> = jobs.into_iter().collect();
        let mut kept = Self {
            accepted: seen.accepted.len(),
            lost: Vec::new(),
            states: HashMap::new(),
            stuck: sqlx::query_scalar("select count(*) from stuck_jobs")
                .fetch_one(&mut *database)
                .await?,
        };
        for (job, _) in &seen.accepted {
            match known.get(job) {
                Some(state) => *kept.states.entry(state.clone()).or_default() += 1,
                None => kept.lost.push(*job),
            }
        }
        Ok(kept)
    }
}

/// What the simulated AWS saw.
struct Aws {
    calls: usize,
    overlaps: usize,
    /// Profiles whose creation was accepted more than once.
    doubled: usize,
}

impl Aws {
    fn of(record: &Value) -> Self {
        let list = |name: &str| record[name].as_array().cloned().unwrap_or_default();
        let calls = list("calls");
        let mut creations: HashMap<String, usize> = HashMap::new();
        for call in &calls {
            if call["action"] == "CreateFargateProfile" && call["status"] == 200 {
                let place = ["accountId", "region", "cluster", "profile"].map(|it| &call[it]);
                *creations.entry(format!("{place:?}")).or_default() += 1;
            }
        }
        Self {
            calls: calls.len(),
            overlaps: list("overlaps").len(),
            doubled: creations.values().filter(|count| **count > 1).count(),
        }
    }
}

fn tell(seen: &Seen, writes: &Writes, kept: &Kept, aws: &Aws) {
    println!(
        "writes: none for {:.1} s; the first {:.1} s after the order to promote, which took {:.1} s",
        writes.gap.as_secs_f64(),
        writes.resumed.as_secs_f64(),
        writes.promotion.as_secs_f64(),
    );
    println!(
        "acknowledged: {} jobs ({} before, {} after the promotion), lost {}, ended {:?}",
        kept.accepted,
        writes.before,
        writes.after,
        kept.lost.len(),
        kept.states,
    );
    println!(
        "answers: {} of 2xx, {} clean 503, {} others; the slowest took {:.1} s",
        seen.done,
        seen.refused,
        seen.unclean.len(),
        seen.slowest.as_secs_f64(),
    );
    println!(
        "AWS: {} calls, {} overlaps, {} created twice; stuck jobs: {}",
        aws.calls, aws.overlaps, aws.doubled, kept.stuck
    );
}

fn verify(seen: &Seen, writes: &Writes, kept: &Kept, aws: &Aws) -> anyhow::Result<()> {
    ensure!(
        seen.unclean.is_empty(),
        "answers that are neither 2xx nor a clean 503: {:#?}",
        &seen.unclean[..seen.unclean.len().min(5)]
    );
    ensure!(kept.lost.is_empty(), "lost: {:?}", kept.lost);
    let succeeded = kept.states.get("succeeded").copied().unwrap_or(0);
    ensure!(succeeded == kept.accepted, "not all succeeded");
    ensure!(writes.resumed <= RESUME_WITHIN, "writes resumed too late");
    ensure!(seen.slowest <= ANSWER_WITHIN, "an answer took too long");
    ensure!(aws.overlaps == 0, "mutations of a cluster overlapped");
    ensure!(aws.doubled == 0, "a profile was created twice");
    ensure!(kept.stuck == 0, "jobs are stuck");
    Ok(())
}
