use super::*;
use crate::domain::cluster::samples;

#[test]
fn the_guides_cluster_is_made_in_eksctls_order() {
    let plan = ClusterPlan::assumed(&samples::guide()).unwrap();
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| {
            let stack = step.stack_name.as_deref().unwrap_or("-");
            format!("{} {stack}: {}", step.name, step.description)
        })
        .collect();
    assert_eq!(
        steps,
        [
            "preflight -: check that AWS offers Kubernetes 1.34; the add-ons vpc-cni, kube-proxy, \
             coredns, metrics-server; the instance types m5.large",
            "cluster_stack eksctl-fargate-cluster-cluster: create the network, the roles and the \
             control plane",
            "add_ons -: create the add-ons vpc-cni, kube-proxy",
            "control_plane_ready -: wait until the control plane is active",
            "fargate_profiles -: create the Fargate profile fp-default and wait until it is active",
            "fargate_profiles -: create the Fargate profile fp-dev and wait until it is active",
            "coredns -: create the add-on coredns on Fargate and wait until it runs",
            "nodegroups eksctl-fargate-cluster-nodegroup-ng-1: create the self-managed nodegroup \
             ng-1",
            "metrics_server -: create the add-ons metrics-server",
        ]
    );
    let stacks: Vec<&str> = plan
        .stacks
        .iter()
        .map(|stack| stack.name.as_str())
        .collect();
    assert_eq!(
        stacks,
        [
            "eksctl-fargate-cluster-cluster",
            "eksctl-fargate-cluster-nodegroup-ng-1"
        ]
    );
    assert_eq!(
        plan.stacks[1].tags["alpha.eksctl.io/nodegroup-type"],
        "unmanaged"
    );
}

#[test]
fn what_is_assumed_is_said() {
    let plan = ClusterPlan::assumed(&samples::guide()).unwrap();
    assert!(
        plan.assumptions[0].starts_with(
            "the zones are ap-northeast-1a, ap-northeast-1b, ap-northeast-1c; those that"
        ),
        "{:?}",
        plan.assumptions
    );
    assert!(plan.assumptions[1].contains("stand-ins"));
    let zones = serde_json::json!(["eu-central-1b", "eu-central-1a"]);
    let given = samples::spec(&serde_json::json!({
        "metadata": {"name": "c", "region": "eu-central-1"}, "availabilityZones": zones
    }));
    let plan = ClusterPlan::assumed(&given).unwrap();
    assert!(plan.assumptions.is_empty(), "{:?}", plan.assumptions);
    let resources = &plan.stacks[0].template["Resources"];
    assert_eq!(
        resources["NATGateway"]["Properties"]["SubnetId"]["Ref"],
        "SubnetPublicEUCENTRAL1A"
    );
}

#[test]
fn every_optional_step_has_its_place() {
    let spec = samples::spec(&serde_json::json!({
        "metadata": {"name": "c", "region": "eu-central-1"},
        "iam": {"withOIDC": true},
        "cloudWatch": {"clusterLogging": {"enableTypes": ["*"]}},
        "addons": [{"name": "aws-ebs-csi-driver"}, {"name": "eks-pod-identity-agent"}],
        "managedNodeGroups": [{"name": "m"}],
    }));
    let names: Vec<&str> = steps(&spec).iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "preflight",
            "cluster_stack",
            "add_ons",
            "control_plane_ready",
            "oidc",
            "coredns",
            "nodegroups",
            "metrics_server"
        ]
    );
    let addons: Vec<&str> = spec
        .addons
        .iter()
        .map(|addon| addon.name.as_str())
        .collect();
    assert_eq!(
        addons,
        [
            "vpc-cni",
            "kube-proxy",
            "coredns",
            "eks-pod-identity-agent",
            "aws-ebs-csi-driver",
            "metrics-server"
        ]
    );
}

#[test]
fn a_plan_travels_as_json() {
    let plan = ClusterPlan::assumed(&samples::guide()).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][1]["name"], "cluster_stack");
    assert_eq!(json["steps"][0].get("stackName"), None);
    assert_eq!(serde_json::from_value::<ClusterPlan>(json).unwrap(), plan);
}
