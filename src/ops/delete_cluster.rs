//! Deletes a cluster with all that was made for it: its EKS capabilities, its Fargate profiles one by one, the stack of
//! their role, its nodegroups, the roles of its workloads, its identity provider, its own stack.
//!
//! Steps: `start`, which reads everything that can refuse and fails before the first change if
//! something does; then one for each kind of thing. Each looks first and then acts. From the first
//! change on, what is not there is what was wanted.

mod balancers;
mod capabilities;
mod control_plane;
mod leftovers;
mod network;
mod nodegroups;
mod oidc;
mod plan;
mod profiles;
mod protection;
mod stacks;
mod survey;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::database_trouble;
use super::failures::{failure, not_found, together};
use super::following::Pace;
use super::profile_deletion::Asking;
use super::stack_deletion::Deleting;
use super::stage::Stage;
use crate::db::jobs;
use crate::domain::cluster::ClusterDeletionPlan;
use crate::domain::job_input::{DeleteClusterInput, JobResult};
use crate::domain::{ClusterName, ErrorCode};
use crate::queue::backoff::Backoff;
use crate::queue::{Failure, Verdict};
use survey::Survey;

/// The stack of a cluster takes five to fifteen minutes, and so do nodegroups.
const REMOVAL: Pace = Pace {
    delays: Backoff::millis(&[10_000, 15_000, 20_000, 30_000, 30_000, 45_000, 60_000]),
    longest: Duration::from_mins(90),
};

const PROTECTION: &str = "deletion_protection";
const CAPABILITY_STACKS: &str = "capability_stacks";
const CAPABILITIES: &str = "capabilities";
const BALANCERS: &str = "load_balancers";
const PROFILES: &str = "fargate_profiles";
const ROLE: &str = "fargate_role";
const NODEGROUP_STACKS: &str = "nodegroup_stacks";
const NODEGROUPS: &str = "nodegroups";
const ROLE_STACKS: &str = "role_stacks";
const NETWORK: &str = "network";
const OIDC: &str = "oidc";
const CLUSTER: &str = "cluster";

/// The steps after `start`.
const ORDER: [&str; 12] = [
    PROTECTION,
    CAPABILITY_STACKS,
    CAPABILITIES,
    BALANCERS,
    PROFILES,
    ROLE,
    NODEGROUP_STACKS,
    NODEGROUPS,
    ROLE_STACKS,
    OIDC,
    NETWORK,
    CLUSTER,
];

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
    /// The update that turns EKS's deletion protection off.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifting: Option<String>,
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
    /// The roles in them that have names of the caller's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    /// The managed nodegroups whose deletion AWS has accepted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    nodegroups: BTreeSet<String>,
    /// The capabilities whose deletion AWS has accepted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    capabilities: BTreeSet<String>,
}

/// A stage of a deletion.
struct Removing<'a> {
    stage: Stage<'a, Removal>,
    name: ClusterName,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let name = cluster_name(context)?;
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
        Some(PROTECTION) => protection::stage(&mut removing).await?,
        Some(CAPABILITY_STACKS) => stacks::capabilities(&mut removing).await?,
        Some(CAPABILITIES) => capabilities::stage(&mut removing).await?,
        Some(BALANCERS) => balancers::stage(&mut removing).await?,
        Some(PROFILES) => profiles::stage(&mut removing).await?,
        Some(ROLE) => stacks::role(&mut removing).await?,
        Some(NODEGROUP_STACKS) => stacks::nodegroups(&mut removing).await?,
        Some(NODEGROUPS) => nodegroups::stage(&mut removing).await?,
        Some(ROLE_STACKS) => stacks::others(&mut removing).await?,
        Some(NETWORK) => leftovers::stage(&mut removing).await?,
        Some(OIDC) => oidc::stage(&mut removing).await?,
        Some(_) => control_plane::stage(&mut removing).await?,
    };
    Ok(removing.go_on(message))
}

/// What `validateOnly` answers: the deletion as it would be begun now. Changes nothing.
pub(super) async fn plan(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let input: DeleteClusterInput = context.input()?;
    let name = cluster_name(context)?;
    let Some(survey) = Survey::take(context, &name).await? else {
        return Err(nobody(context));
    };
    let plan = plan::of(&survey, context, input);
    let message = match plan.obstacles.len() {
        0 => format!("Nothing stands in the way of deleting cluster {name}."),
        1 => format!("Something stands in the way of deleting cluster {name}."),
        n => format!("{n} things stand in the way of deleting cluster {name}."),
    };
    Ok(Verdict::Done {
        result: json!(JobResult {
            deletion_plan: Some(plan),
            ..JobResult::default()
        }),
        message,
    })
}

/// Asks everything that can refuse, and keeps what will be needed when it is gone.
async fn start(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let context = removing.stage.context;
    if context.job.cancel_requested {
        return Err(Verdict::Canceled);
    }
    let input: DeleteClusterInput = context.input()?;
    let Some(survey) = Survey::take(context, &removing.name).await? else {
        return Err(not_there(context).await);
    };
    if let Some(error) = survey.outage() {
        return Err(balancers::outage(removing, error));
    }
    let plan = plan::of(&survey, context, input);
    if let Some(failure) = refusal(&plan) {
        return Err(Verdict::Fail(failure));
    }
    if let Some(words) = survey.busy() {
        return Err(removing.stage.busy(&words));
    }
    survey.may_lift(context).await?;
    removing.stage.kept.work.roles = survey.named_roles(context).await?;
    let message = format!("Deleting cluster {}.", removing.name);
    let warnings = plan.warnings.iter().map(|warning| json!(warning)).collect();
    removing.stage.warn(&message, warnings).await?;
    let work = &mut removing.stage.kept.work;
    work.stack = survey.stack.map(|stack| stack.id);
    work.issuer = survey.cluster.and_then(|cluster| cluster.oidc_issuer);
    Ok(message)
}

/// Everything that keeps the deletion from being begun, in one failure with the first one's code.
fn refusal(plan: &ClusterDeletionPlan) -> Option<Failure> {
    let failures = plan.obstacles.iter();
    together(
        failures
            .map(|obstacle| failure(obstacle.code, &obstacle.message))
            .collect(),
    )
}

fn cluster_name(context: &Context<'_>) -> Result<ClusterName, Verdict> {
    ClusterName::parse(context.cluster)
        .map_err(|error| Verdict::Fail(failure(ErrorCode::Internal, error.message())))
}

fn nobody(context: &Context<'_>) -> Verdict {
    let (name, region) = (context.cluster, &context.job.region);
    let message = format!("there is no cluster {name} in {region}");
    Verdict::Fail(not_found("cluster", message))
}

/// Nothing to delete at the first look: no error when another job did it while this one waited.
async fn not_there(context: &Context<'_>) -> Verdict {
    let (job, name) = (context.job, context.cluster);
    let deleted = async {
        let mut connection = context.share.connection().await?;
        jobs::cluster_deleted_meanwhile(&mut *connection, &job.account_id, job.job_id).await
    };
    match deleted.await {
        Ok(true) => done(format!(
            "Cluster {name} was deleted by another job while this one waited."
        )),
        Ok(false) => nobody(context),
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
