//! The `autoModeConfig` of a config.

use crate::domain::schema;
use serde::Deserialize;
use utoipa::ToSchema;

/// EKS Auto Mode: EKS starts nodes as pods need them, and looks after network, storage and load
/// balancers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AutoModeConfig {
    /// Whether the cluster uses Auto Mode.
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    /// The node pools that EKS makes; both if it is absent, none if it is empty.
    #[schema(schema_with = node_pools)]
    pub node_pools: Option<Vec<String>>,
    /// The role of the nodes, if it exists.
    #[serde(rename = "nodeRoleARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:role/auto-nodes")
    )]
    pub node_role_arn: Option<String>,
    /// The permissions boundary of the role of the nodes, if it is created.
    #[serde(rename = "permissionsBoundaryARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub permissions_boundary_arn: Option<String>,
}

fn node_pools() -> utoipa::openapi::schema::Array {
    let about = "The node pools that EKS makes: general-purpose, system; both if it is absent, \
                 none if it is empty.";
    let example = serde_json::json!(["general-purpose"]);
    schema::text_list(about, 2, schema::text(32, ""), example)
}
