//! The role of nodes.

use super::Wrong;
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::checks::wrong_policy_arn;
use crate::domain::eksctl::nodegroup::NodeGroupIam;
use crate::domain::ids::Partition;
use crate::domain::invalid::quoted;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// AWS takes twenty policies of one role at most.
const MAX_POLICIES: usize = 20;
/// Of which those for what runs on the nodes may take some.
const MAX_OWN_POLICIES: usize = 15;
/// The longest policy in a role.
const MAX_DOCUMENT: usize = 10_240;

pub(super) fn check(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let Some(iam) = &input.iam else { return };
    let boundary = iam.instance_role_permissions_boundary.as_deref();
    let at = format!("{}/iam/instanceRolePermissionsBoundary", wrong.at);
    wrong
        .told
        .extend(boundary.and_then(|arn| wrong_policy_arn(&at, arn)));
    check_given(iam, wrong);
    if let Some(name) = &iam.instance_role_name
        && !is_name(name)
    {
        let message = format!(
            "invalid role name {}: expected 1 to 64 letters, digits or any of +=,.@-_",
            quoted(name)
        );
        wrong.say("iam/instanceRoleName", message);
    }
    check_policies(&iam.attach_policy_arns, wrong);
    if let Some(document) = &iam.attach_policy {
        check_document(document, wrong);
    }
    check_addons(input, iam, wrong);
}

/// A role that exists needs nothing that is made with one.
fn check_given(iam: &NodeGroupIam, wrong: &mut Wrong<'_>) {
    let given = [
        ("instanceRoleARN", iam.instance_role_arn.as_deref(), "role/"),
        (
            "instanceProfileARN",
            iam.instance_profile_arn.as_deref(),
            "instance-profile/",
        ),
    ];
    for (key, arn, resource) in given {
        if let Some(arn) = arn.filter(|arn| !is_arn(arn, resource)) {
            let message = format!(
                "invalid ARN {}: expected arn:<partition>:iam::<account>:{resource}<name>",
                quoted(arn)
            );
            wrong.say(&format!("iam/{key}"), message);
        }
    }
    let Some((key, _, _)) = given.iter().find(|(_, arn, _)| arn.is_some()) else {
        return;
    };
    if iam.instance_role_arn.is_none() {
        let message = "nodes join by an access entry of their role: name the role of this profile in \
                       instanceRoleARN too";
        wrong.say("iam/instanceProfileARN", message);
    }
    let addons = iam.with_addon_policies.as_ref();
    let addons = addons.is_some_and(|asked| asked.all().iter().any(|(_, asked)| *asked));
    for (other, present) in [
        ("instanceRoleName", iam.instance_role_name.is_some()),
        ("attachPolicy", iam.attach_policy.is_some()),
        ("attachPolicyARNs", !iam.attach_policy_arns.is_empty()),
        (
            "instanceRolePermissionsBoundary",
            iam.instance_role_permissions_boundary.is_some(),
        ),
        ("withAddonPolicies", addons),
    ] {
        if present {
            let message = format!(
                "it is for a role that is made, and {key} names one: remove one of the two"
            );
            wrong.say(&format!("iam/{other}"), message);
        }
    }
}

fn check_policies(arns: &[String], wrong: &mut Wrong<'_>) {
    if arns.len() > MAX_OWN_POLICIES {
        let message = format!(
            "at most {MAX_OWN_POLICIES} policies: a role takes {MAX_POLICIES}, and nodes may need others"
        );
        wrong.say("iam/attachPolicyARNs", message);
        return;
    }
    let mut taken = BTreeSet::new();
    for (i, arn) in arns.iter().enumerate() {
        let key = format!("iam/attachPolicyARNs/{i}");
        if !is_arn(arn, "policy/") {
            let message = format!(
                "invalid policy ARN {}: expected arn:<partition>:iam::<account or aws>:policy/<name>",
                quoted(arn)
            );
            wrong.say(&key, message);
        } else if !taken.insert(arn) {
            wrong.say(&key, "this policy is listed twice");
        }
    }
}

fn check_document(document: &Map<String, Value>, wrong: &mut Wrong<'_>) {
    const KEY: &str = "iam/attachPolicy";
    let text = serde_json::to_string(document).unwrap_or_default();
    if !matches!(
        document.get("Statement"),
        Some(Value::Array(_) | Value::Object(_))
    ) {
        let message = "expected the document of a policy: an object with Version and Statement";
        wrong.say(KEY, message);
    }
    if text.len() > MAX_DOCUMENT {
        wrong.say(
            KEY,
            format!("a policy in a role has at most {MAX_DOCUMENT} bytes"),
        );
    }
    // CloudFormation would look up what stands in such braces.
    if text.contains("{{") {
        wrong.say(KEY, "the document must not hold {{");
    }
}

fn check_addons(input: &NodeGroup, iam: &NodeGroupIam, wrong: &mut Wrong<'_>) {
    let Some(addons) = &iam.with_addon_policies else {
        return;
    };
    if addons.alb_ingress == Some(true) && addons.aws_load_balancer_controller == Some(true) {
        let message = "it is the former name of awsLoadBalancerController: set only that";
        wrong.say("iam/withAddonPolicies/albIngress", message);
    }
    if input.disable_pod_imds == Some(true) {
        let asked = addons.all().into_iter().filter(|(_, asked)| *asked);
        for (key, _) in asked {
            let message =
                "pods can't use the role of their node with disablePodIMDS: remove one of the two";
            wrong.say(&format!("iam/withAddonPolicies/{key}"), message);
        }
    }
}

/// Whether a text is an ARN of IAM's, of a resource of this kind. Accounts may be short, as in
/// eksctl's examples.
fn is_arn(text: &str, resource: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, named] = parts.as_slice() else {
        return false;
    };
    let digits =
        !account.is_empty() && account.len() <= 12 && account.bytes().all(|b| b.is_ascii_digit());
    let path = named.strip_prefix(resource).unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&b);
    Partition::of_arn(partition).is_some()
        && (digits || *account == "aws")
        && text.len() <= 2048
        && path.bytes().all(allowed)
        && path.rsplit('/').next().is_some_and(|name| !name.is_empty())
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
