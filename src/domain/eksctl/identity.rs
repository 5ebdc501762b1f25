//! Who else is known in the cluster: `iamIdentityMappings` and `identityProviders`.

use crate::domain::schema;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object};

/// An entry of `iamIdentityMappings`: a line of the `ConfigMap` `aws-auth`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = IAMIdentityMapping)]
pub struct IdentityMapping {
    /// The IAM role or user.
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/admins")
    )]
    pub arn: Option<String>,
    /// The name that Kubernetes knows it by.
    #[schema(nullable = false, max_length = 256, examples("admin"))]
    pub username: Option<String>,
    /// Its groups in Kubernetes.
    #[serde(default)]
    #[schema(schema_with = groups)]
    pub groups: Vec<String>,
    /// An account, all of whose users and roles are known by their ARNs. Stands alone.
    #[schema(
        nullable = false,
        max_length = 12,
        pattern = "^[0-9]*$",
        examples("111111111111")
    )]
    pub account: Option<String>,
    /// A service of AWS that gets what it needs in `namespace`: `emr-containers`.
    #[schema(nullable = false, max_length = 64, examples("emr-containers"))]
    pub service_name: Option<String>,
    /// The namespace of that service, which is created if need be.
    #[schema(nullable = false, max_length = 63, examples("emr"))]
    pub namespace: Option<String>,
    /// `true`: no second entry of the same ARN may be there.
    #[serde(rename = "noDuplicateARNs")]
    #[schema(nullable = false)]
    pub no_duplicate_arns: Option<bool>,
}

/// An entry of `identityProviders`: an OIDC issuer whose tokens the cluster takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityProvider {
    /// `oidc`.
    #[serde(rename = "type")]
    #[schema(required = true, nullable = false, max_length = 16, examples("oidc"))]
    pub kind: Option<String>,
    /// Its name.
    #[schema(
        required = true,
        nullable = false,
        max_length = 100,
        examples("cognito")
    )]
    pub name: Option<String>,
    /// The URL of the issuer.
    #[serde(rename = "issuerURL")]
    #[schema(
        required = true,
        nullable = false,
        max_length = 2048,
        pattern = "^(https://[!-~]+)?$",
        examples("https://login.example.com")
    )]
    pub issuer_url: Option<String>,
    /// Whom the tokens are for.
    #[serde(rename = "clientID")]
    #[schema(
        required = true,
        nullable = false,
        max_length = 1024,
        examples("kubernetes")
    )]
    pub client_id: Option<String>,
    /// The claim with the name of who calls; `sub` if it is absent.
    #[schema(nullable = false, max_length = 256, examples("email"))]
    pub username_claim: Option<String>,
    /// What is put before these names.
    #[schema(nullable = false, max_length = 256, examples("oidc:"))]
    pub username_prefix: Option<String>,
    /// The claim with the groups of who calls.
    #[schema(nullable = false, max_length = 256, examples("groups"))]
    pub groups_claim: Option<String>,
    /// What is put before these groups.
    #[schema(nullable = false, max_length = 256, examples("oidc:"))]
    pub groups_prefix: Option<String>,
    /// Claims that a token must have, with these values.
    #[serde(default)]
    #[schema(schema_with = claims)]
    pub required_claims: BTreeMap<String, String>,
    /// Its AWS tags.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

fn groups() -> Array {
    let about = "Groups in Kubernetes.";
    schema::text_list(about, 100, schema::text(256, ""), json!(["system:masters"]))
}

fn claims() -> Object {
    let about = "Claims that a token must have, with these values.";
    schema::text_map(
        about,
        50,
        schema::text(253, ""),
        json!({"team": "payments"}),
    )
}
