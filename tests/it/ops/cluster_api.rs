//! The Kubernetes API of simulated clusters, asked with the service's own client and tokens.

use std::time::Duration;

use fargate_fleet::aws::{Access, Caller};
use fargate_fleet::kubernetes::{self, Kubernetes, KubernetesError, Trouble};
use fargate_fleet::sim::{ClusterSettings, Fault};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{ACCOUNT, CLUSTER, Fleet, OTHER_ACCOUNT, REGION, fault};

const SERVICES: &str = "api/v1/namespaces/default/services";

impl Fleet {
    /// Where the API of a cluster of the fleet is.
    fn api_of(&self, account: &str, cluster: &str) -> String {
        format!(
            "{}/_kubernetes/{account}/{REGION}/{cluster}",
            self.endpoint()
        )
    }

    /// A client of that API with a token that is made out for a cluster.
    async fn client(&self, caller: &Caller, made_out_for: &str, endpoint: &str) -> Kubernetes {
        let token = caller.kubernetes_token(made_out_for).await.unwrap();
        Kubernetes::new(&kubernetes::Access {
            endpoint,
            certificate_authority: None,
            token: &token,
            plain_http: true,
        })
        .unwrap()
    }

    async fn own_client(&self) -> Kubernetes {
        let caller = self.caller(Access::DeleteCluster, CLUSTER).await;
        self.client(&caller, CLUSTER, &self.api_of(ACCOUNT, CLUSTER))
            .await
    }

