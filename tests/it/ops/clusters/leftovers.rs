//! What is in a cluster's network: the cluster's own is deleted with it, others' is found before
//! anything is destroyed, and what stands in the way is named.

use std::collections::BTreeMap;
use std::time::Duration;

use fargate_fleet::domain::ErrorCode;
use fargate_fleet::domain::job_input::DeleteClusterInput;
use fargate_fleet::sim::{BalancerSpec, ClusterSettings, GroupSpec, InterfaceSpec};
use serde_json::json;

use super::support::{NEW, full, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION};

const ASKED: DeleteClusterInput = DeleteClusterInput {
    unowned: false,
    lift_protection: false,
};
const ENI: &str = "eni-0123456789abcdef0";

/// Attached to nothing, and tagged by the CNI.
fn leaked() -> InterfaceSpec {
    InterfaceSpec {
        cluster: Some(NEW.to_owned()),
        description: "aws-K8S-i-0123456789abcdef0".to_owned(),
        tags: BTreeMap::from([("cluster.k8s.amazonaws.com/name".to_owned(), NEW.to_owned())]),
        ..InterfaceSpec::default()
    }
}

/// Of a database that somebody put there.
fn of_a_database() -> InterfaceSpec {
    InterfaceSpec {
        cluster: Some(NEW.to_owned()),
        description: "RDSNetworkInterface".to_owned(),
        status: "in-use".to_owned(),
        requester_id: Some("amazon-rds".to_owned()),
        ..InterfaceSpec::default()
    }
}

impl Fleet {
    fn put_eni(&self, spec: InterfaceSpec) {
        self.sim.put_interface(ACCOUNT, REGION, ENI, spec);
    }

    async fn message_of_refused(&self, code: &str) -> String {
        let (before, changes) = (self.sim.inventory(), self.begun().len());
        let job = self.delete_cluster(NEW, false).await;
        self.run().await;
        self.assert_failed(job, code).await;
        assert_eq!(self.begun().len(), changes, "{:?}", self.begun());
        assert_eq!(self.sim.inventory(), before);
        self.queue.column(job, "message").await
    }

    async fn is_deleted(&self) {
        let job = self.delete_cluster(NEW, false).await;
        self.run().await;
        self.assert_state(job, "succeeded").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_others_have_in_the_network_is_named_before_anything_is_deleted() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    fleet.put_eni(of_a_database());
    let group = GroupSpec {
        cluster: Some(NEW.to_owned()),
        name: "by-hand".to_owned(),
        ..GroupSpec::default()
    };
    fleet
        .sim
        .put_security_group(ACCOUNT, REGION, "sg-0byhand", group);
    let message = fleet.message_of_refused("conflict").await;
    for part in [
        "network interface eni-0123456789abcdef0 (interface, RDSNetworkInterface, made by amazon-rds)",
        "security group sg-0byhand (by-hand)",
        "nothing was deleted",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert_eq!(plan.obstacles[0].code, ErrorCode::Conflict);
    let ids: Vec<&str> = plan.obstacles[0]
        .resources
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(ids, ["sg-0byhand", ENI]);

    fleet.sim.remove_interface(ACCOUNT, REGION, ENI);
    let message = fleet.message_of_refused("conflict").await;
    assert!(!message.contains(ENI), "{message}");
    let group = GroupSpec {
        vpc_id: "vpc-elsewhere".to_owned(),
        ..GroupSpec::default()
    };
    fleet
        .sim
        .put_security_group(ACCOUNT, REGION, "sg-0byhand", group);
    fleet.is_deleted().await;
    let mut left = fleet.sim.inventory();
    left.retain(|line| !line.ends_with("sg-0byhand"));
    assert_eq!(left, before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn interfaces_that_the_cni_forgot_are_deleted() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    fleet.put_eni(leaked());
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert_eq!(plan.obstacles, []);
    let network = plan
        .steps
        .iter()
        .find(|step| step.name == "network")
        .unwrap();
    assert_eq!(network.resources[0].id, ENI);
    fleet.is_deleted().await;
    assert_eq!(fleet.sim.inventory(), before);
    let deleted = format!("DeleteNetworkInterface {ENI}");
    assert!(fleet.begun().contains(&deleted), "{:?}", fleet.begun());
    fleet.end().await;
}

/// A cluster whose deletion begins with its stack, and a deletion that has asked for that.
async fn at_its_stack(fleet: &Fleet) -> uuid::Uuid {
    let config = json!({"metadata": {"name": NEW, "region": REGION}});
    fleet.have_cluster(&spec(&config, false)).await;
    fleet.sim.freeze();
    fleet.delete_cluster(NEW, false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_left_while_the_stack_goes_is_deleted_and_the_stack_asked_for_again() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let job = at_its_stack(&fleet).await;
    let worker = fleet.worker().await;
    fleet.until_called("DeleteStack", 0).await;
    fleet.put_eni(leaked());
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker
        .drain(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    assert_eq!(fleet.calls("DeleteStack", Some(200)), 2);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_others_put_there_while_the_stack_goes_is_named_in_the_failure() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let job = at_its_stack(&fleet).await;
    let worker = fleet.worker().await;
    fleet.until_called("DeleteStack", 0).await;
    fleet.put_eni(of_a_database());
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker
        .drain(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    fleet.assert_failed(job, "not_stabilized").await;
    let message = fleet.queue.column(job, "message").await;
    for part in [
        "has dependencies and cannot be deleted",
        ENI,
        "RDSNetworkInterface",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    fleet.sim.remove_interface(ACCOUNT, REGION, ENI);
    fleet.is_deleted().await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn load_balancers_of_a_cluster_that_does_not_answer_keep_it() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&full(NEW)).await;
    let nobody = ClusterSettings {
        kubernetes_endpoint: Some("http://127.0.0.1:1".to_owned()),
        ..ClusterSettings::default()
    };
    fleet.sim.set_cluster(ACCOUNT, REGION, NEW, nobody);
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert_eq!(plan.warnings[0].code, "kubernetes_unreachable");
    assert_eq!(plan.obstacles, []);

    let balancer = BalancerSpec {
        cluster: NEW.to_owned(),
        kind: "network".to_owned(),
        ..BalancerSpec::default()
    };
    fleet
        .sim
        .put_load_balancer(ACCOUNT, REGION, "k8s-web-shop-1", &balancer);
    let begun = fleet.begun();
    let job = fleet.delete_cluster(NEW, false).await;
    let worker = fleet.worker().await;
    let waits = "select count(*) from jobs where waiting_reason = 'retry' and attempt = 0
        and message like '%Kubernetes API, through which its load balancers are deleted%'";
    fleet.queue.until(waits, |count| count == 1).await;
    sqlx::query("update job_rows set deadline_at = now() where state <> 'succeeded'")
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_failed(job, "deadline_exceeded").await;
    assert_eq!(fleet.begun(), begun, "nothing was changed");
    fleet.end().await;
}
