"""A worked example of every action: what must be there first, and a request that is valid.

A function makes the world ready, by `sim`, and gives the members of the request. An action may have more
than one: the first is the one from which broken requests are made.
"""

import json

ACCOUNT = "111111111111"
REGION = "eu-central-1"
CLUSTER = "prod-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution"
PEOPLE = f"arn:aws:iam::{ACCOUNT}:role/platform-admins"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"
PLACE = f"/accounts/{ACCOUNT}/regions/{REGION}"
ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC"
TAGS = [{"Key": "team", "Value": "a"}]

EXAMPLES = []


def example(service, action):
    def add(make):
        EXAMPLES.append((service, action, make))
        return make

    return add


# EKS: Fargate profiles


def profile(**more):
    return {
        "clusterName": CLUSTER,
        "fargateProfileName": "web",
        "podExecutionRoleArn": ROLE,
        "selectors": [{"namespace": "default", "labels": {"app": "web"}}],
        "tags": {"team": "a"},
        **more,
    }


def with_profile(sim):
    sim.call("eks", "CreateFargateProfile", profile())
    sim.advance(300)
    return {"clusterName": CLUSTER, "fargateProfileName": "web"}


@example("eks", "CreateFargateProfile")
def _(sim):
    return profile(clientRequestToken="a-token-of-the-client")


@example("eks", "DescribeFargateProfile")
def _(sim):
    return with_profile(sim)


@example("eks", "ListFargateProfiles")
def _(sim):
    for name in ["web", "work", "night"]:
        sim.control("PUT", f"{PLACE}/clusters/{CLUSTER}/fargate-profiles/{name}", {})
    return {"clusterName": CLUSTER, "maxResults": 2}


@example("eks", "DeleteFargateProfile")
def _(sim):
    return with_profile(sim)


# EKS: clusters


@example("eks", "DescribeCluster")
def _(sim):
    return {"name": CLUSTER}


@example("eks", "DescribeCluster")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(120)
    return {"name": "new"}


@example("eks", "DescribeCluster")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(900)
    return {"name": "new"}


@example("eks", "ListClusters")
def _(sim):
    return {"maxResults": 1}


@example("eks", "DeleteCluster")
def _(sim):
    return {"name": CLUSTER}


@example("eks", "UpdateClusterConfig")
def _(sim):
    return {"name": CLUSTER, "deletionProtection": True}


@example("eks", "DescribeUpdate")
def _(sim):
    change = {"name": CLUSTER, "deletionProtection": True}
    update = sim.call("eks", "UpdateClusterConfig", change)["update"]
    return {"name": CLUSTER, "updateId": update["id"]}


@example("eks", "DescribeUpdate")
def _(sim):
    change = {"clusterName": CLUSTER, "addonName": "coredns"}
    values = json.dumps({"replicaCount": 3})
    update = sim.call("eks", "UpdateAddon", {**change, "configurationValues": values})["update"]
    sim.advance(60)
    return {"name": CLUSTER, "addonName": "coredns", "updateId": update["id"]}


@example("eks", "ListUpdates")
def _(sim):
    sim.call("eks", "UpdateClusterConfig", {"name": CLUSTER, "deletionProtection": True})
    return {"name": CLUSTER, "maxResults": 10}


@example("eks", "DescribeClusterVersions")
def _(sim):
    return {"includeAll": True, "maxResults": 50}


# EKS: add-ons


@example("eks", "CreateAddon")
def _(sim):
    return {
        "clusterName": CLUSTER,
        "addonName": "metrics-server",
        "resolveConflicts": "OVERWRITE",
        "tags": {"team": "a"},
    }


@example("eks", "DescribeAddonConfiguration")
def _(sim):
    addon = {"addonName": "aws-ebs-csi-driver"}
    offers = sim.call("eks", "DescribeAddonVersions", addon)["addons"]
    return {**addon, "addonVersion": offers[0]["addonVersions"][0]["addonVersion"]}


@example("eks", "DescribeAddon")
def _(sim):
    return {"clusterName": CLUSTER, "addonName": "coredns"}