    /// What a person asks with `kubectl`.
    pub async fn kubectl(
        &self,
        cluster: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let caller = self.caller(Access::DeleteCluster, cluster).await;
        let token = caller.kubernetes_token(cluster).await.unwrap();
        let url = format!("{}/{path}", self.api_of(ACCOUNT, cluster));
        let request = reqwest::Client::new()
            .request(method, url)
            .bearer_auth(token);
        let answer = request.json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

fn trouble<T: std::fmt::Debug>(answer: Result<T, KubernetesError>) -> Trouble {
    answer.unwrap_err().trouble
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_opens_the_cluster_that_it_is_made_out_for_and_no_other() {
    let fleet = Fleet::new().await;
    let caller = fleet.caller(Access::ReadClusters, "*").await;
    let here = fleet.api_of(ACCOUNT, CLUSTER);
    let own = fleet.client(&caller, CLUSTER, &here).await;
    assert_eq!(own.nodes("").await.unwrap().len(), 2);

    let mistaken = fleet.client(&caller, "dev-1", &here).await;
    assert_eq!(trouble(mistaken.nodes("").await), Trouble::Unauthorized);
    let elsewhere = fleet.api_of(OTHER_ACCOUNT, CLUSTER);
    let stranger = fleet.client(&caller, CLUSTER, &elsewhere).await;
    assert_eq!(trouble(stranger.nodes("").await), Trouble::Unauthorized);
    let nowhere = fleet.api_of(ACCOUNT, "nobody");
    let stray = fleet.client(&caller, "nobody", &nowhere).await;
    assert_eq!(trouble(stray.nodes("").await), Trouble::NotFound);

    fleet.sim.expire_sessions();
    assert_eq!(trouble(own.nodes("").await), Trouble::Unauthorized);
    let calls = fleet.sim.record().calls;
    let last = calls.last().unwrap();
    assert_eq!(
        (last.action.as_str(), last.status),
        ("KubernetesList", Some(401))
    );
    assert_eq!(last.resource(), Some("nodes"));
    assert_eq!(last.session_name.as_deref(), Some("by-hand"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_are_read_over_all_pages() {
    let fleet = Fleet::new().await;
    for number in 0..230 {
        let service =
            json!({"metadata": {"name": format!("s-{number}")}, "spec": {"ports": [{"port": 80}]}});
        let (status, _) = fleet
            .kubectl(CLUSTER, Method::POST, SERVICES, &service)
            .await;
        assert_eq!(status, StatusCode::CREATED);
    }
    let before = fleet.calls("KubernetesList", None);
    let services = fleet.own_client().await.services().await.unwrap();
    assert_eq!(services.len(), 230);
    let names: std::collections::BTreeSet<&str> =
        services.iter().map(|one| one.meta.name.as_str()).collect();
    assert_eq!(names.len(), 230);
    assert_eq!(fleet.calls("KubernetesList", None) - before, 3);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_goes_with_its_load_balancer_and_only_the_one_that_is_meant() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    });
    fleet
        .kubectl(CLUSTER, Method::POST, SERVICES, &service)
        .await;
    fleet.sim.advance(Duration::from_mins(2));
    let client = fleet.own_client().await;
    let web = client.services().await.unwrap().remove(0);
    assert!(web.is_load_balanced());
    assert_eq!(web.hosts.len(), 1);
    let line = format!("{ACCOUNT}/{REGION}/load-balancer/{CLUSTER}/services/default/web");
    assert!(fleet.sim.inventory().contains(&line));

    let mut another = web.meta.clone();
    another.uid = "another".to_owned();
    assert!(!client.delete_service(&another).await.unwrap());
    assert!(client.delete_service(&web.meta).await.unwrap());
    assert!(client.services().await.unwrap()[0].meta.deleting);
    fleet.sim.advance(Duration::from_mins(2));
    assert_eq!(client.services().await.unwrap(), []);
    assert!(!client.delete_service(&web.meta).await.unwrap());
    assert!(!fleet.sim.inventory().contains(&line));

    let ingress = json!({
        "metadata": {"name": "web"},
        "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web"}}},
    });
    let path = "apis/networking.k8s.io/v1/namespaces/default/ingresses";
    fleet.kubectl(CLUSTER, Method::POST, path, &ingress).await;
    let web = client.ingresses().await.unwrap().remove(0);
    assert!(web.is_of_aws());
    assert!(client.delete_ingress(&web.meta).await.unwrap());
    fleet.sim.advance(Duration::from_mins(2));
    assert_eq!(client.ingresses().await.unwrap(), []);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_makes_pods_anew_and_asked_for_twice_it_is_one() {
    let fleet = Fleet::new().await;
    let client = fleet.own_client().await;
    let names = async || {
        let pods = client
            .pods(Some("kube-system"), "k8s-app=kube-dns")
            .await
            .unwrap();
        assert!(pods.iter().all(|pod| pod.ready), "{pods:?}");
        pods.into_iter()
            .map(|pod| pod.meta.name)
            .collect::<Vec<_>>()
    };
    let before = names().await;
    assert_eq!(before.len(), 2);
    let at = chrono::DateTime::UNIX_EPOCH;
    let what = ("kube-system", "coredns");
    let first = client.restart_deployment(what, at).await.unwrap();
    let second = client.restart_deployment(what, at).await.unwrap();
    assert_eq!((first.generation, second.generation), (2, 2));
    fleet.sim.advance(Duration::from_mins(1));
    let after = names().await;
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|name| !before.contains(name)));
    assert_eq!(client.deployment("kube-system", "other").await, Ok(None));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_make_an_api_unavailable_slow_or_silent() {
    let fleet = Fleet::new().await;
    let client = fleet.own_client().await;
    let unavailable = Fault {
        status: Some(503),
        message: Some("try later".to_owned()),
        ..fault("Kubernetes")
    };
    let cut = Fault {
        cut: true,
        ..fault("KubernetesList")
    };
    fleet.sim.add_faults(vec![unavailable, cut]);
    let error = client.nodes("").await.unwrap_err();
    assert_eq!(error.to_string(), "listing nodes: try later");
    assert_eq!(error.trouble, Trouble::Unavailable);
    assert_eq!(trouble(client.nodes("").await), Trouble::Unreachable);
    assert!(client.nodes("").await.is_ok());
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_of_a_cluster_can_be_taken_away() {
    let fleet = Fleet::new().await;
    let client = fleet.own_client().await;
    let settings = ClusterSettings {
        nodes: Some(false),
        ..ClusterSettings::default()
    };
    fleet.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
    assert_eq!(client.nodes("").await.unwrap(), []);
    let pods = client.pods(None, "").await.unwrap();
    assert_eq!(
        pods[0].unscheduled.as_deref(),
        Some("no nodes available to schedule pods")
    );
    assert_eq!(
        fleet.sim.addon_runs(ACCOUNT, REGION, CLUSTER, "coredns"),
        Some(false)
    );
    fleet.end().await;
}
