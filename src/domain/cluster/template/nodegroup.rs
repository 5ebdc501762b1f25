//! The stack of a self-managed nodegroup: an autoscaling group whose nodes join by an access
//! entry.

use super::draft::{Draft, attribute_of, reference, sub, tag};
use super::launch::{self, of_cluster};
use super::{ClusterFacts, iam, user_data};
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use serde_json::{Value, json};

const LAUNCH_TEMPLATE: &str = "NodeGroupLaunchTemplate";

pub(super) fn template(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    let mut draft = Draft::default();
    let private = nodegroup.private_networking;
    draft.output("FeaturePrivateNetworking", &json!(private.to_string()));
    draft.output("FeatureSharedSecurityGroup", &json!("true"));
    draft.output("FeatureLocalSecurityGroup", &json!("true"));
    add_roles(&mut draft, spec, nodegroup);
    let group = add_security_group(&mut draft, spec, nodegroup);
    add_launch_template(&mut draft, spec, nodegroup, facts, &group);
    add_group(&mut draft, spec, nodegroup);
    draft.finish(&format!(
        "EKS nodes (AMI family: AmazonLinux2023, SSH access: false, private networking: {private})"
    ))
}

fn add_roles(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) {
    let role = iam::add_node_role(draft, nodegroup.role_permissions_boundary.as_deref());
    let profile = json!({"Path": "/", "Roles": [role]});
    draft.add("NodeInstanceProfile", "AWS::IAM::InstanceProfile", profile);
    let role_arn = attribute_of("NodeInstanceRole", "Arn");
    let profile_arn = attribute_of("NodeInstanceProfile", "Arn");
    draft.export("InstanceProfileARN", &profile_arn);
    draft.export("InstanceRoleARN", &role_arn);
    let entry = json!({
        "ClusterName": spec.name,
        "PrincipalArn": role_arn,
        "Type": "EC2_LINUX",
    });
    draft.add_tagged("AccessEntry", "AWS::EKS::AccessEntry", entry);
    draft.output("NodeGroupUsesAccessEntry", &json!("true"));
}

/// A way through between control plane and nodes: what for, and which ports.
struct Way {
    name: &'static str,
    ports: (u16, u16),
    purpose: &'static str,
}

const WAYS: [Way; 2] = [
    Way {
        name: "InterCluster",
        ports: (1025, 65535),
        purpose: "kubelet and workload TCP ports",
    },
    Way {
        name: "InterClusterAPI",
        ports: (443, 443),
        purpose: "workloads using HTTPS port, commonly used with extension API servers",
    },
];

fn add_security_group(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let nodes = format!("worker nodes in group {}", nodegroup.name);
    let control_plane = of_cluster(spec, "SecurityGroup");
    let ingress = WAYS.iter().map(|way| {
        let (name, purpose) = (way.name, way.purpose);
        let about =
            format!("[Ingress{name}] Allow {nodes} to communicate with control plane ({purpose})");
        let mut rule = rule(&about, way.ports);
        rule["SourceSecurityGroupId"] = control_plane.clone();
        rule
    });
    let group = json!({
        "GroupDescription": format!("Communication between the control plane and {nodes}"),
        "SecurityGroupIngress": ingress.collect::<Vec<_>>(),
        "Tags": [tag(&format!("kubernetes.io/cluster/{}", spec.name), &json!("owned"))],
        "VpcId": of_cluster(spec, "VPC"),
    });
    let group = draft.add_tagged("SG", "AWS::EC2::SecurityGroup", group);
    for way in &WAYS {
        let about = format!(
            "Allow control plane to communicate with {nodes} ({})",
            way.purpose
        );
        let mut rule = rule(&about, way.ports);
        rule["GroupId"] = control_plane.clone();
        rule["DestinationSecurityGroupId"] = group.clone();
        let id = format!("Egress{}", way.name);
        draft.add(&id, "AWS::EC2::SecurityGroupEgress", rule);
    }
    let about = format!("Allow control plane to receive API requests from {nodes}");
    let mut rule = rule(&about, (443, 443));
    rule["GroupId"] = control_plane;
    rule["SourceSecurityGroupId"] = group.clone();
    draft.add(
        "IngressInterClusterCP",
        "AWS::EC2::SecurityGroupIngress",
        rule,
    );
    group
}

fn rule(about: &str, (from, to): (u16, u16)) -> Value {
    json!({"Description": about, "FromPort": from, "IpProtocol": "tcp", "ToPort": to})
}

fn add_launch_template(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
    group: &Value,
) {
    let image = launch::image_parameter(spec, nodegroup);
    let shared = of_cluster(spec, "SharedNodeSecurityGroup");
    let data = json!({
        "BlockDeviceMappings": launch::block_devices(nodegroup),
        "IamInstanceProfile": {"Arn": attribute_of("NodeInstanceProfile", "Arn")},
        "ImageId": format!("{{{{resolve:ssm:{image}}}}}"),
        "InstanceType": nodegroup.instance_type,
        "MetadataOptions": launch::metadata_options(),
        "NetworkInterfaces": [{
            "DeviceIndex": 0,
            "Groups": [shared, group],
            "NetworkCardIndex": 0,
        }],
        "TagSpecifications": launch::tag_specifications(spec, nodegroup),
        "UserData": user_data::encoded(spec, nodegroup, facts),
    });
    let template = json!({
        "LaunchTemplateData": data,
        "LaunchTemplateName": sub("${AWS::StackName}"),
    });
    draft.add(LAUNCH_TEMPLATE, "AWS::EC2::LaunchTemplate", template);
}

fn add_group(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) {
    let tag =
        |key: &str, value: &str| json!({"Key": key, "PropagateAtLaunch": true, "Value": value});
    let owner = format!("kubernetes.io/cluster/{}", spec.name);
    let mut group = json!({
        "LaunchTemplate": {
            "LaunchTemplateId": reference(LAUNCH_TEMPLATE),
            "Version": attribute_of(LAUNCH_TEMPLATE, "LatestVersionNumber"),
        },
        "MaxSize": nodegroup.max.to_string(),
        "MinSize": nodegroup.min.to_string(),
        "Tags": [
            tag("Name", &launch::node_name(spec, nodegroup)),
            tag(&owner, "owned"),
        ],
        "VPCZoneIdentifier": launch::subnets(spec, nodegroup),
    });
    if let Some(desired) = nodegroup.desired {
        group["DesiredCapacity"] = json!(desired.to_string());
    }
    draft.add("NodeGroup", "AWS::AutoScaling::AutoScalingGroup", group);
    let policy = json!({"AutoScalingRollingUpdate": {}});
    draft.attribute("NodeGroup", "UpdatePolicy", policy);
    // The nodes can join only once they are known.
    draft.attribute("NodeGroup", "DependsOn", json!(["AccessEntry"]));
}
