//! The templates of nodegroups against the lists of what eksctl makes.

use super::{outputs, resources, sorted};
use crate::domain::cluster::ClusterPlan;
use crate::domain::cluster::samples;
use serde_json::{Value, json};

/// The template of the only nodegroup.
fn template(list: &str, mut nodegroup: Value) -> Value {
    nodegroup["name"] = json!("n");
    let mut config = json!({
        "metadata": {"name": "c", "region": "us-west-2", "version": "1.34"},
        "availabilityZones": ["us-west-2a", "us-west-2b"],
    });
    config[list] = json!([nodegroup]);
    let spec = samples::spec(&config);
    ClusterPlan::assumed(&spec)
        .unwrap()
        .stacks
        .remove(1)
        .template
}

fn own(nodegroup: Value) -> Value {
    template("nodeGroups", nodegroup)
}

fn managed(nodegroup: Value) -> Value {
    template("managedNodeGroups", nodegroup)
}

fn of<'a>(template: &'a Value, id: &str) -> &'a Value {
    let properties = &template["Resources"][id]["Properties"];
    assert!(!properties.is_null(), "{id}: {}", template["Resources"]);
    properties
}

fn launched<'a>(template: &'a Value, id: &str) -> &'a Value {
    &of(template, id)["LaunchTemplateData"]
}

const OWN: &str = "
    AccessEntry AWS::EKS::AccessEntry
    EgressInterCluster AWS::EC2::SecurityGroupEgress
    EgressInterClusterAPI AWS::EC2::SecurityGroupEgress
    IngressInterClusterCP AWS::EC2::SecurityGroupIngress
    NodeGroup AWS::AutoScaling::AutoScalingGroup
    NodeGroupLaunchTemplate AWS::EC2::LaunchTemplate
    NodeInstanceProfile AWS::IAM::InstanceProfile
    NodeInstanceRole AWS::IAM::Role
    SG AWS::EC2::SecurityGroup";

const MANAGED: &str = "
    LaunchTemplate AWS::EC2::LaunchTemplate
    ManagedNodeGroup AWS::EKS::Nodegroup
    NodeInstanceRole AWS::IAM::Role";

#[test]
fn policies_are_eksctls_each_a_resource_of_its_own() {
    let asked = json!({
        "imageBuilder": true, "autoScaler": true, "externalDNS": true, "certManager": true,
        "appMesh": true, "appMeshPreview": true, "ebs": true, "fsx": true, "efs": true,
        "awsLoadBalancerController": true, "xRay": true, "cloudWatch": true,
    });
    let document = json!({"Version": "2012-10-17", "Statement": []});
    let made = managed(json!({"iam": {"withAddonPolicies": asked, "attachPolicy": document}}));
    let policies = [
        "Policy1",
        "PolicyAppMesh",
        "PolicyAppMeshPreview",
        "PolicyAutoScaling",
        "PolicyAWSLoadBalancerController",
        "PolicyCertManagerChangeSet",
        "PolicyCertManagerGetChange",
        "PolicyCertManagerHostedZones",
        "PolicyEFS",
        "PolicyEFSEC2",
        "PolicyExternalDNSChangeSet",
        "PolicyExternalDNSHostedZones",
        "PolicyFSX",
        "PolicyServiceLinkRole",
        "PolicyXRay",
    ];
    let policies: Vec<String> = policies.map(|id| format!("{id} AWS::IAM::Policy")).into();
    let expected = format!("{MANAGED}\n{}", policies.join("\n"));
    assert_eq!(resources(&made), sorted(&expected));
    let policy = of(&made, "PolicyAutoScaling");
    assert_eq!(policy["Roles"], json!([{"Ref": "NodeInstanceRole"}]));
    assert_eq!(
        policy["PolicyName"],
        json!({"Fn::Sub": "${AWS::StackName}-PolicyAutoScaling"})
    );
    assert_eq!(of(&made, "Policy1")["PolicyDocument"], document);
    let arns = of(&made, "NodeInstanceRole")["ManagedPolicyArns"]
        .as_array()
        .unwrap();
    let names: Vec<&str> = arns
        .iter()
        .map(|arn| {
            arn["Fn::Sub"]
                .as_str()
                .unwrap()
                .split_once(":policy/")
                .unwrap()
                .1
        })
        .collect();
    assert_eq!(
        names,
        [
            "AmazonEC2ContainerRegistryPowerUser",
            "AmazonEC2ContainerRegistryPullOnly",
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonSSMManagedInstanceCore",
            "CloudWatchAgentServerPolicy",
            "service-role/AmazonEBSCSIDriverPolicy",
        ]
    );
}

