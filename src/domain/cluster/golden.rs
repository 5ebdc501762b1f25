//! The templates against the lists of what eksctl makes, written out below.

mod nodegroups;

use super::network::{DEFAULT_CIDR, NetworkPlan};
use super::samples;
use super::spec::{ClusterSpec, NatMode};
use super::template::{self, ClusterFacts};
use crate::domain::eksctl::{ClusterConfig, Part};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn own(nat: NatMode, zones: &[&str]) -> NetworkPlan {
    let zones: Vec<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
    NetworkPlan::in_zones(DEFAULT_CIDR, nat, &zones).unwrap()
}

fn fargate() -> ClusterSpec {
    let text = json!({"metadata": {"name": "prod", "region": "us-west-2"}}).to_string();
    let config = ClusterConfig::from_json(&text, Part::Whole).unwrap();
    ClusterSpec::of(config, true).unwrap()
}

/// Logical ids and types, one a line, sorted.
fn resources(template: &Value) -> String {
    let resources = template["Resources"].as_object().unwrap();
    let mut lines: Vec<String> = resources
        .iter()
        .map(|(id, resource)| format!("{id} {}", resource["Type"].as_str().unwrap()))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Outputs, one a line, sorted; those that are exported have a star.
fn outputs(template: &Value) -> String {
    let outputs = template["Outputs"].as_object().unwrap();
    let mut lines: Vec<String> = outputs
        .iter()
        .map(|(name, output)| {
            let Some(export) = output.get("Export") else {
                return name.clone();
            };
            let expected = json!({"Name": {"Fn::Sub": format!("${{AWS::StackName}}::{name}")}});
            assert_eq!(*export, expected, "{name}");
            format!("{name} *")
        })
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn sorted(lines: &str) -> String {
    let mut lines: Vec<&str> = lines.lines().map(str::trim).collect();
    lines.retain(|line| !line.is_empty());
    lines.sort_unstable();
    lines.join("\n")
}

/// What every cluster's stack has, whatever its network.
const CONTROL_PLANE: &str = "
    ClusterSharedNodeSecurityGroup AWS::EC2::SecurityGroup
    ControlPlane AWS::EKS::Cluster
    ControlPlaneSecurityGroup AWS::EC2::SecurityGroup
    IngressDefaultClusterToNodeSG AWS::EC2::SecurityGroupIngress
    IngressInterNodeGroupSG AWS::EC2::SecurityGroupIngress
    IngressNodeToDefaultClusterSG AWS::EC2::SecurityGroupIngress
    ServiceRole AWS::IAM::Role";

const POD_EXECUTION_ROLE: &str = "
    FargatePodExecutionRole AWS::IAM::Role";

/// What a VPC of its own has, whatever its NAT gateways.
const VPC: &str = "
    VPC AWS::EC2::VPC
    InternetGateway AWS::EC2::InternetGateway
    VPCGatewayAttachment AWS::EC2::VPCGatewayAttachment
    PublicRouteTable AWS::EC2::RouteTable
    PublicSubnetRoute AWS::EC2::Route
    SubnetPublicUSWEST2A AWS::EC2::Subnet
    SubnetPublicUSWEST2B AWS::EC2::Subnet
    RouteTableAssociationPublicUSWEST2A AWS::EC2::SubnetRouteTableAssociation
    RouteTableAssociationPublicUSWEST2B AWS::EC2::SubnetRouteTableAssociation
    PrivateRouteTableUSWEST2A AWS::EC2::RouteTable
    PrivateRouteTableUSWEST2B AWS::EC2::RouteTable
    SubnetPrivateUSWEST2A AWS::EC2::Subnet
    SubnetPrivateUSWEST2B AWS::EC2::Subnet
    RouteTableAssociationPrivateUSWEST2A AWS::EC2::SubnetRouteTableAssociation
    RouteTableAssociationPrivateUSWEST2B AWS::EC2::SubnetRouteTableAssociation";

const NAT_ROUTES: &str = "
    NATPrivateSubnetRouteUSWEST2A AWS::EC2::Route
    NATPrivateSubnetRouteUSWEST2B AWS::EC2::Route";

const SINGLE_NAT: &str = "
    NATGateway AWS::EC2::NatGateway
    NATIP AWS::EC2::EIP";

const NAT_A_ZONE: &str = "
    NATGatewayUSWEST2A AWS::EC2::NatGateway
    NATGatewayUSWEST2B AWS::EC2::NatGateway
    NATIPUSWEST2A AWS::EC2::EIP
    NATIPUSWEST2B AWS::EC2::EIP";

const CLUSTER_OUTPUTS: &str = "
    ARN *
    CertificateAuthorityData
    ClusterSecurityGroupId *
    ClusterStackName
    Endpoint *
    FargatePodExecutionRoleARN *
    FeatureNATMode
    SecurityGroup *
    ServiceRoleARN *
    SharedNodeSecurityGroup *
    SubnetsPrivate *
    SubnetsPublic *
    VPC *";

const TWO: [&str; 2] = ["us-west-2a", "us-west-2b"];

#[test]
fn a_cluster_has_eksctls_resources_in_every_nat_mode() {
    let spec = fargate();
    for (mode, nat) in [
        (NatMode::Single, [NAT_ROUTES, SINGLE_NAT].concat()),
        (NatMode::HighlyAvailable, [NAT_ROUTES, NAT_A_ZONE].concat()),
        (NatMode::Disable, String::new()),
    ] {
        let template = template::cluster(&spec, &own(mode, &TWO));
        let expected = [CONTROL_PLANE, POD_EXECUTION_ROLE, VPC, &nat].concat();
        assert_eq!(resources(&template), sorted(&expected), "{mode}");
        assert_eq!(outputs(&template), sorted(CLUSTER_OUTPUTS));
        assert_eq!(
            template["Outputs"]["FeatureNATMode"]["Value"],
            mode.as_str()
        );
    }
}

#[test]
fn a_single_nat_gateway_is_in_the_first_public_subnet() {
    let template = template::cluster(&fargate(), &own(NatMode::Single, &TWO));
    let of = |id: &str| &template["Resources"][id]["Properties"];
    assert_eq!(
        of("NATGateway")["SubnetId"],
        json!({"Ref": "SubnetPublicUSWEST2A"})
    );
    for id in [
        "NATPrivateSubnetRouteUSWEST2A",
        "NATPrivateSubnetRouteUSWEST2B",
    ] {
        assert_eq!(of(id)["NatGatewayId"], json!({"Ref": "NATGateway"}));
    }
    let template = template::cluster(&fargate(), &own(NatMode::HighlyAvailable, &TWO));
    let route = &template["Resources"]["NATPrivateSubnetRouteUSWEST2B"]["Properties"];
    assert_eq!(route["NatGatewayId"], json!({"Ref": "NATGatewayUSWEST2B"}));
}

#[test]
fn subnets_carry_their_role_and_name() {
    let template = template::cluster(&fargate(), &own(NatMode::Single, &TWO));
    for (id, role, cidr) in [
        (
            "SubnetPublicUSWEST2A",
            "kubernetes.io/role/elb",
            "192.168.0.0/19",
        ),
        (
            "SubnetPrivateUSWEST2A",
            "kubernetes.io/role/internal-elb",
            "192.168.64.0/19",
        ),
    ] {
        let subnet = &template["Resources"][id]["Properties"];
        let name = json!({"Fn::Sub": format!("${{AWS::StackName}}/{id}")});
        assert_eq!(
            subnet["Tags"],
            json!([{"Key": role, "Value": "1"}, {"Key": "Name", "Value": name}])
        );
        assert_eq!(subnet["CidrBlock"], cidr);
        assert_eq!(subnet["AvailabilityZone"], "us-west-2a");
    }
}

#[test]
fn an_existing_vpc_is_only_referred_to() {
    let network = NetworkPlan::Existing {
        vpc_id: "vpc-1".to_owned(),
        public: vec![],
        private: vec!["subnet-1".to_owned(), "subnet-2".to_owned()],
        subnets: vec![],
        route_tables: vec![],
        endpoints: vec![],
    };
    let template = template::cluster(&fargate(), &network);
    let expected = [CONTROL_PLANE, POD_EXECUTION_ROLE].concat();
    assert_eq!(resources(&template), sorted(&expected));
    let expected = CLUSTER_OUTPUTS.replace("    SubnetsPublic *\n", "");
    assert_eq!(outputs(&template), sorted(&expected));
    assert_eq!(template["Outputs"]["VPC"]["Value"], "vpc-1");
    let subnets = &template["Resources"]["ControlPlane"]["Properties"]["ResourcesVpcConfig"];
    assert_eq!(subnets["SubnetIds"], json!(["subnet-1", "subnet-2"]));
}

#[test]
fn the_control_plane_has_the_defaults_of_eksctl() {
    let template = template::cluster(&fargate(), &own(NatMode::Single, &TWO));
    insta::assert_json_snapshot!(template["Resources"]["ControlPlane"]);
}

#[test]
fn the_control_plane_has_what_was_asked_for() {
    let spec = samples::spec(&json!({
        "metadata": {"name": "c", "region": "us-west-2", "version": "1.33", "tags": {"team": "x"}},
        "vpc": {
            "clusterEndpoints": {"privateAccess": true},
            "publicAccessCIDRs": ["203.0.113.0/24"]
        },
        "accessConfig": {
            "authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false
        },
        "cloudWatch": {"clusterLogging": {"enableTypes": ["scheduler", "audit"]}}
    }));
    let template = template::cluster(&spec, &own(NatMode::Single, &TWO));
    let cluster = &template["Resources"]["ControlPlane"]["Properties"];
    assert_eq!(cluster["Version"], "1.33");
    assert_eq!(cluster["Tags"][0], json!({"Key": "team", "Value": "x"}));
    let network = &cluster["ResourcesVpcConfig"];
    assert_eq!(network["EndpointPrivateAccess"], true);
    assert_eq!(network["PublicAccessCidrs"], json!(["203.0.113.0/24"]));
    assert_eq!(
        cluster["AccessConfig"],
        json!({"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": false})
    );
    assert_eq!(
        cluster["Logging"]["ClusterLogging"]["EnabledTypes"],
        json!([{"Type": "audit"}, {"Type": "scheduler"}])
    );
}

#[test]
fn the_pod_execution_role_is_made_only_when_a_profile_has_none() {
    let profile = |role: Value| {
        let mut profile = json!({"name": "p", "selectors": [{"namespace": "x"}]});
        if !role.is_null() {
            profile["podExecutionRoleARN"] = role;
        }
        profile
    };
    let role = json!("arn:aws:iam::111111111111:role/pods");
    let own_role = json!("arn:aws:iam::111111111111:role/own");
    let metadata = json!({"name": "c", "region": "us-west-2"});
    let made = |config: Value| {
        let spec = samples::spec(&config);
        let template = template::cluster(&spec, &own(NatMode::Single, &TWO));
        let role = template["Resources"]
            .get("FargatePodExecutionRole")
            .is_some();
        let output = template["Outputs"]
            .get("FargatePodExecutionRoleARN")
            .cloned();
        (role, output.map(|output| output["Value"].clone()))
    };
    let got = json!({"Fn::GetAtt": ["FargatePodExecutionRole", "Arn"]});
    let config = json!({"metadata": metadata, "fargateProfiles": [profile(Value::Null)]});
    assert_eq!(made(config), (true, Some(got)));
    let config = json!({"metadata": metadata, "fargateProfiles": [profile(own_role)]});
    assert_eq!(made(config), (false, None));
    let config = json!({
        "metadata": metadata,
        "iam": {"fargatePodExecutionRoleARN": role},
        "fargateProfiles": [profile(Value::Null)]
    });
    assert_eq!(made(config), (false, Some(role)));
    assert_eq!(made(json!({"metadata": metadata})), (false, None));
}

#[test]
fn the_stack_of_the_role_alone_is_eksctls() {
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    let template = template::fargate_role(&fargate().name, Some(boundary));
    assert_eq!(resources(&template), sorted(POD_EXECUTION_ROLE));
    assert_eq!(outputs(&template), "FargatePodExecutionRoleARN *");
    insta::assert_json_snapshot!(template["Resources"]["FargatePodExecutionRole"]);
}

#[test]
fn a_self_managed_nodegroup_has_eksctls_resources() {
    let spec = samples::guide();
    let template = template::nodegroup(&spec, &spec.nodegroups[0], &ClusterFacts::placeholder());
    let expected = "
        AccessEntry AWS::EKS::AccessEntry
        EgressInterCluster AWS::EC2::SecurityGroupEgress
        EgressInterClusterAPI AWS::EC2::SecurityGroupEgress
        IngressInterClusterCP AWS::EC2::SecurityGroupIngress
        NodeGroup AWS::AutoScaling::AutoScalingGroup
        NodeGroupLaunchTemplate AWS::EC2::LaunchTemplate
        NodeInstanceProfile AWS::IAM::InstanceProfile
        NodeInstanceRole AWS::IAM::Role
        SG AWS::EC2::SecurityGroup";
    assert_eq!(resources(&template), sorted(expected));
    let expected = "
        FeatureLocalSecurityGroup
        FeaturePrivateNetworking
        FeatureSharedSecurityGroup
        InstanceProfileARN *
        InstanceRoleARN *
        NodeGroupUsesAccessEntry";
    assert_eq!(outputs(&template), sorted(expected));
    let data =
        &template["Resources"]["NodeGroupLaunchTemplate"]["Properties"]["LaunchTemplateData"];
    assert_eq!(
        data["ImageId"],
        "{{resolve:ssm:/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/\
         recommended/image_id}}"
    );
    let mut group = template["Resources"]["NodeGroup"].clone();
    group["Properties"]["LaunchTemplate"] = json!("above");
    insta::assert_json_snapshot!(group);
}

#[test]
fn a_managed_nodegroup_has_eksctls_resources() {
    let spec = samples::spec(&json!({
        "metadata": {"name": "prod", "region": "us-west-2", "tags": {"team": "x", "cost": "1"}},
        "managedNodeGroups": [{
            "name": "m", "instanceType": "m7g.large", "minSize": 1, "maxSize": 4,
            "privateNetworking": true, "labels": {"tier": "web"}, "tags": {"team": "y"}
        }]
    }));
    let template = template::nodegroup(&spec, &spec.nodegroups[0], &ClusterFacts::placeholder());
    let expected = "
        LaunchTemplate AWS::EC2::LaunchTemplate
        ManagedNodeGroup AWS::EKS::Nodegroup
        NodeInstanceRole AWS::IAM::Role";
    assert_eq!(resources(&template), sorted(expected));
    assert_eq!(outputs(&template), "");
    insta::assert_json_snapshot!(template["Resources"]["ManagedNodeGroup"]);
}

/// Every id that something refers to is there, in every template of the largest cluster.
#[test]
fn nothing_refers_to_what_is_not_there() {
    let spec = samples::guide();
    let zones = ["us-west-2a", "us-west-2b", "us-west-2c"];
    let facts = ClusterFacts::placeholder();
    for template in [
        template::cluster(&spec, &own(NatMode::HighlyAvailable, &zones)),
        template::cluster(&spec, &own(NatMode::Disable, &zones)),
        template::nodegroup(&spec, &spec.nodegroups[0], &facts),
    ] {
        let mut referred = BTreeSet::new();
        references(&template, &mut referred);
        assert!(referred.len() > 3);
        let there = template["Resources"].as_object().unwrap();
        let missing: Vec<&String> = referred
            .iter()
            .filter(|id| !id.starts_with("AWS::") && !there.contains_key(*id))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                let id = match key.as_str() {
                    "Ref" => Some(inner),
                    "Fn::GetAtt" => Some(&inner[0]),
                    _ => None,
                };
                found.extend(id.and_then(Value::as_str).map(str::to_owned));
                if key == "DependsOn" {
                    let ids = inner.as_array().into_iter().flatten();
                    found.extend(ids.filter_map(Value::as_str).map(str::to_owned));
                }
                references(inner, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[test]
fn a_service_role_that_exists_is_used_and_put_out_and_none_is_made() {
    let role = "arn:aws:iam::111111111111:role/control-plane";
    let spec = samples::spec(&json!({
        "metadata": {"name": "prod", "region": "us-west-2"},
        "iam": {"serviceRoleARN": role, "fargatePodExecutionRoleARN": role},
        "fargateProfiles": [{"name": "p", "selectors": [{"namespace": "a"}]}],
    }));
    let template = template::cluster(&spec, &own(NatMode::Disable, &TWO));
    let expected = CONTROL_PLANE.replace("ServiceRole AWS::IAM::Role", "");
    assert_eq!(resources(&template), sorted(&[&expected, VPC].concat()));
    assert_eq!(outputs(&template), sorted(CLUSTER_OUTPUTS));
    let control_plane = &template["Resources"]["ControlPlane"]["Properties"];
    assert_eq!(control_plane["RoleArn"], role);
    assert_eq!(template["Outputs"]["ServiceRoleARN"]["Value"], role);
    let description = template["Description"].as_str().unwrap();
    assert!(
        description.contains("dedicated IAM: false"),
        "{description}"
    );
}

#[test]
fn every_role_can_have_a_boundary_and_has_none_unasked() {
    let bounded = |boundary: Option<&str>| {
        let spec = samples::spec(&json!({
            "metadata": {"name": "prod", "region": "us-west-2"},
            "fargateProfiles": [{"name": "p", "selectors": [{"namespace": "a"}]}],
            "nodeGroups": [{"name": "n"}],
            "managedNodeGroups": [{"name": "m"}],
        }));
        let spec = spec.with_default_boundary(boundary);
        let mut templates = vec![template::cluster(&spec, &own(NatMode::Disable, &TWO))];
        let facts = ClusterFacts::placeholder();
        let nodegroups = spec.nodegroups.iter();
        templates.extend(nodegroups.map(|one| template::nodegroup(&spec, one, &facts)));
        let of_template = |template: &Value| {
            let resources = template["Resources"].as_object().unwrap().clone();
            let roles = resources.into_iter();
            let roles = roles.filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role");
            roles
                .map(|(_, role)| role["Properties"]["PermissionsBoundary"].clone())
                .collect::<Vec<_>>()
        };
        templates
            .iter()
            .flat_map(of_template)
            .collect::<Vec<Value>>()
    };
    let arn = "arn:aws:iam::111111111111:policy/boundary";
    assert_eq!(bounded(Some(arn)), [arn; 4].map(Value::from));
    assert_eq!(
        bounded(None),
        [Value::Null, Value::Null, Value::Null, Value::Null]
    );
}

/// The roles of a cluster with one of each kind, as eksctl writes them.
#[test]
fn the_stacks_of_roles_are_eksctls() {
    let text = json!({
        "metadata": {"name": "prod", "region": "us-west-2", "tags": {"team": "payments"}},
        "iam": {
            "withOIDC": true,
            "serviceAccounts": [
                {"metadata": {"name": "reader", "namespace": "shop"},
                 "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
                 "attachPolicy": {"Version": "2012-10-17", "Statement": [
                     {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]},
                 "permissionsBoundary": "arn:aws:iam::111111111111:policy/b",
                 "roleName": "shop-reader", "tags": {"part": "web"}},
                {"metadata": {"name": "many"}, "subjectPattern": "many-*",
                 "wellKnownPolicies": {"imageBuilder": true, "externalDNS": true}},
            ],
            "podIdentityAssociations": [{
                "namespace": "shop", "serviceAccountName": "writer",
                "permissionPolicyName": "Policy-Of.queues",
                "permissionPolicy": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]},
            }],
        },
        "addons": [
            {"name": "eks-pod-identity-agent"},
            {"name": "aws-ebs-csi-driver"},
            {"name": "aws-efs-csi-driver", "podIdentityAssociations": [{
                "namespace": "kube-system", "serviceAccountName": "efs-csi-controller-sa",
                "permissionPolicyARNs": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}]},
        ],
    });
    let config = ClusterConfig::from_json(&text.to_string(), Part::Whole).unwrap();
    let spec = ClusterSpec::of(config, false)
        .unwrap()
        .with_addon_access(&[].into());
    let facts = ClusterFacts::placeholder();
    let stacks = spec.role_stacks().into_iter().map(|stack| {
        let template = template::role(&stack, &facts);
        json!({"name": stack.name, "tags": stack.tags, "template": template})
    });
    insta::assert_json_snapshot!(stacks.collect::<Vec<_>>());
}
