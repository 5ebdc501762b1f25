"""Changes of a cluster's configuration: what EKS takes, how it shows them, what it refuses."""

import pytest
from conftest import ACCOUNT, CLUSTER
from support import refused


@pytest.fixture
def update(eks):
    def update(**change):
        return eks.update_cluster_config(name=CLUSTER, **change)["update"]

    return update


@pytest.fixture
def cluster(eks):
    return lambda: eks.describe_cluster(name=CLUSTER)["cluster"]


def params(update):
    return {one["type"]: one["value"] for one in update["params"]}


def test_endpoint_access_changes_with_an_update_that_can_be_followed(sim, eks, update, cluster):
    sim.freeze()
    begun = update(resourcesVpcConfig={"endpointPrivateAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]})
    assert (begun["type"], begun["status"]) == ("EndpointAccessUpdate", "InProgress")
    assert params(begun) == {
        "EndpointPublicAccess": "true",
        "EndpointPrivateAccess": "true",
        "PublicAccessCidrs": '["203.0.113.0/24"]',
    }
    assert cluster()["status"] == "UPDATING"
    assert cluster()["resourcesVpcConfig"]["endpointPrivateAccess"] is False
    of = {"name": CLUSTER, "updateId": begun["id"]}
    assert eks.describe_update(**of)["update"]["status"] == "InProgress"
    sim.advance(61)
    assert eks.describe_update(**of)["update"]["status"] == "Successful"
    assert eks.list_updates(name=CLUSTER)["updateIds"] == [begun["id"]]
    config = cluster()["resourcesVpcConfig"]
    assert (config["endpointPrivateAccess"], config["publicAccessCidrs"]) == (True, ["203.0.113.0/24"])
    assert cluster()["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "change,kind",
    [
        ({"logging": {"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]}}, "LoggingUpdate"),
        ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate"),
        ({"zonalShiftConfig": {"enabled": True}}, "ZonalShiftConfigUpdate"),
        ({"deletionProtection": True}, "DeletionProtectionUpdate"),
        ({"accessConfig": {"authenticationMode": "API"}}, "AccessConfigUpdate"),
        (
            {
                "computeConfig": {"enabled": True},
                "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
                "storageConfig": {"blockStorage": {"enabled": True}},
            },
            "AutoModeUpdate",
        ),
    ],
)
def test_each_kind_of_change_is_made_once(sim, update, cluster, change, kind):
    sim.freeze()
    before = cluster()
    assert update(**change)["type"] == kind
    sim.advance(61)
    after = cluster()
    changed = {member for member in after if after[member] != before.get(member)}
    assert changed == set(change), "what was asked for, and nothing else"
    again = refused(update, **change)
    assert (again.status, again.code) == (400, "InvalidParameterException"), again


def test_one_change_at_a_time(sim, eks, update, create):
    sim.freeze()
    begun = update(zonalShiftConfig={"enabled": True})
    assert refused(update, deletionProtection=True) == (
        409,
        "ResourceInUseException",
        f"Cannot DeletionProtectionUpdate because cluster {CLUSTER} currently has update {begun['id']} in progress",
    )
    assert f"currently has update {begun['id']} in progress" in refused(create).message
    sim.advance(61)
    create("one")
    assert refused(update, deletionProtection=True).message == (
        f"Cannot DeletionProtectionUpdate because cluster {CLUSTER} currently has Fargate profile one in status CREATING"
    )


def test_a_token_repeats_a_change(update):
    change = {"deletionProtection": True, "clientRequestToken": "once"}
    assert update(**change)["id"] == update(**change)["id"]


@pytest.mark.parametrize(
    "change,message",
    [
        ({}, "No changes were requested"),
        (
            {"deletionProtection": True, "zonalShiftConfig": {"enabled": True}},
            "Only one type of update can be allowed",
        ),
        (
            {"resourcesVpcConfig": {"endpointPublicAccess": True}},
            "Cluster is already at the desired configuration with endpointPrivateAccess: false , "
            "endpointPublicAccess: true, and Public Endpoint Restrictions: [0.0.0.0/0]",
        ),
        (
            {"resourcesVpcConfig": {"endpointPublicAccess": False}},
            "Private and public endpoint access cannot both be disabled",
        ),
        (
            {"resourcesVpcConfig": {"publicAccessCidrs": ["10.0.0.0/8"]}},
            "The following CIDRs are not allowed in publicAccessCidrs: [10.0.0.0/8]",
        ),
        (
            {"resourcesVpcConfig": {"subnetIds": ["subnet-0123456789abcdef0"]}},
            "The subnet ID 'subnet-0123456789abcdef0' does not exist",
        ),
        (
            {"accessConfig": {"authenticationMode": "CONFIG_MAP"}},
            "Unsupported authentication mode update from API_AND_CONFIG_MAP to CONFIG_MAP",
        ),
        (
            {"logging": {"clusterLogging": [{"types": ["api"], "enabled": False}]}},
            "No changes needed for the logging config provided",
        ),
    ],
)
def test_what_eks_refuses(update, change, message):
    assert refused(update, **change) == (400, "InvalidParameterException", message)


def test_access_policies_are_listed(eks):
    pages = eks.get_paginator("list_access_policies").paginate(PaginationConfig={"PageSize": 5})
    listed = [one for page in pages for one in page["accessPolicies"]]
    arns = {one["arn"] for one in listed}
    assert "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy" in arns
    assert len(arns) == len(listed) >= 15


def test_principals_have_to_be_there(sim, eks):
    principal = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    of = {"clusterName": CLUSTER, "principalArn": principal}
    why = "The specified principalArn is invalid: invalid principal."
    assert refused(eks.create_access_entry, **of) == (400, "InvalidParameterException", why)
    sim.freeze()
    sim.ok("PUT", f"/accounts/{ACCOUNT}/roles/nobody", {"fresh": True})
    assert refused(eks.create_access_entry, **of).message == why, "until IAM has spread it"
    sim.advance(11)
    eks.create_access_entry(**of)


def test_roles_of_add_ons_have_to_be_there(eks):
    role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    refusal = refused(eks.create_addon, clusterName=CLUSTER, addonName="vpc-cni", serviceAccountRoleArn=role)
    assert refusal == (400, "InvalidParameterException", "The role with name nobody cannot be found.")
