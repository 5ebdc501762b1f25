"""A cluster by CloudFormation, as eksctl makes it, and what EKS, IAM and EC2 have to say to it."""

import json

import pytest
from conftest import ACCOUNT, CLUSTER, REGION
from support import refused

STACK = "eksctl-new-cluster"
ROLE_STACK = "eksctl-new-fargate"
TAGS = [{"Key": "alpha.eksctl.io/cluster-name", "Value": "new"}]
ZONES = ["eu-central-1a", "eu-central-1b"]


def subnet(number, zone, public):
    return {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "AvailabilityZone": zone,
            "CidrBlock": f"192.168.{number * 32}.0/19",
            "MapPublicIpOnLaunch": public,
            "VpcId": {"Ref": "VPC"},
        },
    }


def trust(service):
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def cluster_template():
    resources = {
        "VPC": {
            "Type": "AWS::EC2::VPC",
            "Properties": {"CidrBlock": "192.168.0.0/16", "EnableDnsSupport": True},
        },
        "InternetGateway": {"Type": "AWS::EC2::InternetGateway"},
        "VPCGatewayAttachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {
                "InternetGatewayId": {"Ref": "InternetGateway"},
                "VpcId": {"Ref": "VPC"},
            },
        },
        "PublicRouteTable": {
            "Type": "AWS::EC2::RouteTable",
            "Properties": {"VpcId": {"Ref": "VPC"}},
        },
        "PublicSubnetRoute": {
            "Type": "AWS::EC2::Route",
            "DependsOn": ["VPCGatewayAttachment"],
            "Properties": {
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": {"Ref": "InternetGateway"},
                "RouteTableId": {"Ref": "PublicRouteTable"},
            },
        },
        "ServiceRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust("eks.amazonaws.com")},
        },
    }
    for index, zone in enumerate(ZONES):
        public, private = f"SubnetPublic{index}", f"SubnetPrivate{index}"
        resources[public] = subnet(index, zone, True)
        resources[private] = subnet(index + len(ZONES), zone, False)
        resources[f"Association{index}"] = {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {
                "RouteTableId": {"Ref": "PublicRouteTable"},
                "SubnetId": {"Ref": public},
            },
        }
    listed = [{"Ref": name} for name in resources if name.startswith("Subnet")]
    private = [{"Ref": name} for name in resources if name.startswith("SubnetPrivate")]
    resources["ControlPlane"] = {
        "Type": "AWS::EKS::Cluster",
        "Properties": {
            "Name": "new",
            "Version": "1.34",
            "BootstrapSelfManagedAddons": False,
            "RoleArn": {"Fn::GetAtt": ["ServiceRole", "Arn"]},
            "ResourcesVpcConfig": {"SubnetIds": listed},
            "AccessConfig": {"AuthenticationMode": "API_AND_CONFIG_MAP"},
        },
    }

    def exported(name, value):
        return {"Value": value, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}::" + name}}}

    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "EKS cluster",
        "Resources": resources,
        "Outputs": {
            "Endpoint": exported("Endpoint", {"Fn::GetAtt": ["ControlPlane", "Endpoint"]}),
            "SubnetsPrivate": exported("SubnetsPrivate", {"Fn::Join": [",", private]}),
            "VPC": exported("VPC", {"Ref": "VPC"}),
        },
    }


def role_template(cluster="new"):
    place = "arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}"
    source = f"{place}:fargateprofile/{cluster}/*"
    return {
        "Resources": {
            "FargatePodExecutionRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": "sts:AssumeRole",
                                "Principal": {"Service": "eks-fargate-pods.amazonaws.com"},
                                "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": source}}},
                            }
                        ],
                    }
                },
            }
        },
        "Outputs": {
            "FargatePodExecutionRoleARN": {
                "Value": {"Fn::GetAtt": "FargatePodExecutionRole.Arn"}
            }
        },
    }


def nodes_template():
    subnets = {"Fn::Split": [",", {"Fn::ImportValue": f"{STACK}::SubnetsPrivate"}]}
    return {
        "Resources": {
            "NodeInstanceRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")},
            },
            "ManagedNodeGroup": {
                "Type": "AWS::EKS::Nodegroup",
                "Properties": {
                    "ClusterName": "new",
                    "NodegroupName": "ng-1",
                    "NodeRole": {"Fn::GetAtt": ["NodeInstanceRole", "Arn"]},
                    "Subnets": subnets,
                    "InstanceTypes": ["m5.large"],
                    "ScalingConfig": {"MinSize": 1, "DesiredSize": 2, "MaxSize": 3},
                },
            },
        }
    }