#[test]
fn a_role_has_the_policies_that_are_named_and_the_images_in_any_case() {
    let arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy";
    let iam = json!({"iam": {"attachPolicyARNs": [arn], "instanceRoleName": "nodes"}});
    let role = own(iam.clone());
    let role = of(&role, "NodeInstanceRole");
    let pull = "arn:${AWS::Partition}:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly";
    assert_eq!(role["ManagedPolicyArns"], json!([arn, {"Fn::Sub": pull}]));
    assert_eq!(role["RoleName"], "nodes");
    let role = managed(iam);
    assert_eq!(
        of(&role, "NodeInstanceRole")["ManagedPolicyArns"],
        json!([arn])
    );
}

#[test]
fn a_role_that_exists_is_used_without_its_path_and_none_is_made() {
    let role = "arn:aws:iam::123:role/team/nodes";
    let made = own(json!({"iam": {"instanceRoleARN": role}}));
    let expected = OWN.replace("    NodeInstanceRole AWS::IAM::Role\n", "");
    assert_eq!(resources(&made), sorted(&expected));
    assert_eq!(of(&made, "NodeInstanceProfile")["Roles"], json!(["nodes"]));
    assert_eq!(
        of(&made, "AccessEntry")["PrincipalArn"],
        "arn:aws:iam::123:role/nodes"
    );
    let profile = "arn:aws:iam::123:instance-profile/nodes";
    let made = own(json!({"iam": {"instanceRoleARN": role, "instanceProfileARN": profile}}));
    let expected = expected.replace("    NodeInstanceProfile AWS::IAM::InstanceProfile\n", "");
    assert_eq!(resources(&made), sorted(&expected));
    let data = launched(&made, "NodeGroupLaunchTemplate");
    assert_eq!(data["IamInstanceProfile"]["Arn"], profile);
    assert_eq!(
        made["Outputs"]["InstanceRoleARN"]["Value"],
        "arn:aws:iam::123:role/nodes"
    );
    let made = managed(json!({"iam": {"instanceRoleARN": role}}));
    assert_eq!(
        of(&made, "ManagedNodeGroup")["NodeRole"],
        "arn:aws:iam::123:role/nodes"
    );
}

