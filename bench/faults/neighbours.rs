//! F12: neighbours. One caller does its worst within its limits; another, of another account, has
//! its share of the processors all the same.
//!
//! The service is one process with all roles, with default limits, on a durable Postgres. The other
//! creates profiles over a hundred clusters, one after the other on each of a few connections. It is
//! timed alone and then beside the worst caller of each kind, in turn. A kind passes when the other
//! gets no 5xx, `/readyz` answers 200 at every look, no lease is lost, the other's rate is at least
//! [`LEAST`] of that alone, and its p99 at most [`MOST`] times that alone plus [`FLOOR`].
//!
//! - `Stage` gives callers a budget of requests that nobody can use up, so the worst caller is worse
//!   here than one may be in production, where 429 would hold it back.
//! - Why a third: the processors have three parties here, all of them busy: service and Postgres for
//!   the other, the same for the worst caller, and that caller itself, which in production is another
//!   machine. With two cores this is the share that is left when each gets as much as the next.
//! - The worst caller has a thread and a runtime of its own, so that the other's clock does not wait
//!   for it longer than for anything else that runs on the machine.
//! - Before each side the unfinished jobs of both are taken out of the queue by SQL, and the process
//!   is waited for until it is at rest.
//! - `--short` judges no time, for machines that are shared: no 5xx, `/readyz`, leases, and a rate
//!   above zero. The other is alone once, not before each kind.

mod kinds;
mod other;
mod seed;
mod watch;
mod worst;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum as _};
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::FleetShape;

use self::kinds::{Kind, Target};
use self::other::{Other, Side};
use self::watch::{Watch, Watched};
use self::worst::Worst;
use super::caller::Caller;
use super::process::Process;
use super::stage::Stage;
use crate::Row;

pub const ROW: Row = Row {
    name: "F12",
    shows: "any one caller at its worst leaves the others their share, 5xx nowhere, every lease kept",
    run,
};

/// Of the other's rate alone: above.
const LEAST: f64 = 1.0 / 3.0;
/// Of the other's p99 alone.
const MOST: f64 = 3.0;
/// A p99 of a few milliseconds is tripled by a few turns of the scheduler: with three parties on two
/// cores, one turn each of 4 ms, and a write to the disk, which is shared too.
const FLOOR: Duration = Duration::from_millis(25);
/// A creation takes 0.4 s at this speed.
const SPEED: u32 = 300;
const FLEET: FleetShape = FleetShape {
    accounts: 2,
    regions: 1,
    clusters: 100,
};

#[derive(Debug, Parser)]
#[command(name = "F12", about = "One caller at its worst, beside another")]
struct Options {
    /// Seconds of each side; 10, or 1 of a short run
    #[arg(long)]
    seconds: Option<u64>,
    /// Small seeds, and no verdict about time
    #[arg(long)]
    short: bool,
    /// This kind alone; again for another
    #[arg(long)]
    only: Vec<Kind>,
}

impl Options {
    fn side(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.short { 1 } else { 10 }))
    }

    fn kinds(&self) -> &[Kind] {
        match self.only.as_slice() {
            [] => Kind::value_variants(),
            only => only,
        }
    }
}

/// What one kind showed.
struct Shown {
    kind: Kind,
    alone: Side,
    beside: Beside,
}

/// What was seen while the worst caller was at work.
struct Beside {
    side: Side,
    /// Those to the worst caller.
    answers: String,
    watched: Watched,
    rescues: i64,
}

/// Runs it; an error when a kind fails.
pub fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let named = std::iter::once("F12".to_owned()).chain(arguments);
    let options = Options::try_parse_from(named)?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(neighbours(&options))
}

async fn neighbours(options: &Options) -> anyhow::Result<()> {
    let stage = Stage::set(FLEET, SPEED).await?;
    let receivers = [("FLEET_WEBHOOK_ALLOWED_CIDRS", "127.0.0.1/32")];
    let service = stage.serve_with("service", "all", &receivers)?;
    let outcome = on_stage(&stage, &service, options).await;
    drop(service);
    let failed = !matches!(&outcome, Ok(wrong) if wrong.is_empty());
    if let Some(logs) = stage.end(failed).await? {
        println!("the logs are in {}", logs.display());
    }
    let wrong = outcome?;
    for words in &wrong {
        println!("WRONG: {words}");
    }
    ensure!(wrong.is_empty(), "{} things went wrong", wrong.len());
    Ok(())
}

