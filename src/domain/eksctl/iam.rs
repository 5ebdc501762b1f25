//! The `iam` of a config.

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
}
