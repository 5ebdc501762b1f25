//! The settings of the control plane's components, as `CloudFormation` spells them.

use crate::domain::cluster::spec::ControlPlaneSpec;
use crate::domain::eksctl::control_plane::{
    KubeApiServerConfig, KubeControllerManagerConfig, KubeSchedulerConfig,
};
use serde_json::{Map, Value, json};

/// Adds those that are set to the control plane's properties.
pub(super) fn add(cluster: &mut Value, settings: &ControlPlaneSpec) {
    let all = [
        (
            "KubeApiServerConfig",
            settings.api_server.as_ref().map(api_server),
        ),
        (
            "KubeSchedulerConfig",
            settings.scheduler.as_ref().and_then(scheduler),
        ),
        (
            "KubeControllerManagerConfig",
            settings
                .controller_manager
                .as_ref()
                .and_then(controller_manager),
        ),
    ];
    for (name, value) in all {
        if let Some(value) = value {
            cluster[name] = value;
        }
    }
}

fn api_server(config: &KubeApiServerConfig) -> Value {
    let ports = config.service_node_port_range.as_ref().map(|range| {
        fields([
            ("MinPort", range.min_port.map(Value::from)),
            ("MaxPort", range.max_port.map(Value::from)),
        ])
    });
    fields([
        ("EventTtl", config.event_ttl.clone().map(Value::from)),
        (
            "ServiceNodePortRange",
            ports.filter(|ports| *ports != json!({})),
        ),
    ])
}

fn scheduler(config: &KubeSchedulerConfig) -> Option<Value> {
    let strategy = config.node_resources_fit.as_ref()?;
    let strategy = strategy.scoring_strategy.as_ref()?;
    let resources: Vec<Value> = strategy
        .resources
        .iter()
        .map(|one| json!({"Name": one.name, "Weight": one.weight}))
        .collect();
    let strategy = fields([
        ("Type", strategy.kind.clone().map(Value::from)),
        (
            "Resources",
            (!resources.is_empty()).then(|| resources.into()),
        ),
    ]);
    Some(json!({"NodeResourcesFit": {"ScoringStrategy": strategy}}))
}

fn controller_manager(config: &KubeControllerManagerConfig) -> Option<Value> {
    let scaler = config
        .horizontal_pod_autoscaler_controller_config
        .as_ref()?;
    let period = scaler.horizontal_pod_autoscaler_sync_period.as_ref()?;
    Some(json!({
        "HorizontalPodAutoscalerControllerConfig": {"HorizontalPodAutoscalerSyncPeriod": period}
    }))
}

/// Those that have a value.
fn fields<const N: usize>(all: [(&str, Option<Value>); N]) -> Value {
    let given = all
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}
