//! An entry of `iam.podIdentityAssociations`, or of an add-on's.

use super::policies::{WellKnownPolicies, boundary, policy_arns, policy_document, role_arn};
use crate::domain::schema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Pods of a Kubernetes `ServiceAccount` act under an IAM role (EKS Pod Identity).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodIdentityAssociation {
    /// The namespace of the `ServiceAccount`.
    #[schema(required = true, nullable = false, max_length = 63, examples("dev"))]
    pub namespace: Option<String>,
    /// Its name.
    #[schema(
        required = true,
        nullable = false,
        max_length = 253,
        examples("app-cache-access")
    )]
    pub service_account_name: Option<String>,
    /// Whether namespace and `ServiceAccount` are created, if they are not there.
    #[schema(nullable = false)]
    pub create_service_account: Option<bool>,
    /// The role, if it exists: then none is created.
    #[serde(rename = "roleARN", default)]
    #[schema(schema_with = role_arn, required = false)]
    pub role_arn: Option<String>,
    /// The name of the role that is created; `CloudFormation` makes one up if it is absent.
    #[schema(nullable = false, max_length = 64, examples("app-cache"))]
    pub role_name: Option<String>,
    /// The permissions boundary of the role that is created.
    #[serde(rename = "permissionsBoundaryARN", default)]
    #[schema(schema_with = boundary, required = false)]
    pub permissions_boundary_arn: Option<String>,
    /// ARNs of policies of the role that is created.
    #[serde(rename = "permissionPolicyARNs", default)]
    #[schema(schema_with = policy_arns)]
    pub permission_policy_arns: Vec<String>,
    /// The name of `permissionPolicy`.
    #[schema(nullable = false, max_length = 64, examples("Policy1"))]
    pub permission_policy_name: Option<String>,
    /// A policy of the role that is created, written out.
    #[serde(default)]
    #[schema(schema_with = policy_document, required = false)]
    pub permission_policy: Option<Value>,
    /// Policies for what many clusters run, of the role that is created.
    #[schema(nullable = false)]
    pub well_known_policies: Option<WellKnownPolicies>,
    /// A role of another account that the pods act under in the end.
    #[serde(rename = "targetRoleARN", default)]
    #[schema(schema_with = role_arn, required = false)]
    pub target_role_arn: Option<String>,
    /// `true`: sessions of the role get no tags that say which pod they are of.
    #[schema(nullable = false)]
    pub disable_session_tags: Option<bool>,
    /// A policy, as JSON text, that narrows what the role allows.
    #[schema(nullable = false, max_length = 2048)]
    pub policy: Option<String>,
    /// AWS tags of the association and of the role's stack.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}
