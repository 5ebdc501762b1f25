//! The EKS capabilities that no stack of ours holds: EKS deletes no cluster that has some.

use super::{REMOVAL, Removing};
use crate::aws::{Capabilities, Class, Refusal};
use crate::domain::ErrorCode;
use crate::ops::context::Context;
use crate::ops::failures::failure;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let mut waits = Vec::new();
    for name in names(removing.stage.context).await? {
        if delete(removing, &name).await? {
            waits.push(name);
        }
    }
    if waits.is_empty() {
        return Ok("No capability is left.".to_owned());
    }
    let message = format!("AWS is deleting capability {}.", waits.join(", "));
    Err(removing.stage.later(&REMOVAL, message))
}

/// The names of all that the cluster has.
pub(super) async fn names(context: &Context<'_>) -> Result<Vec<String>, Verdict> {
    match of(context).names().await {
        Ok(names) => Ok(names),
        Err(refusal) if has_none(context, &refusal) => Ok(Vec::new()),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// A cluster that is gone has none; and EKS knows none in some partitions, nor the call.
fn has_none(context: &Context<'_>, refusal: &Refusal) -> bool {
    let everywhere = context.eks.caller().session().partition == "aws";
    match refusal.class {
        Class::ClusterNotFound | Class::NotFound => true,
        Class::AccessDenied | Class::InvalidParameter => !everywhere,
        _ => false,
    }
}

fn of(context: &Context<'_>) -> Capabilities {
    let cluster = context.cluster.to_owned();
    context.eks.caller().capabilities(cluster)
}

/// Asks for one that is not being deleted yet. Whether it is still there.
async fn delete(removing: &mut Removing<'_>, name: &str) -> Result<bool, Verdict> {
    let context = removing.stage.context;
    let capabilities = of(context);
    let found = match capabilities.state(name).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let Some(found) = found else {
        return Ok(false);
    };
    match found.status.as_str() {
        "DELETING" => return Ok(true),
        "DELETE_FAILED" if removing.stage.kept.work.capabilities.contains(name) => {
            let why = found.issues.join("; ");
            let message = format!("AWS could not delete capability {name}: {why}");
            return Err(Verdict::Fail(failure(ErrorCode::NotStabilized, message)));
        }
        _ => {}
    }
    let message = format!("Asking AWS to delete capability {name}.");
    removing.stage.note(message).await?;
    match capabilities.delete(name).await {
        Ok(()) => {
            let accepted = &mut removing.stage.kept.work.capabilities;
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
