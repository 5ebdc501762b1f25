//! EKS's own protection of the cluster, turned off because the caller asked for it: EKS takes a
//! minute, and is at no other change of the cluster meanwhile.

use super::{REMOVAL, Removing};
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::ops::failures::failure;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let (context, name) = (removing.stage.context, removing.name.clone());
    if let Some(update) = removing.stage.kept.work.lifting.clone() {
        return follow(removing, &update).await;
    }
    let found = match context.clusters().cluster(name.as_str()).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    if found.is_none_or(|cluster| cluster.deletion_protection != Some(true)) {
        return Ok(format!("Cluster {name} is not protected by EKS."));
    }
    let message = format!("Asking AWS to turn off the deletion protection of cluster {name}.");
    removing.stage.note(message).await?;
    let token = context.client_request_token(removing.stage.step);
    let clusters = context.clusters();
    match clusters
        .lift_deletion_protection(name.as_str(), &token)
        .await
    {
        Ok(update) => {
            removing.stage.kept.work.lifting = Some(update);
            Err(under_way(removing))
        }
        Err(refusal) => Err(not_lifted(removing, refusal).await),
    }
}

async fn follow(removing: &Removing<'_>, update: &str) -> Result<String, Verdict> {
    let (context, name) = (removing.stage.context, &removing.name);
    let update = match context.clusters().update(name.as_str(), update).await {
        Ok(update) => update,
        Err(refusal) => return Err(not_lifted(removing, refusal).await),
    };
    match update.status.as_str() {
        "Successful" => Ok(format!(
            "The deletion protection of cluster {name} is turned off."
        )),
        "Failed" | "Cancelled" => {
            let message = format!(
                "AWS could not turn off the deletion protection of cluster {name}: {}",
                update.errors.join("; ")
            );
            Err(Verdict::Fail(failure(ErrorCode::NotStabilized, message)))
        }
        _ => Err(under_way(removing)),
    }
}

fn under_way(removing: &Removing<'_>) -> Verdict {
    let message = format!(
        "AWS is turning off the deletion protection of cluster {}.",
        removing.name
    );
    removing.stage.later(&REMOVAL, message)
}

async fn not_lifted(removing: &Removing<'_>, refusal: Refusal) -> Verdict {
    let context = removing.stage.context;
    if refusal.class == Class::ClusterBusy {
        return removing.stage.busy(&refusal.message);
    }
    refused::verdict(context, refusal).await
}
