//! Nodegroups with more than a name: what is looked up for them, and what is made of them.

use serde_json::{Value, json};

use super::support::{NEW, spec};
use crate::ops::support::{Fleet, REGION};
use fargate_fleet::aws::Access;
use fargate_fleet::domain::cluster::ClusterSpec;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
/// What the simulator always has.
const IMAGE: &str = "ami-0cccccccccccccc01";
const TEMPLATE: &str = "lt-0cccccccccccccc01";

fn with(list: &str, mut nodegroups: Value) -> ClusterSpec {
    for (i, nodegroup) in nodegroups.as_array_mut().unwrap().iter_mut().enumerate() {
        nodegroup["name"] = json!(format!("{}-{i}", &list[..2]));
    }
    let mut config = json!({"metadata": {"name": NEW, "region": REGION}});
    config[list] = nodegroups;
    spec(&config, false)
}

/// A cluster with nodegroups of every kind.
pub fn every_kind() -> ClusterSpec {
    let mut whole = with(
        "managedNodeGroups",
        json!([
            {"instanceSelector": {"vCPUs": 2, "memory": "4", "gpus": 0}, "spot": true},
            {"launchTemplate": {"id": TEMPLATE}},
            {"ami": IMAGE, "amiFamily": "AmazonLinux2023", "ssh": {"publicKeyName": "existing"}},
            {
                "amiFamily": "Bottlerocket", "availabilityZones": ["eu-central-1b"],
                "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
                "updateConfig": {"maxUnavailable": 1}, "nodeRepairConfig": {"enabled": true},
            },
        ]),
    );
    let own = with(
        "nodeGroups",
        json!([
            {
                "availabilityZones": ["eu-central-1b"], "ssh": {"publicKey": KEY}, "privateNetworking": true,
                "iam": {"withAddonPolicies": {"autoScaler": true, "ebs": true, "awsLoadBalancerController": true}},
                "volumeEncrypted": true, "preBootstrapCommands": ["true"],
            },
            {"instancesDistribution": {"instanceTypes": ["t3.small", "t3.medium"], "maxPrice": 0.017}},
            {"amiFamily": "WindowsServer2022CoreContainer"},
            {"instanceType": "g5.8xlarge", "efaEnabled": true, "availabilityZones": ["eu-central-1a"]},
        ]),
    );
    whole.nodegroups.extend(own.nodegroups);
    whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodegroups_of_every_kind_are_made_and_go_again_with_all_that_they_had() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&every_kind()).await;
    let clusters = fleet.caller(Access::ReadClusters, "*").await.clusters();
    let selected = clusters.nodegroup(NEW, "ma-0").await.unwrap().unwrap();
    assert_eq!(
        selected.instance_types,
        [
            "c4.large",
            "c5.large",
            "c6i.large",
            "c7i.large",
            "t2.medium",
            "t3.medium",
            "t3a.medium"
        ]
    );
    let rocket = clusters.nodegroup(NEW, "ma-3").await.unwrap().unwrap();
    assert_eq!(rocket.status.as_deref(), Some("ACTIVE"));
    assert_eq!(rocket.subnets.len(), 1);
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_nodegroup_needs_and_is_not_there_is_told_before_anything_is_made() {
    let fleet = Fleet::new().await;
    for (nodegroup, part) in [
        (
            json!({"ssh": {"publicKeyName": "mine"}}),
            "key pair 'mine' does not exist",
        ),
        (
            json!({"ami": "ami-0a", "amiFamily": "AmazonLinux2023"}),
            "image id '[ami-0a]' does not exist",
        ),
        (
            json!({"launchTemplate": {"id": "lt-1"}}),
            "template ID lt-1, does not exist",
        ),
        (
            json!({"launchTemplate": {"id": TEMPLATE, "version": "7"}}),
            "specified version 7",
        ),
        (
            json!({"launchTemplate": {"id": TEMPLATE}, "instanceTypes": ["m5.large"]}),
            "the launch template names an instance type",
        ),
        (
            json!({"securityGroups": {"attachIDs": ["sg-1"]}}),
            "'sg-1' does not exist",
        ),
        (
            json!({"instanceSelector": {"vCPUs": 3}}),
            "no instance type fits",
        ),
        (
            json!({"amiFamily": "AmazonLinux2"}),
            "there are images of AmazonLinux2 for Kubernetes up to 1.32",
        ),
        (
            json!({"efaEnabled": true}),
            "have no elastic fabric adapters",
        ),
    ] {
        let why = fleet
            .refused_creation(&with("managedNodeGroups", json!([nodegroup])))
            .await;
        assert!(why.contains(part), "{nodegroup}: {why}");
    }
}
