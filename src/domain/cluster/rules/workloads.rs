//! `iam.serviceAccounts` and `iam.podIdentityAssociations`.

use super::kubernetes_names::{
    check_annotations, check_labels, wrong_namespace, wrong_service_account,
};
use super::roles::{RoleInput, filled, wrong_document};
use super::tags;
use crate::domain::cluster::spec::role::RoleSource;
use crate::domain::cluster::spec::workload::{
    AddonPodIdentity, PodIdentitySpec, ServiceAccountSpec,
};
use crate::domain::eksctl::arn::wrong_role;
use crate::domain::eksctl::{PodIdentityAssociation, ServiceAccount};
use crate::domain::invalid::{Invalid, quoted};
use serde_json::Value;
use std::collections::BTreeSet;

const MAX: usize = 50;
const MAX_POLICY: usize = 2048;
const ACCOUNTS: &str = "/iam/serviceAccounts";
const IDENTITIES: &str = "/iam/podIdentityAssociations";

/// What EKS writes on a `ServiceAccount` itself.
const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

pub(super) fn service_accounts(
    inputs: Vec<ServiceAccount>,
    with_oidc: bool,
    wrong: &mut Vec<Invalid>,
) -> Vec<ServiceAccountSpec> {
    if !inputs.is_empty() && !with_oidc {
        let message = "iam.withOIDC must be true for iam.serviceAccounts to be created: their roles \
                       trust the cluster's OIDC issuer";
        wrong.push(Invalid::new(ACCOUNTS, message));
    }
    if inputs.len() > MAX {
        wrong.push(Invalid::new(
            ACCOUNTS,
            format!("at most {MAX} ServiceAccounts"),
        ));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut accounts = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{ACCOUNTS}/{i}");
        let account = service_account(input, &at, wrong);
        if !names.insert(account.full_name()) {
            let message = format!("{} is listed twice", quoted(&account.full_name()));
            wrong.push(Invalid::new(format!("{at}/metadata/name"), message));
        }
        accounts.push(account);
    }
    accounts
}

