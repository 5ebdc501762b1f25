//! What launch templates of both kinds of nodegroups have in common.

use super::draft::{Draft, import, reference, sub, tag};
use super::{ClusterFacts, volumes};
use crate::domain::cluster::names;
use crate::domain::cluster::placing::{self, Picked};
use crate::domain::cluster::spec::nodegroup::{MetadataSpec, SshKey};
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What launch templates of both kinds say of instances.
pub(super) fn data(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let hardware = &nodegroup.hardware;
    let mut data = json!({
        "BlockDeviceMappings": volumes::block_devices(nodegroup),
        "MetadataOptions": metadata_options(&hardware.metadata),
        "TagSpecifications": tag_specifications(spec, nodegroup),
    });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data[key] = value;
        }
    };
    set("EbsOptimized", hardware.ebs_optimized.map(Value::from));
    let monitoring = hardware.detailed_monitoring;
    set("Monitoring", monitoring.map(|on| json!({"Enabled": on})));
    set("KeyName", key_name(draft, nodegroup));
    set("CapacityReservationSpecification", reservation(nodegroup));
    let market = hardware.market.as_ref();
    let market = market.and_then(|market| market.market_type.as_ref());
    set(
        "InstanceMarketOptions",
        market.map(|market| json!({"MarketType": market})),
    );
    let group = hardware
        .placement
        .as_ref()
        .map(|placement| json!(placement.group_name));
    let group = group.or_else(|| placement_group(draft, nodegroup));
    set("Placement", group.map(|name| json!({"GroupName": name})));
    data
}

/// Nodes answer questions about themselves only to those who bring a session's token, unless that is
/// asked for.
fn metadata_options(metadata: &MetadataSpec) -> Value {
    let tokens = if metadata.without_token {
        "optional"
    } else {
        "required"
    };
    let hops = if metadata.not_pods { 1 } else { 2 };
    json!({"HttpPutResponseHopLimit": hops, "HttpTokens": tokens})
}

/// The key pair: one that exists, or one that the stack makes of a public key.
fn key_name(draft: &mut Draft, nodegroup: &NodegroupSpec) -> Option<Value> {
    match &nodegroup.login()?.key {
        SshKey::Named(name) => Some(json!(name)),
        SshKey::Public(key) => {
            let pair = json!({
                "KeyName": sub("${AWS::StackName}"),
                "PublicKeyMaterial": key.trim(),
            });
            Some(draft.add("KeyPair", "AWS::EC2::KeyPair", pair))
        }
        SshKey::File(_) => None,
    }
}

fn reservation(nodegroup: &NodegroupSpec) -> Option<Value> {
    let reservation = nodegroup.hardware.reservation.as_ref()?;
    let mut specification = json!({});
    if let Some(preference) = &reservation.capacity_reservation_preference {
        specification["CapacityReservationPreference"] = json!(preference);
    }
    if let Some(target) = &reservation.capacity_reservation_target {
        let mut named = json!({});
        if let Some(id) = &target.capacity_reservation_id {
            named["CapacityReservationId"] = json!(id);
        }
        if let Some(arn) = &target.capacity_reservation_resource_group_arn {
            named["CapacityReservationResourceGroupArn"] = json!(arn);
        }
        specification["CapacityReservationTarget"] = named;
    }
    Some(specification)
}

/// Elastic fabric adapters are for instances that are close together. Reserved capacity has a place
/// already.
fn placement_group(draft: &mut Draft, nodegroup: &NodegroupSpec) -> Option<Value> {
    let managed = nodegroup.kind == crate::domain::cluster::spec::NodegroupKind::Managed;
    let placed = managed && nodegroup.hardware.reservation.is_some();
    if nodegroup.hardware.efa.is_none() || placed {
        return None;
    }
    let group = json!({"Strategy": "cluster"});
    Some(draft.add("NodeGroupPlacementGroup", "AWS::EC2::PlacementGroup", group))
}

/// The interfaces of an instance, the first of which is the one that all have. With elastic fabric
/// adapters there is one on every network card.
pub(super) fn interfaces(nodegroup: &NodegroupSpec, groups: &[Value]) -> Value {
    let efa = nodegroup.hardware.efa.as_ref();
    let cards = efa.map_or(1, |efa| efa.cards.unwrap_or(1).max(1));
    let interface = |card: u32| {
        let mut interface = json!({
            "DeviceIndex": u32::from(card > 0),
            "Groups": groups,
            "NetworkCardIndex": card,
        });
        if efa.is_some() {
            interface["InterfaceType"] = json!("efa");
        }
        interface
    };
    (0..cards).map(interface).collect()
}

/// The group in which instances reach each other's elastic fabric adapters.
pub(super) fn add_efa_group(draft: &mut Draft, spec: &ClusterSpec, name: &str) -> Value {
    let group = json!({
        "GroupDescription": "EFA-enabled security group",
        "VpcId": of_cluster(spec, "VPC"),
    });
    let group = draft.add_tagged("EFASG", "AWS::EC2::SecurityGroup", group);
    let about =
        format!("Allow worker nodes in group {name} to communicate to itself (EFA-enabled)");
    let rule = json!({"Description": about, "GroupId": group, "IpProtocol": "-1"});
    for (id, kind, other) in [
        (
            "EFAIngressSelf",
            "AWS::EC2::SecurityGroupIngress",
            "SourceSecurityGroupId",
        ),
        (
            "EFAEgressSelf",
            "AWS::EC2::SecurityGroupEgress",
            "DestinationSecurityGroupId",
        ),
    ] {
        let mut rule = rule.clone();
        rule[other] = group.clone();
        draft.add(id, kind, rule);
    }
    group
}

