//! IAM's trust in the cluster's OIDC issuer, which is of no use without the cluster.

use super::Removing;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    const NONE: &str = "IAM does not trust the cluster's OIDC issuer.";
    let context = removing.stage.context;
    let work = &removing.stage.kept.work;
    // Of a cluster that is not ours, it is not ours either.
    let (Some(issuer), Some(_)) = (&work.issuer, &work.stack) else {
        return Ok(NONE.to_owned());
    };
    let iam = context.eks.caller().iam();
    let arn = iam.oidc_provider_arn(issuer);
    match iam.has_oidc_provider(&arn).await {
        Ok(true) => {}
        Ok(false) => return Ok(NONE.to_owned()),
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    }
    let message = "Asking AWS to end IAM's trust in the cluster's OIDC issuer.";
    removing.stage.note(message).await?;
    match iam.delete_oidc_provider(&arn).await {
        Ok(()) => Ok("IAM no longer trusts the cluster's OIDC issuer.".to_owned()),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