@example("eks", "DescribeAddon")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(900)
    sim.call("eks", "CreateAddon", {"clusterName": "new", "addonName": "coredns"})
    sim.advance(1000)
    return {"clusterName": "new", "addonName": "coredns"}


@example("eks", "UpdateAddon")
def _(sim):
    return {
        "clusterName": CLUSTER,
        "addonName": "coredns",
        "resolveConflicts": "OVERWRITE",
        "configurationValues": json.dumps({"computeType": "Fargate"}),
    }


@example("eks", "ListAddons")
def _(sim):
    return {"clusterName": CLUSTER}


@example("eks", "DeleteAddon")
def _(sim):
    return {"clusterName": CLUSTER, "addonName": "coredns"}


@example("eks", "DescribeAddonVersions")
def _(sim):
    return {"kubernetesVersion": "1.34", "addonName": "vpc-cni"}


# EKS: nodegroups


def with_nodegroup(sim):
    with_stack(sim, cluster_template())
    sim.advance(900)
    with_stack(sim, nodes_template(), name="eksctl-new-nodegroup-ng-1")
    sim.advance(400)
    return {"clusterName": "new", "nodegroupName": "ng-1"}


@example("eks", "DescribeNodegroup")
def _(sim):
    return with_nodegroup(sim)


@example("eks", "DescribeNodegroup")
def _(sim):
    sim.control("PUT", f"{PLACE}/clusters/{CLUSTER}", {"nodegroups": ["ng"]})
    return {"clusterName": CLUSTER, "nodegroupName": "ng"}


@example("eks", "ListNodegroups")
def _(sim):
    sim.control("PUT", f"{PLACE}/clusters/{CLUSTER}", {"nodegroups": ["a", "b"]})
    return {"clusterName": CLUSTER, "maxResults": 1}


@example("eks", "DeleteNodegroup")
def _(sim):
    sim.control("PUT", f"{PLACE}/clusters/{CLUSTER}", {"nodegroups": ["ng"]})
    return {"clusterName": CLUSTER, "nodegroupName": "ng"}


# EKS: access entries


def with_entry(sim):
    sim.call("eks", "CreateAccessEntry", {"clusterName": CLUSTER, "principalArn": PEOPLE})
    return {"clusterName": CLUSTER, "principalArn": PEOPLE}


def with_policy(sim):
    entry = with_entry(sim)
    scope = {"type": "namespace", "namespaces": ["default"]}
    sim.call("eks", "AssociateAccessPolicy", {**entry, "policyArn": VIEW, "accessScope": scope})
    return entry


@example("eks", "CreateAccessEntry")
def _(sim):
    return {
        "clusterName": CLUSTER,
        "principalArn": PEOPLE,
        "type": "STANDARD",
        "kubernetesGroups": ["viewers"],
        "tags": {"team": "a"},
    }


@example("eks", "DescribeAccessEntry")
def _(sim):
    return with_entry(sim)


@example("eks", "ListAccessEntries")
def _(sim):
    with_entry(sim)
    return {"clusterName": CLUSTER}


@example("eks", "UpdateAccessEntry")
def _(sim):
    return {**with_entry(sim), "kubernetesGroups": ["viewers"]}


@example("eks", "DeleteAccessEntry")
def _(sim):
    return with_entry(sim)


@example("eks", "AssociateAccessPolicy")
def _(sim):
    scope = {"type": "namespace", "namespaces": ["default"]}
    return {**with_entry(sim), "policyArn": VIEW, "accessScope": scope}


@example("eks", "DisassociateAccessPolicy")
def _(sim):
    return {**with_policy(sim), "policyArn": VIEW}


@example("eks", "ListAssociatedAccessPolicies")
def _(sim):
    return with_policy(sim)


@example("eks", "ListAccessPolicies")
def _(sim):
    return {"maxResults": 10}


# EKS: pod identity associations


def pod_identity(sim):
    role = {"services": ["pods.eks.amazonaws.com"]}
    sim.control("PUT", f"/accounts/{ACCOUNT}/roles/pods", role)
    return {
        "clusterName": CLUSTER,
        "namespace": "shop",
        "serviceAccount": "web",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/pods",
        "tags": {"team": "a"},
    }


