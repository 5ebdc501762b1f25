//! Every operation, with every step run twice, and with a crash before and after each AWS call.

use std::collections::HashSet;
use std::time::Duration;

use fargate_fleet::domain::Warning;
use fargate_fleet::ops::Operations;
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, WorkerOptions};
use fargate_fleet::sim::Fault;
use futures_util::{StreamExt, stream};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::access_entries::{ADMINS, admins};
use super::clusters::support::{NEW, full};
use super::clusters::workloads::{WORKLOADS_CREATION, workloads};
use super::support::{Fleet, ROLE_STACK, SPEED, create_input, fault, roleless_input};
use crate::queue::support::options;

/// Fleets that run side by side.
const AT_ONCE: usize = 6;

/// One kind of job, arranged on a fresh fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    CreateUnnamed,
    /// A creation that finds its profile there, with other tags.
    CreateTagged,
    Delete,
    DeleteWithoutWait,
    Get,
    List,
    PutEntry,
    DeleteEntry,
    CreateCluster,
    DeleteCluster,
    /// A cluster whose workloads act under roles.
    CreateWorkloads,
    /// A creation that has its role made.
    CreateWithRole,
    /// A creation that moves CoreDNS.
    CreateOntoFargate,
    /// A creation that makes the pods of CoreDNS anew, because they are older than the profile.
    CreateAndRestart,
    /// The deletion of the last profile of a role that was made.
    DeleteWithRole,
    DeleteWithRoleWithoutWait,
}

/// Of profiles.
const KINDS: [Kind; 7] = [
    Kind::Create,
    Kind::CreateUnnamed,
    Kind::CreateTagged,
    Kind::Delete,
    Kind::DeleteWithoutWait,
    Kind::Get,
    Kind::List,
];

/// Of profiles with what goes with them, which take two changes.
const KINDS_OF_TWO: [Kind; 5] = [
    Kind::CreateWithRole,
    Kind::CreateOntoFargate,
    Kind::CreateAndRestart,
    Kind::DeleteWithRole,
    Kind::DeleteWithRoleWithoutWait,
];

/// Of access entries.
const ENTRY_KINDS: [Kind; 2] = [Kind::PutEntry, Kind::DeleteEntry];

/// The last profile of its role.
const LAST: &str = "fp-last";

/// Of clusters, which take many changes.
const CLUSTER_KINDS: [Kind; 3] = [
    Kind::CreateCluster,
    Kind::DeleteCluster,
    Kind::CreateWorkloads,
];

/// What creating the cluster begins at AWS, in this order; nodegroups are asked for at once.
const CREATION: [&str; 14] = [
    "CreateStack eksctl-new-1-cluster",
    "CreateAccessEntry",
    "AssociateAccessPolicy",
    "CreateAddon vpc-cni",
    "CreateAddon kube-proxy",
    "CreateOpenIDConnectProvider",
    "CreateStack eksctl-new-1-addon-vpc-cni",
    "UpdateAddon vpc-cni",
    "CreateFargateProfile fp-a",
    "CreateFargateProfile fp-b",
    "CreateAddon coredns",
    "CreateStack eksctl-new-1-nodegroup-ng-1",
    "CreateStack eksctl-new-1-nodegroup-ng-2",
    "CreateAddon metrics-server",
];

/// And what deleting it does.
const DELETION: [&str; 12] = [
    "KubernetesDelete services/default/web",
    "DeleteFargateProfile fp-a",
    "DeleteFargateProfile fp-b",
    "UpdateTerminationProtection eksctl-new-1-nodegroup-ng-1",
    "DeleteStack eksctl-new-1-nodegroup-ng-1",
    "UpdateTerminationProtection eksctl-new-1-nodegroup-ng-2",
    "DeleteStack eksctl-new-1-nodegroup-ng-2",
    "UpdateTerminationProtection eksctl-new-1-addon-vpc-cni",
    "DeleteStack eksctl-new-1-addon-vpc-cni",
    "DeleteOpenIDConnectProvider",
    "UpdateTerminationProtection eksctl-new-1-cluster",
    "DeleteStack eksctl-new-1-cluster",
];

