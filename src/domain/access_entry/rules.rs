//! When an access entry is fit to be asked for: eksctl's rules, and those by which AWS would refuse
//! it.

use super::{
    AccessEntryInput, AccessEntrySpec, AccessEntryType, AccessPolicy, AccessPolicyInput,
    AccessScope, AccessScopeInput, PrincipalArn,
};
use crate::domain::ids::Partition;
use crate::domain::invalid::{Invalid, quoted};
use crate::domain::profile_rules::check_tags;
use std::str::FromStr;

const MAX_GROUPS: usize = 100;
const MAX_POLICIES: usize = 50;
const MAX_NAMESPACES: usize = 100;
const MAX_NAME: usize = 256;
const MAX_NAMESPACE: usize = 63;

/// What EKS lets neither names nor groups begin with.
const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];

pub(super) fn check(
    input: AccessEntryInput,
    of_path: Option<&PrincipalArn>,
) -> Result<AccessEntrySpec, Vec<Invalid>> {
    let mut wrong = Vec::new();
    let principal = principal(input.principal_arn, of_path, &mut wrong);
    let kind = kind(input.kind.as_deref(), &mut wrong);
    check_groups(&input.kubernetes_groups, &mut wrong);
    if let Some(name) = &input.kubernetes_username {
        check_name(name, "/kubernetesUsername", &mut wrong);
        check_session(name, &mut wrong);
    }
    if let Some(kind) = kind {
        let named = input.kubernetes_username.is_some();
        check_type(
            kind,
            (named, &input.kubernetes_groups),
            &input.access_policies,
            &mut wrong,
        );
    }
    let access_policies = policies(input.access_policies, &mut wrong);
    check_tags(&input.tags, &mut wrong);
    match (principal, kind) {
        (Some(principal_arn), Some(kind)) if wrong.is_empty() => Ok(AccessEntrySpec {
            principal_arn,
            kind,
            kubernetes_groups: input.kubernetes_groups,
            kubernetes_username: input.kubernetes_username,
            access_policies,
            tags: input.tags,
        }),
        _ => Err(wrong),
    }
}

fn principal(
    given: Option<String>,
    of_path: Option<&PrincipalArn>,
    wrong: &mut Vec<Invalid>,
) -> Option<PrincipalArn> {
    const AT: &str = "/principalARN";
    let principal = match (given, of_path) {
        (None, Some(of_path)) => Ok(of_path.clone()),
        (Some(given), Some(of_path)) if given != of_path.as_str() => Err(format!(
            "{} is not the principal of the path, {of_path}: leave it out",
            quoted(&given)
        )),
        (Some(given), _) => PrincipalArn::parse(given).map_err(|error| error.message().to_owned()),
        (None, None) => {
            Err("principalARN must be set to the ARN of an IAM role or user".to_owned())
        }
    };
    let principal = principal.and_then(|principal| {
        if principal.is_service_linked() {
            let message = "a service-linked role can't have an access entry that is made by hand: \
                           EKS makes those that it needs";
            return Err(message.to_owned());
        }
        Ok(principal)
    });
    principal
        .map_err(|message| wrong.push(Invalid::new(AT, message)))
        .ok()
}

fn kind(given: Option<&str>, wrong: &mut Vec<Invalid>) -> Option<AccessEntryType> {
    match given {
        None | Some("") => Some(AccessEntryType::Standard),
        Some(given) => AccessEntryType::from_str(given)
            .map_err(|error| wrong.push(Invalid::new("/type", error.message())))
            .ok(),
    }
}

/// What does not go with the type.
fn check_type(
    kind: AccessEntryType,
    (named, groups): (bool, &[String]),
    policies: &[AccessPolicyInput],
    wrong: &mut Vec<Invalid>,
) {
    if kind == AccessEntryType::Standard {
        return;
    }
    if !groups.is_empty() {
        let message = format!("cannot specify kubernetesGroups when type is set to {kind}");
        wrong.push(Invalid::new("/kubernetesGroups", message));
    }
    if named {
        let message = format!("cannot specify kubernetesUsername when type is set to {kind}");
        wrong.push(Invalid::new("/kubernetesUsername", message));
    }
    if kind != AccessEntryType::Ec2 && !policies.is_empty() {
        let message = format!("cannot specify accessPolicies when type is set to {kind}");
        wrong.push(Invalid::new("/accessPolicies", message));
    }
}

fn check_groups(groups: &[String], wrong: &mut Vec<Invalid>) {
    const AT: &str = "/kubernetesGroups";
    if groups.len() > MAX_GROUPS {
        wrong.push(Invalid::new(AT, format!("at most {MAX_GROUPS} groups")));
        return;
    }
    for (i, group) in groups.iter().enumerate() {
        let at = format!("{AT}/{i}");
        if groups[..i].contains(group) {
            let message = format!("{} is listed twice", quoted(group));
            wrong.push(Invalid::new(at.as_str(), message));
        }
        check_name(group, &at, wrong);
    }
}

/// A name that Kubernetes shall know somebody by.
fn check_name(name: &str, at: &str, wrong: &mut Vec<Invalid>) {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(odd) {
        let message = format!(
            "invalid name {}: expected 1 to {MAX_NAME} characters without whitespace",
            quoted(name)
        );
        wrong.push(Invalid::new(at, message));
    }
    if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(**prefix)) {
        let message = format!(
            "{} must not start with {prefix}, which EKS keeps to itself; to make somebody an \
             administrator, use accessPolicies with {}",
            quoted(name),
            super::CLUSTER_ADMIN
        );
        wrong.push(Invalid::new(at, message));
    }
}

