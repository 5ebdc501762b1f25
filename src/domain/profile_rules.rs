//! When a profile is fit to be sent to AWS. The first four rules are eksctl's.

use super::eksctl::checks::wrong_policy_arn;
use super::ids::ProfileName;
use super::invalid::{Invalid, pointer_token, quoted};
use super::profile::{Naming, ProfileInput, ProfileSpec, SelectorInput};
use super::role_arn::RoleArn;
use super::selector::Selector;
use std::collections::BTreeMap;

/// The most selectors of a profile that we pass on; AWS's quota is lower, but adjustable.
pub const MAX_SELECTORS: usize = 100;
/// The most label pairs of a selector that we pass on.
pub const MAX_LABELS: usize = 100;
/// The most subnets of a profile.
pub const MAX_SUBNETS: usize = 100;
/// AWS's fixed limit of tags on one resource.
pub const MAX_TAGS: usize = 50;

/// The most bytes of a profile as JSON. Within AWS's quotas of 5 selectors with 5 labels, and with 50
/// tags of the longest keys and values, all of 4 bytes a character, a profile has fewer than 91,000.
pub const MAX_BYTES: usize = 96 * 1024;

const MAX_NAMESPACE: usize = 253;
/// EKS's bound; Kubernetes has 317.
const MAX_LABEL_KEY: usize = 127;
const MAX_LABEL_VALUE: usize = 63;
const MAX_SUBNET: usize = 64;
const MAX_TAG_KEY: usize = 128;
const MAX_TAG_VALUE: usize = 256;

