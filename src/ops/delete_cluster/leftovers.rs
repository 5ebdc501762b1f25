//! What a cluster leaves in its network when its pods and nodes are gone: interfaces that the CNI or
//! EKS forgot, security groups of load balancers. Left there, they keep the network from being deleted.

use std::time::Duration;

use super::network::Network;
use super::{CLUSTER, Removing, survey};
use crate::aws::cloudformation::Stack;
use crate::aws::network::NetworkInterface;
use crate::domain::ErrorCode;
use crate::ops::failures::also_said;
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::ops::stack_deletion::stack;
use crate::queue::backoff::Backoff;
use crate::queue::{Failure, Verdict};

/// Interfaces of pods and nodes go minutes after these.
const PACE: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(20),
};

/// EC2's word for a group that somebody still uses.
const IN_USE: &str = "DependencyViolation";

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    const NONE: &str = "The cluster left nothing in its network.";
    // The network of a cluster that others made stays, with all that is in it.
    let Some(stack) = own_stack(removing).await? else {
        return Ok(NONE.to_owned());
    };
    let network = look(removing, &stack).await?;
    if !network.ours {
        return Ok(NONE.to_owned());
    }
    clean(removing, &network).await?;
    let busy: Vec<String> = network
        .interfaces
        .iter()
        .filter(|one| is_busy(one))
        .map(told)
        .collect();
    let groups = network.balancer_groups();
    let groups = groups.map(|group| format!("security group {} ({})", group.id, group.name));
    let left: Vec<String> = busy.into_iter().chain(groups).collect();
    if left.is_empty() {
        return Ok(NONE.to_owned());
    }
    // A group that nobody uses was deleted just now: the next look tells.
    let message = format!(
        "Waits until the cluster's network is free of {}.",
        left.join(", ")
    );
    Err(removing.stage.later(&PACE, message))
}

/// CloudFormation could not delete the cluster's stack: deletes what the cluster left in its network
/// and tries again; else the failure names what stands in the way.
pub(super) async fn after_failure(removing: &mut Removing<'_>, failed: Failure) -> Verdict {
    match again_or_named(removing, failed).await {
        Ok(verdict) | Err(verdict) => verdict,
    }
}

async fn again_or_named(removing: &mut Removing<'_>, failed: Failure) -> Result<Verdict, Verdict> {
    // A stack that AWS did not begin to delete has nothing to do with its network.
    let begun = failed.error["code"] == ErrorCode::NotStabilized.as_str();
    let Some(stack) = own_stack(removing).await?.filter(|_| begun) else {
        return Ok(Verdict::Fail(failed));
    };
    let network = look(removing, &stack).await?;
    if clean(removing, &network).await? > 0 && removing.stage.kept.work.deleting.again(&stack.id) {
        let message = format!(
            "Deleted what the cluster left in its network; stack {} is to be deleted again.",
            stack.name
        );
        return Ok(removing.stage.then(CLUSTER, message));
    }
    let interfaces = network.interfaces.iter().map(told);
    let groups = network.groups.iter();
    let groups = groups.map(|group| format!("security group {} ({})", group.id, group.name));
    let foreign = network.foreign.iter().map(ToString::to_string);
    let left: Vec<String> = foreign.chain(interfaces).chain(groups).collect();
    if left.is_empty() {
        return Ok(Verdict::Fail(failed));
    }
    let more = format!("still in its network: {}", left.join(", "));
    Ok(Verdict::Fail(also_said(failed, &more)))
}

async fn own_stack(removing: &Removing<'_>) -> Result<Option<Stack>, Verdict> {
    match &removing.stage.kept.work.stack {
        Some(id) => stack(removing.stage.context, id).await,
        None => Ok(None),
    }
}

async fn look(removing: &Removing<'_>, stack: &Stack) -> Result<Network, Verdict> {
    let context = removing.stage.context;
    let cluster = survey::cluster(context).await?;
    match Network::look(context, cluster.as_ref(), (Some(stack), &[])).await {
        Ok(network) => Ok(network),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// Deletes what is attached to nothing, and groups that nobody uses; how many.
async fn clean(removing: &Removing<'_>, network: &Network) -> Result<usize, Verdict> {
    let (context, ec2) = (
        removing.stage.context,
        removing.stage.context.eks.caller().ec2(),
    );
    let gone = survey::cluster(context).await?.is_none();
    let interfaces: Vec<&str> = network.left().map(|one| one.id.as_str()).collect();
    // EKS deletes its own group with the cluster.
    let groups = network.groups.iter();
    let groups = groups.filter(|one| gone || !one.tags.contains_key("aws:eks:cluster-name"));
    let groups: Vec<&str> = groups.map(|one| one.id.as_str()).collect();
    let all = [interfaces.as_slice(), groups.as_slice()].concat();
    if all.is_empty() {
        return Ok(0);
    }
    let message = format!(
        "Asking AWS to delete what the cluster left: {}.",
        all.join(", ")
    );
    removing.stage.note(message).await?;
    let mut deleted = 0;
    for id in interfaces {
        match ec2.delete_interface(id).await {
            Ok(()) => deleted += 1,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        }
    }
    for id in groups {
        match ec2.delete_group(id).await {
            Ok(()) => deleted += 1,
            Err(refusal) if refusal.code.as_deref() == Some(IN_USE) => {}
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        }
    }
    Ok(deleted)
}

/// Of a pod or a node: those of the control plane and of gateways go with the stack.
fn is_busy(interface: &NetworkInterface) -> bool {
    let with_stack = ["nat_gateway", "vpc_endpoint"];
    interface.status != "available"
        && !with_stack.contains(&interface.interface_type.as_str())
        && !interface.description.starts_with("Amazon EKS ")
}

fn told(interface: &NetworkInterface) -> String {
    let (id, kind) = (&interface.id, &interface.interface_type);
    let owner = interface
        .instance_id
        .as_ref()
        .or(interface.requester_id.as_ref());
    let owner = owner
        .map(|owner| format!(", of {owner}"))
        .unwrap_or_default();
    let about = &interface.description;
    format!(
        "network interface {id} ({kind}, {}, {about:?}{owner})",
        interface.status
    )
}