#[test]
fn port_22_is_open_to_those_who_are_named() {
    let made = managed(json!({"ssh": {"publicKeyName": "dev"}}));
    let expected = format!("{MANAGED}\n    SSH AWS::EC2::SecurityGroup");
    assert_eq!(resources(&made), sorted(&expected));
    assert_eq!(launched(&made, "LaunchTemplate")["KeyName"], "dev");
    let rules = of(&made, "SSH")["SecurityGroupIngress"].as_array().unwrap();
    assert_eq!(rules[0]["CidrIp"], "0.0.0.0/0");
    assert_eq!(rules[1]["CidrIpv6"], "::/0");
    let private = managed(json!({"privateNetworking": true, "ssh": {"publicKeyName": "dev"}}));
    let rules = &of(&private, "SSH")["SecurityGroupIngress"];
    assert_eq!(rules[0]["CidrIp"], "192.168.0.0/16");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let made = own(json!({"ssh": {"publicKey": key, "sourceSecurityGroupIds": ["sg-1"]}}));
    assert_eq!(of(&made, "KeyPair")["PublicKeyMaterial"], key);
    let data = launched(&made, "NodeGroupLaunchTemplate");
    assert_eq!(data["KeyName"], json!({"Ref": "KeyPair"}));
    let rules = of(&made, "SG")["SecurityGroupIngress"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[2]["SourceSecurityGroupId"], "sg-1");
    let closed = own(json!({"ssh": {"publicKeyName": "dev", "allow": false}}));
    assert_eq!(
        of(&closed, "SG")["SecurityGroupIngress"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for without in [
        json!({"publicKeyPath": "~/.ssh/id_rsa.pub"}),
        json!({"allow": true}),
    ] {
        let made = managed(json!({"ssh": without}));
        assert_eq!(resources(&made), sorted(MANAGED));
        assert_eq!(launched(&made, "LaunchTemplate").get("KeyName"), None);
    }
}

#[test]
fn every_family_has_its_image_and_its_root_device() {
    for (family, ami_type, device) in [
        (
            "AmazonLinux2023",
            Some("AL2023_x86_64_STANDARD"),
            "/dev/xvda",
        ),
        ("Bottlerocket", Some("BOTTLEROCKET_x86_64"), "/dev/xvdb"),
        (
            "BottlerocketFips",
            Some("BOTTLEROCKET_x86_64_FIPS"),
            "/dev/xvdb",
        ),
        (
            "WindowsServer2022FullContainer",
            Some("WINDOWS_FULL_2022_x86_64"),
            "/dev/sda1",
        ),
        ("Ubuntu2404", None, "/dev/sda1"),
    ] {
        let made = managed(json!({"amiFamily": family}));
        let group = of(&made, "ManagedNodeGroup");
        assert_eq!(
            group.get("AmiType").and_then(Value::as_str),
            ami_type,
            "{family}"
        );
        let data = launched(&made, "LaunchTemplate");
        assert_eq!(
            data["BlockDeviceMappings"][0]["DeviceName"], device,
            "{family}"
        );
        assert_eq!(
            data.get("ImageId").is_some(),
            ami_type.is_none(),
            "{family}"
        );
        let made = own(json!({"amiFamily": family}));
        let image = launched(&made, "NodeGroupLaunchTemplate")["ImageId"]
            .as_str()
            .unwrap();
        assert!(
            image.starts_with("{{resolve:ssm:/aws/service/") && image.contains("1.34"),
            "{image}"
        );
        let kind = if family.starts_with("Windows") {
            "EC2_WINDOWS"
        } else {
            "EC2_LINUX"
        };
        assert_eq!(of(&made, "AccessEntry")["Type"], kind);
    }
    let own_image = managed(json!({"ami": "ami-1", "amiFamily": "AmazonLinux2023"}));
    assert_eq!(of(&own_image, "ManagedNodeGroup").get("AmiType"), None);
    assert_eq!(launched(&own_image, "LaunchTemplate")["ImageId"], "ami-1");
}

#[test]
fn disks_are_eksctls() {
    let more = json!([{"volumeName": "/dev/b", "volumeType": "io2", "snapshotID": "snap-1"}]);
    let made = own(json!({
        "volumeSize": 50, "volumeType": "io1", "volumeEncrypted": true, "volumeKmsKeyID": "k",
        "volumeName": "/dev/a", "additionalVolumes": more,
    }));
    let disks = &launched(&made, "NodeGroupLaunchTemplate")["BlockDeviceMappings"];
    let expected = json!([
        {"DeviceName": "/dev/a", "Ebs": {
            "Encrypted": true, "Iops": 100, "KmsKeyId": "k", "VolumeSize": 50, "VolumeType": "io1"
        }},
        {"DeviceName": "/dev/b", "Ebs": {
            "Iops": 100, "SnapshotId": "snap-1", "VolumeSize": 80, "VolumeType": "io2"
        }},
    ]);
    assert_eq!(*disks, expected);
    let rocket = managed(json!({"amiFamily": "Bottlerocket", "volumeEncrypted": true}));
    let disks = launched(&rocket, "LaunchTemplate")["BlockDeviceMappings"]
        .as_array()
        .unwrap();
    assert_eq!(
        disks[1],
        json!({
            "DeviceName": "/dev/xvda", "Ebs": {"Encrypted": true, "VolumeType": "gp3"}
        })
    );
}

#[test]
fn mixed_instances_have_a_policy() {
    let made = own(
        json!({"minSize": 2, "maxSize": 5, "instancesDistribution": {
            "maxPrice": 0.017, "instanceTypes": ["t3.small", "t3.medium"], "onDemandBaseCapacity": 0,
            "onDemandPercentageAboveBaseCapacity": 50, "spotInstancePools": 2, "capacityRebalance": true,
        }}),
    );
    let group = of(&made, "NodeGroup");
    let policy = &group["MixedInstancesPolicy"];
    assert_eq!(
        policy["InstancesDistribution"],
        json!({
            "OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 50,
            "SpotInstancePools": 2, "SpotMaxPrice": "0.017",
        })
    );
    let types = json!([{"InstanceType": "t3.small"}, {"InstanceType": "t3.medium"}]);
    assert_eq!(policy["LaunchTemplate"]["Overrides"], types);
    assert_eq!(
        (&group["CapacityRebalance"], group.get("LaunchTemplate")),
        (&json!(true), None)
    );
    assert_eq!(
        launched(&made, "NodeGroupLaunchTemplate")["InstanceType"],
        "t3.small"
    );
}

#[test]
fn an_autoscaling_group_has_what_is_asked_for() {
    let arn = "arn:aws:elasticloadbalancing:us-west-2:123:targetgroup/a/0a";
    let made = own(json!({
        "asgMetricsCollection": [{"granularity": "1Minute", "metrics": ["GroupMinSize"]}],
        "asgSuspendProcesses": ["AZRebalance"], "targetGroupARNs": [arn],
        "classicLoadBalancerNames": ["web"], "maxInstanceLifetime": 86400,
        "propagateASGTags": true, "labels": {"a": "b"},
        "taints": [{"key": "t", "value": "v", "effect": "NoSchedule"}],
        "iam": {"withAddonPolicies": {"autoScaler": true}},
        "instanceName": "web", "instancePrefix": "prod",
    }));
    let group = of(&made, "NodeGroup");
    let metrics = json!([{"Granularity": "1Minute", "Metrics": ["GroupMinSize"]}]);
    assert_eq!(group["MetricsCollection"], metrics);
    assert_eq!(group["TargetGroupARNs"], json!([arn]));
    assert_eq!(group["LoadBalancerNames"], json!(["web"]));
    assert_eq!(group["MaxInstanceLifetime"], 86400);
    let update = &made["Resources"]["NodeGroup"]["UpdatePolicy"]["AutoScalingRollingUpdate"];
    assert_eq!(update["SuspendProcesses"], json!(["AZRebalance"]));
    let tags = group["Tags"].as_array().unwrap();
    let value = |key: &str| tags.iter().find(|tag| tag["Key"] == key).unwrap()["Value"].clone();
    assert_eq!(value("Name"), "prod-web");
    assert_eq!(value("k8s.io/cluster-autoscaler/enabled"), "true");
    assert_eq!(
        value("k8s.io/cluster-autoscaler/node-template/label/a"),
        "b"
    );
    assert_eq!(
        value("k8s.io/cluster-autoscaler/node-template/taint/t"),
        "v:NoSchedule"
    );
}

#[test]
fn instances_have_what_is_asked_for() {
    let made = own(json!({
        "instanceType": "t3.large", "cpuCredits": "Unlimited", "ebsOptimized": true,
        "enableDetailedMonitoring": true, "enclaveEnabled": true, "placement": {"groupName": "close"},
        "disablePodIMDS": true, "securityGroups": {"attachIDs": ["sg-1"], "withShared": false},
        "capacityReservation": {"capacityReservationTarget": {"capacityReservationID": "cr-1"}},
    }));
    let data = launched(&made, "NodeGroupLaunchTemplate");
    assert_eq!(data["CreditSpecification"]["CpuCredits"], "unlimited");
    assert_eq!(data["EbsOptimized"], true);
    assert_eq!(data["Monitoring"]["Enabled"], true);
    assert_eq!(data["EnclaveOptions"]["Enabled"], true);
    assert_eq!(data["Placement"]["GroupName"], "close");
    assert_eq!(
        data["MetadataOptions"],
        json!({"HttpPutResponseHopLimit": 1, "HttpTokens": "required"})
    );
    let target = &data["CapacityReservationSpecification"]["CapacityReservationTarget"];
    assert_eq!(target["CapacityReservationId"], "cr-1");
    assert_eq!(
        data["NetworkInterfaces"][0]["Groups"],
        json!(["sg-1", {"Ref": "SG"}])
    );
    assert_eq!(
        made["Outputs"]["FeatureSharedSecurityGroup"]["Value"],
        "false"
    );
    let open = own(json!({"disableIMDSv1": false, "securityGroups": {"withLocal": false}}));
    let data = launched(&open, "NodeGroupLaunchTemplate");
    assert_eq!(data["MetadataOptions"]["HttpTokens"], "optional");
    let without = ["SG AWS", "EgressInterCluster", "IngressInterCluster"];
    let lines = OWN
        .lines()
        .filter(|line| !without.iter().any(|id| line.trim().starts_with(id)));
    assert_eq!(
        resources(&open),
        sorted(&lines.collect::<Vec<_>>().join("\n"))
    );
}

#[test]
fn fabric_adapters_are_close_together_and_let_each_other_through() {
    let efa = "
        EFAEgressSelf AWS::EC2::SecurityGroupEgress
        EFAIngressSelf AWS::EC2::SecurityGroupIngress
        EFASG AWS::EC2::SecurityGroup";
    let group = "\nNodeGroupPlacementGroup AWS::EC2::PlacementGroup";
    let made = own(json!({"efaEnabled": true, "instanceType": "p5.48xlarge"}));
    assert_eq!(resources(&made), sorted(&[OWN, efa, group].concat()));
    let made = managed(json!({"efaEnabled": true, "instanceType": "p5.48xlarge"}));
    assert_eq!(resources(&made), sorted(&[MANAGED, group].concat()));
    let data = launched(&made, "LaunchTemplate");
    assert_eq!(data["NetworkInterfaces"][0]["InterfaceType"], "efa");
    assert_eq!(
        data["Placement"]["GroupName"],
        json!({"Ref": "NodeGroupPlacementGroup"})
    );
    assert_eq!(data.get("SecurityGroupIds"), None);
}

#[test]
fn a_managed_nodegroup_has_what_is_asked_for() {
    let made = managed(json!({
        "instanceTypes": ["c5.large", "c5a.large"], "spot": true, "releaseVersion": "1.34.1-20260107",
        "taints": [{"key": "a", "value": "b", "effect": "PreferNoSchedule"}],
        "updateConfig": {"maxUnavailable": 2},
        "nodeRepairConfig": {"enabled": true, "maxParallelNodesRepairedCount": 1, "nodeRepairConfigOverrides": [{
            "nodeMonitoringCondition": "NetworkNotReady", "nodeUnhealthyReason": "InterfaceNotUp",
            "minRepairWaitTimeMins": 45, "repairAction": "Restart"
        }]},
        "availabilityZones": ["us-west-2b"],
    }));
    let group = of(&made, "ManagedNodeGroup");
    assert_eq!(group["InstanceTypes"], json!(["c5.large", "c5a.large"]));
    assert_eq!(group["CapacityType"], "SPOT");
    assert_eq!(group["ReleaseVersion"], "1.34.1-20260107");
    let taint = json!([{"Effect": "PREFER_NO_SCHEDULE", "Key": "a", "Value": "b"}]);
    assert_eq!(group["Taints"], taint);
    assert_eq!(group["UpdateConfig"], json!({"MaxUnavailable": 2}));
    assert_eq!(
        group["NodeRepairConfig"],
        json!({
            "Enabled": true, "MaxParallelNodesRepairedCount": 1,
            "NodeRepairConfigOverrides": [{
                "MinRepairWaitTimeMins": 45, "NodeMonitoringCondition": "NetworkNotReady",
                "NodeUnhealthyReason": "InterfaceNotUp", "RepairAction": "Reboot"
            }]
        })
    );
    let all = json!({"Fn::Split": [",", {"Fn::ImportValue": "eksctl-c-cluster::SubnetsPublic"}]});
    assert_eq!(group["Subnets"], json!([{"Fn::Select": ["1", all]}]));
}

#[test]
fn a_launch_template_that_exists_is_only_named() {
    let given = json!({"launchTemplate": {"id": "lt-1", "version": "3"}});
    let made = managed(given);
    let expected = MANAGED.replace("    LaunchTemplate AWS::EC2::LaunchTemplate\n", "");
    assert_eq!(resources(&made), sorted(&expected));
    assert_eq!(outputs(&made), "");
    let group = of(&made, "ManagedNodeGroup");
    assert_eq!(
        group["LaunchTemplate"],
        json!({"Id": "lt-1", "Version": "3"})
    );
    assert_eq!(group.get("InstanceTypes"), None);
}
