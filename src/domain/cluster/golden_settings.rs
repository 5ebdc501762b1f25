//! The templates of clusters with settings of their own, against lists of what eksctl makes.

use super::network::{DEFAULT_CIDR, NetworkPlan};
use super::samples;
use super::spec::NatMode;
use super::vpc_endpoints::VpcEndpoint;
use super::{ClusterPlan, ClusterSpec, template};
use serde_json::{Value, json};

const TWO: [&str; 2] = ["us-west-2a", "us-west-2b"];

fn spec(parts: Value) -> ClusterSpec {
    let mut config = json!({"metadata": {"name": "prod", "region": "us-west-2"}});
    let Value::Object(parts) = parts else {
        panic!("{parts}")
    };
    config.as_object_mut().unwrap().extend(parts);
    samples::spec(&config)
}

fn own(spec: &ClusterSpec) -> Value {
    let zones = TWO.map(str::to_owned);
    let local = &spec.vpc.local_zones;
    let network = NetworkPlan::cut(DEFAULT_CIDR, NatMode::Single, (&zones, local)).unwrap();
    let services = spec.private.iter().flat_map(|private| &private.services);
    let endpoints = services
        .map(|one| VpcEndpoint::of(one, &spec.region))
        .collect();
    template::cluster(spec, &network.with_endpoints(endpoints, Vec::new()))
}

/// Ids and types of the resources whose ids hold none of `without`, one a line, sorted.
fn resources(template: &Value, without: &[&str]) -> Vec<String> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let kept = resources.filter(|(id, _)| !without.iter().any(|part| id.contains(part)));
    kept.map(|(id, resource)| format!("{id} {}", resource["Type"].as_str().unwrap()))
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn control_plane(template: &Value) -> &Value {
    &template["Resources"]["ControlPlane"]["Properties"]
}

