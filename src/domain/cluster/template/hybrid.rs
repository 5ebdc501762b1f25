//! What hybrid nodes need: routes to their networks, a role, and leave to join.

use super::draft::{Draft, attribute_of};
use super::iam;
use super::vpc::PrivateSubnet;
use crate::domain::cluster::spec::ClusterSpec;
use serde_json::{Value, json};

const ROLE: &str = "HybridNodesSSMRole";
const ENTRY: &str = "RemoteNodesAccessEntry";

/// The ways of private subnets to the networks, through the gateway that leads there.
pub(super) fn add_routes(
    draft: &mut Draft,
    spec: &ClusterSpec,
    vpc: &Value,
    private: &[&PrivateSubnet],
) {
    let remote = spec.control_plane.remote.as_ref();
    let Some((remote, gateway)) = remote.and_then(|one| Some((one, one.gateway.as_ref()?))) else {
        return;
    };
    let (attachment, prefix, property) = if gateway.starts_with("vgw-") {
        let properties = json!({"VpcId": vpc, "VpnGatewayId": gateway});
        let id = "VirtualPrivateGatewayAttachment";
        draft.add(id, "AWS::EC2::VPCGatewayAttachment", properties);
        (id, "VGW", "GatewayId")
    } else {
        let subnets: Vec<&Value> = private.iter().map(|one| &one.subnet).collect();
        let properties = json!({"SubnetIds": subnets, "TransitGatewayId": gateway, "VpcId": vpc});
        let id = "TransitGatewayAttachment";
        draft.add_tagged(id, "AWS::EC2::TransitGatewayAttachment", properties);
        (id, "TGW", "TransitGatewayId")
    };
    for one in private {
        let zone = one.zone.as_deref().map(super::vpc::resource_name);
        for (i, cidr) in remote.cidrs().enumerate() {
            let mut route = json!({"DestinationCidrBlock": cidr, "RouteTableId": one.table});
            route[property] = json!(gateway);
            let zone = zone.as_deref().unwrap_or_default();
            let id = format!("{prefix}PrivateSubnetRoute{i}{zone}");
            draft.add(&id, "AWS::EC2::Route", route);
            draft.attribute(&id, "DependsOn", json!([attachment]));
        }
    }
}

/// The role of the nodes, unless it exists, and the access entry that lets it in.
pub(super) fn add_role(draft: &mut Draft, spec: &ClusterSpec) {
    let Some(remote) = &spec.control_plane.remote else {
        return;
    };
    let role = if let Some(role) = &remote.role {
        json!(role)
    } else {
        let boundary = spec.service_role_permissions_boundary.as_deref();
        iam::add_hybrid_role(draft, ROLE, boundary);
        attribute_of(ROLE, "Arn")
    };
    draft.export("RemoteNodesRoleARN", &role);
    let entry = json!({
        "ClusterName": spec.name,
        "PrincipalArn": role,
        "Type": "HYBRID_LINUX",
    });
    draft.add(ENTRY, "AWS::EKS::AccessEntry", entry);
    draft.attribute(ENTRY, "DependsOn", json!(["ControlPlane"]));
}
