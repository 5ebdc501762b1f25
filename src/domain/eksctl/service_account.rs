//! An entry of `iam.serviceAccounts`: a Kubernetes `ServiceAccount` whose pods act under an IAM role.

use super::policies::{WellKnownPolicies, boundary, policy_arns, policy_document, role_arn};
use crate::domain::schema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

/// A `ServiceAccount` with a role that trusts the cluster's OIDC issuer (IRSA). Needs `iam.withOIDC`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterIAMServiceAccount)]
pub struct ServiceAccount {
    /// What it is called, and where it is.
    pub metadata: ServiceAccountMeta,
    /// ARNs of policies of the role that is created.
    #[serde(rename = "attachPolicyARNs", default)]
    #[schema(schema_with = policy_arns)]
    pub attach_policy_arns: Vec<String>,
    /// A policy of the role that is created, written out.
    #[serde(default)]
    #[schema(schema_with = policy_document, required = false)]
    pub attach_policy: Option<Value>,
    /// Policies for what many clusters run, of the role that is created.
    #[schema(nullable = false)]
    pub well_known_policies: Option<WellKnownPolicies>,
    /// The role, if it exists: then none is created.
    #[serde(rename = "attachRoleARN", default)]
    #[schema(schema_with = role_arn, required = false)]
    pub attach_role_arn: Option<String>,
    /// The name of the role that is created; `CloudFormation` makes one up if it is absent.
    #[schema(nullable = false, max_length = 64, examples("s3-reader"))]
    pub role_name: Option<String>,
    /// `true`: the role alone is created.
    #[schema(nullable = false)]
    pub role_only: Option<bool>,
    /// The permissions boundary of the role that is created.
    #[serde(default)]
    #[schema(schema_with = boundary, required = false)]
    pub permissions_boundary: Option<String>,
    /// Which names of `ServiceAccount`s of the namespace may act under the role, with `*` and `?`, in place
    /// of the one of `metadata`.
    #[schema(nullable = false, max_length = 253, examples("app-*"))]
    pub subject_pattern: Option<String>,
    /// AWS tags of the role's stack.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `metadata` of a `ServiceAccount`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterIAMMeta)]
pub struct ServiceAccountMeta {
    /// Its name.
    #[schema(
        required = true,
        nullable = false,
        max_length = 253,
        examples("s3-reader")
    )]
    pub name: Option<String>,
    /// Its namespace, which is created if need be; `default` if it is absent.
    #[schema(nullable = false, max_length = 63, examples("backend-apps"))]
    pub namespace: Option<String>,
    /// Its labels.
    #[serde(default)]
    #[schema(schema_with = labels)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations; that of the role comes by itself.
    #[serde(default)]
    #[schema(schema_with = annotations)]
    pub annotations: BTreeMap<String, String>,
}

fn labels() -> Object {
    let about = "Labels of the ServiceAccount.";
    schema::text_map(about, 50, schema::text(63, ""), json!({"tier": "web"}))
}

fn annotations() -> Object {
    let about = "Annotations of the ServiceAccount.";
    schema::text_map(
        about,
        50,
        schema::text(4096, ""),
        json!({"owner": "payments"}),
    )
}