@pytest.fixture
def session(assume):
    return assume()["Credentials"]


@pytest.fixture
def cfn(aws, session, sim):
    sim.freeze()
    return aws("cloudformation", session)


@pytest.fixture
def create_stack(cfn):
    def create_stack(name, template, **more):
        more.setdefault("Capabilities", ["CAPABILITY_NAMED_IAM"])
        more.setdefault("Tags", TAGS)
        body = template if isinstance(template, str) else json.dumps(template)
        return cfn.create_stack(StackName=name, TemplateBody=body, **more)["StackId"]

    return create_stack


def described(cfn, name):
    return cfn.describe_stacks(StackName=name)["Stacks"][0]


def outputs(cfn, name):
    return {one["OutputKey"]: one["OutputValue"] for one in described(cfn, name)["Outputs"]}


def events(cfn, name):
    pages = cfn.get_paginator("describe_stack_events").paginate(StackName=name)
    return [event for page in pages for event in page["StackEvents"]]


def test_a_cluster_from_its_stack_to_its_deletion(sim, cfn, create_stack, eks, create):
    before = sim.ok("GET", "/inventory")
    stack_id = create_stack(STACK, cluster_template())
    assert described(cfn, STACK)["StackStatus"] == "CREATE_IN_PROGRESS"
    sim.advance(120)
    cluster = eks.describe_cluster(name="new")["cluster"]
    assert (cluster["status"], cluster.get("endpoint")) == ("CREATING", None)
    sim.advance(660)
    assert described(cfn, stack_id)["StackStatus"] == "CREATE_COMPLETE"
    cluster = eks.describe_cluster(name="new")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == outputs(cfn, STACK)["Endpoint"]
    assert len(cluster["resourcesVpcConfig"]["subnetIds"]) == 4
    assert cluster["tags"]["alpha.eksctl.io/cluster-name"] == "new"
    assert "new" in eks.list_clusters()["clusters"]

    create_stack(ROLE_STACK, role_template())
    sim.advance(40)
    role = outputs(cfn, ROLE_STACK)["FargatePodExecutionRoleARN"]
    create(clusterName="new", podExecutionRoleArn=role)
    sim.advance(200)
    cfn.delete_stack(StackName=STACK)
    sim.advance(60)
    stack = described(cfn, STACK)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "[ControlPlane]" in stack["StackStatusReason"]
    told = [event for event in events(cfn, STACK) if event["LogicalResourceId"] == "ControlPlane"]
    assert told[0]["ResourceStatus"] == "DELETE_FAILED"
    assert "Cluster has Fargate Profiles in ACTIVE state" in told[0]["ResourceStatusReason"]
    refusal = refused(eks.delete_cluster, name="new")
    assert refusal.code == "ResourceInUseException"

    eks.delete_fargate_profile(clusterName="new", fargateProfileName="web")
    sim.advance(400)
    for name in (ROLE_STACK, STACK):
        cfn.delete_stack(StackName=name)
        sim.advance(300)
        missing = refused(cfn.describe_stacks, StackName=name)
        assert missing == (400, "ValidationError", f"Stack with id {name} does not exist")
    assert described(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert refused(eks.describe_cluster, name="new").code == "ResourceNotFoundException"
    cfn.delete_stack(StackName=STACK)
    assert sim.ok("GET", "/inventory") == before


def test_the_waiters_of_botocore_understand_it(sim, cfn, create_stack):
    create_stack(ROLE_STACK, role_template())
    sim.ok("POST", "/clock", {"frozen": False})
    quick = {"Delay": 1, "MaxAttempts": 20}
    cfn.get_waiter("stack_create_complete").wait(StackName=ROLE_STACK, WaiterConfig=quick)
    cfn.delete_stack(StackName=ROLE_STACK)
    cfn.get_waiter("stack_delete_complete").wait(StackName=ROLE_STACK, WaiterConfig=quick)


def test_events_tell_what_happened_newest_first(sim, cfn, create_stack):
    create_stack(STACK, cluster_template(), ClientRequestToken="t-1")
    sim.advance(800)
    told = events(cfn, STACK)
    assert len(told) > 40, "there is more than a page"
    assert (told[0]["ResourceStatus"], told[0]["ResourceType"]) == (
        "CREATE_COMPLETE",
        "AWS::CloudFormation::Stack",
    )
    assert told[-1]["ResourceStatusReason"] == "User Initiated"
    times = [event["Timestamp"] for event in told]
    assert times == sorted(times, reverse=True)
    assert {event["ClientRequestToken"] for event in told} == {"t-1"}
    assert len({event["EventId"] for event in told}) == len(told)
    resources = cfn.describe_stack_resources(StackName=STACK)["StackResources"]
    assert {one["ResourceStatus"] for one in resources} == {"CREATE_COMPLETE"}
    one = cfn.describe_stack_resources(StackName=STACK, LogicalResourceId="VPC")
    assert one["StackResources"][0]["PhysicalResourceId"] == outputs(cfn, STACK)["VPC"]


def test_a_failure_at_a_chosen_resource(sim, cfn, create_stack, eks):
    step = {"action": "CreateResource", "stack": STACK, "resource": "ControlPlane"}
    sim.faults({**step, "message": "no luck"})
    create_stack(STACK, cluster_template())
    sim.advance(200)
    assert described(cfn, STACK)["StackStatus"] == "ROLLBACK_COMPLETE"
    failed = [event for event in events(cfn, STACK) if event["ResourceStatus"] == "CREATE_FAILED"]
    reasons = {event["LogicalResourceId"]: event["ResourceStatusReason"] for event in failed}
    assert reasons.pop("ControlPlane") == "no luck"
    assert set(reasons.values()) == {"Resource creation cancelled"}
    assert refused(eks.describe_cluster, name="new").code == "ResourceNotFoundException"
    status, answer = sim.call("POST", "/faults", [{"action": "CreateResource", "resource": "VPC"}])
    assert (status, "message" in answer["message"]) == (400, True)


def test_wrong_requests_are_refused_in_cloudformations_words(cfn, create_stack):
    create_stack(STACK, role_template())
    exists = refused(create_stack, STACK, role_template())
    assert exists == (400, "AlreadyExistsException", f"Stack [{STACK}] already exists")
    capability = refused(create_stack, "s", role_template(), Capabilities=[])
    assert capability.code == "InsufficientCapabilitiesException"
    assert refused(create_stack, "s", "{").code == "ValidationError"
    assert "YAML" in refused(create_stack, "s", "Resources: {}").message
    assert refused(create_stack, "1s", role_template()).code == "ValidationError"
    assert refused(cfn.describe_stack_events, StackName="none") == (
        400,
        "ValidationError",
        "Stack [none] does not exist",
    )


def test_stacks_are_listed_over_pages_and_by_status(sim, cfn, create_stack):
    for number in range(25):
        create_stack(f"s-{number}", role_template())
    sim.advance(60)
    cfn.delete_stack(StackName="s-3")
    sim.advance(60)

    def names(**more):
        pages = cfn.get_paginator("list_stacks").paginate(**more)
        return [one["StackName"] for page in pages for one in page["StackSummaries"]]

    assert len(names()) == 25
    assert names(StackStatusFilter=["DELETE_COMPLETE"]) == ["s-3"]
    assert "s-3" not in names(StackStatusFilter=["CREATE_COMPLETE"])
    pages = cfn.get_paginator("describe_stacks").paginate()
    assert len([one for page in pages for one in page["Stacks"]]) == 24


def test_a_policy_binds_a_session_and_what_cloudformation_does_for_it(sim, aws, assume):
    sim.freeze()
    statement = {
        "Effect": "Allow",
        "Action": ["cloudformation:*"],
        "Resource": f"arn:aws:cloudformation:*:{ACCOUNT}:stack/eksctl-new-*/*",
    }
    cfn = aws("cloudformation", assume(Policy={"Statement": [statement]})["Credentials"])
    more = {"TemplateBody": json.dumps(role_template()), "Capabilities": ["CAPABILITY_IAM"]}
    refusal = refused(cfn.create_stack, StackName="other", **more)
    assert (refusal.status, refusal.code) == (403, "AccessDenied")
    cfn.create_stack(StackName=ROLE_STACK, **more)
    sim.advance(60)
    reasons = [event.get("ResourceStatusReason", "") for event in events(cfn, ROLE_STACK)]
    assert any("not authorized to perform: iam:CreateRole" in reason for reason in reasons)


def test_roles_of_stacks_must_trust_fargate_and_be_spread(sim, cfn, create_stack, create):
    sim.ok("PUT", "/limits", {"iamPropagationSeconds": 60})
    create_stack(ROLE_STACK, role_template(CLUSTER))
    sim.advance(40)
    role = outputs(cfn, ROLE_STACK)["FargatePodExecutionRoleARN"]
    early = refused(create, podExecutionRoleArn=role)
    assert "Misconfigured PodExecutionRole Trust Policy" in early.message
    sim.advance(60)
    create(podExecutionRoleArn=role)
    create_stack("eksctl-other-fargate", role_template("other"))
    sim.advance(400)
    other = outputs(cfn, "eksctl-other-fargate")["FargatePodExecutionRoleARN"]
    assert "Misconfigured" in refused(create, "two", podExecutionRoleArn=other).message
    cfn.delete_stack(StackName=ROLE_STACK)
    sim.advance(60)
    assert "cannot be found" in refused(create, "two", podExecutionRoleArn=role).message


def test_coredns_runs_on_fargate_once_it_is_told_to(sim, cfn, create_stack, eks, create):
    create_stack(STACK, cluster_template())
    sim.advance(800)
    assert eks.list_addons(clusterName="new")["addons"] == []
    eks.create_addon(clusterName="new", addonName="coredns")

    def coredns():
        return eks.describe_addon(clusterName="new", addonName="coredns")["addon"]

    assert coredns()["status"] == "CREATING"
    sim.advance(16 * 60)
    addon = coredns()
    assert addon["status"] == "DEGRADED"
    assert addon["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"
    create(clusterName="new", selectors=[{"namespace": "kube-system"}])
    sim.advance(200)
    update = eks.update_addon(
        clusterName="new",
        addonName="coredns",
        configurationValues=json.dumps({"computeType": "Fargate"}),
        resolveConflicts="OVERWRITE",
    )["update"]
    assert update["type"] == "AddonUpdate"
    sim.advance(60)
    again = eks.describe_update(name="new", addonName="coredns", updateId=update["id"])["update"]
    assert again["status"] == "Successful"
    quick = {"Delay": 1, "MaxAttempts": 3}
    eks.get_waiter("addon_active").wait(clusterName="new", addonName="coredns", WaiterConfig=quick)
    eks.delete_addon(clusterName="new", addonName="coredns")
    sim.advance(60)
    eks.get_waiter("addon_deleted").wait(clusterName="new", addonName="coredns", WaiterConfig=quick)


def test_configuration_values_may_be_yaml(sim, eks):
    change = {"clusterName": CLUSTER, "addonName": "coredns"}
    eks.update_addon(**change, configurationValues="computeType: Fargate\nreplicaCount: 3\n")
    sim.advance(60)
    addon = eks.describe_addon(**change)["addon"]
    assert (addon["status"], addon["configurationValues"][:11]) == ("ACTIVE", "computeType")
    answer = refused(eks.update_addon, **change, configurationValues="computetype: Fargate")
    assert "not supported" in answer.message


def test_nodegroups_come_and_go_with_their_stacks(sim, cfn, create_stack, eks):
    create_stack(STACK, cluster_template())
    sim.advance(800)
    nodes = "eksctl-new-nodegroup-ng-1"
    create_stack(nodes, nodes_template())
    sim.advance(200)
    assert eks.list_nodegroups(clusterName="new")["nodegroups"] == ["ng-1"]
    nodegroup = eks.describe_nodegroup(clusterName="new", nodegroupName="ng-1")["nodegroup"]
    assert (nodegroup["status"], nodegroup["scalingConfig"]["desiredSize"]) == ("ACTIVE", 2)
    eks.create_addon(clusterName="new", addonName="coredns")
    sim.advance(60)
    addon = eks.describe_addon(clusterName="new", addonName="coredns")["addon"]
    assert addon["status"] == "ACTIVE"
    cfn.delete_stack(StackName=STACK)
    assert "is in use by " + nodes in described(cfn, STACK)["StackStatusReason"]
    cfn.delete_stack(StackName=nodes)
    sim.advance(200)
    assert eks.list_nodegroups(clusterName="new")["nodegroups"] == []


def test_clusters_can_be_arranged_with_nodegroups_and_without_addons(sim, eks):
    sim.freeze()
    endpoint = "https://[::1]:1"
    sim.cluster("PUT", body={"nodegroups": ["ng"], "addons": [], "kubernetesEndpoint": endpoint})
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["endpoint"] == endpoint
    assert eks.list_addons(clusterName=CLUSTER)["addons"] == []
    assert refused(eks.delete_cluster, name=CLUSTER).message == "Cluster has nodegroups attached"
    eks.delete_nodegroup(clusterName=CLUSTER, nodegroupName="ng")
    sim.advance(200)
    assert eks.delete_cluster(name=CLUSTER)["cluster"]["status"] == "DELETING"
    sim.advance(200)
    quick = {"Delay": 1, "MaxAttempts": 2}
    eks.get_waiter("cluster_deleted").wait(name=CLUSTER, WaiterConfig=quick)


def test_access_entries(eks):
    principal = f"arn:aws:iam::{ACCOUNT}:role/nodes"
    eks.create_access_entry(clusterName=CLUSTER, principalArn=principal, type="EC2_LINUX")
    assert eks.list_access_entries(clusterName=CLUSTER)["accessEntries"] == [principal]
    entry = eks.describe_access_entry(clusterName=CLUSTER, principalArn=principal)["accessEntry"]
    assert entry["type"] == "EC2_LINUX"
    again = refused(eks.create_access_entry, clusterName=CLUSTER, principalArn=principal)
    assert again.code == "ResourceInUseException"
    eks.delete_access_entry(clusterName=CLUSTER, principalArn=principal)
    assert eks.list_access_entries(clusterName=CLUSTER)["accessEntries"] == []


def test_identity_providers(aws, session):
    iam = aws("iam", session, region="us-east-1")
    url = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC"
    arn = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["sts.amazonaws.com", "<1>"], Tags=[{"Key": "a", "Value": "1 + 2"}]
    )["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{url.removeprefix('https://')}"
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["Url"] == url.removeprefix("https://")
    assert got["ClientIDList"] == ["sts.amazonaws.com", "<1>"]
    assert got["Tags"] == [{"Key": "a", "Value": "1 + 2"}]
    tags = [{"Key": "a", "Value": "<1>"}]
    assert refused(iam.create_open_id_connect_provider, Url=url, Tags=tags).code == "ValidationError"
    exists = refused(iam.create_open_id_connect_provider, Url=url)
    assert (exists.status, exists.code) == (409, "EntityAlreadyExists")
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert listed == [{"Arn": arn}]
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    missing = refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    assert (missing.status, missing.code) == (404, "NoSuchEntity")


def test_roles_are_read_from_iam(sim, cfn, create_stack, aws, session):
    iam = aws("iam", session, region="us-east-1")
    assert iam.get_role(RoleName="fargate-pod-execution")["Role"]["Path"] == "/"
    assert refused(iam.get_role, RoleName="none").code == "NoSuchEntity"
    create_stack(ROLE_STACK, role_template())
    sim.advance(60)
    arn = outputs(cfn, ROLE_STACK)["FargatePodExecutionRoleARN"]
    role = iam.get_role(RoleName=arn.split("/")[-1])["Role"]
    assert role["Arn"] == arn
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert trusted == "eks-fargate-pods.amazonaws.com"


def test_zones_have_names_and_ids(aws, session):
    def zones(region, **more):
        ec2 = aws("ec2", session, region=region)
        return ec2.describe_availability_zones(**more)["AvailabilityZones"]

    ordinary = [zone for zone in zones(REGION) if zone["ZoneType"] == "availability-zone"]
    names = [zone["ZoneName"] for zone in ordinary]
    assert names == [f"{REGION}{letter}" for letter in "abc"]
    assert {zone["ZoneId"] for zone in zones("us-east-1")} >= {"use1-az1", "use1-az3"}
    assert {zone["State"] for zone in zones(REGION)} == {"available"}
    only = [
        {"Name": "zone-id", "Values": ["euc1-az2"]},
        {"Name": "zone-type", "Values": ["availability-zone"]},
    ]
    assert [zone["ZoneName"] for zone in zones(REGION, Filters=only)] == ["eu-central-1b"]


def test_subnets_are_those_of_the_existing_vpc_and_of_stacks(
    sim, cfn, create_stack, aws, session
):
    ec2 = aws("ec2", session)
    named = [{"Name": "tag:Name", "Values": ["existing*"]}]
    existing = ec2.describe_subnets(Filters=named)["Subnets"]
    assert len(existing) == 6
    assert len([one for one in existing if one["MapPublicIpOnLaunch"]]) == 3
    [vpc] = ec2.describe_vpcs(Filters=named)["Vpcs"]
    assert {one["VpcId"] for one in existing} == {vpc["VpcId"]}
    # And one of each cluster of the fleet.
    assert len(ec2.describe_vpcs()["Vpcs"]) == 3
    create_stack(STACK, cluster_template())
    sim.advance(200)
    mine = [{"Name": "vpc-id", "Values": [described_vpc(cfn)]}]
    subnets = ec2.describe_subnets(Filters=mine)["Subnets"]
    assert {one["AvailabilityZone"] for one in subnets} == set(ZONES)
    tags = {tag["Key"]: tag["Value"] for tag in subnets[0]["Tags"]}
    assert tags["aws:cloudformation:stack-name"] == STACK
    missing = refused(ec2.describe_subnets, SubnetIds=["subnet-0"])
    assert (missing.status, missing.code) == (400, "InvalidSubnetID.NotFound")


def test_lists_of_ec2_and_of_load_balancers_come_in_pages(sim, aws, session):
    ec2 = aws("ec2", session)

    def ids(size):
        pages = list(ec2.get_paginator("describe_subnets").paginate(MaxResults=size))
        return len(pages), [one["SubnetId"] for page in pages for one in page["Subnets"]]

    count, all_at_once = ids(1000)
    assert count == 1 and len(all_at_once) > 10
    count, one_by_one = ids(5)
    assert count > 2 and one_by_one == all_at_once
    wrong = refused(ec2.describe_vpcs, MaxResults=5, NextToken="nonsense")
    assert wrong.code == "InvalidNextToken"
    place = f"/accounts/{ACCOUNT}/regions/{REGION}/load-balancers"
    for name in ["a", "b", "c"]:
        sim.ok("PUT", f"{place}/{name}", {"cluster": CLUSTER, "kind": "network"})
    elb = aws("elbv2", session)
    pages = list(elb.get_paginator("describe_load_balancers").paginate(PageSize=1))
    names = [one["LoadBalancerName"] for page in pages for one in page["LoadBalancers"]]
    assert (len(pages), names) == (3, ["a", "b", "c"])
    found = elb.describe_load_balancers(Names=["b"])["LoadBalancers"]
    assert [one["LoadBalancerName"] for one in found] == ["b"]
    missing = refused(elb.describe_load_balancers, Names=["d"])
    assert missing.code == "LoadBalancerNotFound"
    assert refused(elb.describe_load_balancers, PageSize=1, Marker="x").code == "ValidationError"


def described_vpc(cfn):
    resources = cfn.describe_stack_resources(StackName=STACK, LogicalResourceId="VPC")
    return resources["StackResources"][0]["PhysicalResourceId"]


def test_refusals_have_the_shape_of_their_service(sim, aws, assume):
    credentials = assume()["Credentials"]
    sim.ok("DELETE", "/sessions")
    for service, region, call, code in [
        ("cloudformation", REGION, "list_stacks", "ExpiredToken"),
        ("iam", "us-east-1", "list_open_id_connect_providers", "ExpiredToken"),
        ("ec2", REGION, "describe_vpcs", "RequestExpired"),
    ]:
        client = aws(service, credentials, region=region)
        assert refused(getattr(client, call)).code == code
    sim.faults({"action": "DescribeVpcs", "status": 429}, {"action": "ListStacks", "status": 429})
    fresh = assume()["Credentials"]
    assert refused(aws("ec2", fresh).describe_vpcs).code == "RequestLimitExceeded"
    assert refused(aws("cloudformation", fresh).list_stacks).code == "Throttling"
