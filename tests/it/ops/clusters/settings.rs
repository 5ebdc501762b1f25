//! Clusters with settings of their own come up, and leave nothing behind.

use serde_json::{Value, json};

use super::support::{NEW, spec};
use crate::ops::support::{Fleet, REGION};

/// The VPC that is always there.
const VPC: &str = "vpc-0cccccccccccccc01";

fn with(parts: &Value) -> Value {
    let mut config = json!({"metadata": {"name": NEW, "region": REGION}});
    let parts = parts.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(parts);
    config
}

fn profiles() -> Value {
    json!([{"name": "fp-a", "selectors": [{"namespace": "kube-system"}]}])
}

/// Subnets of the VPC that is always there, by id.
fn private(of: &[u8]) -> Value {
    let subnets = of.iter().map(|i| {
        let id = format!("subnet-0bbbbbbbbbbbbbb0{i}");
        (format!("p{i}"), json!({ "id": id }))
    });
    Value::Object(subnets.collect())
}

/// Creates a cluster of these parts, hands over what EKS says of it, and deletes it again.
async fn there_and_back(fleet: &Fleet, parts: Value) -> Value {
    let before = fleet.sim.inventory();
    let job = fleet.create_cluster(&spec(&with(&parts), false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let cluster = fleet.described(NEW);
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before, "{parts}");
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_control_plane_is_made_with_its_settings() {
    let fleet = Fleet::new().await;
    let key = format!("arn:aws:kms:{REGION}:111111111111:key/0a1b2c3d");
    let cluster = there_and_back(
        &fleet,
        json!({
            "fargateProfiles": profiles(),
            "localZones": [format!("{REGION}-ham-1a")],
            "vpc": {"autoAllocateIPv6": true, "extraCIDRs": ["172.31.0.0/16"]},
            "secretsEncryption": {"keyARN": key},
            "upgradePolicy": {"supportType": "STANDARD"},
            "zonalShiftConfig": {"enabled": true},
            "controlPlaneScalingConfig": {"tier": "tier-xl"},
            "kubernetesNetworkConfig": {"serviceIPv4CIDR": "10.200.0.0/16"},
            "kubeAPIServerConfig": {"eventTTL": "30m"},
        }),
    )
    .await;
    assert_eq!(cluster["encryptionConfig"][0]["provider"]["keyArn"], key);
    assert_eq!(cluster["upgradePolicy"]["supportType"], "STANDARD");
    assert_eq!(cluster["zonalShiftConfig"]["enabled"], true);
    assert_eq!(cluster["controlPlaneScalingConfig"]["tier"], "tier-xl");
    assert_eq!(cluster["kubeApiServerConfig"]["eventTtl"], "30m");
    let services = &cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"];
    assert_eq!(*services, "10.200.0.0/16");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_private_cluster_is_closed_to_the_internet_last_of_all() {
    let fleet = Fleet::new().await;
    let parts = json!({"privateCluster": {"enabled": true}, "fargateProfiles": profiles()});
    let cluster = there_and_back(&fleet, parts).await;
    let network = &cluster["resourcesVpcConfig"];
    assert_eq!(network["endpointPublicAccess"], false);
    assert_eq!(network["endpointPrivateAccess"], true);
    let begun = fleet.begun();
    let closing = begun
        .iter()
        .position(|call| call.starts_with("UpdateClusterConfig"));
    let created = begun.iter().rposition(|call| call.starts_with("Create"));
    assert!(closing.is_some() && closing > created, "{begun:?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn auto_mode_starts_the_nodes_that_metrics_server_runs_on() {
    let fleet = Fleet::new().await;
    let cluster = there_and_back(&fleet, json!({"autoModeConfig": {"enabled": true}})).await;
    let pools = &cluster["computeConfig"]["nodePools"];
    assert_eq!(*pools, json!(["general-purpose", "system"]));
    let role = cluster["computeConfig"]["nodeRoleArn"].as_str().unwrap();
    assert!(role.contains("AutoModeNodeRole"), "{role}");
    assert_eq!(cluster["storageConfig"]["blockStorage"]["enabled"], true);
    let addons: Vec<String> = fleet
        .begun()
        .into_iter()
        .filter(|call| call.starts_with("CreateAddon"))
        .collect();
    assert_eq!(addons, ["CreateAddon metrics-server"]);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_ipv6_cluster_has_addresses_of_both_kinds() {
    let fleet = Fleet::new().await;
    let parts = json!({
        "kubernetesNetworkConfig": {"ipFamily": "IPv6"},
        "addons": [{"name": "coredns"}],
        "fargateProfiles": profiles(),
    });
    let cluster = there_and_back(&fleet, parts).await;
    assert_eq!(cluster["kubernetesNetworkConfig"]["ipFamily"], "ipv6");
    let services = &cluster["kubernetesNetworkConfig"]["serviceIpv6Cidr"];
    assert!(services.is_string(), "{cluster}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hybrid_nodes_are_let_in() {
    let fleet = Fleet::new().await;
    for gateway in ["tgw-0a1b2c3d", "vgw-0a1b2c3d"] {
        let parts = json!({
            "fargateProfiles": profiles(),
            "remoteNetworkConfig": {
                "vpcGatewayID": gateway, "remoteNodeNetworks": [{"cidrs": ["10.80.0.0/24"]}]
            },
        });
        let cluster = there_and_back(&fleet, parts).await;
        let networks = &cluster["remoteNetworkConfig"]["remoteNodeNetworks"];
        assert_eq!(*networks, json!([{"cidrs": ["10.80.0.0/24"]}]));
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn subnets_are_found_by_their_addresses() {
    let fleet = Fleet::new().await;
    let mut subnets = private(&[2]);
    subnets["mine"] = json!({"cidr": "10.0.101.0/24"});
    let parts = json!({
        "vpc": {"id": VPC, "subnets": {"private": subnets}, "controlPlaneOnPrivateSubnets": true},
        "fargateProfiles": profiles(),
    });
    let cluster = there_and_back(&fleet, parts).await;
    let used = &cluster["resourcesVpcConfig"]["subnetIds"];
    assert_eq!(
        *used,
        json!(["subnet-0bbbbbbbbbbbbbb01", "subnet-0bbbbbbbbbbbbbb02"])
    );
    fleet.end().await;
}

/// What a job says of a cluster of these parts that is not made.
async fn refused(fleet: &Fleet, parts: Value) -> String {
    let made = fleet.begun().len();
    let job = fleet.create_cluster(&spec(&with(&parts), false)).await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    assert_eq!(fleet.begun().len(), made, "{parts}");
    fleet.queue.column(job, "error->>'message'").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_named_has_to_be_there_before_anything_is_made() {
    let fleet = Fleet::new().await;
    let vpc = |more: Value| {
        let mut vpc = json!({"id": VPC, "subnets": {"private": private(&[1, 2])}});
        let more = more.as_object().unwrap().clone();
        vpc.as_object_mut().unwrap().extend(more);
        json!({ "vpc": vpc })
    };
    let own = json!({"vpc": {
        "controlPlaneSubnetIDs": ["subnet-0bbbbbbbbbbbbbb01", "subnet-0bbbbbbbbbbbbbb02"]
    }});
    let mut private_cluster = vpc(json!({}));
    private_cluster["privateCluster"] = json!({"enabled": true});
    for (parts, words) in [
        (vpc(json!({"securityGroup": "sg-0nobody"})), "sg-0nobody"),
        (
            vpc(json!({"controlPlaneSubnetIDs": ["subnet-0x", "subnet-0y"]})),
            "subnet-0",
        ),
        (own, "the cluster gets a VPC of its own"),
        (
            json!({"localZones": [format!("{REGION}-nowhere-1a")]}),
            "has no local zone",
        ),
        (private_cluster, "has no route table of its own"),
        (
            json!({"vpc": {"id": VPC, "subnets": {"private": {
                "a": {"cidr": "10.9.0.0/24"}, "b": {"id": "subnet-0bbbbbbbbbbbbbb01"}
            }}}}),
            "no subnet that fits",
        ),
    ] {
        let message = refused(&fleet, parts.clone()).await;
        assert!(message.contains(words), "{parts}: {message}");
    }
    fleet.end().await;
}
