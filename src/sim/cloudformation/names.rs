//! What things are called: ARNs, tags, ids, and how CloudFormation passes on what others said.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::stack::Stack;
use crate::sim::arn::partition;
use crate::sim::clock::fresh_id;

/// The tags of a resource: the stack's, its own, and those that CloudFormation adds.
pub(super) fn tags_of(
    stack: &Stack,
    logical: &str,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut tags = stack.tags.clone();
    tags.extend(own.clone());
    for (key, value) in [
        ("stack-name", stack.name.as_str()),
        ("stack-id", stack.id.as_str()),
        ("logical-id", logical),
    ] {
        tags.insert(format!("aws:cloudformation:{key}"), value.to_owned());
    }
    tags
}

/// The ARN by which policies know a resource.
pub(super) fn resource_arn(stack: &Stack, kind: &Kind, physical: &str) -> String {
    let (account, region) = (&stack.caller.account, &stack.caller.region);
    let regional = |service: &str, resource: &str| {
        format!(
            "arn:{}:{service}:{region}:{account}:{resource}",
            partition(region)
        )
    };
    match kind.name {
        "AWS::IAM::Role" | "AWS::IAM::Policy" => iam_arn(stack, "role", physical),
        "AWS::IAM::InstanceProfile" => iam_arn(stack, "instance-profile", physical),
        "AWS::IAM::ManagedPolicy" => iam_arn(stack, "policy", physical),
        "AWS::EKS::Cluster" => regional("eks", &format!("cluster/{physical}")),
        name if name.starts_with("AWS::EKS::") => {
            regional("eks", &format!("cluster/{}", cluster_tag(stack, "*")))
        }
        name if name.starts_with("AWS::AutoScaling::") => regional(
            "autoscaling",
            &format!("autoScalingGroup:*:autoScalingGroupName/{physical}"),
        ),
        "AWS::CloudFormation::WaitConditionHandle" => stack.id.clone(),
        _ => regional("ec2", &format!("*/{physical}")),
    }
}

pub(super) fn cluster_tag<'a>(stack: &'a Stack, other: &'a str) -> &'a str {
    stack.cluster().unwrap_or(other)
}

pub(super) fn iam_arn(stack: &Stack, kind: &str, name: &str) -> String {
    let (partition, account) = (partition(&stack.caller.region), &stack.caller.account);
    format!("arn:{partition}:iam::{account}:{kind}/{name}")
}

/// How CloudFormation passes on what another service said.
pub(super) fn handler(code: &str, message: &str) -> String {
    let token = fresh_id();
    format!(
        "Resource handler returned message: \"{message}\" (RequestToken: {token}, HandlerErrorCode: {code})"
    )
}

pub(super) fn missing(property: &str) -> String {
    format!("Properties validation failed: required key [{property}] not found")
}

/// 16 hexadecimal digits.
pub(super) fn random_hex() -> String {
    format!("{:016x}", fresh_id().as_u128() & u128::from(u64::MAX))
}

pub(super) fn owned<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}
