//! The Kubernetes API of a private cluster is closed to the internet, last of all: until then this
//! service, which is not in the cluster's network, has to reach it.

use super::{Creating, SETTLING};
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::ops::failures::failure;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    if let Some(update) = creating.stage.kept.work.closing.clone() {
        return follow(creating, &update).await;
    }
    let cluster = creating.cluster().await?;
    if cluster.endpoint_public_access == Some(false) {
        return Ok(closed(creating));
    }
    let (context, name) = (creating.stage.context, creating.name());
    let message = format!("Asking AWS to close the Kubernetes API of cluster {name}.");
    creating.stage.note(message).await?;
    let token = context.client_request_token(creating.stage.step);
    match context.clusters().close_endpoint(name, &token).await {
        Ok(update) => {
            creating.stage.kept.work.closing = Some(update);
            Err(under_way(creating))
        }
        Err(refusal) => Err(not_closed(creating, refusal).await),
    }
}

async fn follow(creating: &Creating<'_>, update: &str) -> Result<String, Verdict> {
    let (context, name) = (creating.stage.context, creating.name());
    let update = match context.clusters().update(name, update).await {
        Ok(update) => update,
        Err(refusal) => return Err(not_closed(creating, refusal).await),
    };
    match update.status.as_str() {
        "Successful" => Ok(closed(creating)),
        "Failed" | "Cancelled" => {
            let message = format!(
                "AWS could not close the Kubernetes API of cluster {name} to the internet: {}",
                update.errors.join("; ")
            );
            Err(Verdict::Fail(failure(ErrorCode::NotStabilized, message)))
        }
        _ => Err(under_way(creating)),
    }
}

fn closed(creating: &Creating<'_>) -> String {
    format!(
        "The Kubernetes API of cluster {} is reached from inside its VPC alone.",
        creating.name()
    )
}

fn under_way(creating: &Creating<'_>) -> Verdict {
    let message = format!(
        "AWS is closing the Kubernetes API of cluster {} to the internet.",
        creating.name()
    );
    creating.stage.later(&SETTLING, message)
}

async fn not_closed(creating: &Creating<'_>, refusal: Refusal) -> Verdict {
    if refusal.class == Class::ClusterBusy {
        return creating.stage.busy(&refusal.message);
    }
    refused::verdict(creating.stage.context, refusal).await
}