impl Kind {
    /// What the job finds; how many calls that took.
    async fn prepare(self, fleet: &Fleet) -> usize {
        if self == Self::DeleteCluster {
            fleet.have_cluster(&full(NEW)).await;
            fleet.expose(NEW, "web").await;
        }
        if self == Self::DeleteEntry {
            fleet.put_entry(&admins()).await;
            fleet.run().await;
        }
        if self == Self::CreateAndRestart {
            fleet.configure_old_coredns().await;
        }
        if let Self::DeleteWithRole | Self::DeleteWithRoleWithoutWait = self {
            let role = fleet.put_role_stack(ROLE_STACK).await;
            fleet.put_with_role(LAST, &role);
        }
        fleet.sim.record().calls.len()
    }

    pub async fn submit(self, fleet: &Fleet) -> Uuid {
        fleet.put("fp-there", "there", "ACTIVE");
        match self {
            Self::CreateCluster => fleet.create_cluster(&full(NEW)).await,
            Self::DeleteCluster => fleet.delete_cluster(NEW, false).await,
            Self::CreateWorkloads => fleet.create_cluster(&workloads(NEW)).await,
            Self::Create => fleet.create("fp-new", "new").await,
            Self::CreateUnnamed => fleet.create_unnamed("new").await,
            Self::CreateTagged => {
                let mut input = create_input(Some("fp-there"), "there");
                input["profile"]["tags"] = json!({"cost-center": "2"});
                let kind = "create_fargate_profile";
                fleet.submit(kind, Some("fp-there"), input).await
            }
            Self::Delete => fleet.delete("fp-there", true).await,
            Self::DeleteWithoutWait => fleet.delete("fp-there", false).await,
            Self::PutEntry => fleet.put_entry(&admins()).await,
            Self::DeleteEntry => fleet.delete_entry(ADMINS).await,
            Self::Get => fleet.get("fp-there").await,
            Self::List => fleet.list().await,
            Self::CreateWithRole => {
                let (kind, input) = ("create_fargate_profile", roleless_input("fp-new", "new"));
                fleet.submit(kind, Some("fp-new"), input).await
            }
            Self::CreateOntoFargate | Self::CreateAndRestart => {
                fleet.create("fp-new", "kube-system").await
            }
            Self::DeleteWithRole => fleet.delete(LAST, true).await,
            Self::DeleteWithRoleWithoutWait => fleet.delete(LAST, false).await,
        }
    }

    /// However often AWS was asked, it has begun one change at most, and that of the right kind.
    pub fn check_accepted(self, fleet: &Fleet, what: &str) {
        let calls = fleet.sim.record().calls;
        let accepted = calls.iter().filter(|call| call.changed);
        let accepted: Vec<&str> = accepted.map(|call| call.action.as_str()).collect();
        let expected: &[&str] = match self {
            Self::Create | Self::CreateUnnamed => &["CreateFargateProfile"],
            // Setting the same tags twice is no second change.
            Self::CreateTagged => return,
            Self::Delete | Self::DeleteWithoutWait => &["DeleteFargateProfile"],
            Self::Get | Self::List => &[],
            Self::PutEntry => &["CreateAccessEntry", "AssociateAccessPolicy"],
            // It was made before.
            Self::DeleteEntry => &[
                "CreateAccessEntry",
                "AssociateAccessPolicy",
                "DeleteAccessEntry",
            ],
            Self::CreateWithRole => &["CreateStack", "CreateFargateProfile"],
            Self::CreateOntoFargate => &["CreateFargateProfile", "UpdateAddon"],
            // The first update was made before.
            Self::CreateAndRestart => &["UpdateAddon", "CreateFargateProfile", "UpdateAddon"],
            // The stack was made before.
            Self::DeleteWithRole | Self::DeleteWithRoleWithoutWait => &[
                "CreateStack",
                "DeleteFargateProfile",
                "UpdateTerminationProtection",
                "DeleteStack",
            ],
            Self::CreateCluster | Self::DeleteCluster | Self::CreateWorkloads => {
                return self.check_begun(fleet, what);
            }
        };
        assert_eq!(accepted, expected, "{self:?}, {what}");
    }

    /// Everything once, in its order.
    fn check_begun(self, fleet: &Fleet, what: &str) {
        let expected: &[&str] = match self {
            Self::CreateCluster => &CREATION,
            Self::CreateWorkloads => &WORKLOADS_CREATION,
            _ => &DELETION,
        };
        let mut begun = fleet.begun();
        if self == Self::CreateWorkloads {
            let last = begun.pop();
            assert_eq!(
                last.as_deref(),
                Some("CreatePodIdentityAssociation"),
                "{what}"
            );
        }
        if self == Self::DeleteCluster {
            // And the Service that was made then.
            begun.drain(..=CREATION.len());
            // By id, so in any order.
            begun.sort_by_key(|call| expected.iter().position(|one| call.starts_with(one)));
        }
        let same = begun.len() == expected.len();
        let same = same
            && begun
                .iter()
                .zip(expected)
                .all(|(call, one)| call.starts_with(one));
        assert!(same, "{self:?}, {what}: {begun:#?}");
    }

