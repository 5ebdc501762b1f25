"""What CloudFormation, and the services behind it, refuse of the resources of a stack."""

import json

import pytest
from conftest import CLUSTER
from support import refused

from test_clusters import cfn, create_stack, described, events, role_template, session, trust  # noqa: F401

NODES = "arn:aws:iam::111111111111:role/nodes"
SUBNETS = ["subnet-0bbbbbbbbbbbbbb01"]


@pytest.fixture
def reasons(sim, cfn, create_stack):  # noqa: F811
    """Makes one resource; why it failed."""

    def reasons(kind, properties):
        create_stack("one", {"Resources": {"Thing": {"Type": kind, "Properties": properties}}})
        sim.advance(30)
        told = [event.get("ResourceStatusReason", "") for event in events(cfn, "one") if event["LogicalResourceId"] == "Thing"]
        return "\n".join(told)

    return reasons


@pytest.mark.parametrize(
    "kind,properties,why",
    [
        (
            "AWS::EC2::VPC",
            {"CidrBlock": "10.0.0.0/16", "Nmae": "x"},
            "Properties validation failed for resource Thing with message:\n#: extraneous key [Nmae] is not permitted",
        ),
        ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/24"}, "#: required key [VpcId] not found"),
        (
            "AWS::EC2::SecurityGroup",
            {"GroupDescription": ["x"]},
            "#/GroupDescription: expected type: String, found: JSONArray",
        ),
        (
            "AWS::EC2::LaunchTemplate",
            {"LaunchTemplateData": {"MetadataOptions": {"HttpTokenz": "required"}}},
            "#/LaunchTemplateData/MetadataOptions: extraneous key [HttpTokenz] is not permitted",
        ),
        ("AWS::EKS::Cluster", {"Arn": "x"}, "Encountered unsupported property Arn"),
        (
            "AWS::EKS::Cluster",
            {"Name": "x", "RoleArn": NODES, "ResourcesVpcConfig": {"SubnetIds": SUBNETS}},
            "could not be assumed because it does not exist or the trusted entity is not correct",
        ),
        (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": {"Statement": []}},
            "Syntax errors in policy.",
        ),
        (
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": trust("eks.amazonaws.com"),
                "ManagedPolicyArns": ["arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy"],
            },
            "does not exist or is not attachable.",
        ),
        (
            "AWS::EKS::Nodegroup",
            {"ClusterName": CLUSTER, "NodeRole": NODES, "Subnets": SUBNETS, "InstanceTypes": ["m5.huge"]},
            "The following supplied instance types do not exist: [m5.huge]",
        ),
        (
            "AWS::EKS::Nodegroup",
            {
                "ClusterName": CLUSTER,
                "NodeRole": NODES,
                "Subnets": SUBNETS,
                "InstanceTypes": ["t4g.large"],
                "AmiType": "AL2023_x86_64_STANDARD",
            },
            "[t4g.large] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD",
        ),
        (
            "AWS::EKS::Nodegroup",
            {"ClusterName": CLUSTER, "NodeRole": NODES, "Subnets": SUBNETS},
            "must belong to the VPC",
        ),
        (
            "AWS::EKS::Nodegroup",
            {"ClusterName": CLUSTER, "NodeRole": NODES.replace("nodes", "developers"), "Subnets": SUBNETS},
            "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships",
        ),
        (
            "AWS::EKS::AccessEntry",
            {"ClusterName": CLUSTER, "PrincipalArn": NODES.replace("nodes", "nobody")},
            "The specified principalArn is invalid: invalid principal.",
        ),
        (
            "AWS::EKS::AccessEntry",
            {"ClusterName": CLUSTER, "PrincipalArn": NODES, "KubernetesGroups": ["system:masters"]},
            "The kubernetes group name system:masters is invalid, it cannot start with system:",
        ),
        ("AWS::EKS::Addon", {"ClusterName": CLUSTER, "AddonName": "nonsense"}, "Addon nonsense specified is not supported"),
        (
            "AWS::EKS::Addon",
            {"ClusterName": CLUSTER, "AddonName": "vpc-cni", "AddonVersion": "v0"},
            "Addon version specified is not supported",
        ),
    ],
)
def test_resources_that_aws_refuses(reasons, kind, properties, why):
    assert why in reasons(kind, properties)


def test_stacks_that_cloudformation_refuses(cfn):  # noqa: F811
    body = json.dumps(role_template())
    named = {"StackName": "one", "TemplateBody": body}
    needs = refused(cfn.create_stack, **named)
    assert (needs.status, needs.code) == (400, "InsufficientCapabilitiesException")
    named["Capabilities"] = ["CAPABILITY_IAM"]
    for tags in ([{"Key": "aws:x", "Value": "y"}], [{"Key": "a", "Value": "x;y"}]):
        assert refused(cfn.create_stack, Tags=tags, **named).code == "ValidationError"
    old = json.dumps({**role_template(), "AWSTemplateFormatVersion": "2009-01-01"})
    assert "AWSTemplateFormatVersion" in refused(cfn.create_stack, **{**named, "TemplateBody": old}).message
    cfn.create_stack(**named)
    assert refused(cfn.create_stack, **named) == (400, "AlreadyExistsException", "Stack [one] already exists")
    assert described(cfn, "one")["StackStatus"] == "CREATE_IN_PROGRESS"
