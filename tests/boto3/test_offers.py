"""What EKS and EC2 offer: versions of Kubernetes and of add-ons, instance types by zone; and pods that
are older than the profile that catches them."""

import json

from conftest import CLUSTER
from support import refused


def test_kubernetes_versions(eks):
    supported = eks.describe_cluster_versions()["clusterVersions"]
    assert [one["clusterVersion"] for one in supported] == ["1.35", "1.34", "1.33", "1.32", "1.31"]
    assert [one["clusterVersion"] for one in supported if one["defaultVersion"]] == ["1.34"]
    assert supported[0]["versionStatus"] == "STANDARD_SUPPORT"
    assert supported[0]["endOfStandardSupportDate"].year == 2027
    everything = eks.describe_cluster_versions(includeAll=True)["clusterVersions"]
    assert everything[-1]["versionStatus"] == "UNSUPPORTED"
    pages = eks.get_paginator("describe_cluster_versions").paginate(
        includeAll=True, PaginationConfig={"PageSize": 3}
    )
    seen = [one["clusterVersion"] for page in pages for one in page["clusterVersions"]]
    assert sorted(seen) == sorted(one["clusterVersion"] for one in everything)


def test_add_on_versions_are_those_that_fit(eks_of):
    eks = eks_of()
    [coredns] = eks.describe_addon_versions(addonName="coredns", kubernetesVersion="1.34")["addons"]
    versions = [one["addonVersion"] for one in coredns["addonVersions"]]
    assert "v1.12.3-eksbuild.1" in versions and "v1.11.4-eksbuild.2" not in versions
    defaults = [
        one["addonVersion"]
        for one in coredns["addonVersions"]
        if one["compatibilities"][0]["defaultVersion"]
    ]
    assert defaults == ["v1.12.3-eksbuild.1"]
    assert eks.describe_addon_versions(addonName="nonsense")["addons"] == []
    pages = eks.get_paginator("describe_addon_versions").paginate(PaginationConfig={"PageSize": 4})
    names = [one["addonName"] for page in pages for one in page["addons"]]
    assert len(names) == len(set(names)) >= 10 and "metrics-server" in names
    china = eks_of(region="cn-north-1").describe_addon_versions(addonName="metrics-server")
    assert china["addons"] == []


def test_what_is_not_offered_is_refused(eks):
    def create(**more):
        return refused(eks.create_addon, clusterName=CLUSTER, **more)

    assert create(addonName="nonsense") == (
        400,
        "InvalidParameterException",
        "Addon nonsense specified is not supported",
    )
    assert create(addonName="vpc-cni", addonVersion="v1.19.2-eksbuild.1") == (
        400,
        "InvalidParameterException",
        "Addon version specified is not supported",
    )
    wrong = create(addonName="metrics-server", configurationValues='{"replicaCount": 3}')
    assert wrong.status == 400 and "$.replicaCount" in wrong.message


def test_instance_types_by_zone(aws, assume):
    ec2 = aws("ec2", assume()["Credentials"])

    def zones(instance_type):
        filters = [{"Name": "instance-type", "Values": [instance_type]}]
        found = ec2.describe_instance_type_offerings(
            LocationType="availability-zone", Filters=filters
        )
        return [one["Location"] for one in found["InstanceTypeOfferings"]]

    # Local zones have few families.
    local = ["eu-central-1-ham-1a", "eu-central-1-waw-1a"]
    assert zones("m5.large") == [*local, "eu-central-1a", "eu-central-1b", "eu-central-1c"]
    assert zones("g5.xlarge") == ["eu-central-1a", "eu-central-1b"]
    assert zones("x9.large") == []
    filters = [
        {"Name": "instance-type", "Values": ["m5.large", "g5.xlarge"]},
        {"Name": "location", "Values": ["eu-central-1c"]},
    ]
    found = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
    assert [one["InstanceType"] for one in found["InstanceTypeOfferings"]] == ["m5.large"]
    region = ec2.describe_instance_type_offerings(Filters=filters[:1])["InstanceTypeOfferings"]
    assert {one["LocationType"] for one in region} == {"region"}


def test_old_pods_stay_pending_until_they_are_made_anew(sim, eks, create):
    sim.cluster("PUT", body={"nodes": False})

    def update(**values):
        eks.update_addon(
            clusterName=CLUSTER, addonName="coredns", configurationValues=json.dumps(values)
        )
        sim.advance(60)

    def status():
        return eks.describe_addon(clusterName=CLUSTER, addonName="coredns")["addon"]["status"]

    update(computeType="Fargate")
    create("dns", selectors=[{"namespace": "kube-system"}])
    sim.advance(600)
    assert status() == "DEGRADED"
    update(computeType="Fargate")
    assert status() == "DEGRADED"
    update(computeType="Fargate", podAnnotations={"restarted": "now"})
    assert status() == "ACTIVE"


def test_a_new_add_on_without_a_place_is_creating_for_a_quarter_of_an_hour(sim, eks):
    sim.cluster("PUT", body={"nodes": False, "addons": []})
    sim.freeze()
    eks.create_addon(clusterName=CLUSTER, addonName="coredns")
    sim.advance(14 * 60)
    busy = refused(eks.update_addon, clusterName=CLUSTER, addonName="coredns")
    assert busy == (
        409,
        "ResourceInUseException",
        "Addon coredns cannot be updated as it is currently in CREATING state",
    )
    sim.advance(120)
    addon = eks.describe_addon(clusterName=CLUSTER, addonName="coredns")["addon"]
    assert addon["status"] == "DEGRADED"
    assert addon["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"


def test_offerings_come_in_pages(aws):
    ec2 = aws("ec2")
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": ["m5.*", "g5.*"]}],
        PaginationConfig={"PageSize": 10},
    )
    seen = [(one["InstanceType"], one["Location"]) for page in pages for one in page["InstanceTypeOfferings"]]
    assert len(seen) == len(set(seen)) > 30
    assert ("m5.large", "eu-central-1a") in seen and ("g5.xlarge", "eu-central-1c") not in seen
    assert refused(ec2.describe_instance_type_offerings, NextToken="x").code == "InvalidNextToken"
