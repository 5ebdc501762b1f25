//! Settings of the control plane: encryption, support, zonal shift, size, and its components.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most resources that the scheduler weighs.
pub const MAX_WEIGHTS: usize = 100;

/// The `secretsEncryption` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretsEncryption {
    /// The KMS key, or an alias of one, in the cluster's region, that Kubernetes Secrets are
    /// encrypted with.
    #[serde(rename = "keyARN")]
    #[schema(
        nullable = false,
        required = true,
        max_length = 2048,
        examples("arn:aws:kms:eu-central-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000")
    )]
    pub key_arn: Option<String>,
}

/// The `upgradePolicy` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradePolicy {
    /// `EXTENDED` (EKS's default: the version is kept, and costs more, when its standard support
    /// has ended) or `STANDARD` (EKS upgrades the cluster then).
    #[schema(nullable = false, max_length = 32, examples("STANDARD"))]
    pub support_type: Option<String>,
}

/// The `zonalShiftConfig` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZonalShiftConfig {
    /// Whether AWS may move the cluster's traffic out of an ailing zone.
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
}

/// The `controlPlaneScalingConfig` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlPlaneScalingConfig {
    /// The size of a provisioned control plane: `standard`, `tier-xl`, `tier-2xl`, `tier-4xl`,
    /// `tier-8xl` or `tier-ultra`.
    #[schema(nullable = false, max_length = 32, examples("tier-xl"))]
    pub tier: Option<String>,
}

/// The `kubeAPIServerConfig` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = KubeAPIServerConfig)]
pub struct KubeApiServerConfig {
    /// How long Kubernetes keeps events: a number with `s`, `m` or `h`.
    #[serde(rename = "eventTTL", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("30m"))]
    pub event_ttl: Option<String>,
    /// The ports of Services of type `NodePort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_node_port_range: Option<ServiceNodePortRange>,
}

/// The ports of Services of type `NodePort`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceNodePortRange {
    /// The lowest port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 65535, examples(30000))]
    pub min_port: Option<u32>,
    /// The highest port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 65535, examples(32767))]
    pub max_port: Option<u32>,
}

/// The `kubeSchedulerConfig` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeSchedulerConfig {
    /// How nodes are chosen by the room that they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub node_resources_fit: Option<NodeResourcesFitConfig>,
}

/// How nodes are chosen by the room that they have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeResourcesFitConfig {
    /// What counts for how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scoring_strategy: Option<ScoringStrategy>,
}

/// What counts for how much when a node is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoringStrategy {
    /// `LeastAllocated` (pods are spread) or `MostAllocated` (pods are packed).
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 32, examples("MostAllocated"))]
    pub kind: Option<String>,
    /// The weight of each resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub resources: Vec<ResourceWeight>,
}

/// The weight of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceWeight {
    /// The resource, such as `cpu` or `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 253, examples("cpu"))]
    pub name: Option<String>,
    /// Its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 100, examples(2))]
    pub weight: Option<u32>,
}

/// The `kubeControllerManagerConfig` of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeControllerManagerConfig {
    /// The controller that scales workloads by their load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub horizontal_pod_autoscaler_controller_config:
        Option<HorizontalPodAutoscalerControllerConfig>,
}

/// The controller that scales workloads by their load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HorizontalPodAutoscalerControllerConfig {
    /// How often it looks: a number with `s`, `m` or `h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("15s"))]
    pub horizontal_pod_autoscaler_sync_period: Option<String>,
}