/// The rules that open port 22: to the groups that are named, or else to the VPC or to all.
pub(super) fn ssh_rules(
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
    nodes: &str,
) -> Vec<Value> {
    let Some(ssh) = nodegroup.login().filter(|ssh| ssh.allow) else {
        return Vec::new();
    };
    let rule = |key: &str, from: &str, about: Option<String>| {
        let mut rule = json!({"FromPort": 22, "IpProtocol": "tcp", "ToPort": 22});
        rule[key] = json!(from);
        if let Some(about) = about {
            rule["Description"] = json!(about);
        }
        rule
    };
    if !ssh.sources.is_empty() {
        let sources = ssh.sources.iter();
        return sources
            .map(|id| rule("SourceSecurityGroupId", id, None))
            .collect();
    }
    let about = format!("Allow SSH access to {nodes}");
    if nodegroup.private_networking {
        let cidr = facts.network.cidr.as_deref().unwrap_or("192.168.0.0/16");
        let about = format!("{about} (private, only inside VPC)");
        return vec![rule("CidrIp", cidr, Some(about))];
    }
    vec![
        rule("CidrIp", "0.0.0.0/0", Some(about.clone())),
        rule("CidrIpv6", "::/0", Some(about)),
    ]
}

/// What instances are called.
pub(super) fn node_name(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> String {
    let default = || format!("{}-{}-Node", spec.name, nodegroup.name);
    let name = nodegroup.instance_name.clone().unwrap_or_else(default);
    match &nodegroup.instance_prefix {
        Some(prefix) => format!("{prefix}-{name}"),
        None => name,
    }
}

/// The tags of a nodegroup: the cluster's, and over them its own.
pub(super) fn tags(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> BTreeMap<String, String> {
    let mut tags = spec.tags.clone();
    tags.extend(nodegroup.tags.clone());
    tags
}

/// The tags of instances, their disks and their network interfaces.
fn tag_specifications(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let mut all = vec![tag("Name", &json!(node_name(spec, nodegroup)))];
    let own = tags(spec, nodegroup);
    all.extend(own.iter().map(|(key, value)| tag(key, &json!(value))));
    ["instance", "volume", "network-interface"]
        .map(|kind| json!({"ResourceType": kind, "Tags": all}))
        .into_iter()
        .collect()
}

/// The labels of nodes: the caller's, and those by which eksctl knows them.
pub(super) fn labels(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> BTreeMap<String, String> {
    let mut labels = nodegroup.labels.clone();
    labels.insert(names::CLUSTER_TAG.to_owned(), spec.name.to_string());
    labels.insert(names::NODEGROUP_TAG.to_owned(), nodegroup.name.clone());
    labels
}

/// The subnets that the nodes are in: those that are named, or all of the cluster's stack.
pub(super) fn subnets(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    let local = !nodegroup.place.local_zones.is_empty();
    let output = match (local, nodegroup.private_networking) {
        (false, false) => "SubnetsPublic",
        (false, true) => "SubnetsPrivate",
        (true, false) => "SubnetsLocalZonePublic",
        (true, true) => "SubnetsLocalZonePrivate",
    };
    let all = json!({"Fn::Split": [",", of_cluster(spec, output)]});
    let picked = placing::of(nodegroup, &facts.network);
    if picked.is_empty() {
        return all;
    }
    let subnet = |one| match one {
        Picked::Id(id) => json!(id),
        Picked::Nth(nth) => json!({"Fn::Select": [nth.to_string(), all]}),
        Picked::Unknown(asked) => json!(format!("SUBNET-OF-{asked}")),
    };
    picked.into_iter().map(subnet).collect()
}

/// What the cluster's stack exports.
pub(super) fn of_cluster(spec: &ClusterSpec, output: &str) -> Value {
    import(&names::cluster_stack(&spec.name), output)
}

/// The image: the caller's own, or the newest of the family, which CloudFormation looks up.
pub(super) fn image(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> String {
    let image = &nodegroup.image;
    let newest = || {
        let parameter = image.family.parameter(&spec.version, nodegroup.chip());
        format!("{{{{resolve:ssm:{parameter}}}}}")
    };
    image.id.clone().unwrap_or_else(newest)
}

/// EKS's name for the image of a managed nodegroup; none where the launch template names one.
pub(super) fn ami_type(nodegroup: &NodegroupSpec) -> Option<&'static str> {
    let given = nodegroup.launch_template.as_ref();
    let has_image = given.is_some_and(|template| template.has_image);
    if nodegroup.image.id.is_some() || has_image {
        return None;
    }
    let (arch, _) = nodegroup.chip();
    let plain = (
        arch,
        crate::domain::cluster::ec2_instance::Variant::Standard,
    );
    let family = nodegroup.image.family;
    family
        .ami_type(nodegroup.chip())
        .or_else(|| family.ami_type(plain))
}

/// Adds a launch template and gives a reference to it.
pub(super) fn add_template(draft: &mut Draft, id: &str, data: &Value) -> Value {
    let template = json!({
        "LaunchTemplateData": data,
        "LaunchTemplateName": sub("${AWS::StackName}"),
    });
    draft.add(id, "AWS::EC2::LaunchTemplate", template);
    reference(id)
}
