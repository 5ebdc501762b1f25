//! The cluster's stack.

use super::draft::{Draft, reference};
use super::{control_plane, fargate, iam, security, vpc};
use crate::domain::cluster::network::NetworkPlan;
use crate::domain::cluster::spec::ClusterSpec;
use serde_json::Value;

pub(super) fn template(spec: &ClusterSpec, network: &NetworkPlan) -> Value {
    let mut draft = Draft::default();
    let subnets = vpc::add(&mut draft, network);
    let control_plane_group = security::add(&mut draft, &subnets.vpc);
    let role = iam::add_service_role(&mut draft, spec);
    control_plane::add(&mut draft, spec, &role, (&subnets, &control_plane_group));
    fargate::add_to_cluster(&mut draft, spec);
    draft.output("ClusterStackName", &reference("AWS::StackName"));
    let own = matches!(network, NetworkPlan::Own { .. });
    let roles = spec.service_role.is_none() || spec.makes_role();
    draft.finish(&format!(
        "EKS cluster (dedicated VPC: {own}, dedicated IAM: {roles})"
    ))
}
