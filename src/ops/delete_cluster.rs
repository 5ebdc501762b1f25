//! Deletes a cluster with all that was made for it: its Fargate profiles one by one, the stack of
//! their role, its nodegroups, its identity provider, its own stack.
//!
//! Steps: `start`, which is refused a cluster that has no stack of eksctl's form, unless that was
//! asked for; then one for each kind of thing. Each looks first and then acts. From the first change
//! on, what is not there is what was wanted.

mod control_plane;
mod nodegroups;
mod oidc;
mod profiles;
mod stacks;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::database_trouble;
use super::failures::{failure, not_found};
use super::following::Pace;
use super::profile_deletion::Asking;
use super::refused;
use super::stack_deletion::{Deleting, stack};
use super::stage::Stage;
use crate::aws::cloudformation::Stack;
use crate::db::jobs;
use crate::domain::cluster::names;
use crate::domain::job_input::{DeleteClusterInput, JobResult};
use crate::domain::{ClusterName, ClusterView, ErrorCode};
use crate::queue::Verdict;
use crate::queue::backoff::Backoff;

/// The stack of a cluster takes five to fifteen minutes, and so do nodegroups.
const REMOVAL: Pace = Pace {
    delays: Backoff::millis(&[10_000, 15_000, 20_000, 30_000, 30_000, 45_000, 60_000]),
    longest: Duration::from_mins(90),
};

const PROFILES: &str = "fargate_profiles";
const ROLE: &str = "fargate_role";
const NODEGROUP_STACKS: &str = "nodegroup_stacks";
const NODEGROUPS: &str = "nodegroups";
const OIDC: &str = "oidc";
const CLUSTER: &str = "cluster";

/// The steps after `start`.
const ORDER: [&str; 6] = [PROFILES, ROLE, NODEGROUP_STACKS, NODEGROUPS, OIDC, CLUSTER];

/// How far a deletion has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Removal {
    /// The id of the cluster's stack; none of a cluster that is not eksctl's or ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    /// The cluster's OIDC issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// The profile that is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// If AWS has refused to delete it for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<Asking>,
    /// The stacks of this step, by their ids, once they were listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    stacks: Option<BTreeSet<String>>,
    deleting: Deleting,
    /// The managed nodegroups whose deletion AWS has accepted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    nodegroups: BTreeSet<String>,
}

/// A stage of a deletion.
struct Removing<'a> {
    stage: Stage<'a, Removal>,
    name: ClusterName,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let name = ClusterName::parse(context.cluster)
        .map_err(|error| Verdict::Fail(failure(ErrorCode::Internal, error.message())))?;
    let step = context.job.step.as_str();
    let step = ORDER.iter().copied().find(|one| *one == step);
    let mut removing = Removing {
        stage: Stage {
            context,
            step: step.unwrap_or("start"),
            kept: context.data()?,
        },
        name,
    };
    let message = match step {
        None => start(&mut removing).await?,
        Some(PROFILES) => profiles::stage(&mut removing).await?,
        Some(ROLE) => stacks::role(&mut removing).await?,
        Some(NODEGROUP_STACKS) => stacks::others(&mut removing).await?,
        Some(NODEGROUPS) => nodegroups::stage(&mut removing).await?,
        Some(OIDC) => oidc::stage(&mut removing).await?,
        Some(_) => control_plane::stage(&mut removing).await?,
    };
    Ok(removing.go_on(message))
}

/// Whose cluster it is, and what will be needed when it is gone.
async fn start(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let context = removing.stage.context;
    if context.job.cancel_requested {
        return Err(Verdict::Canceled);
    }
    let DeleteClusterInput { unowned } = context.input()?;
    let name = &removing.name;
    let stack = stack(context, &names::cluster_stack(name)).await?;
    let cluster = match context.clusters().cluster(name.as_str()).await {
        Ok(cluster) => cluster,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let stack = stack.filter(|stack| {
        names::are_of(&stack.tags, name.as_str())
            && cluster.as_ref().is_none_or(|cluster| holds(stack, cluster))
    });
    match (&cluster, &stack) {
        (None, None) => return Err(not_there(context).await),
        (Some(_), None) if !unowned => {
            let message = format!(
                "cluster {name} has no stack {}, so neither eksctl nor this service made it; with \
                 unowned=true its Fargate profiles, nodegroups and control plane are deleted, and \
                 the rest is left",
                names::cluster_stack(name)
            );
            return Err(Verdict::Fail(failure(ErrorCode::Conflict, message)));
        }
        _ => {}
    }
    let message = format!("Deleting cluster {name}.");
    let work = &mut removing.stage.kept.work;
    work.stack = stack.map(|stack| stack.id);
    work.issuer = cluster.and_then(|cluster| cluster.oidc_issuer);
    Ok(message)
}

/// Whether it is that cluster's stack, and not what is left of an older one.
fn holds(stack: &Stack, cluster: &ClusterView) -> bool {
    match stack.status.as_str() {
        // It was rolled back, and holds nothing.
        "ROLLBACK_COMPLETE" => false,
        status if status.ends_with("_FAILED") => names::are_of(&cluster.tags, &cluster.name),
        _ => true,
    }
}

/// Nothing to delete at the first look: no error when another job did it while this one waited.
async fn not_there(context: &Context<'_>) -> Verdict {
    let (job, name) = (context.job, context.cluster);
    match jobs::cluster_deleted_meanwhile(context.pool, &job.account_id, job.job_id).await {
        Ok(true) => done(format!(
            "Cluster {name} was deleted by another job while this one waited."
        )),
        Ok(false) => {
            let message = format!("there is no cluster {name} in {}", job.region);
            Verdict::Fail(not_found("cluster", message))
        }
        Err(error) => database_trouble(context.lease, &error),
    }
}

impl Removing<'_> {
    /// The next stage, or the end.
    fn go_on(&mut self, message: String) -> Verdict {
        self.stage.kept.work.stacks = None;
        let next = match ORDER.iter().position(|step| *step == self.stage.step) {
            Some(at) => ORDER.get(at + 1),
            None => ORDER.first(),
        };
        match next {
            Some(next) => self.stage.then(next, message),
            None => done(message),
        }
    }
}

fn done(message: String) -> Verdict {
    Verdict::Done {
        result: json!(JobResult::default()),
        message,
    }
}
