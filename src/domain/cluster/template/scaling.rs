//! The autoscaling group of a self-managed nodegroup.

use super::draft::{Draft, attribute_of, reference};
use super::nodegroup::{LAUNCH_TEMPLATE, makes_entry};
use super::{ClusterFacts, launch};
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use crate::domain::eksctl::nodegroup::NodeGroupInstancesDistribution;
use serde_json::{Map, Value, json};

const ID: &str = "NodeGroup";
/// What the cluster autoscaler reads of nodes that are not there yet.
const NODE_TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

pub(super) fn add(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) {
    let mut group = json!({
        "MaxSize": nodegroup.max.to_string(),
        "MinSize": nodegroup.min.to_string(),
        "Tags": tags(spec, nodegroup),
        "VPCZoneIdentifier": launch::subnets(spec, nodegroup, facts),
    });
    for (key, value) in asked(nodegroup) {
        group[key] = value;
    }
    draft.add(ID, "AWS::AutoScaling::AutoScalingGroup", group);
    let mut update = json!({});
    let suspended = &nodegroup.scaling.suspended;
    if !suspended.is_empty() {
        update["SuspendProcesses"] = json!(suspended);
    }
    draft.attribute(
        ID,
        "UpdatePolicy",
        json!({"AutoScalingRollingUpdate": update}),
    );
    // The nodes can join only once they are known.
    if makes_entry(spec, nodegroup) {
        draft.attribute(ID, "DependsOn", json!(["AccessEntry"]));
    }
}

/// What is in a group only if it was asked for.
fn asked(nodegroup: &NodegroupSpec) -> Map<String, Value> {
    let scaling = &nodegroup.scaling;
    let mut asked = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        asked.extend(value.map(|value| (key.to_owned(), value)));
    };
    let launched = json!({
        "LaunchTemplateId": reference(LAUNCH_TEMPLATE),
        "Version": attribute_of(LAUNCH_TEMPLATE, "LatestVersionNumber"),
    });
    if nodegroup.distribution.is_some() || nodegroup.selector.is_some() {
        let mixed = nodegroup.distribution.clone().unwrap_or_default();
        set(
            "MixedInstancesPolicy",
            Some(mixed_policy(nodegroup, &mixed, &launched)),
        );
        let rebalances = mixed.capacity_rebalance == Some(true);
        set("CapacityRebalance", rebalances.then_some(json!(true)));
    } else {
        set("LaunchTemplate", Some(launched));
    }
    let desired = nodegroup.desired;
    set(
        "DesiredCapacity",
        desired.map(|desired| json!(desired.to_string())),
    );
    let listed = |list: &[String]| (!list.is_empty()).then(|| json!(list));
    set("LoadBalancerNames", listed(&scaling.load_balancers));
    set("TargetGroupARNs", listed(&scaling.target_groups));
    set("MaxInstanceLifetime", scaling.max_lifetime.map(Value::from));
    let metrics = scaling.metrics.iter().map(|one| {
        let mut metrics = json!({"Granularity": one.granularity});
        if !one.metrics.is_empty() {
            metrics["Metrics"] = json!(one.metrics);
        }
        metrics
    });
    let metrics: Vec<Value> = metrics.collect();
    set(
        "MetricsCollection",
        (!metrics.is_empty()).then_some(Value::Array(metrics)),
    );
    asked
}

fn mixed_policy(
    nodegroup: &NodegroupSpec,
    mixed: &NodeGroupInstancesDistribution,
    launched: &Value,
) -> Value {
    let types = if nodegroup.is_selected() {
        vec!["TYPES-OF-THE-SELECTOR"]
    } else {
        nodegroup.types()
    };
    let overrides = types.iter().map(|one| json!({"InstanceType": one}));
    let mut distribution = Map::new();
    for (key, value) in [
        ("OnDemandBaseCapacity", mixed.on_demand_base_capacity),
        (
            "OnDemandPercentageAboveBaseCapacity",
            mixed.on_demand_percentage_above_base_capacity,
        ),
        ("SpotInstancePools", mixed.spot_instance_pools),
    ] {
        distribution.extend(value.map(|value| (key.to_owned(), json!(value))));
    }
    if let Some(price) = &mixed.max_price {
        distribution.insert("SpotMaxPrice".to_owned(), json!(price.to_string()));
    }
    if let Some(strategy) = &mixed.spot_allocation_strategy {
        distribution.insert("SpotAllocationStrategy".to_owned(), json!(strategy));
    }
    json!({
        "InstancesDistribution": distribution,
        "LaunchTemplate": {
            "LaunchTemplateSpecification": launched,
            "Overrides": overrides.collect::<Vec<_>>(),
        },
    })
}

/// The tags of the group, which its instances get too.
fn tags(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Vec<Value> {
    let tag =
        |key: &str, value: &str| json!({"Key": key, "PropagateAtLaunch": true, "Value": value});
    let mut tags = vec![
        tag("Name", &launch::node_name(spec, nodegroup)),
        tag(&format!("kubernetes.io/cluster/{}", spec.name), "owned"),
    ];
    let policies = nodegroup.role.with_addon_policies.as_ref();
    if policies.is_some_and(|asked| asked.auto_scaler == Some(true)) {
        tags.push(tag("k8s.io/cluster-autoscaler/enabled", "true"));
        tags.push(tag(
            &format!("k8s.io/cluster-autoscaler/{}", spec.name),
            "owned",
        ));
    }
    if nodegroup.scaling.tagged {
        let labels = launch::labels(spec, nodegroup);
        tags.extend(
            labels
                .iter()
                .map(|(key, value)| tag(&format!("{NODE_TEMPLATE}/label/{key}"), value)),
        );
        tags.extend(nodegroup.taints.iter().map(|taint| {
            let value = format!("{}:{}", taint.value, taint.effect);
            tag(&format!("{NODE_TEMPLATE}/taint/{}", taint.key), &value)
        }));
    }
    tags
}
