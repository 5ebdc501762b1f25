//! The add-ons that come before any node. Nothing waits here for those that need a place to run.

use super::Creating;
use crate::aws::Class;
use crate::aws::clusters::{AddonInput, ResolveConflicts};
use crate::domain::Addon;
use crate::domain::cluster::spec::AddonSpec;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let addons: Vec<&AddonSpec> = creating.spec.early_addons().collect();
    create_all(creating, &addons).await?;
    let names: Vec<&str> = addons.iter().map(|addon| addon.name.as_str()).collect();
    Ok(format!("Add-ons {} were asked for.", names.join(", ")))
}

/// Asks for those that are not there.
pub(super) async fn create_all(
    creating: &Creating<'_>,
    addons: &[&AddonSpec],
) -> Result<(), Verdict> {
    for addon in addons {
        if look(creating, &addon.name).await?.is_none() {
            create(creating, addon).await?;
        }
    }
    Ok(())
}

/// One add-on, if the cluster has it.
pub(super) async fn look(creating: &Creating<'_>, addon: &str) -> Result<Option<Addon>, Verdict> {
    let context = creating.stage.context;
    match context.clusters().addon(creating.name(), addon).await {
        Ok(addon) => Ok(addon),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

async fn create(creating: &Creating<'_>, addon: &AddonSpec) -> Result<(), Verdict> {
    let (context, name) = (creating.stage.context, &addon.name);
    let message = format!("Asking AWS for add-on {name}.");
    creating.stage.note(message).await?;
    let new = AddonInput {
        name: name.clone(),
        version: addon.version.clone(),
        configuration_values: addon.configuration.as_ref().map(ToString::to_string),
        service_account_role_arn: addon.service_account_role.as_ref().map(ToString::to_string),
        resolve_conflicts: addon.overwrite.then_some(ResolveConflicts::Overwrite),
        tags: addon.tags.clone(),
        client_request_token: context.client_request_token(&format!("addon {name}")),
    };
    match context.clusters().create_addon(creating.name(), new).await {
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(creating.stage.busy(&refusal.message))
        }
        Err(refusal) if refusal.class != Class::AlreadyExists => {
            Err(refused::verdict(context, refusal).await)
        }
        _ => Ok(()),
    }
}