fn service_account(
    input: ServiceAccount,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> ServiceAccountSpec {
    let meta = input.metadata;
    let name = named(
        meta.name,
        (&format!("{at}/metadata/name"), "the name"),
        wrong,
    );
    let namespace = filled(meta.namespace).unwrap_or_else(|| "default".to_owned());
    wrong.extend(wrong_namespace(
        &format!("{at}/metadata/namespace"),
        &namespace,
    ));
    check_labels(&meta.labels, &format!("{at}/metadata/labels"), wrong);
    let annotations = format!("{at}/metadata/annotations");
    check_annotations(&meta.annotations, &annotations, wrong);
    if meta.annotations.contains_key(ROLE_ANNOTATION) {
        let message = format!("{ROLE_ANNOTATION} comes by itself: remove it, or use attachRoleARN");
        let at = format!("{annotations}/{}", ROLE_ANNOTATION.replace('/', "~1"));
        wrong.push(Invalid::new(at, message));
    }
    tags::check(&input.tags, at, wrong);
    let role = RoleInput {
        keys: ["attachPolicyARNs", "attachPolicy", "permissionsBoundary"],
        policy_arns: input.attach_policy_arns,
        document: input.attach_policy,
        document_name: None,
        well_known: input.well_known_policies,
        name: filled(input.role_name),
        boundary: filled(input.permissions_boundary),
    };
    let given = ("attachRoleARN", filled(input.attach_role_arn));
    let pattern = filled(input.subject_pattern);
    wrong.extend(
        pattern
            .as_deref()
            .and_then(|pattern| wrong_pattern(&format!("{at}/subjectPattern"), pattern)),
    );
    ServiceAccountSpec {
        role: source(role, given, at, wrong),
        namespace,
        name,
        labels: meta.labels,
        annotations: meta.annotations,
        role_only: input.role_only.unwrap_or_default(),
        subject_pattern: pattern,
        tags: input.tags,
    }
}

/// A role that is given or made; never both, and never one without a policy.
fn source(
    role: RoleInput,
    (key, given): (&str, Option<String>),
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> RoleSource {
    let [arns, document, _] = role.keys;
    let Some(arn) = given else {
        if !role.has_policies() {
            let message = format!(
                "at least one of {key}, {arns}, {document} and wellKnownPolicies must be set"
            );
            wrong.push(Invalid::new(at, message));
        }
        return RoleSource::New(role.check(at, wrong));
    };
    wrong.extend(wrong_role(&format!("{at}/{key}"), &arn));
    if role.has_policies() {
        let message = format!(
            "{key} names a role that exists, and its policies are not changed here: remove {key}, \
             or {arns}, {document} and wellKnownPolicies"
        );
        wrong.push(Invalid::new(format!("{at}/{key}"), message));
    }
    RoleSource::Given(arn)
}

fn named(name: Option<String>, (at, what): (&str, &str), wrong: &mut Vec<Invalid>) -> String {
    let name = name.unwrap_or_default();
    if name.is_empty() {
        wrong.push(Invalid::new(at, format!("{what} must be set")));
    } else {
        wrong.extend(wrong_service_account(at, &name));
    }
    name
}

fn wrong_pattern(at: &str, pattern: &str) -> Option<Invalid> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.*?".contains(&b);
    let fine = pattern.len() <= 253 && pattern.bytes().all(allowed);
    let message = format!(
        "invalid pattern {}: expected at most 253 lower-case letters, digits, -, ., * or ?",
        quoted(pattern)
    );
    (!fine).then(|| Invalid::new(at, message))
}

pub(super) fn pod_identities(
    inputs: Vec<PodIdentityAssociation>,
    wrong: &mut Vec<Invalid>,
) -> Vec<PodIdentitySpec> {
    if inputs.len() > MAX {
        wrong.push(Invalid::new(
            IDENTITIES,
            format!("at most {MAX} associations"),
        ));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut identities = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{IDENTITIES}/{i}");
        let identity = pod_identity(input, &at, wrong);
        if !names.insert(identity.full_name()) {
            let message = format!(
                "{} is listed twice, and EKS takes one association of a ServiceAccount",
                quoted(&identity.full_name())
            );
            wrong.push(Invalid::new(format!("{at}/serviceAccountName"), message));
        }
        identities.push(identity);
    }
    identities
}

fn pod_identity(
    input: PodIdentityAssociation,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> PodIdentitySpec {
    let namespace = input.namespace.unwrap_or_default();
    check_place(&namespace, at, wrong);
    let account = format!("{at}/serviceAccountName");
    let what = (account.as_str(), "serviceAccountName");
    let service_account = named(input.service_account_name, what, wrong);
    tags::check(&input.tags, at, wrong);
    let target_role = filled(input.target_role_arn);
    wrong.extend(
        target_role
            .as_deref()
            .and_then(|arn| wrong_role(&format!("{at}/targetRoleARN"), arn)),
    );
    let policy = filled(input.policy);
    if let Some(text) = &policy {
        check_policy(text, input.disable_session_tags, at, wrong);
    }
    let name = filled(input.permission_policy_name);
    check_policy_name(
        name.as_deref(),
        input.permission_policy.is_some(),
        at,
        wrong,
    );
    let role = RoleInput {
        keys: [
            "permissionPolicyARNs",
            "permissionPolicy",
            "permissionsBoundaryARN",
        ],
        policy_arns: input.permission_policy_arns,
        document: input.permission_policy,
        document_name: name,
        well_known: input.well_known_policies,
        name: filled(input.role_name),
        boundary: filled(input.permissions_boundary_arn),
    };
    PodIdentitySpec {
        role: source(role, ("roleARN", filled(input.role_arn)), at, wrong),
        namespace,
        service_account,
        create: input.create_service_account.unwrap_or_default(),
        target_role,
        disable_session_tags: input.disable_session_tags,
        policy,
        tags: input.tags,
    }
}

fn check_place(namespace: &str, at: &str, wrong: &mut Vec<Invalid>) {
    let at = format!("{at}/namespace");
    if namespace.is_empty() {
        wrong.push(Invalid::new(at, "namespace must be set"));
    } else {
        wrong.extend(wrong_namespace(&at, namespace));
    }
}

/// A policy that narrows an association, as text.
fn check_policy(text: &str, without_tags: Option<bool>, at: &str, wrong: &mut Vec<Invalid>) {
    let here = format!("{at}/policy");
    if text.len() > MAX_POLICY {
        let message = format!("at most {MAX_POLICY} characters");
        wrong.push(Invalid::new(here, message));
        return;
    }
    if let Ok(document) = serde_json::from_str::<Value>(text) {
        let told = wrong_document("", &document).into_iter().next();
        wrong.extend(told.map(|told| Invalid::new(here.as_str(), told.message)));
    } else {
        let message = "expected an IAM policy as JSON text";
        wrong.push(Invalid::new(here.as_str(), message));
    }
    if without_tags != Some(true) {
        let message = "EKS takes a policy only with disableSessionTags: true";
        wrong.push(Invalid::new(here, message));
    }
}

fn check_policy_name(name: Option<&str>, has_policy: bool, at: &str, wrong: &mut Vec<Invalid>) {
    let Some(name) = name else { return };
    let at = format!("{at}/permissionPolicyName");
    if !has_policy {
        let message = "permissionPolicyName requires permissionPolicy to be set";
        wrong.push(Invalid::new(at.as_str(), message));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    let fine = name.len() <= 64 && name.bytes().all(allowed);
    if !fine || !name.bytes().any(|b| b.is_ascii_alphanumeric()) {
        let message = format!(
            "invalid name of a policy {}: expected at most 64 letters, digits or any of _+=,.@-, \
             with a letter or digit",
            quoted(name)
        );
        wrong.push(Invalid::new(at, message));
    }
}

/// Those of an add-on, which take less.
pub(super) fn of_addon(
    inputs: Vec<PodIdentityAssociation>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> Vec<AddonPodIdentity> {
    const MAX_OF_ADDON: usize = 20;
    if inputs.len() > MAX_OF_ADDON {
        wrong.push(Invalid::new(
            at,
            format!("at most {MAX_OF_ADDON} associations"),
        ));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut identities = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("{at}/{i}");
        check_of_addon(&input, &at, wrong);
        let identity = pod_identity(input, &at, wrong);
        if !names.insert(identity.service_account.clone()) {
            let message = format!("{} is listed twice", quoted(&identity.service_account));
            wrong.push(Invalid::new(format!("{at}/serviceAccountName"), message));
        }
        identities.push(AddonPodIdentity {
            namespace: Some(identity.namespace),
            service_account: identity.service_account,
            role: identity.role,
        });
    }
    identities
}

/// What an association of an add-on can't have.
fn check_of_addon(input: &PodIdentityAssociation, at: &str, wrong: &mut Vec<Invalid>) {
    let by_itself = "the add-on makes its ServiceAccounts itself: remove it";
    let plain = "EKS does not take it for an add-on's ServiceAccount; use \
                 iam.podIdentityAssociations, or remove it";
    let recommended = "it is not supported for an add-on; use useDefaultPodIdentityAssociations of \
                       the add-on";
    let own_tags = "tags are not supported for the associations of an add-on: remove them";
    let told = [
        (
            "wellKnownPolicies",
            input.well_known_policies.is_some(),
            recommended,
        ),
        ("tags", !input.tags.is_empty(), own_tags),
        (
            "createServiceAccount",
            input.create_service_account == Some(true),
            by_itself,
        ),
        ("targetRoleARN", input.target_role_arn.is_some(), plain),
        (
            "disableSessionTags",
            input.disable_session_tags == Some(true),
            plain,
        ),
        ("policy", input.policy.is_some(), plain),
    ];
    let told = told.into_iter().filter(|(_, present, _)| *present);
    wrong.extend(told.map(|(key, _, message)| Invalid::new(format!("{at}/{key}"), message)));
}
