//! The stacks of the cluster's capabilities, roles and nodegroups: all are asked for, then all are followed.

use std::collections::{BTreeMap, BTreeSet};

use super::{REMOVAL, Removing};
use crate::aws::cloudformation::Stack;
use crate::domain::cluster::names;
use crate::ops::failures::together;
use crate::ops::refused;
use crate::ops::stack_deletion::{Standing, stack};
use crate::queue::Verdict;

/// The stack of a pod execution role that was made after the cluster.
pub(super) async fn role(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let name = names::fargate_role_stack(&removing.name);
    let context = removing.stage.context;
    let ids = match removing.stage.kept.work.stacks.clone() {
        Some(ids) => ids,
        // Also of a cluster that others made: its name and its tags say that it was made for it.
        None => stack(context, &name)
            .await?
            .into_iter()
            .filter(|stack| names::are_of(&stack.tags, removing.name.as_str()))
            .map(|stack| stack.id)
            .collect(),
    };
    delete(removing, ids).await?;
    Ok("The stack of the pod execution role is gone.".to_owned())
}

/// Those of EKS capabilities, which would make anew in the cluster what is deleted there: they go first,
/// and the stacks of their roles with those of others.
pub(super) async fn capabilities(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let ids = match removing.stage.kept.work.stacks.clone() {
        Some(ids) => ids,
        None => listed(removing, names::is_of_capability).await?,
    };
    delete(removing, ids).await?;
    Ok("The stacks of capabilities are gone.".to_owned())
}

/// Those of nodegroups.
pub(super) async fn nodegroups(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let ids = match removing.stage.kept.work.stacks.clone() {
        Some(ids) => ids,
        None => listed(removing, names::is_of_nodegroup).await?,
    };
    delete(removing, ids).await?;
    Ok("The stacks of nodegroups are gone.".to_owned())
}

/// All but the cluster's own: what is made for `ServiceAccount`s and add-ons, by whose roles the nodes and
/// their pods have worked until now.
pub(super) async fn others(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let ids = match removing.stage.kept.work.stacks.clone() {
        Some(ids) => ids,
        None => listed(removing, |_| true).await?,
    };
    delete(removing, ids).await?;
    Ok("The stacks of workloads' roles are gone.".to_owned())
}

/// Those that are tagged with the cluster, but for one of the cluster's own name.
async fn listed(
    removing: &Removing<'_>,
    is_wanted: impl Fn(&BTreeMap<String, String>) -> bool,
) -> Result<BTreeSet<String>, Verdict> {
    let (context, cluster) = (removing.stage.context, removing.name.as_str());
    let found = match context.stacks().stacks_of(cluster).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let own = names::cluster_stack(&removing.name);
    let mut ids = BTreeSet::new();
    for summary in found {
        // Of a cluster that others made, it is what is left of an older one.
        if summary.name == own {
            continue;
        }
        let stack = stack(context, &summary.id).await?;
        let tagged = stack.filter(|stack| names::are_of(&stack.tags, cluster));
        let tagged = tagged.filter(|stack| is_wanted(&stack.tags));
        ids.extend(tagged.map(|stack| stack.id));
    }
    Ok(ids)
}

/// Deletes stacks; `Ok` means that they are gone.
pub(super) async fn delete(
    removing: &mut Removing<'_>,
    ids: BTreeSet<String>,
) -> Result<(), Verdict> {
    removing.stage.kept.work.stacks = Some(ids.clone());
    let (mut failed, mut waits) = (Vec::new(), Vec::new());
    for id in &ids {
        let Some(there) = stack(removing.stage.context, id).await? else {
            continue;
        };
        match ask(removing, &there).await? {
            Some(failure) => failed.push(failure),
            None => waits.push(there.name),
        }
    }
    if !waits.is_empty() {
        let message = format!("CloudFormation is deleting stack {}.", waits.join(", "));
        return Err(removing.stage.later(&REMOVAL, message));
    }
    match together(failed) {
        Some(failure) => Err(Verdict::Fail(failure)),
        None => Ok(()),
    }
}

/// Asks for one that is not being deleted yet; why it can't be, if it can't.
async fn ask(
    removing: &mut Removing<'_>,
    there: &Stack,
) -> Result<Option<crate::queue::Failure>, Verdict> {
    let context = removing.stage.context;
    let mut deleting = removing.stage.kept.work.deleting.clone();
    match deleting.standing(context, there).await? {
        Standing::Waits => Ok(None),
        Standing::Failed(failure) => Ok(Some(failure)),
        Standing::There => {
            let message = format!("Asking AWS to delete stack {}.", there.name);
            removing.stage.note(message).await?;
            if let Err(refusal) = deleting.ask(context, there).await? {
                return Err(removing.stage.busy(&refusal.message));
            }
            removing.stage.kept.work.deleting = deleting;
            Ok(None)
        }
    }
}
