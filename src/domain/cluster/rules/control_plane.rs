//! Settings of the control plane.

use super::references::arn;
use crate::domain::cluster::spec::ControlPlaneSpec;
use crate::domain::eksctl::control_plane::{MAX_WEIGHTS, ResourceWeight};
use crate::domain::eksctl::{
    ClusterConfig, KubeApiServerConfig, KubeControllerManagerConfig, KubeSchedulerConfig,
    SecretsEncryption,
};
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, quoted};

const SUPPORT_TYPES: [&str; 2] = ["STANDARD", "EXTENDED"];
const TIERS: [&str; 6] = [
    "standard",
    "tier-xl",
    "tier-2xl",
    "tier-4xl",
    "tier-8xl",
    "tier-ultra",
];
const STRATEGIES: [&str; 2] = ["LeastAllocated", "MostAllocated"];
const PORTS: std::ops::RangeInclusive<u32> = 1..=65_535;
const WEIGHTS: std::ops::RangeInclusive<u32> = 1..=100;
const MAX_RESOURCE_NAME: usize = 253;

/// What is set of the control plane itself.
pub(super) fn of(
    config: &mut ClusterConfig,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> ControlPlaneSpec {
    let secrets = config.secrets_encryption.take();
    let support = config.upgrade_policy.take();
    let support = support.and_then(|policy| policy.support_type);
    let scaling = config.control_plane_scaling_config.take();
    let tier = scaling.and_then(|scaling| scaling.tier);
    one_of(
        support.as_deref(),
        &SUPPORT_TYPES,
        "/upgradePolicy/supportType",
        wrong,
    );
    let at = "/controlPlaneScalingConfig/tier";
    one_of(tier.as_deref(), &TIERS, at, wrong);
    let shift = config.zonal_shift_config.take();
    ControlPlaneSpec {
        secrets_key: secrets.and_then(|secrets| secrets_key(secrets, region, wrong)),
        support_type: support,
        zonal_shift: shift.and_then(|shift| shift.enabled).unwrap_or_default(),
        scaling_tier: tier,
        api_server: api_server(config.kube_api_server_config.take(), wrong),
        scheduler: scheduler(config.kube_scheduler_config.take(), wrong),
        controller_manager: controller_manager(config.kube_controller_manager_config.take(), wrong),
        ..ControlPlaneSpec::default()
    }
}

/// Tells a text that is none of these.
pub(super) fn one_of(text: Option<&str>, known: &[&str], at: &str, wrong: &mut Vec<Invalid>) {
    if let Some(text) = text.filter(|text| !known.contains(text)) {
        let message = format!(
            "invalid value {}: expected one of {}",
            quoted(text),
            known.join(", ")
        );
        wrong.push(Invalid::new(at, message));
    }
}

fn secrets_key(
    secrets: SecretsEncryption,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> Option<String> {
    const AT: &str = "/secretsEncryption/keyARN";
    let Some(key) = secrets.key_arn.filter(|key| !key.is_empty()) else {
        let message = "name the KMS key, or remove secretsEncryption: EKS encrypts Secrets with a \
                       key of its own then";
        wrong.push(Invalid::new(AT, message));
        return None;
    };
    let found = arn(&key, "kms").filter(|arn| {
        let mut kinds = ["key/", "alias/"].into_iter();
        kinds.any(|kind| {
            arn.resource
                .strip_prefix(kind)
                .is_some_and(|id| !id.is_empty())
        })
    });
    match (found, region) {
        (None, _) => {
            let message = format!(
                "invalid KMS key {}: expected arn:<partition>:kms:<region>:<account>:key/<id>, or \
                 alias/<name> in place of key/<id>",
                quoted(&key)
            );
            wrong.push(Invalid::new(AT, message));
        }
        (Some(arn), Some(region)) if arn.region != region.as_str() => {
            let message = format!(
                "the key is in {}, and the cluster in {region}: EKS takes keys of the cluster's \
                 region alone",
                quoted(arn.region)
            );
            wrong.push(Invalid::new(AT, message));
        }
        _ => {}
    }
    Some(key)
}

fn api_server(
    config: Option<KubeApiServerConfig>,
    wrong: &mut Vec<Invalid>,
) -> Option<KubeApiServerConfig> {
    const AT: &str = "/kubeAPIServerConfig";
    let config = config?;
    duration(
        config.event_ttl.as_deref(),
        &format!("{AT}/eventTTL"),
        wrong,
    );
    if let Some(range) = &config.service_node_port_range {
        let at = format!("{AT}/serviceNodePortRange");
        for (name, port) in [("minPort", range.min_port), ("maxPort", range.max_port)] {
            if port.is_some_and(|port| !PORTS.contains(&port)) {
                let message = "expected a port from 1 to 65535";
                wrong.push(Invalid::new(format!("{at}/{name}"), message));
            }
        }
        if let (Some(min), Some(max)) = (range.min_port, range.max_port)
            && min > max
        {
            let message = format!("minPort {min} is above maxPort {max}");
            wrong.push(Invalid::new(at, message));
        }
    }
    Some(config).filter(|config| *config != KubeApiServerConfig::default())
}

fn scheduler(
    config: Option<KubeSchedulerConfig>,
    wrong: &mut Vec<Invalid>,
) -> Option<KubeSchedulerConfig> {
    const AT: &str = "/kubeSchedulerConfig/nodeResourcesFit/scoringStrategy";
    let config = config?;
    let strategy = config.node_resources_fit.as_ref()?;
    let strategy = strategy.scoring_strategy.as_ref()?;
    let kind = strategy.kind.as_deref();
    one_of(kind, &STRATEGIES, &format!("{AT}/type"), wrong);
    if strategy.resources.len() > MAX_WEIGHTS {
        let message = format!("at most {MAX_WEIGHTS} resources");
        wrong.push(Invalid::new(format!("{AT}/resources"), message));
        return None;
    }
    for (i, resource) in strategy.resources.iter().enumerate() {
        weight(resource, &format!("{AT}/resources/{i}"), wrong);
    }
    let says_something = strategy.kind.is_some() || !strategy.resources.is_empty();
    Some(config).filter(|_| says_something)
}

fn weight(resource: &ResourceWeight, at: &str, wrong: &mut Vec<Invalid>) {
    let name = resource.name.as_deref().unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._/".contains(&b);
    if !(1..=MAX_RESOURCE_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
        let message = format!(
            "invalid resource {}: expected one of Kubernetes', such as cpu or memory",
            quoted(name)
        );
        wrong.push(Invalid::new(format!("{at}/name"), message));
    }
    if resource
        .weight
        .is_none_or(|weight| !WEIGHTS.contains(&weight))
    {
        let message = "expected a weight from 1 to 100";
        wrong.push(Invalid::new(format!("{at}/weight"), message));
    }
}

fn controller_manager(
    config: Option<KubeControllerManagerConfig>,
    wrong: &mut Vec<Invalid>,
) -> Option<KubeControllerManagerConfig> {
    const AT: &str = "/kubeControllerManagerConfig/horizontalPodAutoscalerControllerConfig/\
                      horizontalPodAutoscalerSyncPeriod";
    let config = config?;
    let scaler = config
        .horizontal_pod_autoscaler_controller_config
        .as_ref()?;
    let period = scaler.horizontal_pod_autoscaler_sync_period.as_deref()?;
    duration(Some(period), AT, wrong);
    Some(config)
}

/// Tells a length of time that is none: EKS takes a number with one unit.
fn duration(text: Option<&str>, at: &str, wrong: &mut Vec<Invalid>) {
    let Some(text) = text else { return };
    let number = text.strip_suffix(['s', 'm', 'h']).unwrap_or_default();
    let digits = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if !digits || number.bytes().all(|b| b == b'0') {
        let message = format!(
            "invalid length of time {}: expected a number with s, m or h, such as 30m",
            quoted(text)
        );
        wrong.push(Invalid::new(at, message));
    }
}
