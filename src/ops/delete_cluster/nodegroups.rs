//! The managed nodegroups that no stack of ours holds.

use super::{REMOVAL, Removing};
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::ops::failures::failure;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let (context, cluster) = (removing.stage.context, removing.name.clone());
    let names = match context.clusters().nodegroup_names(cluster.as_str()).await {
        Ok(names) => names,
        Err(refusal) => none_without_cluster(removing, refusal).await?,
    };
    let mut waits = Vec::new();
    for name in names {
        if delete(removing, &name).await? {
            waits.push(name);
        }
    }
    if waits.is_empty() {
        return Ok("No nodegroup is left.".to_owned());
    }
    let message = format!("AWS is deleting nodegroup {}.", waits.join(", "));
    Err(removing.stage.later(&REMOVAL, message))
}

async fn none_without_cluster(
    removing: &Removing<'_>,
    refusal: Refusal,
) -> Result<Vec<String>, Verdict> {
    let context = removing.stage.context;
    match refused::told_apart(context, refusal).await {
        gone if gone.class == Class::ClusterNotFound => Ok(Vec::new()),
        refusal => Err(refused::verdict(context, refusal).await),
    }
}

/// Asks for one that is not being deleted yet. Whether it is still there.
async fn delete(removing: &mut Removing<'_>, name: &str) -> Result<bool, Verdict> {
    let (context, cluster) = (removing.stage.context, removing.name.clone());
    let clusters = context.clusters();
    let found = match clusters.nodegroup(cluster.as_str(), name).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let Some(nodegroup) = found else {
        return Ok(false);
    };
    match nodegroup.status.as_deref() {
        Some("DELETING") => return Ok(true),
        Some("DELETE_FAILED") if removing.stage.kept.work.nodegroups.contains(name) => {
            let issues = nodegroup.health_issues.iter();
            let why: Vec<&str> = issues.map(|issue| issue.message.as_str()).collect();
            let message = format!("AWS could not delete nodegroup {name}: {}", why.join("; "));
            return Err(Verdict::Fail(failure(ErrorCode::NotStabilized, message)));
        }
        _ => {}
    }
    let message = format!("Asking AWS to delete nodegroup {name}.");
    removing.stage.note(message).await?;
    match clusters.delete_nodegroup(cluster.as_str(), name).await {
        Ok(()) => {
            let accepted = &mut removing.stage.kept.work.nodegroups;
            accepted.insert(name.to_owned());
            Ok(true)
        }
        Err(refusal) if refusal.class == Class::NotFound => Ok(false),
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(removing.stage.busy(&refusal.message))
        }
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
