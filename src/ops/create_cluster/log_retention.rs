//! How long CloudWatch keeps the logs of the control plane. EKS makes their log group when it first writes
//! to it, which is waited for.

use super::{Creating, SETTLING};
use crate::aws::Class;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let Some(days) = creating.spec.logging.retention_days else {
        return Ok("The logs are kept.".to_owned());
    };
    let context = creating.stage.context;
    let group = format!("/aws/eks/{}/cluster", creating.name());
    let message = format!("Asking AWS to keep the logs of {group} for {days} days.");
    creating.stage.note(message).await?;
    match context.eks.caller().logs().keep_for(&group, days).await {
        Ok(()) => Ok(format!("Logs are kept for {days} days.")),
        Err(refusal) if refusal.class == Class::NotFound => {
            let message = format!("Waits until EKS has made the log group {group}.");
            Err(creating.stage.later(&SETTLING, message))
        }
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(creating.stage.busy(&refusal.message))
        }
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
