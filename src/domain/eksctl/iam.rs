//! The `iam` of a config.

use super::pod_identity_association::PodIdentityAssociation;
use super::service_account::ServiceAccount;
use crate::domain::role_arn::RoleArn;
use serde::Deserialize;
use utoipa::ToSchema;

/// The `iam` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClusterIAM)]
pub struct ClusterIam {
    /// The role that the control plane acts under; without it one is created.
    #[serde(rename = "serviceRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub service_role_arn: Option<String>,
    /// The permissions boundary of that role, if it is created; without it, the account's.
    #[serde(rename = "serviceRolePermissionsBoundary")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub service_role_permissions_boundary: Option<String>,
    /// The role of profiles that name none; without it one is created.
    #[serde(rename = "fargatePodExecutionRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub fargate_pod_execution_role_arn: Option<String>,
    /// The permissions boundary of the role that is created; without it, the account's.
    #[serde(rename = "fargatePodExecutionRolePermissionsBoundary")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub fargate_pod_execution_role_permissions_boundary: Option<String>,
    /// Whether IAM shall trust the cluster's OIDC issuer.
    #[serde(rename = "withOIDC")]
    #[schema(nullable = false)]
    pub with_oidc: Option<bool>,
    /// Whether the role of the control plane, if it is created, has the policy by which pods get
    /// security groups of their own; true if it is absent.
    #[serde(rename = "vpcResourceControllerPolicy")]
    #[schema(nullable = false)]
    pub vpc_resource_controller_policy: Option<bool>,
    /// Kubernetes `ServiceAccount`s with roles by the cluster's OIDC issuer (IRSA).
    #[serde(rename = "serviceAccounts", default)]
    #[schema(max_items = 50)]
    pub service_accounts: Vec<ServiceAccount>,
    /// Kubernetes `ServiceAccount`s with roles by EKS Pod Identity. Need the add-on
    /// eks-pod-identity-agent.
    #[serde(rename = "podIdentityAssociations", default)]
    #[schema(max_items = 50)]
    pub pod_identity_associations: Vec<PodIdentityAssociation>,
}