    /// What must be true in the end, however often anything was run.
    pub async fn check_end(self, fleet: &Fleet, job: Uuid, what: &str) {
        let state = fleet.queue.column(job, "state").await;
        let message = fleet.queue.column(job, "message").await;
        assert_eq!(state, "succeeded", "{self:?}, {what}: {message}");
        if CLUSTER_KINDS.contains(&self) {
            self.check_begun(fleet, what);
            let parts = fleet.sim.inventory();
            let left = parts.iter().any(|part| part.contains(NEW));
            assert_eq!(left, self != Self::DeleteCluster, "{what}: {parts:#?}");
            return;
        }
        if ENTRY_KINDS.contains(&self) {
            return self.check_accepted(fleet, what);
        }
        let name = fleet.queue.column(job, "profile_name").await;
        let status = fleet.status(&name);
        let status = status.as_deref();
        match self {
            Self::Create | Self::CreateUnnamed => {
                assert_eq!(status, Some("ACTIVE"), "{self:?}, {what}");
            }
            Self::CreateTagged => self.check_tags(fleet, job, what).await,
            Self::Delete => assert_eq!(status, None, "{self:?}, {what}"),
            Self::DeleteWithoutWait => assert_ne!(status, Some("ACTIVE"), "{self:?}, {what}"),
            Self::Get
            | Self::List
            | Self::CreateCluster
            | Self::CreateWorkloads
            | Self::DeleteCluster => {}
            _ => self.check_both(fleet, job, what).await,
        }
    }

