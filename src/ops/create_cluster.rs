//! Creates a cluster as eksctl does: looks up whether AWS offers what is asked for, then makes its
//! stack, access entries, add-ons, identity provider, roles of `ServiceAccounts`, how long logs are kept,
//! Fargate profiles, `CoreDNS`, nodegroups, metrics-server, pod identity associations, capabilities; and last, closes the Kubernetes API of a private
//! one to the internet.
//!
//! Steps: those of the plan (`domain::cluster::plan`), which begin with `start`, the first of them.
//! Each looks first and then acts, and adopts what an earlier try of the same cluster has made: so
//! that a job that failed can be retried, and goes on where it ended.

mod access_entries;
mod add_ons;
mod addon_needs;
mod capabilities;
mod cluster_stack;
mod control_plane;
mod coredns;
mod endpoint_access;
mod given_parts;
mod identity_mappings;
mod identity_providers;
mod in_cluster;
mod late_add_ons;
mod log_retention;
mod network;
mod node_lookups;
mod node_network;
mod nodegroups;
mod oidc;
mod pod_identities;
mod preflight;
mod profiles;
mod ready_nodes;
mod roles;
mod service_accounts;
mod stack;
mod vpc_cni_role;
mod vpc_endpoints;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access_entry::Waiting;
use super::context::Context;
use super::coredns::Moving;
use super::failures::{also_said, failure, not_found};
use super::following::Pace;
use super::patience::Waited;
use super::profile_creation::Asking;
use super::refused;
use super::stack_creation::{Making, digest};
use super::stage::{Kept, Stage};
use crate::domain::cluster::{
    ClusterSpec, ClusterStep, NetworkPlan, ResolvedVersions, names, plan,
};
use crate::domain::job_input::{CreateClusterInput, JobResult};
use crate::domain::{ClusterView, ErrorCode, RoleArn};
use crate::queue::backoff::Backoff;
use crate::queue::{Failure, Verdict};

/// The stack of a cluster takes ten to twenty minutes; that of a nodegroup three to ten.
const STACK: Pace = Pace {
    delays: Backoff::millis(&[10_000, 20_000, 30_000, 30_000, 30_000, 45_000, 60_000]),
    longest: Duration::from_mins(90),
};

/// What EKS does to a cluster or an add-on by itself.
const SETTLING: Pace = Pace {
    delays: Backoff::millis(&[5_000, 5_000, 10_000, 10_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(30),
};

/// How far a creation has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Creation {
    /// Looked up once, so that every try of the job makes the same.
    resolved: ResolvedVersions,
    /// Default add-ons that the cluster goes without, because AWS refused them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    skipped: BTreeSet<String>,
    /// Stacks of nodegroups that AWS refused, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<String, Refused>,
    /// Chosen once, so that every try of the job makes the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkPlan>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stacks: BTreeMap<String, Making>,
    /// The pod execution role that the cluster's stack made.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleArn>,
    /// How many of the access entries are there.
    entries: usize,
    /// The next one, if AWS has refused it for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    letting_in: Option<Waiting>,
    /// How many of the Fargate profiles are ACTIVE.
    profiles: usize,
    /// The next one, if AWS has refused it for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<Asking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coredns: Option<Moving>,
    /// The update that closes the Kubernetes API to the internet.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<String>,
    nodes: ready_nodes::Looking,
    /// For a Kubernetes API that does not do what it is asked for.
    api: Waited,
    /// For a new role that EKS does not know yet.
    spreading: Waited,
    /// The update that associates the identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    associating: Option<String>,
}

/// A refusal that counts once all else has come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Refused {
    message: String,
    error: Value,
}

impl Refused {
    fn of(failure: &Failure) -> Self {
        Self {
            message: failure.message.clone(),
            error: failure.error.clone(),
        }
    }

    fn failure(&self) -> Failure {
        Failure {
            message: self.message.clone(),
            error: self.error.clone(),
        }
    }
}

/// A stage of a creation.
struct Creating<'a> {
    stage: Stage<'a, Creation>,
    spec: &'a ClusterSpec,
    digest: String,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let CreateClusterInput { spec } = context.input()?;
    let step = now(context)?;
    let kept: Kept<Creation> = context.data()?;
    // A retry looks versions up anew, and still knows the stacks of the earlier tries.
    let digest = digest(&spec);
    let spec = spec.with_versions(&kept.work.resolved);
    let mut creating = Creating {
        stage: Stage {
            context,
            step: step.as_str(),
            kept,
        },
        digest,
        spec: &spec,
    };
    match stage(&mut creating, step).await {
        Ok(message) => creating.go_on(step, message).await,
        Err(Verdict::Fail(failure)) => Err(Verdict::Fail(creating.left_behind(step, failure))),
        Err(verdict) => Err(verdict),
    }
}

