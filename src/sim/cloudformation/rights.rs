//! What CloudFormation needs besides the call that makes or deletes a resource, with the rights of who
//! asked for the stack. As AWS's handlers declare it, as far as it is asked for without exception.

use serde_json::Value;

use super::kind::Kind;
use super::names::{handler, resource_arn};
use super::properties::{strings, text};
use super::stack::Stack;
use crate::sim::access::authorize;
use crate::sim::arn::partition;
use crate::sim::forwarded::{self, ServiceLinkedRole};
use crate::sim::world::World;

/// What a right is needed on.
enum On {
    Resource,
    Any,
    Arn(String),
}

/// The types that take over the stack's tags, and the right to tag them.
const TAGGED: [(&str, &str); 11] = [
    ("AWS::EC2::VPC", "ec2:CreateTags"),
    ("AWS::EC2::Subnet", "ec2:CreateTags"),
    ("AWS::EC2::InternetGateway", "ec2:CreateTags"),
    ("AWS::EC2::EIP", "ec2:CreateTags"),
    ("AWS::EC2::NatGateway", "ec2:CreateTags"),
    ("AWS::EC2::RouteTable", "ec2:CreateTags"),
    ("AWS::EC2::SecurityGroup", "ec2:CreateTags"),
    ("AWS::IAM::Role", "iam:TagRole"),
    ("AWS::EKS::Cluster", "eks:TagResource"),
    ("AWS::EKS::Nodegroup", "eks:TagResource"),
    ("AWS::EKS::Capability", "eks:TagResource"),
];

/// A property, and the right that it needs; the property alone counts, whatever its value.
const BY_PROPERTY: [(&str, &str, &str); 10] = [
    (
        "AWS::EC2::VPCGatewayAttachment",
        "VpnGatewayId",
        "ec2:AttachVpnGateway",
    ),
    (
        "AWS::EC2::Subnet",
        "AssignIpv6AddressOnCreation",
        "ec2:ModifySubnetAttribute",
    ),
    (
        "AWS::EC2::VPC",
        "EnableDnsHostnames",
        "ec2:ModifyVpcAttribute",
    ),
    (
        "AWS::EC2::Subnet",
        "MapPublicIpOnLaunch",
        "ec2:ModifySubnetAttribute",
    ),
    (
        "AWS::EC2::SecurityGroup",
        "SecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupIngress",
    ),
    (
        "AWS::EC2::LaunchTemplate",
        "TagSpecifications",
        "ec2:CreateTags",
    ),
    (
        "AWS::IAM::Role",
        "ManagedPolicyArns",
        "iam:AttachRolePolicy",
    ),
    ("AWS::IAM::Role", "Policies", "iam:PutRolePolicy"),
    (
        "AWS::IAM::InstanceProfile",
        "Roles",
        "iam:AddRoleToInstanceProfile",
    ),
    (
        "AWS::AutoScaling::AutoScalingGroup",
        "Tags",
        "autoscaling:CreateOrUpdateTags",
    ),
];

/// How each type is looked at while it is made or deleted.
const LOOKS: [(&str, &str); 14] = [
    ("AWS::EC2::VPCCidrBlock", "ec2:DescribeVpcs"),
    ("AWS::EC2::SubnetCidrBlock", "ec2:DescribeSubnets"),
    ("AWS::EC2::VPCEndpoint", "ec2:DescribeVpcEndpoints"),
    (
        "AWS::EC2::EgressOnlyInternetGateway",
        "ec2:DescribeEgressOnlyInternetGateways",
    ),
    ("AWS::EC2::VPC", "ec2:DescribeVpcs"),
    ("AWS::EC2::Subnet", "ec2:DescribeSubnets"),
    ("AWS::EC2::InternetGateway", "ec2:DescribeInternetGateways"),
    ("AWS::EC2::EIP", "ec2:DescribeAddresses"),
    ("AWS::EC2::NatGateway", "ec2:DescribeNatGateways"),
    ("AWS::EC2::RouteTable", "ec2:DescribeRouteTables"),
    ("AWS::EC2::SecurityGroup", "ec2:DescribeSecurityGroups"),
    ("AWS::EC2::LaunchTemplate", "ec2:DescribeLaunchTemplates"),
    (
        "AWS::AutoScaling::AutoScalingGroup",
        "autoscaling:DescribeAutoScalingGroups",
    ),
    ("AWS::EKS::Cluster", "ec2:DescribeSubnets"),
];

/// What the deletion of a type takes on the resource itself.
const DELETION: [(&str, &[&str]); 5] = [
    (
        "AWS::IAM::Role",
        &[
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:DetachRolePolicy",
        ],
    ),
    (
        "AWS::IAM::InstanceProfile",
        &[
            "iam:GetInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
        ],
    ),
    (
        "AWS::AutoScaling::AutoScalingGroup",
        &["autoscaling:UpdateAutoScalingGroup"],
    ),
    ("AWS::EKS::Cluster", &["eks:DescribeCluster"]),
    ("AWS::IAM::Policy", &["iam:GetRolePolicy"]),
];