#[test]
fn a_control_plane_has_its_settings() {
    let key = "arn:aws:kms:us-west-2:1234:key/abc";
    let template = own(&spec(json!({
        "secretsEncryption": {"keyARN": key},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "zonalShiftConfig": {"enabled": true},
        "controlPlaneScalingConfig": {"tier": "tier-xl"},
        "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIPv4CIDR": "10.100.0.0/16"},
        "kubeAPIServerConfig": {
            "eventTTL": "30m", "serviceNodePortRange": {"minPort": 30000, "maxPort": 32767}
        },
        "kubeSchedulerConfig": {"nodeResourcesFit": {"scoringStrategy": {
            "type": "MostAllocated", "resources": [{"name": "cpu", "weight": 2}]
        }}},
        "kubeControllerManagerConfig": {"horizontalPodAutoscalerControllerConfig": {
            "horizontalPodAutoscalerSyncPeriod": "15s"
        }},
        "vpc": {"controlPlaneEgressMode": "CUSTOMER_ROUTED"},
    })));
    let made = control_plane(&template);
    let expected = json!({
        "ControlPlaneScalingConfig": {"Tier": "tier-xl"},
        "EncryptionConfig": [{"Provider": {"KeyArn": key}, "Resources": ["secrets"]}],
        "KubeApiServerConfig": {
            "EventTtl": "30m", "ServiceNodePortRange": {"MinPort": 30000, "MaxPort": 32767}
        },
        "KubeControllerManagerConfig": {"HorizontalPodAutoscalerControllerConfig": {
            "HorizontalPodAutoscalerSyncPeriod": "15s"
        }},
        "KubeSchedulerConfig": {"NodeResourcesFit": {"ScoringStrategy": {
            "Type": "MostAllocated", "Resources": [{"Name": "cpu", "Weight": 2}]
        }}},
        "KubernetesNetworkConfig": {"IpFamily": "ipv4", "ServiceIpv4Cidr": "10.100.0.0/16"},
        "UpgradePolicy": {"SupportType": "EXTENDED"},
        "ZonalShiftConfig": {"Enabled": true},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let egress = &made["ResourcesVpcConfig"]["ControlPlaneEgressMode"];
    assert_eq!(*egress, "CUSTOMER_ROUTED");
    let plain = own(&spec(json!({
        "kubeAPIServerConfig": {}, "kubeSchedulerConfig": {"nodeResourcesFit": {}},
        "zonalShiftConfig": {"enabled": false}, "upgradePolicy": {},
    })));
    for name in expected.as_object().unwrap().keys() {
        let absent = name == "KubernetesNetworkConfig" || control_plane(&plain)[name].is_null();
        assert!(absent, "{name}");
    }
}

#[test]
fn auto_mode_has_its_three_parts_and_the_role_of_its_nodes() {
    let template = own(&spec(json!({"autoModeConfig": {"enabled": true}})));
    let made = control_plane(&template);
    let role = json!({"Fn::GetAtt": ["AutoModeNodeRole", "Arn"]});
    assert_eq!(
        made["ComputeConfig"],
        json!({"Enabled": true, "NodePools": ["general-purpose", "system"], "NodeRoleArn": role})
    );
    assert_eq!(
        made["StorageConfig"],
        json!({"BlockStorage": {"Enabled": true}})
    );
    let balancing = &made["KubernetesNetworkConfig"]["ElasticLoadBalancing"];
    assert_eq!(*balancing, json!({"Enabled": true}));
    let subnets = &made["ResourcesVpcConfig"]["SubnetIds"];
    assert_eq!(
        *subnets,
        json!([{"Ref": "SubnetPrivateUSWEST2A"}, {"Ref": "SubnetPrivateUSWEST2B"}])
    );
    let attached = &template["Resources"]["ServiceRole"]["Properties"]["ManagedPolicyArns"];
    assert_eq!(attached.as_array().unwrap().len(), 6);
    let output = &template["Outputs"]["AutoModeNodeRoleARN"];
    assert_eq!(output["Value"], role);
    assert_eq!(
        output["Export"]["Name"],
        json!({"Fn::Sub": "${AWS::StackName}-NodeRoleArn"})
    );
    for (config, given) in [
        (json!({"enabled": true, "nodePools": []}), Value::Null),
        (
            json!({"enabled": true, "nodeRoleARN": "arn:aws:iam::1234:role/nodes"}),
            json!("arn:aws:iam::1234:role/nodes"),
        ),
    ] {
        let template = own(&spec(json!({ "autoModeConfig": config })));
        assert!(template["Resources"].get("AutoModeNodeRole").is_none());
        let compute = &control_plane(&template)["ComputeConfig"];
        assert_eq!(compute["NodeRoleArn"], given);
    }
    let off = own(&spec(json!({"autoModeConfig": {"enabled": false}})));
    assert_eq!(control_plane(&off)["ComputeConfig"], Value::Null);
}

#[test]
fn a_private_cluster_has_private_subnets_and_endpoints_alone() {
    let template = own(&spec(json!({
        "privateCluster": {"enabled": true, "additionalEndpointServices": ["autoscaling"]},
        "cloudWatch": {"clusterLogging": {"enableTypes": ["audit"]}},
    })));
    let expected = "
        ClusterSharedNodeSecurityGroup AWS::EC2::SecurityGroup
        ControlPlane AWS::EKS::Cluster
        ControlPlaneSecurityGroup AWS::EC2::SecurityGroup
        IngressDefaultClusterToNodeSG AWS::EC2::SecurityGroupIngress
        IngressInterNodeGroupSG AWS::EC2::SecurityGroupIngress
        IngressNodeToDefaultClusterSG AWS::EC2::SecurityGroupIngress
        PrivateRouteTableUSWEST2A AWS::EC2::RouteTable
        PrivateRouteTableUSWEST2B AWS::EC2::RouteTable
        RouteTableAssociationPrivateUSWEST2A AWS::EC2::SubnetRouteTableAssociation
        RouteTableAssociationPrivateUSWEST2B AWS::EC2::SubnetRouteTableAssociation
        ServiceRole AWS::IAM::Role
        SubnetPrivateUSWEST2A AWS::EC2::Subnet
        SubnetPrivateUSWEST2B AWS::EC2::Subnet
        VPC AWS::EC2::VPC
        VPCEndpointAUTOSCALING AWS::EC2::VPCEndpoint
        VPCEndpointEC2 AWS::EC2::VPCEndpoint
        VPCEndpointECRAPI AWS::EC2::VPCEndpoint
        VPCEndpointECRDKR AWS::EC2::VPCEndpoint
        VPCEndpointLOGS AWS::EC2::VPCEndpoint
        VPCEndpointS3 AWS::EC2::VPCEndpoint
        VPCEndpointSTS AWS::EC2::VPCEndpoint";
    assert_eq!(resources(&template, &[]), lines(expected));
    let of = |id: &str| &template["Resources"][id]["Properties"];
    let private = json!([{"Ref": "SubnetPrivateUSWEST2A"}, {"Ref": "SubnetPrivateUSWEST2B"}]);
    assert_eq!(
        *of("VPCEndpointECRAPI"),
        json!({
            "PrivateDnsEnabled": true,
            "SecurityGroupIds": [{"Ref": "ClusterSharedNodeSecurityGroup"}],
            "ServiceName": "com.amazonaws.us-west-2.ecr.api",
            "SubnetIds": private,
            "VpcEndpointType": "Interface",
            "VpcId": {"Ref": "VPC"},
        })
    );
    assert_eq!(
        *of("VPCEndpointS3"),
        json!({
            "RouteTableIds": [
                {"Ref": "PrivateRouteTableUSWEST2A"}, {"Ref": "PrivateRouteTableUSWEST2B"}
            ],
            "ServiceName": "com.amazonaws.us-west-2.s3",
            "VpcEndpointType": "Gateway",
            "VpcId": {"Ref": "VPC"},
        })
    );
    let network = &control_plane(&template)["ResourcesVpcConfig"];
    assert_eq!(network["SubnetIds"], private);
    // Public until all else is done.
    assert_eq!(network["EndpointPublicAccess"], true);
    assert_eq!(network["EndpointPrivateAccess"], true);
    assert_eq!(template["Outputs"]["ClusterFullyPrivate"]["Value"], "true");
    assert!(template["Outputs"].get("SubnetsPublic").is_none());
}

#[test]
fn an_endpoint_has_one_interface_a_zone_that_offers_it() {
    let spec = spec(json!({
        "privateCluster": {"enabled": true},
        "vpc": {"subnets": {"private": {
            "a": {"id": "subnet-1", "az": "us-west-2a"},
            "b": {"id": "subnet-2", "az": "us-west-2a"},
            "c": {"id": "subnet-3", "az": "us-west-2b"},
            "d": {"id": "subnet-4", "az": "us-west-2c"},
        }}},
    }));
    let plan = ClusterPlan::assumed(&spec).unwrap();
    let of = |template: &Value| {
        let endpoint = &template["Resources"]["VPCEndpointSTS"]["Properties"];
        endpoint["SubnetIds"].clone()
    };
    let template = &plan.stacks[0].template;
    assert_eq!(of(template), json!(["subnet-1", "subnet-3", "subnet-4"]));
    let gateway = &template["Resources"]["VPCEndpointS3"]["Properties"];
    assert_eq!(
        gateway["RouteTableIds"],
        json!(["ROUTE-TABLE-OF-THE-PRIVATE-SUBNETS"])
    );
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"endpoint_access"));
}