def with_pod_identity(sim):
    made = sim.call("eks", "CreatePodIdentityAssociation", pod_identity(sim))["association"]
    return {"clusterName": CLUSTER, "associationId": made["associationId"]}


@example("eks", "CreatePodIdentityAssociation")
def _(sim):
    return pod_identity(sim)


@example("eks", "DescribePodIdentityAssociation")
def _(sim):
    return with_pod_identity(sim)


@example("eks", "ListPodIdentityAssociations")
def _(sim):
    with_pod_identity(sim)
    return {"clusterName": CLUSTER, "namespace": "shop"}


@example("eks", "UpdatePodIdentityAssociation")
def _(sim):
    return {**with_pod_identity(sim), "disableSessionTags": True}


@example("eks", "DeletePodIdentityAssociation")
def _(sim):
    return with_pod_identity(sim)


# EKS: identity providers


def identity_provider():
    return {
        "clusterName": CLUSTER,
        "oidc": {
            "identityProviderConfigName": "company",
            "issuerUrl": "https://id.example.com",
            "clientId": "clusters",
            "usernameClaim": "email",
            "groupsClaim": "groups",
            "requiredClaims": {"team": "platform"},
        },
        "tags": {"team": "a"},
    }


def with_identity_provider(sim):
    sim.call("eks", "AssociateIdentityProviderConfig", identity_provider())
    sim.advance(1800)
    which = {"type": "oidc", "name": "company"}
    return {"clusterName": CLUSTER, "identityProviderConfig": which}


@example("eks", "AssociateIdentityProviderConfig")
def _(sim):
    return identity_provider()


@example("eks", "DescribeIdentityProviderConfig")
def _(sim):
    return with_identity_provider(sim)


@example("eks", "ListIdentityProviderConfigs")
def _(sim):
    with_identity_provider(sim)
    return {"clusterName": CLUSTER}


@example("eks", "DisassociateIdentityProviderConfig")
def _(sim):
    return with_identity_provider(sim)


# EKS: tags


@example("eks", "TagResource")
def _(sim):
    return {"resourceArn": CLUSTER_ARN, "tags": {"team": "b"}}


@example("eks", "UntagResource")
def _(sim):
    return {"resourceArn": CLUSTER_ARN, "tagKeys": ["team"]}


@example("eks", "ListTagsForResource")
def _(sim):
    sim.call("eks", "TagResource", {"resourceArn": CLUSTER_ARN, "tags": {"team": "b"}})
    return {"resourceArn": CLUSTER_ARN}


# STS


@example("sts", "AssumeRole")
def _(sim):
    statement = {"Effect": "Allow", "Action": "eks:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/fargate-fleet",
        "RoleSessionName": "job-1",
        "ExternalId": "any",
        "SourceIdentity": "somebody",
        "DurationSeconds": 900,
        "Policy": json.dumps(policy),
    }


@example("sts", "GetCallerIdentity")
def _(sim):
    return {}


# CloudFormation


def role_template():
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "eks-fargate-pods.amazonaws.com"},
            }
        ],
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    arn = {"Fn::GetAtt": ["Role", "Arn"]}
    export = {"Name": "a-role::Arn"}
    return {
        "Description": "a role",
        "Resources": {"Role": role},
        "Outputs": {"Arn": {"Description": "its ARN", "Value": arn, "Export": export}},
    }


def trusted(service):
    statement = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": [service]},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}


