//! The roles of an add-on, and its namespace.

use super::kubernetes_names::wrong_namespace;
use super::roles::{RoleInput, filled};
use super::workloads;
use crate::domain::cluster::addon_access::POD_IDENTITY_AGENT;
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::cluster::spec::role::NewRole;
use crate::domain::cluster::spec::workload::{AddonPodIdentity, PodIdentitySpec};
use crate::domain::eksctl::Addon;
use crate::domain::eksctl::arn::wrong_policy;
use crate::domain::invalid::Invalid;

/// What an add-on gets besides its settings.
pub(super) struct AddonRoles {
    pub(super) role: Option<NewRole>,
    pub(super) pod_identities: Vec<AddonPodIdentity>,
    pub(super) recommended: bool,
    pub(super) permissions_boundary: Option<String>,
    pub(super) namespace: Option<String>,
}

pub(super) fn of(input: &mut Addon, at: &str, wrong: &mut Vec<Invalid>) -> AddonRoles {
    let namespace = input
        .namespace_config
        .take()
        .and_then(|config| filled(config.namespace));
    wrong.extend(
        namespace
            .as_deref()
            .and_then(|name| wrong_namespace(&format!("{at}/namespaceConfig/namespace"), name)),
    );
    let boundary = filled(input.permissions_boundary.take());
    wrong.extend(
        boundary
            .as_deref()
            .and_then(|arn| wrong_policy(&format!("{at}/permissionsBoundary"), arn)),
    );
    check_together(input, at, wrong);
    let role = RoleInput {
        keys: ["attachPolicyARNs", "attachPolicy", "permissionsBoundary"],
        policy_arns: std::mem::take(&mut input.attach_policy_arns),
        document: input.attach_policy.take(),
        document_name: None,
        well_known: input.well_known_policies.take(),
        name: None,
        boundary: None,
    };
    let role = role.has_policies().then(|| NewRole {
        permissions_boundary: boundary.clone(),
        ..role.check(at, wrong)
    });
    let identities = std::mem::take(&mut input.pod_identity_associations);
    let place = format!("{at}/podIdentityAssociations");
    if !identities.is_empty() && input.name == POD_IDENTITY_AGENT {
        let message = "this add-on gives roles to others and needs none: remove it";
        wrong.push(Invalid::new(place.as_str(), message));
    }
    AddonRoles {
        role,
        pod_identities: workloads::of_addon(identities, &place, wrong),
        recommended: input
            .use_default_pod_identity_associations
            .unwrap_or_default(),
        permissions_boundary: boundary,
        namespace,
    }
}

/// At most one way to a role.
fn check_together(input: &Addon, at: &str, wrong: &mut Vec<Invalid>) {
    let known = input.well_known_policies.is_some();
    let ways = [
        input.service_account_role_arn.is_some(),
        !input.attach_policy_arns.is_empty(),
        input.attach_policy.is_some(),
        known,
    ];
    let ways = ways.into_iter().filter(|given| *given).count();
    if ways > 1 {
        let message = "at most one of wellKnownPolicies, serviceAccountRoleARN, attachPolicyARNs and \
                       attachPolicy can be specified";
        wrong.push(Invalid::new(at, message));
    }
    let identities = !input.pod_identity_associations.is_empty();
    if identities && ways > 0 {
        let message = "an add-on has a role either by podIdentityAssociations or by \
                       serviceAccountRoleARN, attachPolicyARNs, attachPolicy and wellKnownPolicies: \
                       remove the one or the other";
        wrong.push(Invalid::new(
            format!("{at}/podIdentityAssociations"),
            message,
        ));
    }
    if input.use_default_pod_identity_associations == Some(true) && (identities || ways > 0) {
        let message = "the recommended roles are for an add-on that names none: remove it, or the \
                       roles and policies that are named beside it";
        let at = format!("{at}/useDefaultPodIdentityAssociations");
        wrong.push(Invalid::new(at, message));
    }
}

/// Lets every add-on that names no role have the recommended ones, if that is asked for; and looks
/// whether the agent is there, without which no role reaches a pod by EKS Pod Identity.
pub(super) fn settle(
    addons: &mut [AddonSpec],
    auto: bool,
    identities: &[PodIdentitySpec],
    wrong: &mut Vec<Invalid>,
) {
    for addon in addons.iter_mut().filter(|addon| !addon.asks_for_roles()) {
        addon.recommended_roles |= auto;
    }
    let has_agent = addons.iter().any(|addon| addon.name == POD_IDENTITY_AGENT);
    let of_addons = addons
        .iter()
        .any(|addon| addon.recommended_roles || !addon.pod_identities.is_empty());
    let at = if identities.is_empty() {
        "/addons"
    } else {
        "/iam/podIdentityAssociations"
    };
    if !has_agent && (of_addons || !identities.is_empty()) {
        let message = format!(
            "the add-on {POD_IDENTITY_AGENT} must be installed for pod identity associations: add it \
             to addons"
        );
        wrong.push(Invalid::new(at, message));
    }
}
