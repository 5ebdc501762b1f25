//! The `cloudWatch` of a config.

use crate::domain::schema;
use serde::Deserialize;
use utoipa::ToSchema;

/// The `cloudWatch` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterCloudWatch {
    /// Which logs of the control plane are kept.
    #[schema(nullable = false)]
    pub cluster_logging: Option<ClusterCloudWatchLogging>,
}

/// The control plane's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterCloudWatchLogging {
    /// Any of `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`; `*` or `all` is
    /// each of them.
    #[serde(default)]
    #[schema(schema_with = log_types)]
    pub enable_types: Vec<String>,
}

fn log_types() -> utoipa::openapi::schema::Array {
    let about = "Any of api, audit, authenticator, controllerManager, scheduler; * or all is each.";
    let example = serde_json::json!(["audit", "api"]);
    schema::text_list(about, 10, schema::text(32, ""), example)
}
