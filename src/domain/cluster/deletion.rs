//! What deleting a cluster will do, told after AWS was asked: the steps in their order, and what
//! stands in the way.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::error::ErrorCode;
use crate::domain::warnings::Warning;

/// What deleting a cluster will do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterDeletionPlan {
    /// The cluster's name.
    #[schema(required = true, max_length = 100, examples("prod-2"))]
    pub cluster_name: String,
    /// The cluster's region.
    #[schema(required = true, max_length = 32, examples("eu-central-1"))]
    pub region: String,
    /// Whether the cluster has a stack of eksctl's form, which goes with it: then its network and its
    /// roles go too.
    #[schema(required = true)]
    pub owned: bool,
    /// Whether EKS's deletion protection is on.
    #[schema(required = true)]
    pub protected: bool,
    /// The steps, in their order. Steps that have nothing to do are left out.
    #[schema(required = true, max_items = 20)]
    pub steps: Vec<DeletionStep>,
    /// What keeps the deletion from being begun. Empty: it would begin.
    #[schema(required = true, max_items = 100)]
    pub obstacles: Vec<Obstacle>,
    /// What to know before: what it waits for, and what it leaves.
    #[schema(required = true, max_items = 1000)]
    pub warnings: Vec<Warning>,
}

/// One step of a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeletionStep {
    /// The job's `step` while it is at it.
    #[schema(required = true, max_length = 64, examples("fargate_profiles"))]
    pub name: String,
    /// What it does.
    #[schema(required = true, max_length = 4096)]
    pub description: String,
    /// What it deletes or changes.
    #[schema(required = true, max_items = 1000)]
    pub resources: Vec<AwsResource>,
}

/// Something in AWS, or in the cluster.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsResource {
    /// What it is: `stack`, `capability`, `fargate_profile`, `nodegroup`, `cluster`, `oidc_provider`, `service`,
    /// `ingress`, `load_balancer`, `security_group`, `network_interface`, `subnet`. More may be added.
    #[schema(required = true, max_length = 64, examples("stack"))]
    pub kind: String,
    /// Its name, id or ARN.
    #[schema(required = true, max_length = 2048, examples("eksctl-prod-2-cluster"))]
    pub id: String,
    /// Whose it is, as far as AWS tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 512)]
    pub owner: Option<String>,
    /// Whether AWS protects it: the protection is lifted just before it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub protected: Option<bool>,
}

/// Something that keeps a deletion from being begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obstacle {
    /// The code with which the job would fail.
    pub code: ErrorCode,
    /// What it is and what to do.
    #[schema(max_length = 4096)]
    pub message: String,
    /// What it is about.
    #[schema(max_items = 1000)]
    pub resources: Vec<AwsResource>,
}

impl AwsResource {
    /// A resource of which no more is to be said.
    pub fn new(kind: &str, id: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.into(),
            ..Self::default()
        }
    }

    /// The same, with its owner.
    #[must_use]
    pub fn of(self, owner: impl Into<String>) -> Self {
        Self {
            owner: Some(owner.into()),
            ..self
        }
    }
}

impl std::fmt::Display for AwsResource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.replace('_', " "), self.id)?;
        match &self.owner {
            Some(owner) => write!(f, " ({owner})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_its_kind_its_id_and_its_owner() {
        let plain = AwsResource::new("network_interface", "eni-1");
        assert_eq!(plain.to_string(), "network interface eni-1");
        let owned = plain.of("RDSNetworkInterface");
        assert_eq!(
            owned.to_string(),
            "network interface eni-1 (RDSNetworkInterface)"
        );
    }

    #[test]
    fn what_is_absent_is_left_out() {
        let json = serde_json::to_value(AwsResource::new("stack", "s")).unwrap();
        assert_eq!(json, serde_json::json!({"kind": "stack", "id": "s"}));
    }
}
