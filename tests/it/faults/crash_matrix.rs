//! F1: at every statement that a worker sends while it runs a job of each kind, before and after it:
//! the worker dies; the connection breaks; the worker stands still until another has done its work,
//! and then goes on with what it was about to do.
//!
//! The statements are those that pass while one job of the kind runs undisturbed.
//! `ops::crashes` does the same around every call to AWS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fargate_fleet::aws::Aws;
use fargate_fleet::database::Shares;
use fargate_fleet::ops::Operations;
use fargate_fleet::queue::{Worker, WorkerOptions};
use fargate_fleet::rng::Rng;
use futures_util::{StreamExt, stream};
use sqlx::PgPool;

use super::wire::{Failure, Moment, Point, Wire};
use crate::ops::crashes::Kind;
use crate::ops::support::{Fleet, SPEED};
use crate::queue::support::options;

/// Fleets that run side by side.
const AT_ONCE: usize = 12;
/// The kinds of jobs; their variants differ in what they ask AWS, not in what they ask Postgres.
const KINDS: [Kind; 4] = [Kind::Create, Kind::Delete, Kind::Get, Kind::List];
/// What every worker does all the time, but each time for other jobs.
const OF_THE_JOBS: [&str; 2] = ["claim", "wake_due"];

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The worker dies, another goes on.
    Crash,
    /// The connection breaks, the worker goes on.
    Error,
    /// The worker stands still until another has taken over and ended the job.
    Twice,
}

#[derive(Debug, Clone)]
struct Case {
    kind: Kind,
    point: Point,
    moment: Moment,
    fate: Fate,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { statement, before } = &self.point;
        let (fate, moment) = (self.fate, self.moment);
        write!(f, "{fate:?} {moment:?} {statement:?} #{before}")
    }
}

fn worker(fleet: &Fleet, aws: &Aws, pool: &PgPool) -> Worker {
    let worker_options = WorkerOptions {
        time_scale: SPEED,
        lease: Duration::from_secs(1),
        ..options()
    };
    let shares = Shares::on(pool);
    let parts = (fleet.queue.clock.clone(), Rng::seeded(1));
    let operations = Operations::new(shares.engine.clone(), aws.clone(), fleet.patience);
    let wake = Arc::clone(&fleet.queue.wake);
    Worker::start(&shares, operations, parts, wake, worker_options)
}

/// Works until everything is done, and leaves.
async fn live(fleet: &Fleet, worker: &Worker) {
    fleet.queue.until_idle().await;
    // When its connections break, nothing is left to be handed back but what runs out by itself.
    let _ = worker.drain(Duration::from_secs(5)).await;
}

/// The names of the statements of an undisturbed run, with how often each passes.
async fn statements(kind: Option<Kind>) -> Vec<(String, usize)> {
    let fleet = Fleet::new().await;
    let wire = Wire::new(&fleet.queue.database.url(), None).await;
    if let Some(kind) = kind {
        kind.submit(&fleet).await;
    }
    let worker = worker(&fleet, &fleet.aws().await, &wire.pool);
    let began = || {
        OF_THE_JOBS
            .iter()
            .all(|name| wire.passed().contains_key(*name))
    };
    let begins = async {
        while !began() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), begins).await;
    assert!(waited.is_ok(), "only these passed: {:?}", wire.passed());
    live(&fleet, &worker).await;
    let mut passed: Vec<_> = wire.passed().into_iter().collect();
    passed.sort_unstable();
    passed
}

/// What every kind meets. What a worker does for itself is looked at once, with the first kind.
async fn points() -> Vec<(Kind, Point)> {
    let idle = statements(None).await;
    let mut points = Vec::new();
    for kind in KINDS {
        for (statement, times) in statements(Some(kind)).await {
            let of_the_worker = !OF_THE_JOBS.contains(&statement.as_str())
                && idle.iter().any(|(known, _)| *known == statement);
            // The third time is as the second.
            let times = match (of_the_worker, kind) {
                (true, Kind::Create) => 1,
                (true, _) => 0,
                (false, _) => times.min(2),
            };
            points.extend((0..times).map(|before| {
                let statement = statement.clone();
                (kind, Point { statement, before })
            }));
        }
    }
    points
}

fn cases(points: Vec<(Kind, Point)>) -> impl Iterator<Item = Case> {
    let moments = [Moment::Before, Moment::After];
    let fates = [Fate::Crash, Fate::Error, Fate::Twice];
    points.into_iter().flat_map(move |(kind, point)| {
        let all = moments
            .into_iter()
            .flat_map(move |moment| fates.map(|fate| (moment, fate)));
        all.map(move |(moment, fate)| Case {
            kind,
            point: point.clone(),
            moment,
            fate,
        })
    })
}

/// Whether the point was met.
async fn befalls(case: &Case) -> bool {
    let fleet = Fleet::new().await;
    let how = match case.fate {
        Fate::Error => Failure::Cut,
        Fate::Crash | Fate::Twice => Failure::Stop,
    };
    let armed = (case.point.clone(), case.moment, how);
    let wire = Wire::new(&fleet.queue.database.url(), Some(armed)).await;
    let job = case.kind.submit(&fleet).await;
    // Fails, and shows that the lane goes on.
    let behind = fleet.delete("fp-none", true).await;
    let aws = fleet.aws().await;
    let first = worker(&fleet, &aws, &wire.pool);
    let met = tokio::select! {
        () = wire.reached() => true,
        () = live(&fleet, &first) => false,
    };
    match case.fate {
        _ if !met => {}
        Fate::Error => live(&fleet, &first).await,
        Fate::Crash | Fate::Twice => {
            if case.fate == Fate::Crash {
                wire.die();
                first.crash().await;
            }
            let second = worker(&fleet, &aws, &fleet.queue.database.another_pool());
            live(&fleet, &second).await;
            if case.fate == Fate::Twice {
                wire.go_on();
                live(&fleet, &first).await;
            }
        }
    }
    let what = case.to_string();
    fleet.assert_failed(behind, "not_found").await;
    case.kind.check_accepted(&fleet, &what);
    case.kind.check_end(&fleet, job, &what).await;
    fleet.end().await;
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_an_error_or_a_second_run_at_any_statement_loses_and_doubles_nothing() {
    let met: Vec<(Case, bool)> = stream::iter(cases(points().await))
        .map(|case| async move {
            let met = befalls(&case).await;
            (case, met)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let count = met.iter().filter(|(_, met)| *met).count();
    println!("{count} of {} cases were met", met.len());
    // A case may come too late on a busy machine: a repeated look that is not repeated, say.
    let missed = met.iter().filter(|(missed, _)| {
        let same = |case: &Case| (case.kind, &case.point) == (missed.kind, &missed.point);
        missed.point.before == 0 && !met.iter().any(|(case, met)| *met && same(case))
    });
    let missed: Vec<String> = missed.map(|(case, _)| case.to_string()).collect();
    assert!(missed.is_empty(), "never came: {missed:?}");
    for statement in ["claim", "outcome", "wake_due", "rescue"] {
        let there = |(case, _): &(Case, bool)| case.point.statement == statement;
        assert!(met.iter().any(there), "{statement} goes by another name");
    }
}
