"""The life of Fargate profiles: creation, deletion, failure, and one mutation a cluster."""

import datetime
import re

import pytest
from botocore.exceptions import WaiterError
from conftest import ACCOUNT, CLUSTER, REGION
from support import refused

TRUST = (
    "Misconfigured PodExecutionRole Trust Policy; "
    "Please add the eks-fargate-pods.amazonaws.com Service Principal"
)
QUICKLY = {"Delay": 0.05, "MaxAttempts": 200}


@pytest.fixture
def describe(eks):
    def describe(name="web"):
        answer = eks.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName=name)
        return answer["fargateProfile"]

    return describe


@pytest.fixture
def delete(eks):
    def delete(name="web", cluster=CLUSTER):
        answer = eks.delete_fargate_profile(clusterName=cluster, fargateProfileName=name)
        return answer["fargateProfile"]

    return delete


def waits(eks, what, name="web"):
    eks.get_waiter(f"fargate_profile_{what}").wait(
        clusterName=CLUSTER, fargateProfileName=name, WaiterConfig=QUICKLY
    )


def private_subnets(eks, cluster=CLUSTER):
    """The subnets of the cluster that a profile without any gets: those that have no way out."""
    config = eks.describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"]
    return config["subnetIds"][3:]


def test_a_profile_is_created_used_and_deleted(sim, eks, create, describe, delete):
    sim.ok("PUT", "/limits", {"settleSeconds": 0})
    subnets = private_subnets(eks)[:2]
    created = create(
        selectors=[{"namespace": "prod-*", "labels": {"app": "web"}}, {"namespace": "dev"}],
        subnets=subnets,
        tags={"team": "payments"},
    )
    assert created["status"] == "CREATING"
    assert created["fargateProfileName"] == "web"
    assert created["clusterName"] == CLUSTER
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:fargateprofile/{CLUSTER}/web/[0-9a-f-]{{36}}"
    assert re.fullmatch(arn, created["fargateProfileArn"])
    age = datetime.datetime.now(datetime.timezone.utc) - created["createdAt"]
    assert abs(age) < datetime.timedelta(seconds=30)
    waits(eks, "active")
    active = describe()
    assert active == {**created, "status": "ACTIVE"}
    assert active["selectors"] == [
        {"namespace": "prod-*", "labels": {"app": "web"}},
        {"namespace": "dev"},
    ]
    assert active["subnets"] == subnets
    assert active["tags"] == {"team": "payments"}
    assert active["health"] == {"issues": []}
    assert delete()["status"] == "DELETING"
    waits(eks, "deleted")
    assert refused(describe).message == "No Fargate Profile found with name: web"


def test_a_profile_without_subnets_gets_the_private_ones(eks, create):
    subnets = create()["subnets"]
    vpc = eks.describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]
    assert len(subnets) == 3
    assert subnets == vpc["subnetIds"][3:]


def test_waiting_takes_as_long_as_at_aws(sim, create, describe):
    sim.freeze()
    create()
    sim.advance(100)
    assert describe()["status"] == "CREATING"
    sim.advance(40)
    assert describe()["status"] == "ACTIVE"


def test_a_second_mutation_of_a_cluster_is_refused_and_recorded(sim, create, delete):
    sim.put_profile("old")
    sim.freeze()
    create("one")
    assert refused(create, "two") == (
        409,
        "ResourceInUseException",
        "Cannot create Fargate Profile two because cluster prod-1 currently has "
        "Fargate profile one in status CREATING",
    )
    assert refused(delete, "old").message == (
        "Cannot Delete Fargate Profile old because cluster prod-1 currently has "
        "Fargate profile one in status CREATING"
    )
    sim.advance(200)
    delete("one")
    assert refused(delete, "old").message == (
        "Cannot Delete Fargate Profile old because cluster prod-1 currently has "
        "Fargate profile one in status DELETING"
    )
    overlaps = sim.record()["overlaps"]
    assert [overlap["profile"] for overlap in overlaps] == ["two", "old", "old"]
    first = overlaps[0]
    assert first["blockedBy"] == "one"
    assert first["action"] == "CreateFargateProfile"
    assert (first["accountId"], first["region"], first["cluster"]) == (ACCOUNT, REGION, CLUSTER)
    assert first["sessionName"] == "job-1"
    assert first["seq"] in [call["seq"] for call in sim.calls("CreateFargateProfile")]


def test_clusters_do_not_wait_for_each_other(sim, create):
    sim.freeze()
    create("one")
    create("one", clusterName="dev-1")
    assert sim.record()["overlaps"] == []


