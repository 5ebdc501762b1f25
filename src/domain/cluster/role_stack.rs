//! The stacks of workloads' roles: one role each, as eksctl makes and names them.

use super::names;
use super::spec::role::NewRole;
use super::spec::workload::{AddonPodIdentity, PodIdentitySpec, ServiceAccountSpec};
use super::spec::{AddonSpec, ClusterSpec};
use std::collections::BTreeMap;

const SERVICE_ACCOUNT_TAG: &str = "alpha.eksctl.io/iamserviceaccount-name";
/// The tag of the role's stack, and of the association, that names the `ServiceAccount`.
pub const POD_IDENTITY_TAG: &str = "alpha.eksctl.io/podidentityassociation-name";
const ADDON_TAG: &str = "alpha.eksctl.io/addon-name";
const ADDON_POD_IDENTITY_TAG: &str = "alpha.eksctl.io/addon-podidentityassociation-name";

/// The output of such a stack that is the role's ARN.
pub const ROLE_OUTPUT: &str = "Role1";

/// Who may act under a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Pods that the cluster's OIDC issuer vouches for: those of one `ServiceAccount`, of several of one
    /// namespace, or all.
    Issuer(Subject),
    /// Pods by EKS Pod Identity.
    PodIdentity,
    /// EKS capabilities.
    Capability,
}

/// Whom the cluster's OIDC issuer has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Anybody.
    Any,
    /// One `ServiceAccount`: namespace and name.
    One(String, String),
    /// All of a namespace whose names fit a pattern.
    Like(String, String),
}

/// The stack of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleStack {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// The role.
    pub role: NewRole,
    /// Who may act under it.
    pub trust: Trust,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ClusterSpec {
    /// The stack of a `ServiceAccount`'s role, if one is made.
    #[must_use]
    pub fn service_account_stack(&self, account: &ServiceAccountSpec) -> Option<RoleStack> {
        let role = account.role.made()?;
        let (namespace, name) = (account.namespace.clone(), account.name.clone());
        let full = account.full_name();
        Some(RoleStack {
            name: names::service_account_stack(&self.name, &namespace, &name),
            description: format!("IAM role for serviceaccount \"{full}\""),
            role: role.clone(),
            trust: Trust::Issuer(match &account.subject_pattern {
                Some(pattern) => Subject::Like(namespace, pattern.clone()),
                None => Subject::One(namespace, name),
            }),
            tags: self.role_tags(&account.tags, &[(SERVICE_ACCOUNT_TAG, &full)]),
        })
    }

    /// The stack of the role of a pod identity association, if one is made.
    #[must_use]
    pub fn pod_identity_stack(&self, identity: &PodIdentitySpec) -> Option<RoleStack> {
        let role = identity.role.made()?;
        let account = &identity.service_account;
        Some(RoleStack {
            name: names::pod_identity_stack(&self.name, &identity.namespace, account),
            description: "IAM role for pod identity association".to_owned(),
            role: role.clone(),
            trust: Trust::PodIdentity,
            tags: self.role_tags(&identity.tags, &[(POD_IDENTITY_TAG, &identity.full_name())]),
        })
    }

    /// The stack of an add-on's role by the cluster's OIDC issuer, if one is made.
    #[must_use]
    pub fn addon_role_stack(&self, addon: &AddonSpec) -> Option<RoleStack> {
        let role = addon.role.as_ref()?;
        let subject = if addon.name == super::addon_access::VPC_CNI {
            Subject::One("kube-system".to_owned(), "aws-node".to_owned())
        } else {
            Subject::Any
        };
        Some(RoleStack {
            name: names::addon_stack(&self.name, &addon.name),
            description: format!("IAM role for \"{}\"", addon.name),
            role: role.clone(),
            trust: Trust::Issuer(subject),
            tags: self.role_tags(&BTreeMap::new(), &[(ADDON_TAG, &addon.name)]),
        })
    }

    /// The stack of the role of an add-on's `ServiceAccount`, if one is made.
    #[must_use]
    pub fn addon_identity_stack(
        &self,
        addon: &AddonSpec,
        identity: &AddonPodIdentity,
    ) -> Option<RoleStack> {
        let role = identity.role.made()?;
        let account = &identity.service_account;
        let namespace = identity.namespace.as_deref().unwrap_or_default();
        let full = format!("{namespace}/{account}");
        Some(RoleStack {
            name: names::addon_identity_stack(&self.name, &addon.name, account),
            description: "IAM role for pod identity association".to_owned(),
            role: role.clone(),
            trust: Trust::PodIdentity,
            tags: self.role_tags(
                &BTreeMap::new(),
                &[(ADDON_TAG, &addon.name), (ADDON_POD_IDENTITY_TAG, &full)],
            ),
        })
    }

    /// The stacks that an add-on needs before it is made.
    #[must_use]
    pub fn addon_stacks(&self, addon: &AddonSpec) -> Vec<RoleStack> {
        let identities = addon.pod_identities.iter();
        let identities = identities.filter_map(|one| self.addon_identity_stack(addon, one));
        self.addon_role_stack(addon)
            .into_iter()
            .chain(identities)
            .collect()
    }

    /// All of them, in the order in which they are made.
    #[must_use]
    pub fn role_stacks(&self) -> Vec<RoleStack> {
        let (early, late): (Vec<_>, Vec<_>) = self.addons.iter().partition(|addon| !addon.late);
        let of_addons = |addons: Vec<&AddonSpec>| -> Vec<RoleStack> {
            let stacks = addons
                .into_iter()
                .flat_map(|addon| self.addon_stacks(addon));
            stacks.collect()
        };
        let accounts = self.service_accounts.iter();
        let identities = self.pod_identities.iter();
        let mut stacks = of_addons(early);
        // Those by the issuer come after it is trusted.
        stacks.sort_by_key(|stack| matches!(stack.trust, Trust::Issuer(_)));
        let issuer = stacks
            .iter()
            .position(|stack| matches!(stack.trust, Trust::Issuer(_)));
        let after = stacks.split_off(issuer.unwrap_or(stacks.len()));
        stacks.extend(accounts.filter_map(|one| self.service_account_stack(one)));
        stacks.extend(after);
        stacks.extend(of_addons(late));
        stacks.extend(identities.filter_map(|one| self.pod_identity_stack(one)));
        let capabilities = self.capabilities.iter();
        stacks.extend(capabilities.filter_map(|one| self.capability_role_stack(one)));
        stacks
    }

    pub(super) fn role_tags(
        &self,
        own: &BTreeMap<String, String>,
        purpose: &[(&str, &str)],
    ) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        tags.extend(own.clone());
        tags.extend(names::stack_tags(&self.name));
        let purpose = purpose.iter();
        tags.extend(purpose.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        tags
    }
}
