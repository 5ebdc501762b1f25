//! The `metadata` of a config.

use crate::domain::ids::Region;
use crate::domain::schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The `metadata` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterMeta {
    /// The cluster's name: letters, digits and `-`, as its stacks are named after it. A cluster
    /// without one gets one when it is created: adjective, noun, seconds since 1970.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        pattern = "^[0-9A-Za-z][A-Za-z0-9-]*$",
        examples("prod-2")
    )]
    pub name: Option<String>,
    /// The cluster's region.
    #[schema(value_type = Region)]
    pub region: String,
    /// The Kubernetes version, in quotes; 1.34 if it is absent or `auto`; the newest that EKS offers
    /// if it is `latest`. EKS is asked whether it makes clusters of it before anything is made.
    #[schema(
        nullable = false,
        max_length = 8,
        pattern = r"^(1\.[0-9]{2}|auto|latest)$",
        examples("1.34")
    )]
    pub version: Option<String>,
    /// AWS tags of everything that is created.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// Annotations; nothing is done with them.
    #[serde(default)]
    #[schema(schema_with = schema::annotations)]
    pub annotations: BTreeMap<String, String>,
}
