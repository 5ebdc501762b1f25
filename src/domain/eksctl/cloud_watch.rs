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
    /// How many days the logs are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    /// 1096, 1827, 2192, 2557, 2922, 3288 or 3653; for ever if it is absent or 0.
    #[schema(nullable = false, minimum = 0, maximum = 3653, examples(30))]
    pub log_retention_in_days: Option<u32>,
}

fn log_types() -> utoipa::openapi::schema::Array {
    let about = "Any of api, audit, authenticator, controllerManager, scheduler; * or all is each.";
    let example = serde_json::json!(["audit", "api"]);
    schema::text_list(about, 10, schema::text(32, ""), example)
}