def test_an_update_of_the_cluster_blocks_both(sim, eks, create, delete):
    sim.put_profile("old")
    sim.freeze()
    sim.cluster("POST", "/update", {"seconds": 60})
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "UPDATING"
    assert re.fullmatch(
        "Cannot create Fargate Profile web because cluster prod-1 currently has update "
        "[0-9a-f-]{36} in progress",
        refused(create).message,
    )
    assert refused(delete, "old").message == (
        "Cannot Delete Fargate Profile old because cluster prod-1 currently has "
        "an update in progress"
    )
    assert all(o["blockedBy"].startswith("update:") for o in sim.record()["overlaps"])
    sim.advance(61)
    create()


def test_the_cluster_settles_after_a_profile_turned_active(sim, eks, create, delete, describe):
    sim.ok("PUT", "/limits", {"settleSeconds": 600})
    sim.freeze()
    create()
    sim.advance(150)
    assert describe()["status"] == "ACTIVE"
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "ACTIVE"
    assert refused(delete).message.endswith("currently has an update in progress")
    sim.advance(600)
    delete()


def test_an_existing_name_is_in_use(sim, create):
    sim.put_profile("web")
    refusal = refused(create)
    assert refusal == (
        409,
        "ResourceInUseException",
        "A Fargate Profile already exists with this name in this cluster.",
    )
    assert sim.record()["overlaps"] == []


def test_a_token_makes_a_repeated_creation_harmless(sim, create, eks):
    sim.freeze()
    first = create(clientRequestToken="job-1")
    again = create(clientRequestToken="job-1")
    assert again == first
    other = refused(create, clientRequestToken="job-1", tags={"a": "b"})
    assert (other.status, other.code) == (400, "InvalidParameterException")
    assert refused(create, clientRequestToken="job-2").status == 409
    assert sim.record()["overlaps"] == []
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == ["web"]


def test_a_profile_that_is_being_deleted_cannot_be_deleted(sim, create, delete):
    sim.put_profile("web")
    sim.freeze()
    delete()
    assert refused(delete) == (
        400,
        "InvalidRequestException",
        "Fargate Profile is currently not in Active State.",
    )
    assert sim.record()["overlaps"] == []


def test_issues_let_a_creation_fail_and_the_waiter_says_so(sim, eks, create, describe, delete):
    issue = {"code": "AccessDenied", "message": "no way", "resourceIds": ["r-1"]}
    sim.faults({"action": "CreateFargateProfile", "profile": "web", "health": [issue]})
    create()
    with pytest.raises(WaiterError):
        waits(eks, "active")
    assert describe()["status"] == "CREATE_FAILED"
    assert describe()["health"] == {"issues": [issue]}
    delete()
    waits(eks, "deleted")


def test_issues_let_a_deletion_fail_and_it_can_be_tried_again(sim, eks, describe, delete):
    sim.put_profile("web")
    sim.faults({"action": "DeleteFargateProfile", "health": [{"code": "InternalFailure"}]})
    delete()
    with pytest.raises(WaiterError):
        waits(eks, "deleted")
    assert describe()["status"] == "DELETE_FAILED"
    delete()
    waits(eks, "deleted")


def test_what_is_not_there_is_not_found_by_name(eks, create, delete, describe):
    for call in (describe, delete):
        refusal = refused(call, "nobody")
        assert refusal == (
            404,
            "ResourceNotFoundException",
            "No Fargate Profile found with name: nobody",
        )
        assert refusal.answer["fargateProfileName"] == "nobody"
        assert refusal.answer["clusterName"] == CLUSTER
    expected = (404, "ResourceNotFoundException", "No cluster found for name: nowhere.")
    assert refused(create, clusterName="nowhere") == expected
    assert refused(delete, "web", "nowhere") == expected
    assert refused(eks.describe_cluster, name="nowhere") == expected
    assert refused(eks.list_fargate_profiles, clusterName="nowhere") == expected


def test_clusters_and_profiles_can_vanish(sim, create, describe):
    sim.freeze()
    create()
    sim.cluster("DELETE", "/fargate-profiles/web")
    assert refused(describe).message == "No Fargate Profile found with name: web"
    sim.cluster("DELETE")
    assert refused(describe).message == "No cluster found for name: prod-1."


@pytest.mark.parametrize("status,passes", [("CREATING", 0), ("DELETING", 0), ("FAILED", 0), ("UPDATING", 1)])
def test_profiles_need_a_cluster_that_works(sim, create, status, passes):
    sim.cluster("PUT", body={"status": status})
    if passes:
        create()
    else:
        refusal = refused(create)
        assert (refusal.status, refusal.code) == (400, "InvalidRequestException")


