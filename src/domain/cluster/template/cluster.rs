//! The cluster's stack.

use super::draft::{Draft, reference};
use super::{control_plane, fargate, hybrid, iam, security, vpc};
use crate::domain::cluster::network::NetworkPlan;
use crate::domain::cluster::spec::ClusterSpec;
use serde_json::Value;

pub(super) fn template(spec: &ClusterSpec, network: &NetworkPlan) -> Value {
    let mut draft = Draft::default();
    let subnets = vpc::add(&mut draft, spec, network);
    let groups = security::add(&mut draft, spec, &subnets.vpc);
    vpc::add_endpoints(&mut draft, network, &subnets, &groups.shared);
    let role = iam::add_service_role(&mut draft, spec);
    let own = matches!(network, NetworkPlan::Own { .. });
    let place = control_plane::Place {
        subnets: &subnets,
        own,
        groups: &groups.control_plane,
    };
    control_plane::add(&mut draft, spec, &role, &place);
    hybrid::add_role(&mut draft, spec);
    fargate::add_to_cluster(&mut draft, spec);
    draft.output("ClusterStackName", &reference("AWS::StackName"));
    let roles = spec.service_role.is_none() || spec.makes_role() || spec.makes_node_role();
    draft.finish(&format!(
        "EKS cluster (dedicated VPC: {own}, dedicated IAM: {roles})"
    ))
}
