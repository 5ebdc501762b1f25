"""Access entries and their policies: who may use a cluster, as EKS answers it."""

import pytest
from conftest import ACCOUNT, CLUSTER, OTHER_ACCOUNT
from support import refused

ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/platform-admins"
POLICIES = "arn:aws:eks::aws:cluster-access-policy"
NOT_FOUND = (
    404,
    "ResourceNotFoundException",
    "The specified principalArn could not be found. You can view your available access entries "
    "with 'list-access-entries'.",
)


@pytest.fixture
def make(eks):
    def make(principal=ROLE, **more):
        made = eks.create_access_entry(clusterName=CLUSTER, principalArn=principal, **more)
        return made["accessEntry"]

    return make


@pytest.fixture
def of(eks):
    """The arguments of calls about one entry, and shorthands for some of them."""
    return {"clusterName": CLUSTER, "principalArn": ROLE}


def associated(eks, of):
    pages = eks.get_paginator("list_associated_access_policies").paginate(**of)
    policies = [one for page in pages for one in page["associatedAccessPolicies"]]
    return {one["policyArn"].split("/")[-1]: one["accessScope"] for one in policies}


def test_an_entry_has_what_eks_adds(eks, make, of):
    entry = make(kubernetesGroups=["a"], tags={"team": "blue"})
    assert entry["type"] == "STANDARD"
    assert entry["username"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/platform-admins/{{{{SessionName}}}}"
    )
    identity = f":access-entry/{CLUSTER}/role/{ACCOUNT}/platform-admins/"
    assert identity in entry["accessEntryArn"]
    assert eks.describe_access_entry(**of)["accessEntry"] == entry
    again = refused(make)
    assert (again.status, again.code) == (409, "ResourceInUseException")
    assert "already in use on this cluster" in again.message
    listed = eks.list_access_entries(clusterName=CLUSTER)["accessEntries"]
    assert ROLE in listed
    user = make(f"arn:aws:iam::{OTHER_ACCOUNT}:user/auditor")
    assert user["username"] == f"arn:aws:iam::{OTHER_ACCOUNT}:user/auditor"
    nodes = make(f"arn:aws:iam::{ACCOUNT}:role/nodes", type="EC2_LINUX")
    assert nodes["username"] == "system:node:{{EC2PrivateDNSName}}"
    assert nodes["kubernetesGroups"] == ["system:nodes"]


def test_policies_are_associated_and_scoped(eks, make, of):
    make()
    view = {"policyArn": f"{POLICIES}/AmazonEKSViewPolicy", **of}
    admin = {"policyArn": f"{POLICIES}/AmazonEKSClusterAdminPolicy", **of}
    scope = {"type": "namespace", "namespaces": ["dev"]}
    answer = eks.associate_access_policy(accessScope=scope, **view)
    assert answer["associatedAccessPolicy"]["accessScope"] == scope
    eks.associate_access_policy(accessScope={"type": "cluster"}, **admin)
    wider = {"type": "namespace", "namespaces": ["dev", "test"]}
    eks.associate_access_policy(accessScope=wider, **view)
    assert associated(eks, of) == {
        "AmazonEKSViewPolicy": wider,
        "AmazonEKSClusterAdminPolicy": {"type": "cluster", "namespaces": []},
    }
    of_policy = {"clusterName": CLUSTER, "associatedPolicyArn": view["policyArn"]}
    assert eks.list_access_entries(**of_policy)["accessEntries"] == [ROLE]
    eks.disassociate_access_policy(**view)
    assert list(associated(eks, of)) == ["AmazonEKSClusterAdminPolicy"]
    assert refused(eks.disassociate_access_policy, **view).status == 404
    assert eks.list_access_entries(**of_policy)["accessEntries"] == []


def test_an_entry_is_changed_tagged_and_deleted(eks, make, of):
    arn = make(tags={"team": "blue"})["accessEntryArn"]
    changed = eks.update_access_entry(kubernetesGroups=["b"], username="me:{{SessionName}}", **of)
    assert changed["accessEntry"]["kubernetesGroups"] == ["b"]
    assert changed["accessEntry"]["username"] == "me:{{SessionName}}"
    eks.tag_resource(resourceArn=arn, tags={"stage": "dev"})
    eks.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert eks.describe_access_entry(**of)["accessEntry"]["tags"] == {"stage": "dev"}
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "dev"}
    policy = {"policyArn": f"{POLICIES}/AmazonEKSViewPolicy", **of}
    eks.associate_access_policy(accessScope={"type": "cluster"}, **policy)
    eks.delete_access_entry(**of)
    for call in (eks.describe_access_entry, eks.delete_access_entry, eks.update_access_entry):
        assert refused(call, **of) == NOT_FOUND
    assert refused(eks.list_associated_access_policies, **of) == NOT_FOUND
    make()
    assert associated(eks, of) == {}, "its policies went with it"


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:sts::111111111111:assumed-role/admins/me",
        "arn:aws:iam::111111111111:group/admins",
        "arn:aws-cn:iam::111111111111:role/admins",
        "arn:aws:iam::111111111111:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForX",
        "admins",
    ],
)
def test_principals_that_can_have_no_entry(make, principal):
    assert refused(make, principal) == (
        400,
        "InvalidParameterException",
        "The specified principalArn is invalid: invalid principal.",
    )


