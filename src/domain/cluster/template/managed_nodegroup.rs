//! The stack of a nodegroup that EKS manages.

use super::draft::{Draft, sub};
use super::{ClusterFacts, launch, node_role, user_data};
use crate::domain::cluster::names;
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use crate::domain::eksctl::nodegroup::NodeGroupNodeRepairConfig;
use serde_json::{Map, Value, json};

const CAPACITY_BLOCK: &str = "capacity-block";

pub(super) fn template(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    let mut draft = Draft::default();
    let role = node_role::add(&mut draft, nodegroup);
    let launch_template = launch_template(&mut draft, spec, nodegroup, facts);
    let mut tags = launch::tags(spec, nodegroup);
    tags.insert(names::NODEGROUP_TAG.to_owned(), nodegroup.name.clone());
    tags.insert(names::NODEGROUP_TYPE_TAG.to_owned(), "managed".to_owned());
    let mut group = json!({
        "ClusterName": spec.name,
        "Labels": launch::labels(spec, nodegroup),
        "LaunchTemplate": launch_template,
        "NodeRole": role,
        "NodegroupName": nodegroup.name,
        "ScalingConfig": {
            "DesiredSize": nodegroup.desired.unwrap_or(nodegroup.min),
            "MaxSize": nodegroup.max,
            "MinSize": nodegroup.min,
        },
        "Subnets": launch::subnets(spec, nodegroup, facts),
        "Tags": tags,
    });
    for (key, value) in asked(nodegroup) {
        group[key] = value;
    }
    draft.add("ManagedNodeGroup", "AWS::EKS::Nodegroup", group);
    let open = nodegroup.login().is_some_and(|ssh| ssh.allow);
    draft.finish(&format!("EKS Managed Nodes (SSH access: {open})"))
}

/// What is in a nodegroup only if it was asked for.
fn asked(nodegroup: &NodegroupSpec) -> Map<String, Value> {
    let mut asked = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        asked.extend(value.map(|value| (key.to_owned(), value)));
    };
    // EKS makes images of Windows, Amazon Linux and Bottlerocket; others are in the launch template.
    let own = nodegroup.image.family.is_ubuntu() && nodegroup.launch_template.is_none();
    let ami_type = launch::ami_type(nodegroup).filter(|_| !own);
    set("AmiType", ami_type.map(Value::from));
    let block = is_capacity_block(nodegroup);
    let named = nodegroup.launch_template.as_ref();
    let named = named.is_some_and(|template| template.instance_type.is_some());
    let types = if nodegroup.is_selected() {
        vec!["TYPES-OF-THE-SELECTOR"]
    } else {
        nodegroup.types()
    };
    set(
        "InstanceTypes",
        (!types.is_empty() && !block && !named).then(|| json!(types)),
    );
    let capacity = match (block, nodegroup.spot) {
        (true, _) => Some("CAPACITY_BLOCK"),
        (_, true) => Some("SPOT"),
        _ => None,
    };
    set("CapacityType", capacity.map(Value::from));
    set(
        "ReleaseVersion",
        nodegroup.image.release.clone().map(Value::from),
    );
    set("Taints", taints(nodegroup));
    let update = nodegroup.update.as_ref().map(|update| {
        let number = update
            .max_unavailable
            .map(|most| json!({"MaxUnavailable": most}));
        let percent = update.max_unavailable_percentage;
        number.unwrap_or_else(|| json!({"MaxUnavailablePercentage": percent}))
    });
    set("UpdateConfig", update);
    set("NodeRepairConfig", nodegroup.repair.as_ref().map(repair));
    asked
}

fn is_capacity_block(nodegroup: &NodegroupSpec) -> bool {
    let market = nodegroup.hardware.market.as_ref();
    let market = market.and_then(|market| market.market_type.as_deref());
    market == Some(CAPACITY_BLOCK)
}

fn taints(nodegroup: &NodegroupSpec) -> Option<Value> {
    let effect = |effect: &str| match effect {
        "PreferNoSchedule" => "PREFER_NO_SCHEDULE",
        "NoExecute" => "NO_EXECUTE",
        _ => "NO_SCHEDULE",
    };
    let taints = nodegroup.taints.iter().map(
        |taint| json!({"Effect": effect(&taint.effect), "Key": taint.key, "Value": taint.value}),
    );
    let taints: Vec<Value> = taints.collect();
    (!taints.is_empty()).then_some(Value::Array(taints))
}

