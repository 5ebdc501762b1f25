"""Session policies narrow what a session may do; accounts and regions are apart."""

import pytest
from conftest import ACCOUNT, CLUSTER, OTHER_ACCOUNT, REGION
from support import refused

POD_ROLE = f"arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"
PROFILES = f"arn:aws:eks:{REGION}:{ACCOUNT}:fargateprofile/{CLUSTER}/*"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


# What EKS looks at with the caller's rights when it makes a profile.
LOOKS = {
    "Effect": "Allow",
    "Action": [
        "ec2:DescribeRouteTables",
        "ec2:DescribeSubnets",
        "iam:CreateServiceLinkedRole",
        "iam:GetRole",
    ],
    "Resource": "*",
}


def test_reads_cannot_write(sim, eks_of, create):
    sim.put_profile("there")
    reader = eks_of(Policy=policy(allow(["eks:Describe*", "eks:List*"])), session="reader")
    reader.describe_cluster(name=CLUSTER)
    reader.list_fargate_profiles(clusterName=CLUSTER)
    reader.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName="there")
    who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/fargate-fleet/reader is not authorized"
    assert refused(create, client=reader) == (
        403,
        "AccessDeniedException",
        f"{who} to perform: eks:CreateFargateProfile on resource: {CLUSTER_ARN} "
        "because no session policy allows the eks:CreateFargateProfile action",
    )
    refusal = refused(
        reader.delete_fargate_profile, clusterName=CLUSTER, fargateProfileName="there"
    )
    assert refusal.code == "AccessDeniedException"
    assert "eks:DeleteFargateProfile" in refusal.message


def test_resources_bound_a_session_to_its_cluster(sim, eks_of, create):
    statements = [
        allow(["eks:CreateFargateProfile", "eks:DescribeCluster"], CLUSTER_ARN),
        allow("eks:DescribeFargateProfile", [PROFILES]),
        allow("iam:PassRole", POD_ROLE),
        LOOKS,
    ]
    bound = eks_of(Policy=policy(*statements))
    bound.describe_cluster(name=CLUSTER)
    assert refused(bound.describe_cluster, name="dev-1").status == 403
    create(client=bound)
    bound.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName="web")
    assert refused(create, client=bound, clusterName="dev-1").status == 403
    refusal = refused(bound.describe_fargate_profile, clusterName="dev-1", fargateProfileName="x")
    assert refusal.status == 403


def test_a_profile_needs_leave_to_pass_its_role(eks_of, create):
    without = eks_of(Policy=policy(allow("eks:*")))
    refusal = refused(create, client=without)
    assert (refusal.status, refusal.code) == (403, "AccessDeniedException")
    assert f"iam:PassRole on resource: {POD_ROLE}" in refusal.message
    condition = {"StringEquals": {"iam:PassedToService": "eks-fargate-pods.amazonaws.com"}}
    passes = allow("iam:PassRole", POD_ROLE, Condition=condition)
    create(client=eks_of(Policy=policy(allow("eks:*"), passes, LOOKS)))


@pytest.mark.parametrize(
    "right,code,words",
    [
        ("iam:GetRole", "InvalidRequestException", "due to missing permissions for 'iam:GetRole'"),
        ("ec2:DescribeSubnets", "InvalidRequestException", "Missing permissions for `ec2:Desc"),
        ("eks:TagResource", "AccessDeniedException", "no identity-based policy allows the eks:T"),
        ("iam:CreateServiceLinkedRole", "AccessDeniedException", "eks-fargate.amazonaws.com/AWSSer"),
    ],
)
def test_a_role_may_do_what_its_own_policies_allow(sim, eks_of, create, right, code, words):
    statement = {"Effect": "Allow", "NotAction": right, "Resource": "*"}
    sim.account(rolePolicy=policy(statement))
    refusal = refused(create, client=eks_of(), tags={"a": "b"})
    assert refusal.code == code
    assert words in refusal.message
    checked = sim.ok("GET", f"/accounts/{ACCOUNT}/rights")["checked"]
    assert [one["action"] for one in checked if not one["allowed"]] == [right]
    sim.account(rolePolicy=[])
    create(client=eks_of(), tags={"a": "b"})
    status, _ = sim.call("PUT", f"/accounts/{ACCOUNT}", {"rolePolicy": {"Statement": 1}})
    assert status == 400


def test_a_deny_wins(eks_of):
    deny = {"Effect": "Deny", "Action": "eks:ListClusters", "Resource": "*"}
    refusal = refused(eks_of(Policy=policy(allow("*"), deny)).list_clusters)
    assert refusal.message.endswith("with an explicit deny in a session policy")


@pytest.mark.parametrize("region,allowed", [(REGION, True), ("us-east-1", False)])
def test_conditions_on_the_region_are_kept(eks_of, region, allowed):
    condition = {"StringEquals": {"aws:RequestedRegion": REGION}}
    client = eks_of(region=region, Policy=policy(allow("*", Condition=condition)))
    if allowed:
        client.list_clusters()
    else:
        assert refused(client.list_clusters).status == 403


def test_each_account_sees_its_own_profiles(sim, eks_of, create):
    mine, theirs = eks_of(ACCOUNT), eks_of(OTHER_ACCOUNT)
    sim.freeze()
    create(client=mine)
    assert theirs.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == []
    profile = create(client=theirs, account=OTHER_ACCOUNT)
    assert f":{OTHER_ACCOUNT}:" in profile["fargateProfileArn"]
    assert sim.record()["overlaps"] == []
    refusal = refused(theirs.list_tags_for_resource, resourceArn=CLUSTER_ARN)
    assert (refusal.status, refusal.code) == (404, "NotFoundException")


def test_each_region_has_its_own_clusters(sim, eks_of, create):
    here, there = eks_of(), eks_of(region="us-east-1")
    create(client=here)
    assert there.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == []
    guide = eks_of(region="ap-northeast-1").list_clusters()["clusters"]
    assert guide == ["fargate-example-cluster"]
    assert eks_of(region="eu-west-3").list_clusters()["clusters"] == []


def test_calls_without_a_session_see_the_first_account(aws, sim):
    cluster = aws("eks").describe_cluster(name=CLUSTER)["cluster"]
    assert cluster["arn"] == CLUSTER_ARN


def test_roles_of_other_accounts_cannot_be_passed(create):
    refusal = refused(create, account=OTHER_ACCOUNT)
    assert (refusal.status, refusal.message) == (403, "Cross-account pass role is not allowed.")
