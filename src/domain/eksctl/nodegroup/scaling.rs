//! How the autoscaling group, or EKS, renews and repairs nodes.

use crate::domain::schema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Array;

/// How many nodes may be away while they are renewed: a number or a percentage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupUpdateConfig {
    /// So many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100, examples(1))]
    pub max_unavailable: Option<u32>,
    /// So many of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100, examples(25))]
    pub max_unavailable_percentage: Option<u32>,
}

/// Whether and how EKS repairs nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupNodeRepairConfig {
    /// Whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    /// With more unhealthy nodes than so many of a hundred, nothing is repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100, examples(20))]
    pub max_unhealthy_node_threshold_percentage: Option<u32>,
    /// With more unhealthy nodes than so many, nothing is repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 1000, examples(3))]
    pub max_unhealthy_node_threshold_count: Option<u32>,
    /// So many of a hundred unhealthy nodes are repaired at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100, examples(15))]
    pub max_parallel_nodes_repaired_percentage: Option<u32>,
    /// So many unhealthy nodes are repaired at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 1000, examples(1))]
    pub max_parallel_nodes_repaired_count: Option<u32>,
    /// What is done in particular cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub node_repair_config_overrides: Vec<NodeRepairConfigOverride>,
}

/// What is done with a node in one particular case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeRepairConfigOverride {
    /// The condition that the node monitoring agent reports.
    #[schema(min_length = 1, max_length = 128, examples("NetworkNotReady"))]
    pub node_monitoring_condition: String,
    /// The reason that it reports.
    #[schema(min_length = 1, max_length = 128, examples("InterfaceNotUp"))]
    pub node_unhealthy_reason: String,
    /// How many minutes are let pass before.
    #[schema(minimum = 1, maximum = 10_080, examples(45))]
    pub min_repair_wait_time_mins: u32,
    /// `Replace`, `Reboot` or `NoAction`; `Terminate` is `Replace`, `Restart` is `Reboot`.
    #[schema(max_length = 32, examples("Reboot"))]
    pub repair_action: String,
}

/// Metrics of an autoscaling group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricsCollection {
    /// `1Minute`.
    #[schema(max_length = 16, examples("1Minute"))]
    pub granularity: String,
    /// Which; all if it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = metrics)]
    pub metrics: Vec<String>,
}

fn metrics() -> Array {
    let about = "Metrics of autoscaling groups; all if it is absent.";
    schema::text_list(about, 50, schema::text(64, ""), json!(["GroupMinSize"]))
}

pub(super) fn processes() -> Array {
    let about = "What the autoscaling group leaves out while it renews nodes (`nodeGroups`).";
    schema::text_list(about, 9, schema::text(32, ""), json!(["AZRebalance"]))
}

pub(super) fn target_groups() -> Array {
    let about = "Target groups that the nodes are put into (`nodeGroups`).";
    let arn =
        "arn:aws:elasticloadbalancing:eu-central-1:111111111111:targetgroup/web/0a1b2c3d4e5f6071";
    schema::text_list(about, 50, schema::text(2048, ""), json!([arn]))
}

pub(super) fn load_balancers() -> Array {
    let about = "Classic load balancers that the nodes are put behind (`nodeGroups`).";
    schema::text_list(about, 50, schema::text(32, ""), json!(["web"]))
}
