//! The stacks that a creation makes: looked at, asked for, taken over, or made anew.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Creating, Refused, network, node_network};
use crate::aws::cloudformation::Stack;
use crate::domain::ErrorCode;
use crate::domain::cluster::spec::NodegroupSpec;
use crate::domain::cluster::{CapabilityStack, ClusterFacts, RoleStack, names, template};
use crate::ops::asked_by::{Change, asked_by};
use crate::ops::failures::{failure, together};
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::ops::stack_creation::{StackCreation, Standing};
use crate::queue::{Failure, Verdict};

/// What a stack is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// The network, the roles and the control plane.
    Cluster,
    /// A nodegroup.
    Nodegroup(&'a NodegroupSpec),
    /// The role of a workload.
    Role(&'a RoleStack),
    /// An EKS capability.
    Capability(&'a CapabilityStack),
}

/// Where a stack stands after this look.
pub(super) enum At {
    Complete(Stack),
    Waits(String),
    Failed(Failure),
    /// Not there, and not asked for.
    Held,
}

/// Brings stacks up: all are asked for, then all are followed, also when one has failed. `Ok` means that
/// all are there, in their order.
pub(super) async fn bring_up_all(
    creating: &mut Creating<'_>,
    purposes: &[Purpose<'_>],
    pace: &Pace,
) -> Result<Vec<Stack>, Verdict> {
    let (mut failed, mut waits, mut complete) = (Vec::new(), Vec::new(), Vec::new());
    for purpose in purposes {
        let name = name(creating, *purpose);
        // AWS refused it at an earlier look.
        if let Some(refused) = creating.stage.kept.work.refused.get(&name) {
            failed.push(refused.failure());
            continue;
        }
        let hold = !failed.is_empty();
        match bring_up(creating, *purpose, hold).await {
            Ok(At::Complete(stack)) => complete.push(stack),
            Ok(At::Held) => {}
            Ok(At::Waits(message)) => waits.push(message),
            Ok(At::Failed(failure)) => failed.push(failure),
            Err(Verdict::Fail(failure)) => {
                let refused = Refused::of(&failure);
                creating.stage.kept.work.refused.insert(name, refused);
                failed.push(failure);
            }
            Err(verdict) => return Err(verdict),
        }
    }
    // What is under way is followed to its end, also when another one has failed.
    if !waits.is_empty() {
        return Err(creating.stage.later(pace, told(waits)));
    }
    match together(failed) {
        Some(failure) => Err(Verdict::Fail(failure)),
        None => Ok(complete),
    }
}

/// The first of them: there may be many.
fn told(mut waits: Vec<String>) -> String {
    const TOLD: usize = 5;
    let more = waits.len().saturating_sub(TOLD);
    waits.truncate(TOLD);
    let told = waits.join(" ");
    match more {
        0 => told,
        more => format!("{told} And {more} more."),
    }
}

/// Brings a stack up as far as it goes now; `hold` asks for none.
pub(super) async fn bring_up(
    creating: &mut Creating<'_>,
    purpose: Purpose<'_>,
    hold: bool,
) -> Result<At, Verdict> {
    let name = name(creating, purpose);
    let digest = creating.digest.clone();
    let stack = StackCreation {
        context: creating.stage.context,
        name: &name,
        digest: &digest,
    };
    let stacks = &creating.stage.kept.work.stacks;
    let mut making = stacks.get(&name).cloned().unwrap_or_default();
    let at = match stack.look(&mut making).await? {
        Standing::Complete(made) => At::Complete(made),
        Standing::Failed(failure) => At::Failed(failure),
        Standing::Waits(message) => At::Waits(message),
        Standing::Remains(_) | Standing::Absent if hold => At::Held,
        Standing::Remains(remains) => {
            let message = format!("Asking AWS to delete what an earlier try left of stack {name}.");
            note(creating, purpose, message).await?;
            At::Waits(stack.clear(&remains, &mut making).await?)
        }
        Standing::Absent => {
            let wanted = wanted(creating, purpose).await?;
            making.asked = true;
            let stacks = &mut creating.stage.kept.work.stacks;
            stacks.insert(name.clone(), making.clone());
            let message = format!("Asking AWS for stack {name}.");
            note(creating, purpose, message).await?;
            At::Waits(stack.ask(&mut making, wanted).await?)
        }
    };
    let stacks = &mut creating.stage.kept.work.stacks;
    stacks.insert(name.clone(), making);
    Ok(at)
}

/// The cluster's own stack comes before all else.
async fn note(
    creating: &Creating<'_>,
    purpose: Purpose<'_>,
    message: String,
) -> Result<(), Verdict> {
    match purpose {
        Purpose::Cluster => creating.stage.note_first(message).await,
        Purpose::Nodegroup(_) | Purpose::Role(_) | Purpose::Capability(_) => {
            creating.stage.note(message).await
        }
    }
}

fn name(creating: &Creating<'_>, purpose: Purpose<'_>) -> String {
    match purpose {
        Purpose::Cluster => names::cluster_stack(&creating.spec.name),
        Purpose::Nodegroup(nodegroup) => creating.spec.nodegroup_stack(nodegroup),
        Purpose::Role(stack) => stack.name.clone(),
        Purpose::Capability(stack) => stack.name.clone(),
    }
}

/// Its template and tags.
async fn wanted(
    creating: &mut Creating<'_>,
    purpose: Purpose<'_>,
) -> Result<(Value, BTreeMap<String, String>), Verdict> {
    let spec = creating.spec;
    match purpose {
        Purpose::Cluster => {
            name_is_free(creating).await?;
            let network = network::planned(creating, &mut Vec::new()).await?;
            let tags = names::cluster_stack_tags(spec);
            Ok((template::cluster(spec, &network), tags))
        }
        Purpose::Nodegroup(nodegroup) => {
            let facts = facts(creating).await?;
            let tags = names::nodegroup_stack_tags(spec, nodegroup);
            Ok((template::nodegroup(spec, nodegroup, &facts), tags))
        }
        Purpose::Role(stack) => {
            let facts = facts(creating).await?;
            Ok((template::role(stack, &facts), stack.tags.clone()))
        }
        Purpose::Capability(stack) => Ok((stack.template.clone(), stack.tags.clone())),
    }
}

/// A cluster without our stack is somebody else's. One that is being deleted is waited for.
async fn name_is_free(creating: &Creating<'_>) -> Result<(), Verdict> {
    let (context, name) = (creating.stage.context, creating.name());
    let there = match context.clusters().cluster(name).await {
        Ok(Some(there)) => there,
        Ok(None) => return Ok(()),
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let status = there.status.as_deref().unwrap_or("UNKNOWN");
    let region = &context.job.region;
    if status == "DELETING" {
        let who = asked_by(context, None, Change::Deletion).await?;
        let words = format!("cluster {name} is in status DELETING, {who}");
        return Err(creating.stage.busy(&words));
    }
    let way_out = match status {
        "FAILED" => "AWS could not make it: delete it first, or choose another name",
        _ => "choose another name",
    };
    Err(Verdict::Fail(failure(
        ErrorCode::AlreadyExists,
        format!(
            "there is a cluster {name} in {region} already, in status {status}, without the stack that \
             eksctl or this service would have made it by; {way_out}"
        ),
    )))
}

/// What nodes have to know of their cluster.
async fn facts(creating: &Creating<'_>) -> Result<ClusterFacts, Verdict> {
    let cluster = creating.cluster().await?;
    let issuer = cluster.oidc_issuer.unwrap_or_default();
    Ok(ClusterFacts {
        issuer: issuer
            .strip_prefix("https://")
            .unwrap_or(&issuer)
            .to_owned(),
        endpoint: cluster.endpoint.unwrap_or_default(),
        certificate_authority: cluster.certificate_authority.unwrap_or_default(),
        service_cidr: cluster.service_cidr.unwrap_or_default(),
        network: node_network::needed(creating).await?,
    })
}
