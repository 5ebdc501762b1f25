//! How nodes are renewed and repaired.

use super::Wrong;
use crate::domain::cluster::spec::nodegroup::ScalingSpec;
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::nodegroup::NodeGroupNodeRepairConfig;
use crate::domain::ids::Partition;
use crate::domain::invalid::quoted;

const DAY: u32 = 86_400;
const MAX_LIFETIME: u32 = 365 * DAY;
const MAX_LISTED: usize = 50;
const MAX_COLLECTIONS: usize = 10;
const MAX_OVERRIDES: usize = 100;
const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

pub(super) fn of(input: &NodeGroup) -> ScalingSpec {
    ScalingSpec {
        metrics: input.asg_metrics_collection.clone(),
        suspended: input.asg_suspend_processes.clone(),
        target_groups: input.target_group_arns.clone(),
        load_balancers: input.classic_load_balancer_names.clone(),
        max_lifetime: input.max_instance_lifetime,
        tagged: input.propagate_asg_tags.unwrap_or_default(),
    }
}

pub(super) fn check(input: &NodeGroup, max: u32, wrong: &mut Wrong<'_>) {
    wrong.within(
        "maxInstanceLifetime",
        input.max_instance_lifetime,
        DAY..=MAX_LIFETIME,
    );
    for (i, process) in input
        .asg_suspend_processes
        .iter()
        .take(MAX_LISTED)
        .enumerate()
    {
        wrong.one_of(
            &format!("asgSuspendProcesses/{i}"),
            Some(process),
            &PROCESSES,
        );
    }
    for (key, most, count) in [
        (
            "asgSuspendProcesses",
            PROCESSES.len(),
            input.asg_suspend_processes.len(),
        ),
        (
            "asgMetricsCollection",
            MAX_COLLECTIONS,
            input.asg_metrics_collection.len(),
        ),
        ("targetGroupARNs", MAX_LISTED, input.target_group_arns.len()),
        (
            "classicLoadBalancerNames",
            MAX_LISTED,
            input.classic_load_balancer_names.len(),
        ),
    ] {
        if count > most {
            wrong.say(key, format!("at most {most}"));
        }
    }
    check_metrics(input, wrong);
    check_propagated(input, wrong);
    check_balancers(input, wrong);
    check_update(input, max, wrong);
    if let Some(repair) = &input.node_repair_config {
        check_repair(repair, wrong);
    }
}

fn check_metrics(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    for (i, metrics) in input
        .asg_metrics_collection
        .iter()
        .take(MAX_COLLECTIONS)
        .enumerate()
    {
        let key = format!("asgMetricsCollection/{i}");
        wrong.one_of(
            &format!("{key}/granularity"),
            Some(&metrics.granularity),
            &["1Minute"],
        );
        let allowed =
            |name: &String| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if metrics.metrics.len() > MAX_LISTED || !metrics.metrics.iter().all(allowed) {
            let message =
                format!("expected at most {MAX_LISTED} names of metrics, such as GroupMinSize");
            wrong.say(&format!("{key}/metrics"), message);
        }
    }
}

/// Tags have shorter keys than labels, and there are fewer of them.
fn check_propagated(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    /// The rest of fifty are the group's own and those of the stack.
    const MOST: usize = 30;
    /// Of 128, without what comes before it.
    const LONGEST: usize = 80;
    const KEY: &str = "propagateASGTags";
    if input.propagate_asg_tags != Some(true) {
        return;
    }
    let keys = input
        .labels
        .keys()
        .chain(input.taints.iter().map(|taint| &taint.key));
    let count = input.tags.len() + keys.clone().count();
    if count > MOST {
        let message = format!(
            "an autoscaling group has 50 tags: at most {MOST} labels, taints and tags together"
        );
        wrong.say(KEY, message);
    }
    if let Some(long) = keys.clone().find(|key| key.len() > LONGEST) {
        let message = format!(
            "{} is too long for the key of a tag: at most {LONGEST} characters",
            quoted(long)
        );
        wrong.say(KEY, message);
    }
}