pub(super) fn check(input: ProfileInput, naming: Naming) -> Result<ProfileSpec, Vec<Invalid>> {
    if let Some(broken) = eksctl_rule_broken(&input, naming) {
        return Err(vec![broken]);
    }
    let mut wrong = Vec::new();
    let name = keep(&mut wrong, "/name", input.name.map(ProfileName::parse));
    wrong.extend(name.as_ref().and_then(wrong_name));
    let role = input.pod_execution_role_arn.map(RoleArn::parse);
    let role = keep(&mut wrong, "/podExecutionRoleARN", role);
    check_boundary(
        input.permissions_boundary.as_deref(),
        role.is_some(),
        &mut wrong,
    );
    check_selectors(&input.selectors, &mut wrong);
    check_subnets(&input.subnets, &mut wrong);
    check_tags(&input.tags, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let selectors = input.selectors.into_iter().map(|selector| Selector {
        namespace: selector.namespace,
        labels: selector.labels,
    });
    let spec = ProfileSpec {
        name,
        pod_execution_role_arn: role,
        selectors: selectors.collect(),
        subnets: input.subnets,
        tags: input.tags,
    };
    check_size(&spec)?;
    Ok(spec)
}

fn check_size(spec: &ProfileSpec) -> Result<(), Vec<Invalid>> {
    let bytes = serde_json::to_vec(spec).map_or(usize::MAX, |json| json.len());
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!(
        "the profile has {bytes} bytes as JSON, and may have at most {MAX_BYTES}: use fewer \
         selectors, labels or tags, or several profiles"
    );
    Err(vec![Invalid::new("", message)])
}

/// The first of eksctl's rules that is broken, in its words.
fn eksctl_rule_broken(input: &ProfileInput, naming: Naming) -> Option<Invalid> {
    let name = input.name.as_deref().unwrap_or_default();
    // Go's %q and Rust's {:?} agree on every name that can pass.
    let subject = format!("invalid Fargate profile {}", quoted(name));
    if name.is_empty() && (naming == Naming::Required || input.name.is_some()) {
        return Some(Invalid::new("/name", "invalid Fargate profile: empty name"));
    }
    if name.starts_with("eks-") {
        let message = format!("{subject}: name should NOT start with \"eks-\"");
        return Some(Invalid::new("/name", message));
    }
    if input.selectors.is_empty() {
        return Some(Invalid::new(
            "/selectors",
            format!("{subject}: no profile selector"),
        ));
    }
    let i = input
        .selectors
        .iter()
        .position(|selector| selector.namespace.is_empty())?;
    let message = format!("{subject}: invalid profile selector at index #{i}: empty namespace");
    Some(Invalid::new(format!("/selectors/{i}/namespace"), message))
}

fn keep<T>(
    wrong: &mut Vec<Invalid>,
    pointer: &str,
    parsed: Option<Result<T, super::ParseError>>,
) -> Option<T> {
    match parsed? {
        Ok(value) => Some(value),
        Err(error) => {
            wrong.push(Invalid::new(pointer, error.message()));
            None
        }
    }
}

fn check_boundary(boundary: Option<&str>, has_role: bool, wrong: &mut Vec<Invalid>) {
    const AT: &str = "/permissionsBoundary";
    let Some(arn) = boundary else { return };
    wrong.extend(wrong_policy_arn(AT, arn));
    if has_role {
        let message = "a permissions boundary is for a role that is created, and \
                       podExecutionRoleARN names one that exists: remove one of the two";
        wrong.push(Invalid::new(AT, message));
    }
}

fn check_selectors(selectors: &[SelectorInput], wrong: &mut Vec<Invalid>) {
    if selectors.len() > MAX_SELECTORS {
        let message = format!("at most {MAX_SELECTORS} selectors");
        wrong.push(Invalid::new("/selectors", message));
        return;
    }
    for (i, selector) in selectors.iter().enumerate() {
        let at = format!("/selectors/{i}");
        if !is_token(&selector.namespace, MAX_NAMESPACE) {
            let message = format!(
                "invalid namespace {}: expected 1 to {MAX_NAMESPACE} characters without whitespace",
                quoted(&selector.namespace)
            );
            wrong.push(Invalid::new(format!("{at}/namespace"), message));
        }
        check_labels(&selector.labels, &format!("{at}/labels"), wrong);
    }
}

fn check_labels(labels: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    if labels.len() > MAX_LABELS {
        wrong.push(Invalid::new(
            at,
            format!("at most {MAX_LABELS} labels in one selector"),
        ));
        return;
    }
    for (key, value) in labels {
        let pointer = format!("{at}/{}", pointer_token(key));
        if !is_token(key, MAX_LABEL_KEY) {
            let message = format!(
                "invalid label key {}: expected 1 to {MAX_LABEL_KEY} characters without whitespace",
                quoted(key)
            );
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if !value.is_empty() && !is_token(value, MAX_LABEL_VALUE) {
            let message = format!(
                "invalid label value {}: expected at most {MAX_LABEL_VALUE} characters without \
                 whitespace",
                quoted(value)
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

fn check_subnets(subnets: &[String], wrong: &mut Vec<Invalid>) {
    if subnets.len() > MAX_SUBNETS {
        wrong.push(Invalid::new(
            "/subnets",
            format!("at most {MAX_SUBNETS} subnets"),
        ));
        return;
    }
    for (i, subnet) in subnets.iter().enumerate() {
        let pointer = format!("/subnets/{i}");
        let id = subnet.strip_prefix("subnet-").unwrap_or_default();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if id.is_empty() || subnet.len() > MAX_SUBNET || !id.bytes().all(allowed) {
            let message = format!(
                "invalid subnet {}: expected an id such as subnet-0a1b2c3d4e5f60718",
                quoted(subnet)
            );
            wrong.push(Invalid::new(pointer, message));
        } else if subnets[..i].contains(subnet) {
            wrong.push(Invalid::new(
                pointer,
                format!("subnet {subnet} is listed twice"),
            ));
        }
    }
}

/// Checks AWS's limits on tags; pointers start at `/tags`.
pub fn check_tags(tags: &BTreeMap<String, String>, wrong: &mut Vec<Invalid>) {
    if tags.len() > MAX_TAGS {
        wrong.push(Invalid::new("/tags", format!("at most {MAX_TAGS} tags")));
        return;
    }
    for (key, value) in tags {
        let pointer = format!("/tags/{}", pointer_token(key));
        if key.is_empty() || key.chars().count() > MAX_TAG_KEY {
            let message = format!("a tag's key has 1 to {MAX_TAG_KEY} characters");
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if key
            .get(..4)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
        {
            let message = "a tag's key must not start with \"aws:\", which is AWS's own";
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if value.chars().count() > MAX_TAG_VALUE {
            let message = format!("a tag's value has at most {MAX_TAG_VALUE} characters");
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if !is_plain(key) || !is_plain(value) {
            let message = "a tag holds letters, digits, spaces and any of _.:/=+-@ only";
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

/// EKS's rule on names of new profiles, which it applies after the cluster is made. Profiles that are
/// read may have any name.
fn wrong_name(name: &ProfileName) -> Option<Invalid> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let text = name.as_str();
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    (!begins || !text.bytes().all(allowed)).then(|| {
        let message = format!(
            "invalid Fargate profile name {}: EKS takes letters, digits, - and _, beginning with a \
             letter or digit",
            quoted(text)
        );
        Invalid::new("/name", message)
    })
}

/// What AWS takes in tags.
fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    text.chars().all(allowed)
}

fn is_token(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
