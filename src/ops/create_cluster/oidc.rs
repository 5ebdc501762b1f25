//! IAM trusts the cluster's OIDC issuer.

use super::{Creating, SETTLING};
use crate::aws::Class;
use crate::domain::cluster::names;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let context = creating.stage.context;
    let Some(issuer) = creating.cluster().await?.oidc_issuer else {
        let message = "Waits for the cluster's OIDC issuer.";
        return Err(creating.stage.later(&SETTLING, message));
    };
    let iam = context.eks.caller().iam();
    let arn = iam.oidc_provider_arn(&issuer);
    let there = match iam.has_oidc_provider(&arn).await {
        Ok(there) => there,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    if !there {
        let message = "Asking AWS to let IAM trust the cluster's OIDC issuer.";
        creating.stage.note(message).await?;
        let mut tags = creating.spec.tags.clone();
        tags.extend(names::stack_tags(&creating.spec.name));
        match iam.create_oidc_provider(&issuer, &tags).await {
            Err(refusal) if refusal.class != Class::AlreadyExists => {
                return Err(refused::verdict(context, refusal).await);
            }
            _ => {}
        }
    }
    Ok("IAM trusts the cluster's OIDC issuer.".to_owned())
}
