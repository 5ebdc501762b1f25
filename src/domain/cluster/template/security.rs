//! The security groups of the control plane and of the nodes.

use super::draft::{Draft, attribute_of};
use serde_json::{Value, json};

const GROUP: &str = "AWS::EC2::SecurityGroup";

/// Adds both groups, and gives the control plane's.
pub(super) fn add(draft: &mut Draft, vpc: &Value) -> Value {
    let group = |about: &str| json!({"GroupDescription": about, "VpcId": vpc});
    let control_plane = draft.add_tagged(
        "ControlPlaneSecurityGroup",
        GROUP,
        group("Communication between the control plane and worker nodegroups"),
    );
    let shared = draft.add_tagged(
        "ClusterSharedNodeSecurityGroup",
        GROUP,
        group("Communication between all nodes in the cluster"),
    );
    let of_cluster = attribute_of("ControlPlane", "ClusterSecurityGroupId");
    for (id, into, from, about) in [
        (
            "IngressInterNodeGroupSG",
            &shared,
            &shared,
            "Allow nodes to communicate with each other (all ports)",
        ),
        (
            "IngressDefaultClusterToNodeSG",
            &shared,
            &of_cluster,
            "Allow managed and unmanaged nodes to communicate with each other (all ports)",
        ),
        (
            "IngressNodeToDefaultClusterSG",
            &of_cluster,
            &shared,
            "Allow unmanaged nodes to communicate with control plane (all ports)",
        ),
    ] {
        let rule = json!({
            "Description": about,
            "FromPort": 0,
            "GroupId": into,
            "IpProtocol": "-1",
            "SourceSecurityGroupId": from,
            "ToPort": 65535,
        });
        draft.add(id, "AWS::EC2::SecurityGroupIngress", rule);
    }
    draft.export("SecurityGroup", &control_plane);
    draft.export("SharedNodeSecurityGroup", &shared);
    control_plane
}
