//! The `addons` of a config, and its `addonsConfig`.

use crate::domain::role_arn::RoleArn;
use crate::domain::schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An EKS add-on of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterAddon)]
pub struct Addon {
    /// The add-on's name.
    #[schema(
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        examples("vpc-cni")
    )]
    pub name: String,
    /// Its version; EKS's default for the Kubernetes version if it is absent. The beginning of a
    /// version (`v1.20`, `1.20.1`) is the newest of these that fits the Kubernetes version, `latest`
    /// the newest of all.
    #[schema(nullable = false, max_length = 64, examples("v1.20.1-eksbuild.1"))]
    pub version: Option<String>,
    /// Its settings: JSON or YAML, as text.
    #[schema(
        nullable = false,
        max_length = 16384,
        examples("{\"replicaCount\": 3}")
    )]
    pub configuration_values: Option<String>,
    /// What happens to settings that differ in the cluster: `none` or `overwrite`.
    #[schema(nullable = false, max_length = 16, examples("overwrite"))]
    pub resolve_conflicts: Option<String>,
    /// The role of its service account.
    #[serde(rename = "serviceAccountRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub service_account_role_arn: Option<String>,
    /// Its AWS tags.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `addonsConfig` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddonsConfig {
    /// `true`: the cluster gets only the add-ons that the file names.
    #[schema(nullable = false)]
    pub disable_default_addons: Option<bool>,
}
