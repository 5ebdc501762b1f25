//! The role of the add-on vpc-cni. The add-on is made before any node and profile, and its role trusts the
//! cluster's OIDC issuer, which IAM trusts only later: so it gets its role afterwards, as with eksctl.

use super::add_ons::{self, Look};
use super::{Creating, SETTLING, roles};
use crate::aws::Class;
use crate::aws::clusters::{AddonInput, ResolveConflicts};
use crate::domain::cluster::addon_access::VPC_CNI;
use crate::ops::refused;
use crate::queue::Verdict;
use std::collections::BTreeMap;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    const NONE: &str = "The cluster has no add-on vpc-cni that needs a role.";
    let spec = creating.spec;
    let Some((addon, _)) = spec.vpc_cni_with_role() else {
        return Ok(NONE.to_owned());
    };
    let there = match add_ons::look(creating, addon).await? {
        Look::There(there) => there,
        Look::Absent | Look::Skipped => return Ok(NONE.to_owned()),
    };
    let Some(stack) = spec.addon_role_stack(addon) else {
        return Ok(NONE.to_owned());
    };
    let arns = roles::make(creating, std::slice::from_ref(&stack)).await?;
    let role = arns.get(&stack.name).cloned();
    if there.service_account_role_arn == role {
        return Ok(format!("Add-on {VPC_CNI} acts under a role of its own."));
    }
    if matches!(there.status.as_deref(), Some("CREATING" | "UPDATING")) {
        let message = format!("Waits for add-on {VPC_CNI}, to give it its role.");
        return Err(creating.stage.later(&SETTLING, message));
    }
    let context = creating.stage.context;
    let message = format!("Asking AWS to give add-on {VPC_CNI} its role.");
    creating.stage.note(message).await?;
    let change = AddonInput {
        name: addon.name.clone(),
        version: None,
        configuration_values: None,
        service_account_role_arn: role,
        pod_identities: Vec::new(),
        namespace: None,
        resolve_conflicts: addon.overwrite.then_some(ResolveConflicts::Overwrite),
        tags: BTreeMap::new(),
        client_request_token: context.client_request_token("role of vpc-cni"),
    };
    match context
        .clusters()
        .update_addon(creating.name(), change)
        .await
    {
        Ok(()) => {
            let message = format!("Add-on {VPC_CNI} is getting its role.");
            Err(creating.stage.later(&SETTLING, message))
        }
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(creating.stage.busy(&refusal.message))
        }
        Err(refusal) => match roles::spreading(creating, &refusal) {
            Some(wait) => Err(wait),
            None => Err(refused::verdict(context, refusal).await),
        },
    }
}
