//! Every operation, with every step run twice, and with a crash before and after each AWS call.

use std::time::Duration;

use fargate_fleet::ops::Operations;
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, WorkerOptions};
use fargate_fleet::sim::Fault;
use futures_util::{StreamExt, stream};
use sqlx::PgPool;
use uuid::Uuid;

use super::support::{Fleet, SPEED, fault};
use crate::queue::support::options;

/// Fleets that run side by side.
const AT_ONCE: usize = 6;

/// One kind of job, arranged on a fresh fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    CreateUnnamed,
    Delete,
    DeleteWithoutWait,
    Get,
    List,
}

const KINDS: [Kind; 6] = [
    Kind::Create,
    Kind::CreateUnnamed,
    Kind::Delete,
    Kind::DeleteWithoutWait,
    Kind::Get,
    Kind::List,
];

impl Kind {
    pub async fn submit(self, fleet: &Fleet) -> Uuid {
        fleet.put("fp-there", "there", "ACTIVE");
        match self {
            Self::Create => fleet.create("fp-new", "new").await,
            Self::CreateUnnamed => fleet.create_unnamed("new").await,
            Self::Delete => fleet.delete("fp-there", true).await,
            Self::DeleteWithoutWait => fleet.delete("fp-there", false).await,
            Self::Get => fleet.get("fp-there").await,
            Self::List => fleet.list().await,
        }
    }

    /// However often AWS was asked, it has begun one change at most, and that of the right kind.
    pub fn check_accepted(self, fleet: &Fleet, what: &str) {
        let calls = fleet.sim.record().calls;
        let accepted = calls.iter().filter(|call| call.changed);
        let accepted: Vec<&str> = accepted.map(|call| call.action.as_str()).collect();
        let expected: &[&str] = match self {
            Self::Create | Self::CreateUnnamed => &["CreateFargateProfile"],
            Self::Delete | Self::DeleteWithoutWait => &["DeleteFargateProfile"],
            Self::Get | Self::List => &[],
        };
        assert_eq!(accepted, expected, "{self:?}, {what}");
    }

    /// What must be true in the end, however often anything was run.
    pub async fn check_end(self, fleet: &Fleet, job: Uuid, what: &str) {
        let state = fleet.queue.column(job, "state").await;
        let message = fleet.queue.column(job, "message").await;
        assert_eq!(state, "succeeded", "{self:?}, {what}: {message}");
        let name = fleet.queue.column(job, "profile_name").await;
        let status = fleet.status(&name);
        let status = status.as_deref();
        match self {
            Self::Create | Self::CreateUnnamed => {
                assert_eq!(status, Some("ACTIVE"), "{self:?}, {what}");
            }
            Self::Delete => assert_eq!(status, None, "{self:?}, {what}"),
            Self::DeleteWithoutWait => assert_ne!(status, Some("ACTIVE"), "{self:?}, {what}"),
            Self::Get | Self::List => {}
        }
    }

    /// The same, and that no second profile was made.
    async fn check(self, fleet: &Fleet, job: Uuid, what: &str) {
        self.check_end(fleet, job, what).await;
        if let Self::Create | Self::CreateUnnamed = self {
            let check = fleet.list().await;
            fleet.run().await;
            let count = fleet
                .queue
                .column(check, "jsonb_array_length(result->'profiles')");
            assert_eq!(count.await, "2", "{self:?}, {what}: one made");
        }
    }
}

/// Runs every step twice, the second time from what the first has written down.
struct Twice {
    operations: Operations,
    pool: PgPool,
}

