//! The security groups of nodes.

use crate::domain::schema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Array;

/// The security groups of a nodegroup's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NodeGroupSGs)]
pub struct NodeGroupSgs {
    /// Security groups that exist.
    #[serde(default, rename = "attachIDs", skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = groups)]
    pub attach_ids: Vec<String>,
    /// Whether the nodes are in the group that all nodes of the cluster share; true if it is absent
    /// (`nodeGroups`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub with_shared: Option<bool>,
    /// Whether the nodes get a group of their own; true if it is absent (`nodeGroups`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub with_local: Option<bool>,
}

pub(super) fn groups() -> Array {
    let about = "Security groups that exist.";
    let group = schema::text(64, "^sg-[0-9A-Za-z-]+$");
    schema::text_list(
        about,
        16,
        group,
        serde_json::json!(["sg-0a1b2c3d4e5f60718"]),
    )
}