def cluster_template():
    resources = {
        "VPC": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "192.168.0.0/16"}},
        "ServiceRole": trusted("eks.amazonaws.com"),
    }
    subnets = []
    for number, zone in enumerate(["a", "b"]):
        properties = {
            "AvailabilityZone": REGION + zone,
            "CidrBlock": f"192.168.{number * 32}.0/19",
            "VpcId": {"Ref": "VPC"},
        }
        resources[f"Subnet{number}"] = {"Type": "AWS::EC2::Subnet", "Properties": properties}
        subnets.append({"Ref": f"Subnet{number}"})
    resources["ControlPlane"] = {
        "Type": "AWS::EKS::Cluster",
        "Properties": {
            "Name": "new",
            "Version": "1.34",
            "BootstrapSelfManagedAddons": False,
            "RoleArn": {"Fn::GetAtt": ["ServiceRole", "Arn"]},
            "ResourcesVpcConfig": {"SubnetIds": subnets},
            "AccessConfig": {"AuthenticationMode": "API_AND_CONFIG_MAP"},
        },
    }
    subnets = {"Fn::Join": [",", subnets]}
    export = {"Name": "new::Subnets"}
    outputs = {"Subnets": {"Value": subnets, "Export": export}}
    return {"Description": "a cluster", "Resources": resources, "Outputs": outputs}


def nodes_template():
    return {
        "Resources": {
            "NodeInstanceRole": trusted("ec2.amazonaws.com"),
            "ManagedNodeGroup": {
                "Type": "AWS::EKS::Nodegroup",
                "Properties": {
                    "ClusterName": "new",
                    "NodegroupName": "ng-1",
                    "NodeRole": {"Fn::GetAtt": ["NodeInstanceRole", "Arn"]},
                    "Subnets": {"Fn::Split": [",", {"Fn::ImportValue": "new::Subnets"}]},
                    "InstanceTypes": ["m5.large"],
                    "ScalingConfig": {"MinSize": 1, "DesiredSize": 2, "MaxSize": 3},
                },
            },
        }
    }


def stack(template, name="eksctl-new-cluster", **more):
    return {
        "StackName": name,
        "TemplateBody": json.dumps(template),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": TAGS,
        **more,
    }


def with_stack(sim, template=None, **more):
    return sim.call("cloudformation", "CreateStack", stack(template or role_template(), **more))


@example("cloudformation", "CreateStack")
def _(sim):
    return stack(role_template(), ClientRequestToken="a-token", TimeoutInMinutes=60)


@example("cloudformation", "DescribeStacks")
def _(sim):
    with_stack(sim)
    sim.advance(60)
    return {"StackName": "eksctl-new-cluster"}


@example("cloudformation", "DescribeStacks")
def _(sim):
    with_stack(sim, EnableTerminationProtection=True)
    return {}


@example("cloudformation", "DescribeStacks")
def _(sim):
    stack_id = with_stack(sim)["StackId"]
    sim.call("cloudformation", "DeleteStack", {"StackName": stack_id})
    sim.advance(300)
    return {"StackName": stack_id}


@example("cloudformation", "DescribeStackEvents")
def _(sim):
    with_stack(sim, ClientRequestToken="a-token")
    sim.advance(60)
    return {"StackName": "eksctl-new-cluster"}


@example("cloudformation", "DescribeStackEvents")
def _(sim):
    step = {"action": "CreateResource", "resource": "ControlPlane", "message": "no luck"}
    sim.control("POST", "/faults", [step])
    with_stack(sim, cluster_template())
    sim.advance(300)
    return {"StackName": "eksctl-new-cluster"}


@example("cloudformation", "DescribeStackResources")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(300)
    return {"StackName": "eksctl-new-cluster"}


@example("cloudformation", "ListStacks")
def _(sim):
    for name in ["first", "second"]:
        role = role_template()
        del role["Outputs"]
        with_stack(sim, role, name=name)
    sim.call("cloudformation", "DeleteStack", {"StackName": "first"})
    sim.advance(300)
    return {"StackStatusFilter": ["CREATE_COMPLETE", "DELETE_COMPLETE"]}


@example("cloudformation", "ListImports")
def _(sim):
    with_nodegroup(sim)
    return {"ExportName": "new::Subnets"}


@example("cloudformation", "DeleteStack")
def _(sim):
    with_stack(sim)
    sim.advance(60)
    return {"StackName": "eksctl-new-cluster", "ClientRequestToken": "a-token"}


