//! The stack of a nodegroup that EKS manages.

use super::draft::{Draft, attribute_of, sub};
use super::{iam, launch};
use crate::domain::cluster::names;
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use serde_json::{Value, json};

pub(super) fn template(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let mut draft = Draft::default();
    let boundary = nodegroup.role_permissions_boundary.as_deref();
    iam::add_node_role(&mut draft, boundary);
    let launch_template = add_launch_template(&mut draft, spec, nodegroup);
    let mut tags = launch::tags(spec, nodegroup);
    tags.insert(names::NODEGROUP_TAG.to_owned(), nodegroup.name.clone());
    tags.insert(names::NODEGROUP_TYPE_TAG.to_owned(), "managed".to_owned());
    let group = json!({
        "AmiType": launch::ami_type(nodegroup),
        "ClusterName": spec.name,
        "InstanceTypes": [nodegroup.instance_type],
        "Labels": launch::labels(spec, nodegroup),
        "LaunchTemplate": {"Id": launch_template},
        "NodeRole": attribute_of("NodeInstanceRole", "Arn"),
        "NodegroupName": nodegroup.name,
        "ScalingConfig": {
            "DesiredSize": nodegroup.desired.unwrap_or(nodegroup.min),
            "MaxSize": nodegroup.max,
            "MinSize": nodegroup.min,
        },
        "Subnets": launch::subnets(spec, nodegroup),
        "Tags": tags,
    });
    draft.add("ManagedNodeGroup", "AWS::EKS::Nodegroup", group);
    draft.finish("EKS Managed Nodes (SSH access: false)")
}

fn add_launch_template(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let data = json!({
        "BlockDeviceMappings": launch::block_devices(nodegroup),
        "MetadataOptions": launch::metadata_options(),
        "SecurityGroupIds": [launch::of_cluster(spec, "ClusterSecurityGroupId")],
        "TagSpecifications": launch::tag_specifications(spec, nodegroup),
    });
    let template = json!({
        "LaunchTemplateData": data,
        "LaunchTemplateName": sub("${AWS::StackName}"),
    });
    draft.add("LaunchTemplate", "AWS::EC2::LaunchTemplate", template)
}
