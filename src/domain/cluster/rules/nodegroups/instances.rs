//! Which instances, and on what terms.

use super::{Wrong, place::is_id};
use crate::domain::cluster::ec2_instance::is_type;
use crate::domain::cluster::selector;
use crate::domain::cluster::spec::NodegroupKind;
use crate::domain::cluster::spec::nodegroup::{EfaSpec, GivenTemplate, HardwareSpec, MetadataSpec};
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::nodegroup::{
    CapacityReservation, LaunchTemplate, NodeGroupInstancesDistribution,
};
use crate::domain::invalid::quoted;
use std::collections::BTreeSet;

pub(super) const DEFAULT_TYPE: &str = "m5.large";
/// What eksctl calls a nodegroup of more than one type.
const MIXED: &str = "mixed";
const MAX_TYPES: usize = 40;
/// Of one autoscaling group.
const MAX_MIXED: usize = 20;
const STRATEGIES: [&str; 5] = [
    "lowest-price",
    "diversified",
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "price-capacity-optimized",
];

/// The one type, and the types if there can be more than one. Both are empty where they are looked
/// up.
pub(super) fn types(input: &NodeGroup) -> (String, Vec<String>) {
    let mixed = input.instances_distribution.as_ref();
    let many = mixed.map_or(&input.instance_types, |mixed| &mixed.instance_types);
    let selected = input
        .instance_selector
        .as_ref()
        .is_some_and(|one| !one.is_empty());
    let own = input.instance_type.clone().filter(|own| own != MIXED);
    let elsewhere = selected || !many.is_empty() || input.launch_template.is_some();
    let own = own.unwrap_or_else(|| {
        if elsewhere {
            String::new()
        } else {
            DEFAULT_TYPE.to_owned()
        }
    });
    (own, many.clone())
}

pub(super) fn check(kind: NodegroupKind, input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let selector = input
        .instance_selector
        .as_ref()
        .filter(|one| !one.is_empty());
    if let Some(own) = &input.instance_type {
        let several = selector.is_some() || input.instances_distribution.is_some();
        let mixed = kind == NodegroupKind::SelfManaged && own == MIXED && several;
        if !is_type(own) && !mixed {
            wrong.say("instanceType", wrong_type(own));
        } else if !input.instance_types.is_empty() || (several && !mixed) {
            let message = "instanceTypes, instancesDistribution or instanceSelector says which types: remove \
                           one of the two";
            wrong.say("instanceType", message);
        }
    }
    if !input.instance_types.is_empty() && selector.is_some() {
        let message = "instanceTypes names the types: remove one of the two";
        wrong.say("instanceSelector", message);
    }
    check_types(&input.instance_types, "instanceTypes", wrong);
    if let Some(mixed) = &input.instances_distribution {
        check_mixed(mixed, selector.is_some(), wrong);
    }
    if let Some(selector) = selector {
        for (key, message) in selector::wrong(selector) {
            wrong.say(&format!("instanceSelector/{key}"), message);
        }
    }
    check_credits(input, wrong);
    check_reservation(input, wrong);
    if let Some(placement) = &input.placement {
        wrong.plain("placement/groupName", Some(&placement.group_name), 255);
    }
    let zones = input.availability_zones.len().max(input.local_zones.len());
    let places = zones.max(input.subnets.len());
    if input.efa_enabled == Some(true) && places > 1 {
        let message =
            "instances with elastic fabric adapters are close together: name one zone or subnet";
        wrong.say("efaEnabled", message);
    }
}

fn wrong_type(text: &str) -> String {
    format!(
        "invalid instance type {}: expected one such as {DEFAULT_TYPE}",
        quoted(text)
    )
}

fn check_types(types: &[String], key: &str, wrong: &mut Wrong<'_>) {
    if types.len() > MAX_TYPES {
        wrong.say(key, format!("at most {MAX_TYPES} instance types"));
        return;
    }
    let mut taken = BTreeSet::new();
    for (i, one) in types.iter().enumerate() {
        let key = format!("{key}/{i}");
        if !is_type(one) {
            wrong.say(&key, wrong_type(one));
        } else if !taken.insert(one) {
            wrong.say(&key, format!("instance type {one} is listed twice"));
        }
    }
}