#[test]
fn an_ipv6_cluster_has_eksctls_network() {
    let template = own(&spec(json!({
        "kubernetesNetworkConfig": {"ipFamily": "IPv6"},
        "addons": [{"name": "coredns"}],
    })));
    let expected = "
        EIP AWS::EC2::EIP
        EgressOnlyInternetGateway AWS::EC2::EgressOnlyInternetGateway
        IPv6CidrBlock AWS::EC2::VPCCidrBlock
        InternetGateway AWS::EC2::InternetGateway
        NATGateway AWS::EC2::NatGateway
        PrivateRouteTableUSWEST2A AWS::EC2::RouteTable
        PrivateRouteTableUSWEST2B AWS::EC2::RouteTable
        PrivateSubnetDefaultIpv6RouteUSWEST2A AWS::EC2::Route
        PrivateSubnetDefaultIpv6RouteUSWEST2B AWS::EC2::Route
        PrivateSubnetDefaultRouteUSWEST2A AWS::EC2::Route
        PrivateSubnetDefaultRouteUSWEST2B AWS::EC2::Route
        PrivateSubnetUSWEST2A AWS::EC2::Subnet
        PrivateSubnetUSWEST2B AWS::EC2::Subnet
        PublicRouteTable AWS::EC2::RouteTable
        PublicSubnetDefaultRoute AWS::EC2::Route
        PublicSubnetIPv6DefaultRoute AWS::EC2::Route
        PublicSubnetUSWEST2A AWS::EC2::Subnet
        PublicSubnetUSWEST2B AWS::EC2::Subnet
        RouteTableAssociationPrivateUSWEST2A AWS::EC2::SubnetRouteTableAssociation
        RouteTableAssociationPrivateUSWEST2B AWS::EC2::SubnetRouteTableAssociation
        RouteTableAssociationPublicUSWEST2A AWS::EC2::SubnetRouteTableAssociation
        RouteTableAssociationPublicUSWEST2B AWS::EC2::SubnetRouteTableAssociation
        VPC AWS::EC2::VPC
        VPCGatewayAttachment AWS::EC2::VPCGatewayAttachment";
    let others = ["Ingress", "Group", "ControlPlane", "ServiceRole"];
    assert_eq!(resources(&template, &others), lines(expected));
    let private = &template["Resources"]["PrivateSubnetUSWEST2A"]["Properties"];
    let blocks = json!({"Fn::Cidr": [{"Fn::GetAtt": ["VPC", "CidrBlock"]}, 6, 13]});
    assert_eq!(private["CidrBlock"], json!({"Fn::Select": [2, blocks]}));
    let whole = json!({"Fn::Select": [0, {"Fn::GetAtt": ["VPC", "Ipv6CidrBlocks"]}]});
    assert_eq!(
        private["Ipv6CidrBlock"],
        json!({"Fn::Select": [2, {"Fn::Cidr": [whole, 6, 64]}]})
    );
    let network = &control_plane(&template)["KubernetesNetworkConfig"];
    assert_eq!(network["IpFamily"], "ipv6");
    assert!(template["Outputs"].get("FeatureNATMode").is_none());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn hybrid_nodes_get_routes_a_role_and_leave_to_join() {
    let made = |gateway: Value| {
        let mut remote = json!({
            "remoteNodeNetworks": [{"cidrs": ["10.80.0.0/24"]}],
            "remotePodNetworks": [{"cidrs": ["10.81.0.0/24"]}],
        });
        remote["vpcGatewayID"] = gateway;
        own(&spec(json!({ "remoteNetworkConfig": remote })))
    };
    let others = [
        "Subnet",
        "ServiceRole",
        "Shared",
        "Node",
        "NAT",
        "VPCG",
        "Internet",
        "Route",
    ];
    let plain = made(Value::Null);
    let expected = "
        ControlPlane AWS::EKS::Cluster
        ControlPlaneSecurityGroup AWS::EC2::SecurityGroup
        HybridNodesSSMRole AWS::IAM::Role
        IngressControlPlaneRemoteNetworks0 AWS::EC2::SecurityGroupIngress
        IngressControlPlaneRemoteNetworks1 AWS::EC2::SecurityGroupIngress
        RemoteNodesAccessEntry AWS::EKS::AccessEntry
        VPC AWS::EC2::VPC";
    let kept: Vec<String> = resources(&plain, &[])
        .into_iter()
        .filter(|line| {
            let ours = line.contains("Hybrid") || line.contains("Remote");
            ours || !others.iter().any(|part| line.contains(part))
        })
        .collect();
    assert_eq!(kept, lines(expected));
    for (gateway, attachment, route, property) in [
        (
            "tgw-1",
            "TransitGatewayAttachment",
            "TGW",
            "TransitGatewayId",
        ),
        (
            "vgw-1",
            "VirtualPrivateGatewayAttachment",
            "VGW",
            "GatewayId",
        ),
    ] {
        let template = made(json!(gateway));
        assert!(template["Resources"].get(attachment).is_some(), "{gateway}");
        for (i, cidr) in ["10.80.0.0/24", "10.81.0.0/24"].iter().enumerate() {
            let id = format!("{route}PrivateSubnetRoute{i}USWEST2B");
            let route = &template["Resources"][&id];
            assert_eq!(route["Properties"]["DestinationCidrBlock"], *cidr);
            assert_eq!(route["Properties"][property], gateway);
            assert_eq!(route["DependsOn"], json!([attachment]));
        }
    }
    let remote = &control_plane(&plain)["RemoteNetworkConfig"];
    assert_eq!(
        remote["RemotePodNetworks"],
        json!([{"Cidrs": ["10.81.0.0/24"]}])
    );
    let role = "arn:aws:iam::1234:role/mine";
    let template = own(&spec(json!({"remoteNetworkConfig": {
        "iam": {"roleARN": role}, "remoteNodeNetworks": [{"cidrs": ["10.80.0.0/24"]}]
    }})));
    let entry = &template["Resources"]["RemoteNodesAccessEntry"]["Properties"];
    assert_eq!(entry["PrincipalArn"], role);
    assert!(template["Resources"].get("HybridNodesSSMRole").is_none());
}

#[test]
fn a_vpc_has_its_settings() {
    let template = own(&spec(json!({
        "localZones": ["us-west-2-lax-1a"],
        "vpc": {
            "autoAllocateIPv6": true, "hostnameType": "resource-name",
            "extraCIDRs": ["172.31.0.0/16"], "controlPlaneOnPrivateSubnets": true,
        },
    })));
    let of = |id: &str| &template["Resources"][id]["Properties"];
    let name = |id: &str| of(id)["PrivateDnsNameOptionsOnLaunch"]["HostnameType"].clone();
    assert_eq!(name("SubnetPublicUSWEST2A"), "resource-name");
    assert_eq!(name("SubnetPrivateUSWEST2LAX1A"), "resource-name");
    for id in ["PublicUSWEST2ACIDRv6", "PrivateUSWEST2LAX1ACIDRv6"] {
        let subnet = json!({"Ref": format!("Subnet{}", id.trim_end_matches("CIDRv6"))});
        assert_eq!(of(id)["SubnetId"], subnet);
    }
    assert!(
        template["Resources"]
            .get("NATPrivateSubnetRouteUSWEST2LAX1A")
            .is_some()
    );
    let rule = of("IngressControlPlaneExtraCIDR0");
    assert_eq!(
        (&rule["CidrIp"], &rule["FromPort"]),
        (&json!("172.31.0.0/16"), &json!(443))
    );
    let subnets = &control_plane(&template)["ResourcesVpcConfig"]["SubnetIds"];
    assert_eq!(
        *subnets,
        json!([{"Ref": "SubnetPrivateUSWEST2A"}, {"Ref": "SubnetPrivateUSWEST2B"}])
    );
    let outputs = &template["Outputs"];
    assert!(outputs.get("SubnetsLocalZonePublic").is_some());
    assert!(outputs.get("SubnetsLocalZonePrivate").is_some());
}

#[test]
fn security_groups_that_exist_are_used() {
    let subnets = json!({
        "us-west-2a": {"id": "subnet-1"}, "us-west-2b": {"id": "subnet-2"}
    });
    let plan = ClusterPlan::assumed(&spec(json!({"vpc": {
        "id": "vpc-1", "subnets": {"private": subnets},
        "controlPlaneSubnetIDs": ["subnet-8", "subnet-9"],
        "controlPlaneSecurityGroupIDs": ["sg-1", "sg-2"],
        "sharedNodeSecurityGroup": "sg-3", "manageSharedNodeSecurityGroupRules": false,
    }})))
    .unwrap();
    let template = &plan.stacks[0].template;
    let expected = "ControlPlane AWS::EKS::Cluster\nServiceRole AWS::IAM::Role";
    assert_eq!(resources(template, &[]), lines(expected));
    let network = &control_plane(template)["ResourcesVpcConfig"];
    assert_eq!(network["SecurityGroupIds"], json!(["sg-1", "sg-2"]));
    assert_eq!(network["SubnetIds"], json!(["subnet-8", "subnet-9"]));
    let outputs = &template["Outputs"];
    assert_eq!(outputs["SecurityGroup"]["Value"], "sg-1");
    assert_eq!(outputs["SharedNodeSecurityGroup"]["Value"], "sg-3");
}

/// The stacks of capabilities, as eksctl writes them.
#[test]
fn the_stacks_of_capabilities_are_eksctls() {
    let config = spec(json!({
        "metadata": {"name": "prod", "region": "us-west-2", "tags": {"team": "payments"}},
        "capabilities": [
            {"name": "ack", "type": "ACK", "tags": {"part": "ack"},
             "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
             "attachPolicy": {"Version": "2012-10-17", "Statement": [
                 {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}},
            {"name": "kro", "type": "KRO", "roleArn": "arn:aws:iam::111111111111:role/kro"},
            {"name": "argo", "type": "ARGOCD", "configuration": {"argocd": {
                "namespace": "gitops", "networkAccess": {"vpceIds": ["vpce-1"]},
                "awsIdc": {"idcInstanceArn": "arn:aws:sso:::instance/ssoins-1", "idcRegion": "us-east-1"},
                "rbacRoleMappings": [{"role": "ADMIN", "identities": [
                    {"id": "38414300", "type": "SSO_USER"}, {"id": "08017340", "type": "SSO_GROUP"}]}],
            }}},
        ],
    }));
    let plan = ClusterPlan::assumed(&config).unwrap();
    let stacks = plan.stacks.iter().skip(1);
    insta::assert_json_snapshot!(stacks.collect::<Vec<_>>());
    let steps = plan.steps.iter();
    let steps = steps.filter(|step| step.name.as_str() == "capabilities");
    let steps: Vec<&str> = steps.map(|step| step.description.as_str()).collect();
    assert_eq!(steps[1], "create the capability kro (KRO)",);
    let role = &plan.stacks[1].name;
    assert_eq!(
        steps[0],
        format!(
            "create the role of the capability by the stack {role}, and create the capability ack (ACK)"
        )
    );
}

#[test]
fn nodes_in_local_zones_are_in_the_subnets_that_the_clusters_stack_has_there() {
    let zones = ["us-west-2-lax-1a", "us-west-2-lax-1b"];
    let config = spec(json!({
        "localZones": zones,
        "nodeGroups": [
            {"name": "all", "localZones": zones},
            {"name": "one", "localZones": [zones[1]], "privateNetworking": true},
        ],
    }));
    let plan = ClusterPlan::assumed(&config).unwrap();
    let subnets = |stack: usize| {
        let group = &plan.stacks[stack].template["Resources"]["NodeGroup"];
        group["Properties"]["VPCZoneIdentifier"].clone()
    };
    let of = |output: &str, nth: &str| {
        let all = json!({"Fn::ImportValue": format!("eksctl-prod-cluster::{output}")});
        json!({"Fn::Select": [nth, {"Fn::Split": [",", all]}]})
    };
    let public = "SubnetsLocalZonePublic";
    assert_eq!(subnets(1), json!([of(public, "0"), of(public, "1")]));
    assert_eq!(subnets(2), json!([of("SubnetsLocalZonePrivate", "1")]));
}