@pytest.mark.parametrize(
    "more",
    [
        {"type": "NODE"},
        {"type": "EC2_LINUX", "kubernetesGroups": ["a"]},
        {"type": "FARGATE_LINUX", "username": "me"},
        {"kubernetesGroups": ["system:masters"]},
        {"username": "eks:me"},
        {"username": "me{{SessionName}}"},
        {"tags": {"aws:x": "y"}},
    ],
)
def test_what_does_not_go_together(make, more):
    refusal = refused(make, **more)
    assert (refusal.status, refusal.code) == (400, "InvalidParameterException"), refusal


def test_nodes_are_roles_of_the_clusters_account(make):
    for principal in (
        f"arn:aws:iam::{OTHER_ACCOUNT}:role/nodes",
        f"arn:aws:iam::{ACCOUNT}:user/nodes",
    ):
        assert refused(make, principal, type="EC2_LINUX").code == "InvalidParameterException"


def test_policies_that_can_not_be_associated(eks, make, of):
    make()
    cluster = {"type": "cluster"}

    def refusal(name, scope=cluster, prefix=POLICIES, entry=of):
        call = eks.associate_access_policy
        return refused(call, policyArn=f"{prefix}/{name}", accessScope=scope, **entry)

    missing = (404, "ResourceNotFoundException", "The specified policyArn could not be found.")
    assert refusal("AmazonEKSViewerPolicy") == missing
    assert refusal("AmazonEKSViewPolicy", prefix=POLICIES.replace("aws:", "aws-cn:", 1)) == missing
    assert refusal("AmazonEKSComputeClusterPolicy") == (
        400,
        "InvalidParameterException",
        "The specified policyArn can only be associated with service-linked roles",
    )
    assert refusal("AmazonEKSViewPolicy", {"type": "namespace"}).status == 400
    assert refusal("AmazonEKSViewPolicy", {"type": "cluster", "namespaces": ["a"]}).status == 400
    nodes = f"arn:aws:iam::{ACCOUNT}:role/nodes"
    make(nodes, type="EC2_LINUX")
    entry = {"clusterName": CLUSTER, "principalArn": nodes}
    assert refusal("AmazonEKSViewPolicy", entry=entry).code == "InvalidRequestException"
    assert refused(eks.update_access_entry, kubernetesGroups=["a"], **entry).status == 400


def test_a_session_needs_leave_for_each_step(eks_of, make, of):
    make()
    reader = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["eks:Describe*", "eks:List*"], "Resource": "*"}
        ],
    }
    eks = eks_of(Policy=reader, session="reader")
    eks.describe_access_entry(**of)
    eks.list_associated_access_policies(**of)
    view = f"{POLICIES}/AmazonEKSViewPolicy"
    for call, more in (
        (eks.delete_access_entry, {}),
        (eks.update_access_entry, {"kubernetesGroups": ["a"]}),
        (eks.associate_access_policy, {"policyArn": view, "accessScope": {"type": "cluster"}}),
    ):
        refusal = refused(call, **of, **more)
        assert refusal.code == "AccessDeniedException"
        assert f":access-entry/{CLUSTER}/role/{ACCOUNT}/platform-admins/" in refusal.message


def test_a_listed_principal_uses_the_cluster_and_another_does_not(sim, eks, make, of, api, assume):
    roles = ["team/platform-admins", "developers", "strangers"]
    sim.account(roles=roles)
    prefix = f"arn:aws:iam::{ACCOUNT}:role"
    admins, developers, strangers = (
        assume(RoleArn=f"{prefix}/{role}")["Credentials"] for role in roles
    )
    make()
    eks.associate_access_policy(
        policyArn=f"{POLICIES}/AmazonEKSClusterAdminPolicy", accessScope={"type": "cluster"}, **of
    )
    make(f"{prefix}/developers")
    eks.associate_access_policy(
        clusterName=CLUSTER,
        principalArn=f"{prefix}/developers",
        policyArn=f"{POLICIES}/AmazonEKSViewPolicy",
        accessScope={"type": "namespace", "namespaces": ["kube-*"]},
    )
    pods, of_system = "api/v1/pods", "api/v1/namespaces/kube-system/pods"
    assert api(pods, credentials=admins)[0] == 200
    assert api(pods, credentials=developers)[0] == 403
    assert api(of_system, credentials=developers)[0] == 200
    assert api(of_system, credentials=strangers)[0] == 401
    eks.delete_access_entry(**of)
    assert api(pods, credentials=admins)[0] == 401