fn check_mixed(mixed: &NodeGroupInstancesDistribution, selected: bool, wrong: &mut Wrong<'_>) {
    let key = |key: &str| format!("instancesDistribution/{key}");
    let types = &mixed.instance_types;
    check_types(types, &key("instanceTypes"), wrong);
    if types.is_empty() && !selected {
        let message = "name at least one instance type, or use instanceSelector";
        wrong.say(&key("instanceTypes"), message);
    } else if types.len() > MAX_MIXED {
        wrong.say(
            &key("instanceTypes"),
            format!("at most {MAX_MIXED} instance types"),
        );
    } else if !types.is_empty() && selected {
        let message = "instanceSelector says which types: remove one of the two";
        wrong.say(&key("instanceTypes"), message);
    }
    let price = mixed
        .max_price
        .as_ref()
        .and_then(serde_json::Number::as_f64);
    if price.is_some_and(|price| !(0.0..=10_000.0).contains(&price)) {
        wrong.say(
            &key("maxPrice"),
            "expected dollars an hour, from 0 to 10000",
        );
    }
    wrong.within(
        &key("onDemandBaseCapacity"),
        mixed.on_demand_base_capacity,
        0..=1000,
    );
    let percent = mixed.on_demand_percentage_above_base_capacity;
    wrong.within(
        &key("onDemandPercentageAboveBaseCapacity"),
        percent,
        0..=100,
    );
    wrong.within(&key("spotInstancePools"), mixed.spot_instance_pools, 1..=20);
    let strategy = mixed.spot_allocation_strategy.as_deref();
    wrong.one_of(&key("spotAllocationStrategy"), strategy, &STRATEGIES);
    let pooled = strategy.is_none_or(|strategy| strategy == STRATEGIES[0]);
    if mixed.spot_instance_pools.is_some() && !pooled {
        let message = "only spotAllocationStrategy lowest-price knows pools: remove one of the two";
        wrong.say(&key("spotInstancePools"), message);
    }
}

fn check_credits(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let Some(credits) = input.cpu_credits.as_deref() else {
        return;
    };
    let lower = credits.to_ascii_lowercase();
    wrong.one_of("cpuCredits", Some(&lower), &["standard", "unlimited"]);
    let (own, many) = types(input);
    let known = many.iter().chain(Some(&own)).any(|one| !one.is_empty());
    if known
        && !many
            .iter()
            .chain(Some(&own))
            .any(|one| one.starts_with('t'))
    {
        let message = "only T instances, such as t3.large, have credits: remove it, or choose such";
        wrong.say("cpuCredits", message);
    }
}

fn check_reservation(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let market = input.instance_market_options.as_ref();
    let market = market.and_then(|market| market.market_type.as_deref());
    wrong.one_of(
        "instanceMarketOptions/marketType",
        market,
        &["capacity-block"],
    );
    let (_, many) = types(input);
    if market.is_some() && (many.len() > 1 || input.instance_selector.is_some()) {
        let message = "a capacity block is of one instance type: name one in instanceType";
        wrong.say("instanceMarketOptions", message);
    }
    let Some(CapacityReservation {
        capacity_reservation_preference: preference,
        capacity_reservation_target: target,
    }) = &input.capacity_reservation
    else {
        if input.instance_market_options.is_some() {
            let message = "a capacity block is reserved: name it in capacityReservation";
            wrong.say("instanceMarketOptions", message);
        }
        return;
    };
    let at = "capacityReservation";
    let preferred = preference.as_deref();
    wrong.one_of(
        &format!("{at}/capacityReservationPreference"),
        preferred,
        &["open", "none"],
    );
    let Some(target) = target else { return };
    if preference.is_some() {
        let message = "the preference and the target rule each other out: remove one of the two";
        wrong.say(at, message);
    }
    let at = format!("{at}/capacityReservationTarget");
    let id = target.capacity_reservation_id.as_deref();
    let group = target.capacity_reservation_resource_group_arn.as_deref();
    if id.is_some() == group.is_some() {
        let message =
            "expected one of capacityReservationID and capacityReservationResourceGroupARN";
        wrong.say(&at, message);
    }
    if id.is_some_and(|id| !is_id(id, "cr-")) {
        let message = "expected an id such as cr-0a1b2c3d4e5f60718";
        wrong.say(&format!("{at}/capacityReservationID"), message);
    }
    let is_group = |arn: &str| arn.starts_with("arn:") && arn.contains(":resource-groups:");
    if group.is_some_and(|arn| !is_group(arn) || arn.contains("{{") || arn.len() > 2048) {
        let message = "expected arn:<partition>:resource-groups:<region>:<account>:group/<name>";
        wrong.say(
            &format!("{at}/capacityReservationResourceGroupARN"),
            message,
        );
    }
}