@example("cloudformation", "UpdateTerminationProtection")
def _(sim):
    with_stack(sim)
    sim.advance(60)
    return {"StackName": "eksctl-new-cluster", "EnableTerminationProtection": True}


# IAM


def with_provider(sim):
    provider = {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "Tags": TAGS}
    answer = sim.call("iam", "CreateOpenIDConnectProvider", provider)
    return {"OpenIDConnectProviderArn": answer["OpenIDConnectProviderArn"]}


@example("iam", "GetRole")
def _(sim):
    return {"RoleName": "fargate-pod-execution"}


@example("iam", "GetRole")
def _(sim):
    with_stack(sim)
    sim.advance(60)
    found = sim.call("cloudformation", "DescribeStacks", {"StackName": "eksctl-new-cluster"})
    arn = found["Stacks"][0]["Outputs"][0]["OutputValue"]
    return {"RoleName": arn.split("/")[-1]}


@example("iam", "CreateOpenIDConnectProvider")
def _(sim):
    return {
        "Url": ISSUER,
        "ClientIDList": ["sts.amazonaws.com"],
        "ThumbprintList": ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
        "Tags": TAGS,
    }


@example("iam", "GetOpenIDConnectProvider")
def _(sim):
    return with_provider(sim)


@example("iam", "ListOpenIDConnectProviders")
def _(sim):
    with_provider(sim)
    return {}


@example("iam", "DeleteOpenIDConnectProvider")
def _(sim):
    return with_provider(sim)


# EC2


def with_interface(sim):
    interface = {"cluster": CLUSTER, "securityGroups": ["sg-1"], "tags": {"team": "a"}}
    sim.control("PUT", f"{PLACE}/network-interfaces/eni-1", interface)


def with_group(sim):
    group = {"cluster": CLUSTER, "name": "web", "description": "of the web", "tags": {"team": "a"}}
    sim.control("PUT", f"{PLACE}/security-groups/sg-1", group)


@example("ec2", "DescribeAvailabilityZones")
def _(sim):
    return {"Filters": [{"Name": "zone-type", "Values": ["availability-zone"]}]}


@example("ec2", "DescribeInstanceTypeOfferings")
def _(sim):
    wanted = [{"Name": "instance-type", "Values": ["m5.large"]}]
    return {"LocationType": "availability-zone", "Filters": wanted}


@example("ec2", "DescribeInstanceTypes")
def _(sim):
    return {"InstanceTypes": ["m5.large", "g5.xlarge", "inf2.xlarge"]}


@example("ec2", "DescribeInstanceTypes")
def _(sim):
    return {"Filters": [{"Name": "vcpu-info.default-vcpus", "Values": ["2"]}], "MaxResults": 5}


@example("ec2", "DescribeImages")
def _(sim):
    return {"ImageIds": ["ami-0cccccccccccccc01"]}


@example("ec2", "DescribeKeyPairs")
def _(sim):
    return {"KeyNames": ["existing"]}


@example("ec2", "DescribeLaunchTemplateVersions")
def _(sim):
    return {"LaunchTemplateId": "lt-0cccccccccccccc01", "Versions": ["$Default"]}


@example("ec2", "DescribeSubnets")
def _(sim):
    return {}


@example("ec2", "DescribeVpcs")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(60)
    return {}


@example("ec2", "DescribeRouteTables")
def _(sim):
    with_stack(sim, cluster_template())
    sim.advance(60)
    return {}


@example("ec2", "DescribeVpcEndpointServices")
def _(sim):
    return {"ServiceNames": ["com.amazonaws.eu-central-1.ecr.api", "com.amazonaws.eu-central-1.s3"]}


@example("ec2", "DescribeNetworkInterfaces")
def _(sim):
    with_interface(sim)
    return {"NetworkInterfaceIds": ["eni-1"]}


@example("ec2", "DescribeNetworkInterfaces")
def _(sim):
    with_nodegroup(sim)
    return {}


@example("ec2", "DeleteNetworkInterface")
def _(sim):
    with_interface(sim)
    return {"NetworkInterfaceId": "eni-1"}