    /// The tags are there, and the caller was told so once.
    async fn check_tags(self, fleet: &Fleet, job: Uuid, what: &str) {
        let warnings = fleet.queue.column(job, "warnings").await;
        let warnings: Vec<Warning> = serde_json::from_str(&warnings).unwrap();
        let codes: Vec<&str> = warnings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["tags_updated"], "{self:?}, {what}");
        let read = fleet.get("fp-there").await;
        fleet.run().await;
        let tags = fleet.profile_of(read).await.tags;
        assert_eq!(tags["cost-center"], "2", "{self:?}, {what}");
        let asked = fleet.calls("CreateFargateProfile", None);
        assert_eq!(asked, 0, "{self:?}, {what}: it was there");
    }

    /// The profile, and what goes with it.
    async fn check_both(self, fleet: &Fleet, job: Uuid, what: &str) {
        self.check_accepted(fleet, what);
        let warnings = fleet.queue.column(job, "warnings").await;
        assert_eq!(warnings, "[]", "{self:?}, {what}");
        fleet.sim.advance(Duration::from_mins(30));
        let onto_fargate = matches!(self, Self::CreateOntoFargate | Self::CreateAndRestart);
        let creates = onto_fargate || self == Self::CreateWithRole;
        let name = if creates { "fp-new" } else { LAST };
        let expected = creates.then_some("ACTIVE");
        assert_eq!(fleet.status(name).as_deref(), expected, "{self:?}, {what}");
        let parts = fleet.sim.inventory().into_iter();
        let stacks = parts.filter(|part| part.ends_with(ROLE_STACK)).count();
        let expected = usize::from(self == Self::CreateWithRole);
        assert_eq!(stacks, expected, "{self:?}, {what}");
        if onto_fargate {
            let settings = fleet.coredns_settings().await;
            assert_eq!(settings["computeType"], "Fargate", "{self:?}, {what}");
        }
    }

    /// The same, and that no second profile was made.
    async fn check(self, fleet: &Fleet, job: Uuid, what: &str) {
        self.check_end(fleet, job, what).await;
        let twins = [
            Self::Create,
            Self::CreateUnnamed,
            Self::CreateWithRole,
            Self::CreateOntoFargate,
            Self::CreateAndRestart,
        ];
        if twins.contains(&self) {
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
    let all = KINDS.into_iter().chain(KINDS_OF_TWO).chain(ENTRY_KINDS);
    for kind in all.chain(CLUSTER_KINDS) {
        let fleet = Fleet::new().await;
        kind.prepare(&fleet).await;
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

/// Whether a call changes nothing.
fn is_look(action: &str) -> bool {
    let looks = ["Assume", "Describe", "Get", "KubernetesList", "List"];
    looks.iter().any(|verb| action.starts_with(verb))
}

/// The calls that a clean run makes, as (action, how many of that action came before).
async fn calls_of(kind: Kind) -> Vec<(String, u32)> {
    let fleet = Fleet::new().await;
    let prepared = kind.prepare(&fleet).await;
    let job = kind.submit(&fleet).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let mut seen: Vec<(String, u32)> = Vec::new();
    for call in fleet.sim.record().calls.split_off(prepared) {
        let before = seen
            .iter()
            .filter(|(action, _)| *action == call.action)
            .count();
        // The fourth look at the same thing is as the third, the fourth change is not as the third.
        let enough = match kind {
            _ if !is_look(&call.action) => 10,
            _ if KINDS.contains(&kind) => 3,
            // Each of these runs for seconds.
            Kind::CreateCluster | Kind::CreateWorkloads | Kind::DeleteCluster => 1,
            _ => 2,
        };
        if before < enough {
            seen.push((call.action, u32::try_from(before).unwrap()));
        }
    }
    seen
}

/// The calls of these kinds. A cluster with workloads is looked at only where it makes a call that no
/// other creation makes: each case is a whole creation.
async fn calls(kinds: &[Kind]) -> Vec<(Kind, String, u32)> {
    let mut calls: Vec<(Kind, String, u32)> = Vec::new();
    for kind in kinds.iter().copied() {
        calls.extend(
            calls_of(kind)
                .await
                .into_iter()
                .map(|(action, n)| (kind, action, n)),
        );
    }
    let of_every_creation: HashSet<(String, u32)> = calls
        .iter()
        .filter(|(kind, ..)| *kind == Kind::CreateCluster)
        .map(|(_, action, n)| (action.clone(), *n))
        .collect();
    calls.retain(|(kind, action, n)| {
        *kind != Kind::CreateWorkloads || !of_every_creation.contains(&(action.clone(), *n))
    });
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_before_or_after_any_aws_call_loses_and_doubles_nothing() {
    crashes(&KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_at_any_call_about_an_access_entry_loses_and_doubles_nothing() {
    crashes(&ENTRY_KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_at_any_call_of_a_cluster_loses_and_doubles_nothing() {
    crashes(&CLUSTER_KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_at_any_call_about_a_role_or_coredns_loses_and_doubles_nothing() {
    crashes(&KINDS_OF_TWO).await;
}

/// A call at which something happens.
#[derive(Debug)]
struct Point {
    action: String,
    /// How many of that action come before.
    before: u32,
    /// After AWS has applied it.
    applied: bool,
}

impl Point {
    const fn new(action: String, before: u32, applied: bool) -> Self {
        Self {
            action,
            before,
            applied,
        }
    }
}

/// Deals points to runs, each in the order of its calls. A run of several changes takes seconds, so it
/// has several points: far from each other, and of different actions, because whoever goes on after a
/// crash may repeat the call.
fn runs(points: Vec<(Kind, Point)>) -> Vec<(Kind, Vec<Point>)> {
    const POINTS: usize = 4;
    let mut runs: Vec<(Kind, Vec<Point>)> = Vec::new();
    let mut points = points.into_iter().peekable();
    while let Some((kind, first)) = points.next() {
        let mut of_kind = vec![first];
        while let Some((_, point)) = points.next_if(|(next, _)| *next == kind) {
            of_kind.push(point);
        }
        let alone = KINDS.contains(&kind) || ENTRY_KINDS.contains(&kind);
        let wanted = of_kind.len().div_ceil(if alone { 1 } else { POINTS });
        let begin = runs.len();
        runs.extend((0..wanted).map(|_| (kind, Vec::new())));
        for (n, point) in of_kind.into_iter().enumerate() {
            let fits = |run: &[Point]| {
                run.len() < POINTS && run.iter().all(|other| other.action != point.action)
            };
            let turn = (0..wanted).map(|more| begin + (n + more) % wanted);
            match turn.into_iter().find(|run| fits(&runs[*run].1)) {
                Some(run) => runs[run].1.push(point),
                None => runs.push((kind, vec![point])),
            }
        }
    }
    runs
}

async fn crashes(kinds: &[Kind]) {
    let points = calls(kinds)
        .await
        .into_iter()
        .flat_map(|(kind, action, before)| {
            // To AWS, a crash before a look is as one after it. Each run of a cluster takes seconds.
            let both = !is_look(&action) || !CLUSTER_KINDS.contains(&kind);
            let applied = if both { &[false, true][..] } else { &[false] };
            applied
                .iter()
                .map(move |&applied| (kind, Point::new(action.clone(), before, applied)))
        });
    stream::iter(runs(points.collect()))
        .for_each_concurrent(AT_ONCE, |(kind, points)| async move {
            crash_at(kind, &points).await;
        })
        .await;
}

/// A worker dies while the call hangs, before or after AWS has applied it; another goes on, to the next
/// point.
async fn crash_at(kind: Kind, points: &[Point]) {
    const FOREVER: u64 = 20_000;
    let fleet = Fleet::new().await;
    kind.prepare(&fleet).await;
    let calls_before = calls_so_far(&fleet, points);
    let hang = |point: &Point| Fault {
        skip: Some(point.before),
        delay_ms: (!point.applied).then_some(FOREVER),
        delay_after_ms: point.applied.then_some(FOREVER),
        ..fault(&point.action)
    };
    fleet.sim.add_faults(points.iter().map(hang).collect());
    // Nothing gets done meanwhile, so that the call surely comes: unless it comes after others.
    if KINDS.contains(&kind) {
        fleet.sim.freeze();
    }
    let job = kind.submit(&fleet).await;
    let lease = Duration::from_millis(400);
    let worker_options = WorkerOptions {
        time_scale: SPEED,
        lease,
        ..options()
    };
    for (point, so_far) in points.iter().zip(calls_before) {
        let worker = fleet
            .queue
            .worker_with(fleet.operations().await, worker_options.clone());
        fleet
            .until_called(&point.action, so_far + point.before)
            .await;
        worker.crash().await;
        fleet.sim.thaw();
    }
    let last = fleet
        .queue
        .worker_with(fleet.operations().await, worker_options);
    fleet.queue.until_idle().await;
    last.drain(Duration::from_secs(5)).await.unwrap();
    kind.check(&fleet, job, &format!("crashes at {points:?}"))
        .await;
}

/// How many of each point's action were made already.
fn calls_so_far(fleet: &Fleet, points: &[Point]) -> Vec<u32> {
    let actions = points.iter().map(|point| fleet.calls(&point.action, None));
    actions.map(|calls| u32::try_from(calls).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_was_lost_on_the_way_does_no_harm() {
    lost_answers(&KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_about_an_access_entry_that_was_lost_on_the_way_does_no_harm() {
    lost_answers(&ENTRY_KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_about_a_cluster_that_was_lost_on_the_way_does_no_harm() {
    lost_answers(&CLUSTER_KINDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_about_a_role_or_coredns_that_was_lost_on_the_way_does_no_harm() {
    lost_answers(&KINDS_OF_TWO).await;
}

async fn lost_answers(kinds: &[Kind]) {
    let mut calls = calls(kinds).await;
    // A look whose answer was lost is a look that is repeated. Each run of a cluster takes seconds.
    calls.retain(|(kind, action, _)| !is_look(action) || !CLUSTER_KINDS.contains(kind));
    let points = calls
        .into_iter()
        .map(|(kind, action, before)| (kind, Point::new(action, before, true)));
    stream::iter(runs(points.collect()))
        .for_each_concurrent(AT_ONCE, |(kind, points)| async move {
            let fleet = Fleet::new().await;
            kind.prepare(&fleet).await;
            let calls_before = calls_so_far(&fleet, &points);
            let cut = |point: &Point| Fault {
                skip: Some(point.before),
                cut: true,
                ..fault(&point.action)
            };
            fleet.sim.add_faults(points.iter().map(cut).collect());
            let job = kind.submit(&fleet).await;
            if KINDS.contains(&kind) {
                fleet.sim.freeze();
            }
            let worker = fleet.worker().await;
            for (point, so_far) in points.iter().zip(calls_before) {
                fleet
                    .until_called(&point.action, so_far + point.before)
                    .await;
                fleet.sim.thaw();
            }
            fleet.queue.until_idle().await;
            worker.drain(Duration::from_secs(5)).await.unwrap();
            let what = format!("answers lost of {points:?}");
            kind.check(&fleet, job, &what).await;
        })
        .await;
}