/// The step that the job stands at.
fn now(context: &Context<'_>) -> Result<ClusterStep, Verdict> {
    match context.job.step.as_str() {
        "start" if context.job.cancel_requested => Err(Verdict::Canceled),
        "start" => Ok(ClusterStep::Preflight),
        step => step.parse().map_err(|_| {
            let message = format!("a creation of a cluster has no step {step}");
            Verdict::Fail(failure(ErrorCode::Internal, message))
        }),
    }
}

/// Takes one stage as far as it goes now. `Ok` means that it is done, in a sentence.
async fn stage(creating: &mut Creating<'_>, step: ClusterStep) -> Result<String, Verdict> {
    match step {
        ClusterStep::Preflight => preflight::stage(creating).await,
        ClusterStep::ClusterStack => cluster_stack::stage(creating).await,
        ClusterStep::AccessEntries => access_entries::stage(creating).await,
        ClusterStep::AddOns => add_ons::stage(creating).await,
        ClusterStep::ControlPlaneReady => control_plane::stage(creating).await,
        ClusterStep::Oidc => oidc::stage(creating).await,
        ClusterStep::ServiceAccounts => service_accounts::stage(creating).await,
        ClusterStep::VpcCniRole => vpc_cni_role::stage(creating).await,
        ClusterStep::LogRetention => log_retention::stage(creating).await,
        ClusterStep::FargateProfiles => profiles::stage(creating).await,
        ClusterStep::CoreDns => coredns::stage(creating).await,
        ClusterStep::IdentityProviders => identity_providers::stage(creating).await,
        ClusterStep::IdentityMappings => identity_mappings::stage(creating).await,
        ClusterStep::Nodegroups => nodegroups::stage(creating).await,
        ClusterStep::LateAddOns | ClusterStep::AddOnsReady => late_add_ons::stage(creating).await,
        ClusterStep::PodIdentities => pod_identities::stage(creating).await,
        ClusterStep::Capabilities => capabilities::stage(creating).await,
        ClusterStep::EndpointAccess => endpoint_access::stage(creating).await,
    }
}

impl Creating<'_> {
    fn name(&self) -> &str {
        self.spec.name.as_str()
    }

    /// Goes without a default add-on from now on.
    fn skip(&mut self, addon: &str) {
        self.stage.kept.work.skipped.insert(addon.to_owned());
    }

    fn is_skipped(&self, addon: &str) -> bool {
        self.stage.kept.work.skipped.contains(addon)
    }

    /// The next stage of the plan, or the end.
    async fn go_on(&self, done: ClusterStep, message: String) -> Result<Verdict, Verdict> {
        let plan = plan::steps(self.spec);
        let next = plan
            .iter()
            .skip_while(|step| step.name != done)
            .find(|step| step.name != done);
        if let Some(next) = next {
            return Ok(self.stage.then(next.name.as_str(), message));
        }
        let cluster = self.cluster().await?;
        Ok(Verdict::Done {
            message: format!("Cluster {} is ready.", self.name()),
            result: json!(JobResult {
                cluster: Some(cluster),
                ..JobResult::default()
            }),
        })
    }

    /// The cluster as EKS has it.
    async fn cluster(&self) -> Result<ClusterView, Verdict> {
        let context = self.stage.context;
        let name = self.name();
        match context.clusters().cluster(name).await {
            Ok(Some(cluster)) => Ok(cluster),
            Ok(None) => Err(Verdict::Fail(not_found(
                "cluster",
                format!("cluster {name} was deleted by someone else while it was made"),
            ))),
            Err(refusal) => Err(refused::verdict(context, refusal).await),
        }
    }

    /// The same failure, and what there is by now of the cluster.
    fn left_behind(&self, step: ClusterStep, failure: Failure) -> Failure {
        // What becomes of the cluster's own stack, its failure tells.
        if matches!(step, ClusterStep::Preflight | ClusterStep::ClusterStack) {
            return failure;
        }
        let work = &self.stage.kept.work;
        let stack = names::cluster_stack(&self.spec.name);
        let mut left = vec![format!("stack {stack} with the control plane")];
        let made = self.spec.fargate_profiles.iter().take(work.profiles);
        let made: Vec<&str> = made
            .filter_map(|profile| Some(profile.name.as_ref()?.as_str()))
            .collect();
        if !made.is_empty() {
            left.push(format!("Fargate profiles {}", made.join(", ")));
        }
        let others = work
            .stacks
            .iter()
            .filter(|(name, making)| **name != stack && making.id.is_some());
        left.extend(others.map(|(name, _)| format!("stack {name}")));
        let said = format!(
            "left behind: {}; retry the job to go on from there, or delete the cluster",
            left.join(", ")
        );
        also_said(failure, &said)
    }
}
