//! The security groups of the control plane and of the nodes.

use super::draft::{Draft, attribute_of};
use crate::domain::cluster::spec::ClusterSpec;
use serde_json::{Value, json};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INGRESS: &str = "AWS::EC2::SecurityGroupIngress";

const HTTPS: u16 = 443;

/// The groups, by reference or by id.
pub(super) struct Groups {
    pub(super) control_plane: Vec<Value>,
    pub(super) shared: Value,
}

/// Adds those that do not exist, and the rules between them.
pub(super) fn add(draft: &mut Draft, spec: &ClusterSpec, vpc: &Value) -> Groups {
    let given = spec.vpc.control_plane_groups.iter().map(|id| json!(id));
    let mut control_plane: Vec<Value> = given.collect();
    if control_plane.is_empty() {
        control_plane.push(add_control_plane(draft, spec, vpc));
    }
    let shared = match &spec.vpc.shared_node_group {
        Some(id) => json!(id),
        None => add_shared(draft, vpc),
    };
    if !spec.vpc.leave_shared_rules {
        let of_cluster = attribute_of("ControlPlane", "ClusterSecurityGroupId");
        let about = "Allow managed and unmanaged nodes to communicate with each other (all ports)";
        let id = "IngressDefaultClusterToNodeSG";
        add_rule(draft, id, (&shared, &of_cluster), about);
        let about = "Allow unmanaged nodes to communicate with control plane (all ports)";
        let id = "IngressNodeToDefaultClusterSG";
        add_rule(draft, id, (&of_cluster, &shared), about);
    }
    if let Some(first) = control_plane.first() {
        draft.export("SecurityGroup", first);
    }
    draft.export("SharedNodeSecurityGroup", &shared);
    Groups {
        control_plane,
        shared,
    }
}

fn group(draft: &mut Draft, id: &str, about: &str, vpc: &Value) -> Value {
    let properties = json!({"GroupDescription": about, "VpcId": vpc});
    draft.add_tagged(id, GROUP, properties)
}

fn add_shared(draft: &mut Draft, vpc: &Value) -> Value {
    let about = "Communication between all nodes in the cluster";
    let shared = group(draft, "ClusterSharedNodeSecurityGroup", about, vpc);
    let about = "Allow nodes to communicate with each other (all ports)";
    add_rule(draft, "IngressInterNodeGroupSG", (&shared, &shared), about);
    shared
}

/// The control plane's group, with the networks that may reach it.
fn add_control_plane(draft: &mut Draft, spec: &ClusterSpec, vpc: &Value) -> Value {
    let about = "Communication between the control plane and worker nodegroups";
    let made = group(draft, "ControlPlaneSecurityGroup", about, vpc);
    let remote = spec.control_plane.remote.as_ref();
    let remote: Vec<_> = remote.map(|one| one.cidrs().collect()).unwrap_or_default();
    let remote = remote.into_iter().enumerate();
    let remote = remote.map(|(i, cidr)| {
        let about =
            format!("Allow nodes/pods from remote network ({cidr}) to communicate to controlplane");
        (format!("RemoteNetworks{i}"), "CidrIp", cidr, about)
    });
    let extra = |kind: &'static str, property: &'static str, cidrs: &'_ [String]| {
        let cidrs = Vec::from(cidrs).into_iter().enumerate();
        cidrs.map(move |(i, cidr)| {
            let about = format!("Allow Extra {kind} {i} ({cidr}) to communicate to controlplane");
            let id = format!("Extra{}{i}", kind.replace(' ', ""));
            (id, property, cidr, about)
        })
    };
    let remote = remote.map(|(id, property, cidr, about)| (id, property, cidr.clone(), about));
    let extras = extra("CIDR", "CidrIp", &spec.vpc.extra_cidrs).chain(extra(
        "IPv6 CIDR",
        "CidrIpv6",
        &spec.vpc.extra_ipv6_cidrs,
    ));
    for (id, property, cidr, about) in remote.chain(extras) {
        let mut rule = json!({
            "Description": about,
            "FromPort": HTTPS,
            "GroupId": made,
            "IpProtocol": "tcp",
            "ToPort": HTTPS,
        });
        rule[property] = json!(cidr);
        draft.add(&format!("IngressControlPlane{id}"), INGRESS, rule);
    }
    made
}

/// Lets all of one group into another.
fn add_rule(draft: &mut Draft, id: &str, (into, from): (&Value, &Value), about: &str) {
    let rule = json!({
        "Description": about,
        "FromPort": 0,
        "GroupId": into,
        "IpProtocol": "-1",
        "SourceSecurityGroupId": from,
        "ToPort": 65535,
    });
    draft.add(id, INGRESS, rule);
}
