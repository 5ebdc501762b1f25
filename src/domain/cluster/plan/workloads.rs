//! The steps of a creation that give roles to workloads, and let in who is known by other means.

use super::{PlanStack, PlanStep, stack_step, step};
use crate::domain::cluster::addon_access::VPC_CNI;
use crate::domain::cluster::names;
use crate::domain::cluster::role_stack::RoleStack;
use crate::domain::cluster::spec::role::RoleSource;
use crate::domain::cluster::spec::{AddonSpec, ClusterSpec};
use crate::domain::cluster::step::ClusterStep;
use crate::domain::cluster::template::{self, ClusterFacts};

/// `ServiceAccount`s with roles by the cluster's issuer.
pub(super) fn service_accounts(spec: &ClusterSpec) -> Vec<PlanStep> {
    let accounts = spec.service_accounts.iter();
    accounts
        .map(|account| {
            let full = account.full_name();
            let stack = spec.service_account_stack(account);
            let description = match (&stack, account.role_only) {
                (Some(_), false) => format!("create the role of the ServiceAccount {full}, and it"),
                (Some(_), true) => format!("create the role of the ServiceAccount {full}"),
                (None, false) => format!("create the ServiceAccount {full} with the role given"),
                (None, true) => format!("leave the ServiceAccount {full} to others"),
            };
            with_stack(ClusterStep::ServiceAccounts, description, stack)
        })
        .collect()
}

/// The role of vpc-cni, which is there before IAM trusts the issuer.
pub(super) fn vpc_cni_role(spec: &ClusterSpec) -> Option<PlanStep> {
    let (addon, _) = spec.vpc_cni_with_role()?;
    let description = format!("create the role of the add-on {VPC_CNI}, and give it to it");
    let stack = spec.addon_role_stack(addon);
    Some(with_stack(ClusterStep::VpcCniRole, description, stack))
}

/// What follows the Fargate profiles.
pub(super) fn identities(spec: &ClusterSpec) -> Vec<PlanStep> {
    let providers = spec.identity_providers.iter().map(|provider| {
        let description = format!(
            "let the cluster take tokens of {}, which takes EKS up to half an hour",
            provider.issuer_url
        );
        step(ClusterStep::IdentityProviders, description)
    });
    let mut steps: Vec<PlanStep> = providers.collect();
    if !spec.identity_mappings.is_empty() {
        const TOLD: usize = 5;
        let all = &spec.identity_mappings;
        let told = all.iter().take(TOLD).map(ToString::to_string);
        let told = told.collect::<Vec<_>>().join(", ");
        let told: String = told.chars().take(2_048).collect();
        let more = match all.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let description = format!("map in the ConfigMap aws-auth {told}{more}");
        steps.push(step(ClusterStep::IdentityMappings, description));
    }
    steps
}

/// `ServiceAccount`s with roles by EKS Pod Identity.
pub(super) fn pod_identities(spec: &ClusterSpec) -> Vec<PlanStep> {
    let identities = spec.pod_identities.iter();
    identities
        .map(|identity| {
            let stack = spec.pod_identity_stack(identity);
            let role = if stack.is_some() {
                "create the role of the ServiceAccount"
            } else {
                "give the role to the ServiceAccount"
            };
            let made = if identity.create {
                ", make it if it is not there"
            } else {
                ""
            };
            let full = identity.full_name();
            let description = format!("{role} {full}{made}, and associate the two");
            with_stack(ClusterStep::PodIdentities, description, stack)
        })
        .collect()
}

/// EKS capabilities.
pub(super) fn capabilities(spec: &ClusterSpec) -> Vec<PlanStep> {
    let capabilities = spec.capabilities.iter();
    capabilities
        .map(|capability| {
            let role = spec.capability_role_stack(capability);
            let role = role.map_or_else(String::new, |stack| {
                format!(
                    "create the role of the capability by the stack {}, and ",
                    stack.name
                )
            });
            let policies = match capability.access_policies.len() {
                0 => String::new(),
                1 => ", and give its role the access policy".to_owned(),
                n => format!(", and give its role the {n} access policies"),
            };
            let (name, kind) = (&capability.name, capability.kind);
            let description = format!("{role}create the capability {name} ({kind}){policies}");
            let stack = names::capability_stack(&spec.name, name);
            stack_step(ClusterStep::Capabilities, description, stack)
        })
        .collect()
}

/// Their stacks, after those of their roles.
pub(super) fn capability_stacks(spec: &ClusterSpec) -> Vec<PlanStack> {
    let capabilities = spec.capabilities.iter();
    capabilities
        .map(|one| {
            let role = match &one.role {
                RoleSource::Given(arn) => arn.clone(),
                RoleSource::New(_) => spec.assumed_role(one),
            };
            let stack = spec.capability_stack(one, &role);
            PlanStack {
                name: stack.name,
                template: stack.template,
                tags: stack.tags,
            }
        })
        .collect()
}

fn with_stack(name: ClusterStep, description: String, stack: Option<RoleStack>) -> PlanStep {
    match stack {
        Some(stack) => stack_step(name, description, stack.name),
        None => step(name, description),
    }
}

/// The roles that go with add-ons, in words; nothing where there are none.
pub(super) fn with_roles<'a>(
    spec: &ClusterSpec,
    addons: impl Iterator<Item = &'a AddonSpec>,
) -> String {
    let stacks: Vec<String> = addons
        .filter(|addon| addon.late || addon.role.is_none())
        .flat_map(|addon| spec.addon_stacks(addon))
        .map(|stack| stack.name)
        .collect();
    if stacks.is_empty() {
        String::new()
    } else {
        format!(", with the stacks of their roles {}", stacks.join(", "))
    }
}

/// The stacks of roles.
pub(super) fn stacks(spec: &ClusterSpec, facts: &ClusterFacts) -> Vec<PlanStack> {
    let stacks = spec.role_stacks().into_iter();
    stacks
        .map(|stack| PlanStack {
            template: template::role(&stack, facts),
            name: stack.name,
            tags: stack.tags,
        })
        .collect()
}

/// What the plan does not know of roles.
pub(super) fn assumptions(spec: &ClusterSpec) -> Vec<String> {
    let mut said = Vec::new();
    let looked_up = spec.addons.iter();
    let looked_up = looked_up.filter(|addon| addon.recommended_roles && !addon.asks_for_roles());
    let looked_up: Vec<&str> = looked_up.map(|addon| addon.name.as_str()).collect();
    if !looked_up.is_empty() {
        said.push(format!(
            "the roles that EKS recommends for the add-ons {} are looked up when the cluster is created; \
             each is a stack of its own",
            looked_up.join(", ")
        ));
    }
    let by_issuer =
        !spec.service_accounts.is_empty() || spec.addons.iter().any(|addon| addon.role.is_some());
    if by_issuer {
        said.push(
            "the templates of roles hold a stand-in for the cluster's OIDC issuer, which is known when \
             the cluster is there"
                .to_owned(),
        );
    }
    let assumed = spec.capabilities.iter();
    let assumed = assumed.filter(|one| one.role.made().is_some());
    let assumed: Vec<String> = assumed.map(|one| spec.assumed_role(one)).collect();
    if !assumed.is_empty() {
        said.push(format!(
            "{} stand for roles that stacks of their own make",
            assumed.join(", ")
        ));
    }
    said
}
