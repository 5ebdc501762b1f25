//! The pod execution role: in the cluster's stack, or in one of its own.

use super::draft::Draft;
use super::iam;
use crate::domain::cluster::names::POD_EXECUTION_ROLE_OUTPUT;
use crate::domain::cluster::spec::ClusterSpec;
use crate::domain::ids::ClusterName;
use serde_json::{Value, json};

/// Adds the role if the cluster has profiles without one, and says which role it is.
pub(super) fn add_to_cluster(draft: &mut Draft, spec: &ClusterSpec) {
    if spec.makes_role() {
        let boundary = spec.role_permissions_boundary.as_deref();
        let arn = iam::add_pod_execution_role(draft, spec.name.as_str(), boundary);
        draft.export(POD_EXECUTION_ROLE_OUTPUT, &arn);
    } else if let Some(role) = &spec.pod_execution_role
        && !spec.fargate_profiles.is_empty()
    {
        draft.export(POD_EXECUTION_ROLE_OUTPUT, &json!(role));
    }
}

pub(super) fn template(cluster: &ClusterName, permissions_boundary: Option<&str>) -> Value {
    let mut draft = Draft::default();
    let arn = iam::add_pod_execution_role(&mut draft, cluster.as_str(), permissions_boundary);
    draft.export(POD_EXECUTION_ROLE_OUTPUT, &arn);
    draft.finish("EKS Fargate pod execution IAM role")
}
