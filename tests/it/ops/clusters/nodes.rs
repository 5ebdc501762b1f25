//! Nodegroups are followed until their nodes are Ready.

use std::time::Duration;

use fargate_fleet::sim::{ClusterSettings, Fault};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{NEW, full, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

/// Two nodegroups, of three nodes each.
fn nodes() -> Value {
    let group =
        |name: &str| json!({"name": name, "instanceType": "m5.large", "desiredCapacity": 3});
    json!({
        "metadata": {"name": NEW, "region": REGION},
        "nodeGroups": [group("ng-own")],
        "managedNodeGroups": [group("ng-eks")],
    })
}

impl Fleet {
    /// The job's warnings: codes and messages.
    pub async fn warnings_told(&self, job: Uuid) -> Vec<(String, String)> {
        let told = self.warnings_of(job).await.into_iter();
        told.map(|one| (one.code, one.message)).collect()
    }

    /// Everything that the job said it was waiting for.
    async fn said(&self, job: Uuid) -> String {
        let sql =
            "select coalesce(string_agg(message, E'\n'), '') from job_events where job_id = $1";
        sqlx::query_scalar(sql)
            .bind(job)
            .fetch_one(self.queue.pool())
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_waits_until_all_nodes_are_ready() {
    let fleet = Fleet::new().await;
    fleet.sim.limit_joining_nodes(Some(0));
    let job = fleet.create_cluster(&spec(&nodes(), false)).await;
    let worker = fleet.worker().await;
    fleet.until_called("KubernetesList", 1).await;
    let settings = ClusterSettings {
        max_joining_nodes: Some(3),
        ..ClusterSettings::default()
    };
    fleet.sim.set_cluster(ACCOUNT, REGION, NEW, settings);
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.warnings_told(job).await, []);
    assert!(fleet.calls_of(job, "KubernetesList") >= 3);
    let said = fleet.said(job).await;
    assert!(
        said.contains("Waits for nodes: 0 of 3 nodes of nodegroup ng-own are Ready"),
        "{said}"
    );
    assert!(
        said.contains("0 of 3 nodes of nodegroup ng-eks are Ready"),
        "{said}"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_never_join_are_a_warning_that_counts_them() {
    let mut fleet = Fleet::new().await;
    fleet.patience = 6_000.0;
    fleet.sim.limit_joining_nodes(Some(2));
    let job = fleet.create_cluster(&spec(&nodes(), false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_told(job).await;
    let of_nodes = warnings
        .iter()
        .filter(|(code, _)| code == "nodes_not_ready");
    let of_nodes: Vec<&str> = of_nodes.map(|(_, message)| message.as_str()).collect();
    let expected = "after 25 minutes 2 of 3 nodes of nodegroup ng-own are Ready; 2 of 3 nodes of \
                    nodegroup ng-eks are Ready; the cluster is there without the others";
    assert_eq!(of_nodes, [expected], "{warnings:?}");
    let health = (
        "nodegroup_health".to_owned(),
        "EKS says of nodegroup ng-eks: NodeCreationFailure: Instances failed to join the kubernetes cluster"
            .to_owned(),
    );
    assert!(warnings.contains(&health), "{warnings:?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_api_that_is_down_for_a_while_is_waited_for() {
    let fleet = Fleet::new().await;
    let unavailable = Fault {
        status: Some(503),
        times: Some(5),
        message: Some("etcd is busy".to_owned()),
        ..fault("KubernetesList")
    };
    let cut = Fault {
        cut: true,
        times: Some(3),
        ..fault("Kubernetes")
    };
    fleet.sim.add_faults(vec![unavailable, cut]);
    let job = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.warnings_told(job).await, []);
    assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    assert!(fleet.calls_of(job, "KubernetesList") >= 9);
    assert!(fleet.said(job).await.contains("etcd is busy"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_api_that_lets_nobody_in_is_a_warning_with_the_command() {
    let mut fleet = Fleet::new().await;
    fleet.patience = 600.0;
    fleet.sim.add_faults(vec![Fault {
        status: Some(403),
        times: Some(10_000),
        message: Some("nodes is forbidden".to_owned()),
        ..fault("KubernetesList")
    }]);
    let job = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_told(job).await;
    let told = warnings
        .iter()
        .find(|(code, _)| code == "nodes_not_checked");
    let (_, message) = told.expect("a warning");
    for words in [
        "nodes is forbidden",
        "an access entry of the cluster that lets it read nodes",
        "kubectl get nodes",
        "of nodegroup ng-1",
    ] {
        assert!(message.contains(words), "{message}");
    }
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_private_endpoint_is_not_waited_for() {
    let fleet = Fleet::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    fleet.sim.set_kubernetes(Some(endpoint), None);
    let mut config = nodes();
    config["vpc"] = json!({"clusterEndpoints": {"publicAccess": false, "privateAccess": true}});
    let job = fleet.create_cluster(&spec(&config, false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_told(job).await;
    let told = warnings
        .iter()
        .find(|(code, _)| code == "nodes_not_checked");
    let (_, message) = told.expect("a warning");
    assert!(
        message.contains("the cluster's endpoint is private"),
        "{message}"
    );
    assert!(
        message.contains("3 of nodegroup ng-own, 3 of nodegroup ng-eks"),
        "{message}"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn add_ons_run_on_nodes_only_once_these_have_joined() {
    let mut fleet = Fleet::new().await;
    fleet.patience = 6_000.0;
    fleet.sim.limit_joining_nodes(Some(0));
    let job = fleet.create_cluster(&spec(&nodes(), false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.warnings_told(job).await;
    let idle = warnings
        .iter()
        .filter(|(code, _)| code == "addon_not_active");
    assert_eq!(idle.count(), 2, "{warnings:?}");
    fleet.sim.advance(Duration::from_mins(1));
    fleet.end().await;
}