impl Handler for Twice {
    async fn run(&self, job: &ClaimedJob, lease: &Lease) -> Verdict {
        // The first verdict is lost, as it is when the worker dies before writing it.
        let _ = self.operations.run(job, lease).await;
        let mut again = job.clone();
        (again.step, again.step_data, again.profile_name) =
            sqlx::query_as("select step, step_data, profile_name from jobs where job_id = $1")
                .bind(job.job_id)
                .fetch_one(&self.pool)
                .await
                .unwrap();
        self.operations.run(&again, lease).await
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        self.operations.failure(trouble)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_step_may_run_twice() {
    for kind in KINDS {
        let fleet = Fleet::new().await;
        let job = kind.submit(&fleet).await;
        let twice = Twice {
            operations: fleet.operations().await,
            pool: fleet.queue.pool().clone(),
        };
        let worker = fleet.queue.worker_with(
            twice,
            WorkerOptions {
                time_scale: SPEED,
                ..options()
            },
        );
        fleet.queue.until_idle().await;
        worker.drain(Duration::from_secs(5)).await.unwrap();
        kind.check(&fleet, job, "every step twice").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0", "{kind:?}");
    }
}

/// The calls that a clean run makes, as (action, how many of that action came before).
async fn calls_of(kind: Kind) -> Vec<(String, u32)> {
    let fleet = Fleet::new().await;
    let job = kind.submit(&fleet).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let mut seen: Vec<(String, u32)> = Vec::new();
    for call in fleet.sim.record().calls {
        let before = seen
            .iter()
            .filter(|(action, _)| *action == call.action)
            .count();
        // The fourth look at the same thing is as the third.
        if before < 3 {
            seen.push((call.action, u32::try_from(before).unwrap()));
        }
    }
    seen
}

/// The calls of all kinds.
async fn calls() -> Vec<(Kind, String, u32)> {
    let mut calls = Vec::new();
    for kind in KINDS {
        calls.extend(
            calls_of(kind)
                .await
                .into_iter()
                .map(|(action, n)| (kind, action, n)),
        );
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_before_or_after_any_aws_call_loses_and_doubles_nothing() {
    let cases = calls()
        .await
        .into_iter()
        .flat_map(|(kind, action, before)| {
            [false, true].map(|applied| (kind, action.clone(), before, applied))
        });
    stream::iter(cases)
        .for_each_concurrent(AT_ONCE, |(kind, action, before, applied)| async move {
            crash_at(kind, &action, before, applied).await;
        })
        .await;
}

/// A worker dies while the call hangs, before or after AWS has applied it; another goes on.
async fn crash_at(kind: Kind, action: &str, before: u32, applied: bool) {
    const FOREVER: u64 = 20_000;
    let what = format!("crash at {action} #{before}, applied: {applied}");
    let fleet = Fleet::new().await;
    let hang = Fault {
        skip: Some(before),
        delay_ms: (!applied).then_some(FOREVER),
        delay_after_ms: applied.then_some(FOREVER),
        ..fault(action)
    };
    fleet.sim.add_faults(vec![hang]);
    // Nothing gets done meanwhile, so that the call surely comes.
    fleet.sim.freeze();
    let job = kind.submit(&fleet).await;
    let lease = Duration::from_millis(400);
    let worker_options = WorkerOptions {
        time_scale: SPEED,
        lease,
        ..options()
    };
    let first = fleet
        .queue
        .worker_with(fleet.operations().await, worker_options.clone());
    fleet.until_called(action, before).await;
    first.crash().await;
    fleet.sim.thaw();

    let second = fleet
        .queue
        .worker_with(fleet.operations().await, worker_options);
    fleet.queue.until_idle().await;
    second.drain(Duration::from_secs(5)).await.unwrap();
    kind.check(&fleet, job, &what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_was_lost_on_the_way_does_no_harm() {
    stream::iter(calls().await)
        .for_each_concurrent(AT_ONCE, |(kind, action, before)| async move {
            let fleet = Fleet::new().await;
            let cut = Fault {
                skip: Some(before),
                cut: true,
                ..fault(&action)
            };
            fleet.sim.add_faults(vec![cut]);
            let job = kind.submit(&fleet).await;
            fleet.sim.freeze();
            let worker = fleet.worker().await;
            fleet.until_called(&action, before).await;
            fleet.sim.thaw();
            fleet.queue.until_idle().await;
            worker.drain(Duration::from_secs(5)).await.unwrap();
            kind.check(&fleet, job, &format!("answer of {action} #{before} lost"))
                .await;
        })
        .await;
}