/// Every kind in turn; what went wrong.
async fn on_stage(
    stage: &Stage,
    service: &Process,
    options: &Options,
) -> anyhow::Result<Vec<String>> {
    let caller = Caller::new(&stage.api_url, &stage.token, Rng::from_os())?;
    stage.register(&caller).await?;
    let target = Arc::new(seed::plant(stage, &caller, options.short).await?);
    let other = Other::of(stage).await?;
    // Connections, sessions and plans are made before anything is timed.
    other.run(Duration::from_secs(2)).await?;
    println!(
        "kind | other alone /s, p50, p99 | beside /s, p50, p99 | answers to the worst | rescues | \
         readyz not 200"
    );
    let mut wrong = Vec::new();
    let mut known = None;
    for &kind in options.kinds() {
        let alone = match known.take().filter(|_| options.short) {
            Some(alone) => alone,
            None => {
                clear(stage, service).await?;
                other.run(options.side()).await?
            }
        };
        let beside = beside(stage, service, &other, &target, (kind, options)).await?;
        known = Some(alone.clone());
        let shown = Shown {
            kind,
            alone,
            beside,
        };
        println!("{shown}");
        println!("  memory {}", shown.beside.watched.memory);
        wrong.extend(shown.wrong(options.short));
    }
    Ok(wrong)
}

/// Takes away what the side before has left, and waits for rest.
async fn clear(stage: &Stage, service: &Process) -> anyhow::Result<()> {
    let process = service.id().context("the service has ended")?;
    seed::clear(&stage.pool).await?;
    watch::at_rest(process).await
}

/// The other beside the worst of this kind.
async fn beside(
    stage: &Stage,
    service: &Process,
    other: &Other,
    target: &Arc<Target>,
    (kind, options): (Kind, &Options),
) -> anyhow::Result<Beside> {
    let process = service.id().context("the service has ended")?;
    if kind == Kind::Webhooks {
        seed::webhooks(target).await?;
    }
    clear(stage, service).await?;
    let rescued = rescues(stage).await?;
    let watch = Watch::start(&stage.api_url, process)?;
    let worst = Worst::start(kind, Arc::clone(target), options.short)?;
    // All its connections are made, and its waits have begun.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let side = other.run(options.side()).await;
    let answers = worst.stop().await?;
    if kind == Kind::Bodies && !options.short {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    let watched = watch.stop().await?;
    let lost = rescues(stage).await? - rescued;
    if kind == Kind::Webhooks {
        seed::forget_webhooks(target).await?;
    }
    Ok(Beside {
        side: side?,
        answers: answers.to_string(),
        watched,
        rescues: lost,
    })
}

/// Leases that workers have lost.
async fn rescues(stage: &Stage) -> anyhow::Result<i64> {
    let query = "select coalesce(sum(rescues), 0)::bigint from job_rows where rescues > 0";
    Ok(sqlx::query_scalar(query).fetch_one(&stage.pool).await?)
}

impl Shown {
    fn wrong(&self, short: bool) -> Vec<String> {
        let (alone, beside) = (&self.alone, &self.beside.side);
        let (watched, rescues) = (&self.beside.watched, self.beside.rescues);
        let share = beside.rate() / alone.rate();
        let bound = alone.p99.mul_f64(MOST) + FLOOR;
        let judged = [
            (beside.failed == 0, format!("5xx: {}", beside.answers)),
            (
                watched.unready.is_empty(),
                format!("readyz: {}", watched.unready.join(", ")),
            ),
            (rescues == 0, format!("{rescues} leases lost")),
            (beside.rate() > 0.0, "the other got nothing".to_owned()),
            (
                short || share >= LEAST,
                format!("{share:.2} of the rate alone"),
            ),
            (
                short || beside.p99 <= bound,
                format!("p99 {:.1?}, at most {bound:.1?}", beside.p99),
            ),
        ];
        let wrong = judged.into_iter().filter(|(holds, _)| !holds);
        wrong
            .map(|(_, words)| format!("{}: {words}", self.kind))
            .collect()
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} | {} | {} | {} | {} | {} of {}",
            self.kind,
            self.alone,
            self.beside.side,
            self.beside.answers,
            self.beside.rescues,
            self.beside.watched.unready.len(),
            self.beside.watched.looks
        )
    }
}