@example("ec2", "DescribeSecurityGroups")
def _(sim):
    with_group(sim)
    return {"GroupIds": ["sg-1"]}


@example("ec2", "DeleteSecurityGroup")
def _(sim):
    with_group(sim)
    return {"GroupId": "sg-1"}


# Elastic Load Balancing


def with_balancer(sim, kind):
    balancer = {"cluster": CLUSTER, "kind": kind, "tags": {"team": "a"}}
    sim.control("PUT", f"{PLACE}/load-balancers/web", balancer)


@example("elb", "DescribeLoadBalancers")
def _(sim):
    with_balancer(sim, "classic")
    return {}


@example("elb", "DescribeTags")
def _(sim):
    with_balancer(sim, "classic")
    return {"LoadBalancerNames": ["web"]}


@example("elbv2", "DescribeLoadBalancers")
def _(sim):
    with_balancer(sim, "application")
    return {}


@example("elbv2", "DescribeTags")
def _(sim):
    with_balancer(sim, "network")
    found = sim.call("elbv2", "DescribeLoadBalancers", {})["LoadBalancers"]
    return {"ResourceArns": [one["LoadBalancerArn"] for one in found]}


# EKS: capabilities


def with_capability(sim):
    sim.control("PUT", f"/accounts/{ACCOUNT}/roles/ack", {"services": ["capabilities.eks.amazonaws.com"]})
    capability = {
        "CapabilityName": "ack",
        "ClusterName": CLUSTER,
        "DeletePropagationPolicy": "RETAIN",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/ack",
        "Type": "ACK",
    }
    with_stack(sim, {"Resources": {"It": {"Type": "AWS::EKS::Capability", "Properties": capability}}})
    sim.advance(600)
    return {"clusterName": CLUSTER, "capabilityName": "ack"}


def with_argo_cd(sim):
    sim.control("PUT", f"/accounts/{ACCOUNT}/roles/argo", {"services": ["capabilities.eks.amazonaws.com"]})
    identity = {"Id": "38414300-1041", "Type": "SSO_USER"}
    argo_cd = {
        "Namespace": "gitops",
        "NetworkAccess": {"VpceIds": ["vpce-1"]},
        "AwsIdc": {"IdcInstanceArn": "arn:aws:sso:::instance/ssoins-1"},
        "RbacRoleMappings": [{"Role": "ADMIN", "Identities": [identity]}],
    }
    capability = {
        "CapabilityName": "argo",
        "ClusterName": CLUSTER,
        "Configuration": {"ArgoCd": argo_cd},
        "DeletePropagationPolicy": "RETAIN",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/argo",
        "Type": "ARGOCD",
    }
    with_stack(sim, {"Resources": {"It": {"Type": "AWS::EKS::Capability", "Properties": capability}}})
    sim.advance(600)
    return {"clusterName": CLUSTER, "capabilityName": "argo"}


@example("eks", "DescribeCapability")
def _(sim):
    return with_capability(sim)


@example("eks", "DescribeCapability")
def _(sim):
    return with_argo_cd(sim)


@example("eks", "ListCapabilities")
def _(sim):
    with_capability(sim)
    return {"clusterName": CLUSTER, "maxResults": 10}


@example("eks", "DeleteCapability")
def _(sim):
    return with_capability(sim)


# CloudWatch Logs

LOG_GROUP = f"/aws/eks/{CLUSTER}/cluster"


def with_logs(sim):
    setup = {"types": ["audit"], "enabled": True}
    logging = {"clusterLogging": [setup]}
    sim.call("eks", "UpdateClusterConfig", {"name": CLUSTER, "logging": logging})
    sim.advance(300)


@example("logs", "PutRetentionPolicy")
def _(sim):
    with_logs(sim)
    return {"logGroupName": LOG_GROUP, "retentionInDays": 30}


@example("logs", "DescribeLogGroups")
def _(sim):
    with_logs(sim)
    sim.call("logs", "PutRetentionPolicy", {"logGroupName": LOG_GROUP, "retentionInDays": 30})
    return {"logGroupNamePrefix": "/aws/eks/", "limit": 10}