/// What a launch template that exists says itself.
pub(super) fn check_template(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let Some(template) = &input.launch_template else {
        return;
    };
    if !is_id(&template.id, "lt-") {
        let message = format!(
            "invalid launch template {}: expected an id such as lt-0a1b2c3d4e5f60718",
            quoted(&template.id)
        );
        wrong.say("launchTemplate/id", message);
    }
    let version = template.version.as_deref();
    if version.is_some_and(|version| version.parse::<u32>().map_or(true, |number| number == 0)) {
        let message = "expected the number of a version, in quotes, such as \"3\"";
        wrong.say("launchTemplate/version", message);
    }
    let ssh = input.ssh.as_ref();
    for (key, given) in [
        ("instanceType", input.instance_type.is_some()),
        ("ami", input.ami.is_some()),
        ("ssh", ssh.is_some()),
        ("volumeSize", input.volume_size.is_some()),
        ("volumeType", input.volume_type.is_some()),
        ("volumeName", input.volume_name.is_some()),
        ("volumeEncrypted", input.volume_encrypted.is_some()),
        ("volumeKmsKeyID", input.volume_kms_key_id.is_some()),
        ("additionalVolumes", !input.additional_volumes.is_empty()),
        (
            "preBootstrapCommands",
            !input.pre_bootstrap_commands.is_empty(),
        ),
        (
            "overrideBootstrapCommand",
            input.override_bootstrap_command.is_some(),
        ),
        ("bottlerocket", input.bottlerocket.is_some()),
        ("securityGroups", input.security_groups.is_some()),
        ("instanceName", input.instance_name.is_some()),
        ("instancePrefix", input.instance_prefix.is_some()),
        (
            "maxPodsPerNode",
            input.max_pods_per_node.is_some_and(|most| most > 0),
        ),
        ("disableIMDSv1", input.disable_imds_v1 == Some(false)),
        ("disablePodIMDS", input.disable_pod_imds == Some(true)),
        ("placement", input.placement.is_some()),
        ("efaEnabled", input.efa_enabled == Some(true)),
        ("ebsOptimized", input.ebs_optimized.is_some()),
        (
            "enableDetailedMonitoring",
            input.enable_detailed_monitoring.is_some(),
        ),
        ("capacityReservation", input.capacity_reservation.is_some()),
    ] {
        if given {
            let message = "a launch template that exists says this itself: remove one of the two";
            wrong.say(key, message);
        }
    }
}

pub(super) fn template(named: LaunchTemplate) -> GivenTemplate {
    GivenTemplate {
        named,
        ..GivenTemplate::default()
    }
}

pub(super) fn hardware(input: &NodeGroup, metadata: MetadataSpec) -> HardwareSpec {
    HardwareSpec {
        metadata,
        ebs_optimized: input.ebs_optimized,
        detailed_monitoring: input.enable_detailed_monitoring,
        enclaves: input.enclave_enabled,
        cpu_credits: input
            .cpu_credits
            .as_ref()
            .map(|text| text.to_ascii_lowercase()),
        efa: (input.efa_enabled == Some(true)).then(EfaSpec::default),
        placement: input.placement.clone(),
        reservation: input.capacity_reservation.clone(),
        market: input.instance_market_options.clone(),
    }
}