/// EKS wants a colon before the name of a session.
fn check_session(name: &str, wrong: &mut Vec<Invalid>) {
    for variable in ["{{SessionName}}", "{{SessionNameRaw}}"] {
        if let Some((before, _)) = name.split_once(variable)
            && !before.contains(':')
        {
            let message = format!("a colon must come before {variable}, as in ci:{variable}");
            wrong.push(Invalid::new("/kubernetesUsername", message));
        }
    }
}

pub(in crate::domain) fn policies(
    inputs: Vec<AccessPolicyInput>,
    wrong: &mut Vec<Invalid>,
) -> Vec<AccessPolicy> {
    if inputs.len() > MAX_POLICIES {
        let message = format!("at most {MAX_POLICIES} access policies");
        wrong.push(Invalid::new("/accessPolicies", message));
        return Vec::new();
    }
    let mut policies: Vec<AccessPolicy> = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("/accessPolicies/{i}");
        let arn = input.policy_arn;
        if policy_partition(&arn).is_none() {
            let message = format!(
                "invalid access policy {}: expected \
                 arn:<partition>:eks::aws:cluster-access-policy/<name>",
                quoted(&arn)
            );
            wrong.push(Invalid::new(format!("{at}/policyARN"), message));
        }
        if policies.iter().any(|policy| policy.policy_arn == arn) {
            let message = format!(
                "{} is listed twice; give all its namespaces to one",
                quoted(&arn)
            );
            wrong.push(Invalid::new(format!("{at}/policyARN"), message));
        }
        policies.push(AccessPolicy {
            policy_arn: arn,
            access_scope: scope(input.access_scope, &format!("{at}/accessScope"), wrong),
        });
    }
    policies
}

fn scope(input: AccessScopeInput, at: &str, wrong: &mut Vec<Invalid>) -> AccessScope {
    let none = input.namespaces.is_empty();
    let told = match input.kind.as_str() {
        "cluster" if none => None,
        "cluster" => Some((
            "namespaces",
            "cannot specify namespaces for the type cluster".to_owned(),
        )),
        "namespace" if none => {
            let message = "at least one namespace must be specified for the type namespace";
            Some(("namespaces", message.to_owned()))
        }
        "namespace" => None,
        other => {
            let message = format!(
                "invalid access scope type {}: expected \"cluster\" or \"namespace\"",
                quoted(other)
            );
            Some(("type", message))
        }
    };
    wrong.extend(told.map(|(key, message)| Invalid::new(format!("{at}/{key}"), message)));
    check_namespaces(&input.namespaces, &format!("{at}/namespaces"), wrong);
    AccessScope {
        kind: input.kind,
        namespaces: input.namespaces,
    }
}

fn check_namespaces(namespaces: &[String], at: &str, wrong: &mut Vec<Invalid>) {
    if namespaces.len() > MAX_NAMESPACES {
        let message = format!("at most {MAX_NAMESPACES} namespaces");
        wrong.push(Invalid::new(at, message));
        return;
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*?".contains(&b);
    for (i, name) in namespaces.iter().enumerate() {
        let at = format!("{at}/{i}");
        let fine = (1..=MAX_NAMESPACE).contains(&name.len()) && name.bytes().all(allowed);
        if !fine || name.starts_with('-') || name.ends_with('-') {
            let message = format!(
                "invalid namespace {}: expected 1 to {MAX_NAMESPACE} lower-case letters, digits or \
                 -, or a pattern with * and ?",
                quoted(name)
            );
            wrong.push(Invalid::new(at, message));
        } else if namespaces[..i].contains(name) {
            wrong.push(Invalid::new(
                at,
                format!("{} is listed twice", quoted(name)),
            ));
        }
    }
}

/// The partition of an access policy; none of what is no access policy.
fn policy_partition(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?;
    let (partition, name) = rest.split_once(":eks::aws:cluster-access-policy/")?;
    let known = partition.starts_with("aws")
        && partition
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'-');
    let named = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (known && named).then_some(partition)
}

pub(super) fn misplaced(
    entry: &AccessEntrySpec,
    account_id: &str,
    partition: Partition,
) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    let (principal, kind) = (&entry.principal_arn, entry.kind);
    if principal.partition() != partition.as_str() {
        let message = format!("the principal {principal} is not in partition {partition}");
        wrong.push(Invalid::new("/principalARN", message));
    }
    let own_role = principal.is_role() && principal.account() == account_id;
    if kind != AccessEntryType::Standard && !own_role {
        let message = format!("an entry of type {kind} needs a role of account {account_id}");
        wrong.push(Invalid::new("/principalARN", message));
    }
    wrong.extend(misplaced_policies(&entry.access_policies, partition));
    wrong
}

/// Access policies of another partition.
pub(in crate::domain) fn misplaced_policies(
    policies: &[AccessPolicy],
    partition: Partition,
) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    for (i, policy) in policies.iter().enumerate() {
        if policy_partition(&policy.policy_arn) != Some(partition.as_str()) {
            let message = format!(
                "the access policy {} is not in partition {partition}",
                policy.policy_arn
            );
            let at = format!("/accessPolicies/{i}/policyARN");
            wrong.push(Invalid::new(at, message));
        }
    }
    wrong
}
