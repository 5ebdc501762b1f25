//! The cluster itself: its stack, or the control plane alone of a cluster that is not ours.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{CAPABILITIES, REMOVAL, Removing, leftovers, stacks};
use crate::aws::Class;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    match removing.stage.kept.work.stack.clone() {
        Some(id) => match stacks::delete(removing, BTreeSet::from([id])).await {
            Err(Verdict::Fail(failed)) => {
                return Err(leftovers::after_failure(removing, failed).await);
            }
            deleted => deleted?,
        },
        None => unowned(removing).await?,
    }
    Ok(format!("Cluster {} is gone.", removing.name))
}

/// Not at once: what AWS lists may be older than what it says.
fn again_from_the_capabilities(removing: &Removing<'_>, words: String) -> Verdict {
    const AFTER: Duration = Duration::from_secs(15);
    let mut verdict = removing.stage.then(CAPABILITIES, words);
    if let Verdict::Again(again) = &mut verdict {
        again.after = AFTER;
    }
    verdict
}

/// `Ok` means that it is gone.
async fn unowned(removing: &Removing<'_>) -> Result<(), Verdict> {
    let (context, name) = (removing.stage.context, removing.name.as_str());
    let clusters = context.clusters();
    let found = match clusters.cluster(name).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let Some(cluster) = found else {
        return Ok(());
    };
    let message = format!("AWS is deleting the control plane of cluster {name}.");
    if cluster.status.as_deref() == Some("DELETING") {
        return Err(removing.stage.later(&REMOVAL, message));
    }
    let asking = format!("Asking AWS to delete the control plane of cluster {name}.");
    removing.stage.note(asking).await?;
    match clusters.delete_cluster(name).await {
        Ok(()) => Err(removing.stage.later(&REMOVAL, message)),
        Err(refusal) => match refusal.class {
            Class::ClusterNotFound | Class::NotFound => Ok(()),
            Class::ClusterBusy => Err(removing.stage.busy(&refusal.message)),
            // Somebody has made a capability, a profile or a nodegroup meanwhile.
            Class::NotEmpty => Err(again_from_the_capabilities(removing, refusal.message)),
            _ => Err(refused::verdict(context, refusal).await),
        },
    }
}