fn repair(repair: &NodeGroupNodeRepairConfig) -> Value {
    let mut config = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        config.extend(value.map(|value| (key.to_owned(), value)));
    };
    set("Enabled", repair.enabled.map(Value::from));
    for (key, number) in [
        (
            "MaxUnhealthyNodeThresholdPercentage",
            repair.max_unhealthy_node_threshold_percentage,
        ),
        (
            "MaxUnhealthyNodeThresholdCount",
            repair.max_unhealthy_node_threshold_count,
        ),
        (
            "MaxParallelNodesRepairedPercentage",
            repair.max_parallel_nodes_repaired_percentage,
        ),
        (
            "MaxParallelNodesRepairedCount",
            repair.max_parallel_nodes_repaired_count,
        ),
    ] {
        set(key, number.map(Value::from));
    }
    let overrides = repair.node_repair_config_overrides.iter().map(|one| {
        json!({
            "MinRepairWaitTimeMins": one.min_repair_wait_time_mins,
            "NodeMonitoringCondition": one.node_monitoring_condition,
            "NodeUnhealthyReason": one.node_unhealthy_reason,
            "RepairAction": repair_action(&one.repair_action),
        })
    });
    let overrides: Vec<Value> = overrides.collect();
    set(
        "NodeRepairConfigOverrides",
        (!overrides.is_empty()).then_some(Value::Array(overrides)),
    );
    Value::Object(config)
}

/// The launch template that exists, or one that is added.
fn launch_template(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    if let Some(given) = &nodegroup.launch_template {
        let mut named = json!({"Id": given.named.id});
        if let Some(version) = &given.named.version {
            named["Version"] = json!(version);
        }
        return named;
    }
    let mut data = launch::data(draft, spec, nodegroup);
    let groups = groups(draft, spec, nodegroup, facts);
    if nodegroup.hardware.efa.is_some() {
        data["NetworkInterfaces"] = launch::interfaces(nodegroup, &groups);
    } else {
        data["SecurityGroupIds"] = json!(groups);
    }
    if nodegroup.image.id.is_some() || nodegroup.image.family.is_ubuntu() {
        data["ImageId"] = json!(launch::image(spec, nodegroup));
    }
    if is_capacity_block(nodegroup) {
        data["InstanceType"] = json!(nodegroup.types().first());
    }
    if let Some(text) = user_data::managed(spec, nodegroup, facts) {
        data["UserData"] = json!(text);
    }
    let id = launch::add_template(draft, "LaunchTemplate", &data);
    json!({"Id": id})
}

/// The cluster's group, the caller's, and those for SSH and elastic fabric adapters.
fn groups(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Vec<Value> {
    let mut groups = vec![launch::of_cluster(spec, "ClusterSecurityGroupId")];
    groups.extend(nodegroup.groups.attach_ids.iter().map(|id| json!(id)));
    let nodes = format!("managed worker nodes in group {}", nodegroup.name);
    let rules = launch::ssh_rules(nodegroup, facts, &nodes);
    if !rules.is_empty() {
        let group = json!({
            "GroupDescription": "Allow SSH access",
            "GroupName": sub("${AWS::StackName}-remoteAccess"),
            "SecurityGroupIngress": rules,
            "VpcId": launch::of_cluster(spec, "VPC"),
        });
        groups.push(draft.add_tagged("SSH", "AWS::EC2::SecurityGroup", group));
    }
    // Since 1.33 the cluster's own group lets adapters through.
    let built_in = crate::domain::cluster::kubernetes_version::at_least(&spec.version, 33);
    if nodegroup.hardware.efa.is_some() && !built_in {
        groups.push(launch::add_efa_group(draft, spec, &nodegroup.name));
    }
    groups
}

/// AWS's word for a repair: eksctl's files have older ones.
fn repair_action(asked: &str) -> &str {
    match asked {
        "Terminate" => "Replace",
        "Restart" => "Reboot",
        other => other,
    }
}
