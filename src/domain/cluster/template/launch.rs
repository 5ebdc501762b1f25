//! What launch templates of both kinds of nodegroups have in common.

use super::draft::{import, tag};
use crate::domain::cluster::ec2_instance::{self, Arch, Variant};
use crate::domain::cluster::names;
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn block_devices(nodegroup: &NodegroupSpec) -> Value {
    json!([{
        "DeviceName": "/dev/xvda",
        "Ebs": {
            "Iops": 3000,
            "Throughput": 125,
            "VolumeSize": nodegroup.volume_gib,
            "VolumeType": "gp3",
        },
    }])
}

/// Nodes answer questions about themselves only to those who bring a session's token.
pub(super) fn metadata_options() -> Value {
    json!({"HttpPutResponseHopLimit": 2, "HttpTokens": "required"})
}

pub(super) fn node_name(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> String {
    format!("{}-{}-Node", spec.name, nodegroup.name)
}

/// The tags of a nodegroup: the cluster's, and over them its own.
pub(super) fn tags(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> BTreeMap<String, String> {
    let mut tags = spec.tags.clone();
    tags.extend(nodegroup.tags.clone());
    tags
}

/// The tags of instances, their disks and their network interfaces.
pub(super) fn tag_specifications(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
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

/// The subnets of the cluster's stack that the nodes are in.
pub(super) fn subnets(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let output = if nodegroup.private_networking {
        "SubnetsPrivate"
    } else {
        "SubnetsPublic"
    };
    json!({"Fn::Split": [",", of_cluster(spec, output)]})
}

/// What the cluster's stack exports.
pub(super) fn of_cluster(spec: &ClusterSpec, output: &str) -> Value {
    import(&names::cluster_stack(&spec.name), output)
}

/// The parameter in which AWS keeps the id of the image for a Kubernetes version.
pub(super) fn image_parameter(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> String {
    let (arch, variant) = ec2_instance::of(&nodegroup.instance_type);
    let arch = match arch {
        Arch::X86 => "x86_64",
        Arch::Arm => "arm64",
    };
    let variant = match variant {
        Variant::Standard => "standard",
        Variant::Nvidia => "nvidia",
        Variant::Neuron => "neuron",
    };
    format!(
        "/aws/service/eks/optimized-ami/{}/amazon-linux-2023/{arch}/{variant}/recommended/image_id",
        spec.version
    )
}

/// EKS's name for the image of a managed nodegroup.
pub(super) fn ami_type(nodegroup: &NodegroupSpec) -> &'static str {
    match ec2_instance::of(&nodegroup.instance_type) {
        (Arch::X86, Variant::Standard) => "AL2023_x86_64_STANDARD",
        (Arch::X86, Variant::Nvidia) => "AL2023_x86_64_NVIDIA",
        (_, Variant::Neuron) => "AL2023_x86_64_NEURON",
        (Arch::Arm, Variant::Standard) => "AL2023_ARM_64_STANDARD",
        (Arch::Arm, Variant::Nvidia) => "AL2023_ARM_64_NVIDIA",
    }
}
