//! Load balancers of a cluster go before it, while their controllers still run.

use fargate_fleet::domain::job_input::DeleteClusterInput;
use fargate_fleet::sim::BalancerSpec;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{NEW, full};
use crate::ops::support::{ACCOUNT, Fleet, REGION};

impl Fleet {
    /// Gives a cluster a Service of type `LoadBalancer`.
    pub async fn expose(&self, cluster: &str, name: &str) {
        let service = json!({
            "metadata": {"name": name},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        });
        let path = "api/v1/namespaces/default/services";
        self.post_to(cluster, path, &service).await;
    }

    async fn post_to(&self, cluster: &str, path: &str, object: &Value) {
        let (status, answer) = self.kubectl(cluster, Method::POST, path, object).await;
        assert!(status.is_success(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_and_ingresses_go_first_with_their_load_balancers() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    fleet.expose(NEW, "web").await;
    let ingress = json!({
        "metadata": {"name": "shop"},
        "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web"}}},
    });
    let path = "apis/networking.k8s.io/v1/namespaces/default/ingresses";
    fleet.post_to(NEW, path, &ingress).await;

    let plan = fleet
        .deletion_plan(NEW, DeleteClusterInput::default())
        .await;
    assert_eq!(
        (&plan.obstacles[..], &plan.warnings[..]),
        (&[][..], &[][..])
    );
    let first = &plan.steps[0];
    assert_eq!(first.name, "load_balancers");
    let kinds: Vec<&str> = first
        .resources
        .iter()
        .map(|one| one.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        ["service", "ingress", "load_balancer", "load_balancer"]
    );
    assert_eq!(first.resources[0].id, "default/web");

    let made = fleet.begun().len();
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    let begun = fleet.begun().split_off(made);
    let of_kubernetes = |call: &&String| call.starts_with("KubernetesDelete");
    assert_eq!(
        begun.iter().take(2).filter(of_kubernetes).count(),
        2,
        "{begun:?}"
    );
    assert_eq!(begun[2], "DeleteFargateProfile fp-a");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_load_balancer_that_nobody_takes_down_is_named_and_the_cluster_kept() {
    let mut fleet = Fleet::new().await;
    // The wait for load balancers takes a second.
    fleet.patience = 1_000.0;
    fleet.have_cluster(&full(NEW)).await;
    let balancer = BalancerSpec {
        cluster: NEW.to_owned(),
        ..BalancerSpec::default()
    };
    fleet
        .sim
        .put_load_balancer(ACCOUNT, REGION, "orphan", &balancer);
    let (before, changes) = (fleet.sim.inventory(), fleet.begun().len());
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_failed(job, "deadline_exceeded").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(
        message.contains("load balancer orphan (classic)"),
        "{message}"
    );
    assert_eq!(fleet.begun().len(), changes, "{:?}", fleet.begun());
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}