fn check_balancers(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    for (i, arn) in input.target_group_arns.iter().take(MAX_LISTED).enumerate() {
        if !is_target_group(arn) {
            let message = format!(
                "invalid ARN {}: expected arn:<partition>:elasticloadbalancing:<region>:<account>:targetgroup/\
                 <name>/<id>",
                quoted(arn)
            );
            wrong.say(&format!("targetGroupARNs/{i}"), message);
        }
    }
    for (i, name) in input
        .classic_load_balancer_names
        .iter()
        .take(MAX_LISTED)
        .enumerate()
    {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(allowed) {
            let message = format!(
                "invalid name {}: expected 1 to 32 letters, digits or -",
                quoted(name)
            );
            wrong.say(&format!("classicLoadBalancerNames/{i}"), message);
        }
    }
}

fn is_target_group(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [
        "arn",
        partition,
        "elasticloadbalancing",
        region,
        account,
        group,
    ] = parts.as_slice()
    else {
        return false;
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-".contains(&b);
    Partition::of_arn(partition).is_some()
        && !region.is_empty()
        && !account.is_empty()
        && account.len() <= 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && group.starts_with("targetgroup/")
        && region.bytes().chain(group.bytes()).all(allowed)
        && text.len() <= 2048
}

fn check_update(input: &NodeGroup, max: u32, wrong: &mut Wrong<'_>) {
    let Some(update) = &input.update_config else {
        return;
    };
    let at = "updateConfig";
    if update.max_unavailable.is_some() == update.max_unavailable_percentage.is_some() {
        let message = "expected one of maxUnavailable and maxUnavailablePercentage";
        wrong.say(at, message);
    }
    wrong.within(
        &format!("{at}/maxUnavailable"),
        update.max_unavailable,
        1..=100,
    );
    let percentage = update.max_unavailable_percentage;
    wrong.within(
        &format!("{at}/maxUnavailablePercentage"),
        percentage,
        1..=100,
    );
    if update.max_unavailable.is_some_and(|most| most > max) {
        let message = format!("no more than the most nodes ({max})");
        wrong.say(&format!("{at}/maxUnavailable"), message);
    }
}

fn check_repair(repair: &NodeGroupNodeRepairConfig, wrong: &mut Wrong<'_>) {
    let key = |key: &str| format!("nodeRepairConfig/{key}");
    for (percentage_key, percentage, count_key, count) in [
        (
            "maxUnhealthyNodeThresholdPercentage",
            repair.max_unhealthy_node_threshold_percentage,
            "maxUnhealthyNodeThresholdCount",
            repair.max_unhealthy_node_threshold_count,
        ),
        (
            "maxParallelNodesRepairedPercentage",
            repair.max_parallel_nodes_repaired_percentage,
            "maxParallelNodesRepairedCount",
            repair.max_parallel_nodes_repaired_count,
        ),
    ] {
        wrong.within(&key(percentage_key), percentage, 1..=100);
        wrong.within(&key(count_key), count, 1..=1000);
        if percentage.is_some() && count.is_some() {
            let message = format!("{percentage_key} says so too: set one of the two");
            wrong.say(&key(count_key), message);
        }
    }
    if repair.node_repair_config_overrides.len() > MAX_OVERRIDES {
        let message = format!("at most {MAX_OVERRIDES} overrides");
        wrong.say(&key("nodeRepairConfigOverrides"), message);
        return;
    }
    for (i, one) in repair.node_repair_config_overrides.iter().enumerate() {
        let key = |name: &str| key(&format!("nodeRepairConfigOverrides/{i}/{name}"));
        let actions = ["Replace", "Reboot", "NoAction", "Terminate", "Restart"];
        wrong.one_of(&key("repairAction"), Some(&one.repair_action), &actions);
        let minutes = Some(one.min_repair_wait_time_mins);
        wrong.within(&key("minRepairWaitTimeMins"), minutes, 1..=10_080);
        for (name, text) in [
            ("nodeMonitoringCondition", &one.node_monitoring_condition),
            ("nodeUnhealthyReason", &one.node_unhealthy_reason),
        ] {
            wrong.plain(&key(name), Some(text), 128);
        }
    }
}
