//! The `accessConfig` of a config.

use crate::domain::access_entry::AccessEntryInput;
use serde::Deserialize;
use utoipa::ToSchema;

/// The `accessConfig` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessConfig {
    /// `API_AND_CONFIG_MAP` (the default), `API` or `CONFIG_MAP`.
    #[schema(nullable = false, max_length = 32, examples("API_AND_CONFIG_MAP"))]
    pub authentication_mode: Option<String>,
    /// Whether the creating role (the fleet's role in the account) administers the cluster; true
    /// if it is absent.
    #[schema(nullable = false)]
    pub bootstrap_cluster_creator_admin_permissions: Option<bool>,
    /// Who may use the cluster, and how; made right after its stack.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub access_entries: Vec<AccessEntryInput>,
}
