//! The add-ons that come before any node and profile. Nothing waits here for those that need a place
//! to run. One that nobody asked for, and that AWS refuses, is a warning, and is not asked for again.

use serde_json::{Value, json};

use super::{Creating, roles};
use crate::aws::clusters::{AddonInput, ResolveConflicts};
use crate::aws::{Class, Refusal};
use crate::domain::Addon;
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::warnings::Warning;
use crate::ops::patience::Waited;
use crate::ops::refused;
use crate::queue::Verdict;
use crate::queue::lease::Note;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let addons: Vec<&AddonSpec> = creating.spec.early_addons().collect();
    create_all(creating, &addons).await?;
    let names: Vec<&str> = addons.iter().map(|addon| addon.name.as_str()).collect();
    Ok(format!("Add-ons {} were asked for.", names.join(", ")))
}

/// Asks for those that are not there.
pub(super) async fn create_all(
    creating: &mut Creating<'_>,
    addons: &[&AddonSpec],
) -> Result<(), Verdict> {
    let mut absent = Vec::new();
    for addon in addons {
        if matches!(look(creating, addon).await?, Look::Absent) {
            absent.push(*addon);
        }
    }
    // All their roles at once.
    let stacks = absent
        .iter()
        .flat_map(|addon| roles::before(creating, addon));
    let stacks: Vec<_> = stacks.collect();
    roles::make(creating, &stacks).await?;
    for addon in absent {
        let settings = addon.configuration.as_ref();
        create(creating, addon, settings.map(ToString::to_string)).await?;
    }
    Ok(())
}

/// What a look at an add-on finds.
pub(super) enum Look {
    There(Box<Addon>),
    Absent,
    /// Nobody asked for it, and AWS refused it: the cluster goes without.
    Skipped,
}

/// One add-on, if the cluster has it.
pub(super) async fn look(creating: &mut Creating<'_>, addon: &AddonSpec) -> Result<Look, Verdict> {
    if creating.is_skipped(&addon.name) {
        return Ok(Look::Skipped);
    }
    let clusters = creating.stage.context.clusters();
    match clusters.addon(creating.name(), &addon.name).await {
        Ok(Some(found)) => Ok(Look::There(Box::new(found))),
        Ok(None) => Ok(Look::Absent),
        Err(refusal) => {
            without(creating, addon, refusal).await?;
            Ok(Look::Skipped)
        }
    }
}

/// Asks for an add-on that is not there.
pub(super) async fn create(
    creating: &mut Creating<'_>,
    addon: &AddonSpec,
    configuration: Option<String>,
) -> Result<(), Verdict> {
    let (context, name) = (creating.stage.context, &addon.name);
    let own = roles::of_addon(creating, addon).await?;
    let has_roles = own.by_issuer.is_some() || !own.by_pod_identity.is_empty();
    let message = format!("Asking AWS for add-on {name}.");
    creating.stage.note(message).await?;
    let new = AddonInput {
        name: name.clone(),
        version: addon.version.clone(),
        configuration_values: configuration,
        service_account_role_arn: own.by_issuer,
        pod_identities: own.by_pod_identity,
        namespace: addon.namespace.clone(),
        resolve_conflicts: addon.overwrite.then_some(ResolveConflicts::Overwrite),
        tags: addon.tags.clone(),
        client_request_token: context.client_request_token(&format!("addon {name}")),
    };
    match context.clusters().create_addon(creating.name(), new).await {
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(creating.stage.busy(&refusal.message))
        }
        Err(refusal) if refusal.class != Class::AlreadyExists => {
            let wait = has_roles
                .then(|| roles::spreading(creating, &refusal))
                .flatten();
            match wait {
                Some(wait) => Err(wait),
                None => without(creating, addon, refusal).await,
            }
        }
        _ => {
            creating.stage.kept.work.spreading = Waited::default();
            Ok(())
        }
    }
}

/// Goes on without an add-on that nobody asked for; for the others the refusal counts.
async fn without(
    creating: &mut Creating<'_>,
    addon: &AddonSpec,
    refusal: Refusal,
) -> Result<(), Verdict> {
    let context = creating.stage.context;
    if !addon.by_default || refused::passes(refusal.class) {
        return Err(refused::verdict(context, refusal).await);
    }
    creating.skip(&addon.name);
    let words: String = refusal.message.chars().take(1_000).collect();
    let message = format!(
        "the cluster goes without add-on {}, which every cluster gets unless told otherwise: {}: {words}",
        addon.name, refusal.action
    );
    let warning: Value = json!(Warning::new("addon_not_created", message.as_str()));
    let note = Note {
        message,
        warnings: vec![warning],
        ..Note::default()
    };
    let stage = &creating.stage;
    context.note(stage.step, &stage.kept, note).await
}
