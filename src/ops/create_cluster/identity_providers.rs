//! The OIDC issuer whose tokens the cluster takes. EKS restarts the control plane for it, which takes up to
//! half an hour.

use std::time::Duration;

use super::Creating;
use crate::aws::identity_providers::IdentityProviderView;
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::domain::cluster::spec::identity::IdentityProviderSpec;
use crate::ops::failures::failure;
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::queue::Verdict;
use crate::queue::backoff::Backoff;

const PACE: Pace = Pace {
    delays: Backoff::millis(&[15_000, 30_000, 30_000, 60_000, 60_000, 120_000]),
    longest: Duration::from_mins(90),
};

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    for provider in &spec.identity_providers {
        bring_about(creating, provider).await?;
    }
    Ok("The cluster takes the tokens of its identity provider.".to_owned())
}

async fn bring_about(
    creating: &mut Creating<'_>,
    wanted: &IdentityProviderSpec,
) -> Result<(), Verdict> {
    let context = creating.stage.context;
    let clusters = context.clusters();
    let found = match clusters
        .identity_provider(creating.name(), &wanted.name)
        .await
    {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    match found {
        Some(found) if !is_same(&found, wanted) => Err(Verdict::Fail(failure(
            ErrorCode::AlreadyExists,
            format!(
                "the cluster has an identity provider {} already, of another issuer ({}) or for another \
                 client; choose another name, or disassociate it first",
                wanted.name, found.issuer_url
            ),
        ))),
        Some(found) => match found.status.as_str() {
            "ACTIVE" => Ok(()),
            "DELETING" => Err(creating
                .stage
                .busy("the identity provider is being disassociated")),
            _ => {
                let message = format!("EKS is associating identity provider {}.", wanted.name);
                Err(creating.stage.later(&PACE, message))
            }
        },
        None => associate(creating, wanted).await,
    }
}

fn is_same(found: &IdentityProviderView, wanted: &IdentityProviderSpec) -> bool {
    found.issuer_url == wanted.issuer_url && found.client_id == wanted.client_id
}

/// Asks for it, unless the job has: then why nothing came of it.
async fn associate(
    creating: &mut Creating<'_>,
    wanted: &IdentityProviderSpec,
) -> Result<(), Verdict> {
    let context = creating.stage.context;
    let (clusters, name) = (context.clusters(), &wanted.name);
    if let Some(id) = creating.stage.kept.work.associating.clone() {
        let update = match clusters.update(creating.name(), &id).await {
            Ok(update) => update,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        if matches!(update.status.as_str(), "Failed" | "Cancelled") {
            let why = update.errors.join("; ");
            let message = format!(
                "EKS could not associate identity provider {name}: {}; mend the cause, then retry the job",
                if why.is_empty() {
                    "it gave no reason"
                } else {
                    &why
                }
            );
            return Err(Verdict::Fail(failure(ErrorCode::NotStabilized, message)));
        }
        let message = format!("EKS is associating identity provider {name}.");
        return Err(creating.stage.later(&PACE, message));
    }
    let message = format!("Asking AWS to associate identity provider {name}.");
    creating.stage.note(message).await?;
    let token = context.client_request_token(&format!("identity provider {name}"));
    match clusters
        .associate_identity_provider(creating.name(), wanted, token)
        .await
    {
        Ok(id) => {
            creating.stage.kept.work.associating = Some(id);
            let message = format!("EKS is associating identity provider {name}.");
            Err(creating.stage.later(&PACE, message))
        }
        Err(refusal) => Err(refused_association(creating, refusal).await),
    }
}

async fn refused_association(creating: &Creating<'_>, refusal: Refusal) -> Verdict {
    match refusal.class {
        Class::ClusterBusy => creating.stage.busy(&refusal.message),
        // The next look tells whose it is.
        Class::AlreadyExists => creating.stage.later(&PACE, refusal.message),
        _ => refused::verdict(creating.stage.context, refusal).await,
    }
}