impl World {
    /// Refuses, in the handler's words, a resource that takes more rights than there are.
    pub(super) fn rights_to_make(
        &mut self,
        stack: &Stack,
        kind: &Kind,
        logical: &str,
        (physical, properties): (&str, &Value),
    ) -> Result<(), String> {
        for name in looked_up(stack, logical) {
            to_look_up(&stack.caller, &name).map_err(|why| handler("AccessDenied", &why))?;
        }
        let mut needed: Vec<(&str, On)> = looks(kind);
        let tagged = TAGGED.iter().filter(|(name, _)| *name == kind.name);
        needed.extend(tagged.map(|(_, right)| (*right, On::Resource)));
        let given = BY_PROPERTY
            .iter()
            .filter(|(name, property, _)| *name == kind.name && is_set(properties, property));
        needed.extend(given.map(|(_, _, right)| (*right, On::Resource)));
        needed.extend(of_roles(stack, kind, properties));
        needed.extend(of_nodes(stack, kind));
        needed.extend(of_keys(kind, properties));
        check(stack, kind, physical, needed)?;
        match service_linked(kind) {
            Some(role) => self
                .service_linked(&stack.caller, role)
                .map_err(|error| handler("AccessDenied", &error.message)),
            None => Ok(()),
        }
    }
}

/// The rights that the deletion of a resource takes besides its own call.
pub(super) fn to_delete(stack: &Stack, kind: &Kind, physical: &str) -> Result<(), String> {
    let mut needed: Vec<(&str, On)> = looks(kind);
    let own = DELETION.iter().filter(|(name, _)| *name == kind.name);
    needed.extend(own.flat_map(|(_, rights)| rights.iter().map(|right| (*right, On::Resource))));
    check(stack, kind, physical, needed)
}

/// The names in `{{resolve:ssm:…}}` of a resource's declaration.
fn looked_up(stack: &Stack, logical: &str) -> Vec<String> {
    let declared = stack.template.resources.get(logical);
    let text = declared.map_or_else(String::new, |one| one.properties.to_string());
    let names = text.split("{{resolve:ssm:").skip(1);
    names
        .filter_map(|rest| rest.split("}}").next())
        .map(str::to_owned)
        .collect()
}

/// The right to look up a parameter in the parameter store.
pub(super) fn to_look_up(caller: &crate::sim::caller::Caller, name: &str) -> Result<(), String> {
    let (partition, region) = (partition(&caller.region), &caller.region);
    let owner = if name.starts_with("/aws/") {
        ""
    } else {
        &caller.account
    };
    let name = name.trim_start_matches('/');
    let arn = format!("arn:{partition}:ssm:{region}:{owner}:parameter/{name}");
    authorize(caller, "ssm:GetParameters", &arn).map_err(|error| error.message)
}

fn check(
    stack: &Stack,
    kind: &Kind,
    physical: &str,
    needed: Vec<(&str, On)>,
) -> Result<(), String> {
    for (right, on) in needed {
        let resource = match on {
            On::Resource => resource_arn(stack, kind, physical),
            On::Any => "*".to_owned(),
            On::Arn(arn) => arn,
        };
        authorize(&stack.caller, right, &resource)
            .map_err(|error| handler("AccessDenied", &error.message))?;
    }
    Ok(())
}

fn looks(kind: &Kind) -> Vec<(&'static str, On)> {
    let of_it = LOOKS.iter().filter(|(name, _)| *name == kind.name);
    of_it.map(|(_, right)| (*right, On::Any)).collect()
}

/// The roles that a resource is given.
fn of_roles(stack: &Stack, kind: &Kind, properties: &Value) -> Vec<(&'static str, On)> {
    let given = match kind.name {
        "AWS::EKS::Cluster" => text(properties, "RoleArn"),
        "AWS::EKS::Nodegroup" => text(properties, "NodeRole"),
        "AWS::IAM::InstanceProfile" => {
            let roles = strings(properties, "Roles");
            let named = |role: &String| super::names::iam_arn(stack, "role", role);
            return roles
                .first()
                .map(|role| ("iam:PassRole", On::Arn(named(role))))
                .into_iter()
                .collect();
        }
        _ => None,
    };
    let Some(role) = given else { return Vec::new() };
    vec![
        ("iam:GetRole", On::Arn(role.clone())),
        ("iam:ListAttachedRolePolicies", On::Arn(role)),
    ]
}

/// EKS makes use of the key for Secrets with the rights of the caller.
fn of_keys(kind: &Kind, properties: &Value) -> Vec<(&'static str, On)> {
    if kind.name != "AWS::EKS::Cluster" {
        return Vec::new();
    }
    let key = properties.pointer("/EncryptionConfig/0/Provider/KeyArn");
    let Some(key) = key.and_then(Value::as_str) else {
        return Vec::new();
    };
    let rights = ["kms:DescribeKey", "kms:CreateGrant"];
    rights.map(|right| (right, On::Arn(key.to_owned()))).into()
}

/// What starts instances takes the right to start them from the launch template.
fn of_nodes(stack: &Stack, kind: &Kind) -> Vec<(&'static str, On)> {
    if !matches!(
        kind.name,
        "AWS::EKS::Nodegroup" | "AWS::AutoScaling::AutoScalingGroup"
    ) {
        return Vec::new();
    }
    let (account, region) = (&stack.caller.account, &stack.caller.region);
    let ec2 = format!("arn:{}:ec2:{region}", partition(region));
    vec![
        (
            "ec2:RunInstances",
            On::Arn(format!("{ec2}:{account}:instance/*")),
        ),
        ("ec2:RunInstances", On::Arn(format!("{ec2}::image/ami-0"))),
        ("ec2:DescribeLaunchTemplateVersions", On::Any),
    ]
}

fn service_linked(kind: &Kind) -> Option<ServiceLinkedRole> {
    match kind.name {
        "AWS::EKS::Cluster" => Some(forwarded::OF_EKS),
        "AWS::EKS::Nodegroup" => Some(forwarded::OF_NODEGROUPS),
        "AWS::AutoScaling::AutoScalingGroup" => Some(forwarded::OF_AUTOSCALING),
        _ => None,
    }
}

fn is_set(properties: &Value, name: &str) -> bool {
    properties.get(name).is_some_and(|value| !value.is_null())
}
