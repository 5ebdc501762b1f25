"""Clusters, pages and tags."""

import pytest
from conftest import ACCOUNT, CLUSTER, REGION
from support import refused

CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"


def names(sim, count):
    made = [f"p{i:03}" for i in range(count)]
    for name in made:
        sim.put_profile(name)
    return made


def test_clusters_are_listed_and_described(sim, eks, endpoint):
    assert eks.list_clusters()["clusters"] == ["dev-1", "prod-1"]
    cluster = eks.describe_cluster(name=CLUSTER)["cluster"]
    assert cluster["arn"] == CLUSTER_ARN
    assert (cluster["status"], cluster["version"]) == ("ACTIVE", "1.34")
    assert cluster["endpoint"] == f"{endpoint}/_kubernetes/{ACCOUNT}/{REGION}/{CLUSTER}"
    assert cluster["certificateAuthority"]["data"]
    assert cluster["platformVersion"] and cluster["roleArn"] and cluster["createdAt"]


def test_the_paginator_sees_every_profile_once(sim, eks):
    made = names(sim, 23)
    pages = list(
        eks.get_paginator("list_fargate_profiles").paginate(
            clusterName=CLUSTER, PaginationConfig={"PageSize": 5}
        )
    )
    assert [len(page["fargateProfileNames"]) for page in pages] == [5, 4, 5, 4, 5]
    assert [name for page in pages for name in page["fargateProfileNames"]] == made


def test_profiles_may_vanish_between_pages(sim, eks):
    names(sim, 6)
    first = eks.list_fargate_profiles(clusterName=CLUSTER, maxResults=3)
    sim.cluster("DELETE", "/fargate-profiles/p002")
    sim.cluster("DELETE", "/fargate-profiles/p003")
    rest = eks.list_fargate_profiles(clusterName=CLUSTER, nextToken=first["nextToken"])
    assert rest["fargateProfileNames"] == ["p004", "p005"]
    assert "nextToken" not in rest


def test_clusters_come_in_pages_too(sim, eks):
    for i in range(5):
        sim.cluster("PUT", body={}, cluster=f"extra-{i}")
    pages = eks.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    found = [name for page in pages for name in page["clusters"]]
    assert found == ["dev-1", *(f"extra-{i}" for i in range(5)), "prod-1"]


@pytest.mark.parametrize("wrong", [{"nextToken": "nonsense"}, {"maxResults": 1, "nextToken": "e30"}])
def test_tokens_of_nobody_are_refused(eks, wrong):
    for call in (eks.list_clusters, lambda **w: eks.list_fargate_profiles(clusterName=CLUSTER, **w)):
        refusal = refused(call, **wrong)
        assert (refusal.status, refusal.code) == (400, "InvalidParameterException")


def test_a_token_belongs_to_its_list(sim, eks):
    names(sim, 3)
    token = eks.list_fargate_profiles(clusterName=CLUSTER, maxResults=1)["nextToken"]
    assert refused(eks.list_clusters, nextToken=token).code == "InvalidParameterException"


def test_tags_are_put_replaced_read_and_taken_away(sim, eks, create):
    arn = create(tags={"team": "a", "stage": "prod"})["fargateProfileArn"]
    eks.tag_resource(resourceArn=arn, tags={"team": "b", "with space": "ä/ö"})
    expected = {"team": "b", "stage": "prod", "with space": "ä/ö"}
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == expected
    eks.untag_resource(resourceArn=arn, tagKeys=["team", "with space", "never there"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "prod"}
    profile = eks.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName="web")
    assert profile["fargateProfile"]["tags"] == {"stage": "prod"}
    (tagged,) = sim.calls("TagResource")
    assert (tagged["cluster"], tagged["profile"]) == (CLUSTER, "web")


def test_clusters_have_tags(eks):
    eks.tag_resource(resourceArn=CLUSTER_ARN, tags={"k": ""})
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["tags"] == {"k": ""}


def test_tags_have_limits(eks):
    for tags in ({"aws:x": "y"}, {"k": "v" * 257}, {}, {"k" * 129: ""}):
        refusal = refused(eks.tag_resource, resourceArn=CLUSTER_ARN, tags=tags)
        assert (refusal.status, refusal.code) == (400, "BadRequestException"), tags
    fifty = {str(i): "" for i in range(50)}
    eks.tag_resource(resourceArn=CLUSTER_ARN, tags=fifty)
    eks.tag_resource(resourceArn=CLUSTER_ARN, tags={"0": "again"})
    refusal = refused(eks.tag_resource, resourceArn=CLUSTER_ARN, tags={"one more": ""})
    assert refusal.code == "BadRequestException"


@pytest.mark.parametrize(
    "arn,code",
    [
        ("nonsense", "BadRequestException"),
        (f"arn:aws:s3:::{CLUSTER}", "BadRequestException"),
        (f"{CLUSTER_ARN}x", "NotFoundException"),
        (CLUSTER_ARN.replace(REGION, "us-east-1"), "NotFoundException"),
        (f"arn:aws:eks:{REGION}:{ACCOUNT}:fargateprofile/{CLUSTER}/web/id", "NotFoundException"),
    ],
)
def test_only_what_is_there_has_tags(eks, arn, code):
    assert refused(eks.list_tags_for_resource, resourceArn=arn).code == code
