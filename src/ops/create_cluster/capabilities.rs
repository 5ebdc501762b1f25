//! EKS capabilities: the stacks of their roles, their own stacks, and what their roles may do in the cluster
//! besides. EKS makes the access entries of the roles.

use std::time::Duration;

use super::stack::{Purpose, bring_up_all};
use super::{Creating, SETTLING, roles};
use crate::aws::Class;
use crate::domain::cluster::spec::capability::CapabilitySpec;
use crate::domain::cluster::{CapabilityStack, RoleStack};
use crate::ops::access_entry::{access_entries, look, unusable};
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::queue::Verdict;
use crate::queue::backoff::Backoff;

/// EKS makes an access entry together with the capability.
const ENTRY: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000]),
    longest: Duration::from_mins(5),
};

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let of_roles = spec.capabilities.iter();
    let of_roles: Vec<RoleStack> = of_roles
        .filter_map(|one| spec.capability_role_stack(one))
        .collect();
    let arns = roles::make(creating, &of_roles).await?;
    let all = spec.capabilities.iter().map(|one| {
        let stack = spec.capability_role_stack(one);
        let role = roles::arn(&one.role, stack.as_ref(), &arns);
        (one, role)
    });
    let all: Vec<(&CapabilitySpec, String)> = all.collect();
    let stacks = all.iter();
    let stacks: Vec<CapabilityStack> = stacks
        .map(|(one, role)| spec.capability_stack(one, role))
        .collect();
    let purposes: Vec<Purpose<'_>> = stacks.iter().map(Purpose::Capability).collect();
    bring_up_all(creating, &purposes, &SETTLING).await?;
    for (capability, role) in &all {
        let_act(creating, capability, role).await?;
    }
    let count = spec.capabilities.len();
    Ok(format!("Capabilities are there: {count}."))
}

/// Gives the role of a capability the access policies that it has not; what EKS gave it stays.
async fn let_act(
    creating: &mut Creating<'_>,
    capability: &CapabilitySpec,
    role: &str,
) -> Result<(), Verdict> {
    if capability.access_policies.is_empty() {
        return Ok(());
    }
    let context = creating.stage.context;
    let Some(entry) = look(context, role).await? else {
        let message = format!("Waits until EKS has made the access entry of {role}.");
        return Err(creating.stage.later(&ENTRY, message));
    };
    let entries = access_entries(context);
    let wanted = capability.access_policies.iter();
    for policy in wanted.filter(|policy| !entry.access_policies.contains(policy)) {
        let name = &capability.name;
        let message = format!(
            "Asking AWS to give the role of capability {name} the access policy {}.",
            policy.policy_arn
        );
        creating.stage.note(message).await?;
        match entries.associate(role, policy.clone()).await {
            Ok(()) => {}
            Err(refusal) if refusal.class == Class::ClusterBusy => {
                return Err(creating.stage.busy(&refusal.message));
            }
            Err(refusal)
                if refusal.class == Class::NotFound && refusal.message.contains("policyArn") =>
            {
                let remedy = "see in aws eks list-access-policies which there are";
                return Err(unusable(&refusal, remedy));
            }
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        }
    }
    Ok(())
}