@pytest.mark.parametrize(
    "wrong,message",
    [
        ({"subnets": ["subnet-0123456789abcdef0"]}, "The subnet ID 'subnet-0123456789abcdef0' does not exist"),
        ({"subnets": ["vpc-1"]}, "The subnet ID 'vpc-1' is malformed"),
        ({"podExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/developers"}, TRUST),
        ({"podExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "The role with name nobody cannot be found."),
        ({"podExecutionRoleArn": "x"}, "The podExecutionRoleArn x is not the ARN of a role"),
        ({"name": "eks-web"}, "Fargate Profile name must not start with the reserved prefix eks-"),
        ({"selectors": []}, "Fargate Profile must have at least one selector"),
        ({"selectors": [{"labels": {"a": "b"}}]}, "selectors.namespace can't be blank"),
        (
            {"selectors": [{"namespace": "Dev_1"}]},
            "Fargate Profile selector namespace Dev_1 must satisfy the regular expression pattern: "
            "^[a-z0-9*?]([-a-z0-9*?]{0,61}[a-z0-9*?])?$",
        ),
        (
            {"selectors": [{"namespace": "n", "labels": {"k" * 128: "v"}}]},
            f"Fargate Profile selector label key must have at most 127 characters: {'k' * 128}",
        ),
        (
            {"selectors": [{"namespace": "n", "labels": {"k": "v" * 256}}]},
            "Fargate Profile selector label value must have at most 255 characters: k",
        ),
        (
            {"tags": {"a": "x;y"}},
            'Tags can have letters, digits, spaces and the characters _.:/=+-@ alone: "x;y"',
        ),
        ({"tags": {"aws:x": "y"}}, 'Tag keys that start with aws: are reserved: "aws:x"'),
    ],
)
def test_wrong_parameters_are_named(create, wrong, message):
    refusal = refused(create, **wrong)
    assert refusal == (400, "InvalidParameterException", message)
    assert refusal.answer["clusterName"] == CLUSTER


def test_subnets_are_private_ones_of_the_clusters_vpc(sim, eks, create):
    ids = eks.describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]["subnetIds"]
    public, private = ids[0], ids[3]
    assert f"Subnet {public} provided in Fargate Profile is not a private subnet" == refused(create, subnets=[public]).message
    assert "is provided more than once" in refused(create, subnets=[private, private]).message
    other = private_subnets(eks, "dev-1")[0]
    assert "is not in the cluster's VPC vpc-0" in refused(create, subnets=[other]).message
    assert create(subnets=[private])["subnets"] == [private]


def test_subnets_of_clusters_are_known_to_ec2(aws, eks):
    config = eks.describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]
    found = aws("ec2").describe_subnets(SubnetIds=config["subnetIds"])["Subnets"]
    assert {subnet["VpcId"] for subnet in found} == {config["vpcId"]}


def test_fargate_is_not_in_every_zone(sim, eks_of):
    eks = eks_of(region="us-east-1")
    subnet = {"cluster": CLUSTER, "zone": "us-east-1e"}
    sim.ok("PUT", f"/accounts/{ACCOUNT}/regions/us-east-1/subnets/subnet-0eeeeeeeeeeeeee01", subnet)
    refusal = refused(
        eks.create_fargate_profile,
        clusterName=CLUSTER,
        fargateProfileName="web",
        selectors=[{"namespace": "n"}],
        podExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution",
        subnets=["subnet-0eeeeeeeeeeeeee01"],
    )
    assert refusal.message == (
        "Fargate Profile creation for the Availability Zone us-east-1e "
        "for Subnet subnet-0eeeeeeeeeeeeee01 is not supported"
    )


def test_a_fresh_role_is_trusted_once_iam_has_spread_it(sim, create):
    role = f"arn:aws:iam::{ACCOUNT}:role/fresh"
    sim.freeze()
    sim.ok("PUT", f"/accounts/{ACCOUNT}/roles/fresh", {"fresh": True})
    assert refused(create, podExecutionRoleArn=role).message == TRUST
    sim.advance(9)
    assert refused(create, podExecutionRoleArn=role).message == TRUST
    sim.advance(2)
    create(podExecutionRoleArn=role)


def test_a_cluster_settles_for_half_a_minute_after_a_profile(sim, create, delete):
    sim.freeze()
    create("one")
    sim.advance(140)
    assert "currently has update" in refused(create, "two").message
    assert "an update in progress" in refused(delete, "one").message
    sim.advance(30)
    create("two")
    # Nobody can see that a cluster settles: that is no overlap.
    assert sim.record()["overlaps"] == []


@pytest.mark.parametrize(
    "selectors",
    [
        [{"namespace": f"n{i}"} for i in range(6)],
        [{"namespace": "n", "labels": {str(i): "v" for i in range(6)}}],
    ],
)
def test_selectors_have_quotas(create, selectors):
    assert refused(create, selectors=selectors).code == "ResourceLimitExceededException"


def test_profiles_have_a_quota_that_can_be_raised(sim, create):
    for i in range(10):
        sim.put_profile(f"p{i}")
    refusal = refused(create)
    assert (refusal.status, refusal.code) == (400, "ResourceLimitExceededException")
    sim.ok("PUT", "/limits", {"profilesPerCluster": 11})
    create()
