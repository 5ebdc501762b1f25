//! CoreDNS at kmock: read, patched and waited for, over TLS with the cluster's own authority.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fargate_fleet::kubernetes::{
    Access, COMPUTE_TYPE, Deployment, FARGATE, Kubernetes, Rollout, Service, Trouble,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Double;

const TOKEN: &str = "k8s-aws-v1.abc";
const DEPLOYMENTS: &str = "apis/apps/v1/namespaces/kube-system/deployments";

/// A cluster, and what its administrator does to it.
pub struct Cluster {
    double: Double,
    pub authority: String,
    admin: reqwest::Client,
    _files: TempDir,
}

/// A certificate for this machine, in PEM, and its key.
fn certificate() -> (String, String) {
    let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(hosts).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

impl Cluster {
    fn new() -> Self {
        Self::knowing(TOKEN)
    }

    /// One that lets in whose token begins so.
    pub fn knowing(token: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let (pem, private) = certificate();
        let (public, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
        std::fs::write(&public, &pem).unwrap();
        std::fs::write(&key, private).unwrap();
        let arguments = [public.to_str().unwrap(), key.to_str().unwrap(), token];
        let double = Double::start("serve_kmock.py", &arguments);
        let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        let admin = reqwest::Client::builder()
            .tls_certs_only([trusted])
            .build()
            .unwrap();
        Self {
            double,
            authority: STANDARD.encode(pem),
            admin,
            _files: files,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.double.port)
    }

    fn client(&self, authority: &str, token: &str) -> Kubernetes {
        Kubernetes::new(&Access {
            endpoint: &self.endpoint(),
            certificate_authority: Some(authority),
            token,
            plain_http: false,
        })
        .unwrap()
    }

    fn kubernetes(&self) -> Kubernetes {
        self.client(&self.authority, TOKEN)
    }

    /// Puts CoreDNS into the cluster.
    pub async fn install(&self, annotations: Value) {
        let object = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "coredns", "namespace": "kube-system", "generation": 1 },
            "spec": {
                "replicas": 2,
                "template": {
                    "metadata": { "annotations": annotations },
                    "spec": { "containers": [{ "name": "coredns" }] },
                },
            },
        });
        let url = format!("{}/{DEPLOYMENTS}", self.endpoint());
        self.ask(self.admin.post(url).json(&object)).await;
    }

    /// Puts an object into a place of the cluster.
    async fn put(&self, path: &str, name: &str, spec: Value) {
        // kmock does not say where an object is, unless it was told.
        let mut within = path.split('/').skip_while(|part| *part != "namespaces");
        let namespace = within.nth(1);
        let object = json!({
            "metadata": { "name": name, "namespace": namespace },
            "spec": spec,
        });
        let url = format!("{}/{path}", self.endpoint());
        self.ask(self.admin.post(url).json(&object)).await;
    }

    /// Does what the cluster's own controller does.
    pub async fn progress(&self, change: Value) {
        let url = format!("{}/{DEPLOYMENTS}/coredns", self.endpoint());
        let patch = self.admin.patch(url).body(change.to_string());
        self.ask(patch.header("content-type", "application/merge-patch+json"))
            .await;
    }

    /// The Deployment as the API has it.
    pub async fn deployment(&self) -> Value {
        let url = format!("{}/{DEPLOYMENTS}/coredns", self.endpoint());
        let answer = self.admin.get(url).bearer_auth(TOKEN).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn ask(&self, request: reqwest::RequestBuilder) {
        let answer = request.bearer_auth(TOKEN).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

async fn coredns(kubernetes: &Kubernetes) -> Deployment {
    kubernetes.coredns().await.unwrap().expect("it is there")
}

#[tokio::test]
async fn coredns_is_moved_onto_fargate_and_waited_for() {
    let cluster = Cluster::new();
    cluster.install(json!({ "kept": "as it is" })).await;
    let kubernetes = cluster.kubernetes();
    let seen = coredns(&kubernetes).await;
    let patched = kubernetes.set_coredns_compute_type(&seen, Some(FARGATE));
    assert!(patched.await.unwrap());
    let moved = coredns(&kubernetes).await;
    assert_eq!(moved.pod_annotations[COMPUTE_TYPE], FARGATE);
    assert_eq!(moved.pod_annotations["kept"], "as it is");
    assert!(matches!(moved.rollout(), Rollout::Waiting(_)));
    let again = kubernetes.set_coredns_compute_type(&moved, Some(FARGATE));
    assert!(!again.await.unwrap(), "what is so already is not patched");

    let status = json!({
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    });
    let change = json!({ "metadata": { "generation": 2 }, "status": status });
    cluster.progress(change).await;
    assert_eq!(coredns(&kubernetes).await.rollout(), Rollout::Done);
}

#[tokio::test]
async fn a_compute_type_is_taken_away_once_and_absence_is_done() {
    let cluster = Cluster::new();
    cluster.install(json!({ COMPUTE_TYPE: "ec2" })).await;
    let kubernetes = cluster.kubernetes();
    let seen = coredns(&kubernetes).await;
    let taken = kubernetes.set_coredns_compute_type(&seen, None);
    assert!(taken.await.unwrap());
    let now = coredns(&kubernetes).await;
    assert!(now.pod_annotations.is_empty());
    let again = kubernetes.set_coredns_compute_type(&now, None);
    assert!(!again.await.unwrap());
}

#[tokio::test]
async fn a_cluster_without_coredns_has_none() {
    let cluster = Cluster::new();
    assert_eq!(cluster.kubernetes().coredns().await, Ok(None));
}

#[tokio::test]
async fn another_token_is_told_apart() {
    let cluster = Cluster::new();
    cluster.install(json!({})).await;
    let refused = cluster.client(&cluster.authority, "k8s-aws-v1.other");
    let error = refused.coredns().await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Unauthorized);
    assert_eq!(error.message, "Unauthorized");
}

#[tokio::test]
async fn only_the_clusters_own_authority_is_trusted() {
    let cluster = Cluster::new();
    cluster.install(json!({})).await;
    let (other, _) = certificate();
    let error = cluster
        .client(&STANDARD.encode(other), TOKEN)
        .coredns()
        .await
        .unwrap_err();
    assert_eq!(error.trouble, Trouble::Unreachable);
    assert!(error.message.contains("certificate"), "{error}");
}

#[tokio::test]
async fn services_ingresses_pods_and_nodes_are_listed_and_what_has_load_balancers_is_deleted() {
    let cluster = Cluster::new();
    let balanced = json!({"type": "LoadBalancer", "ports": [{"port": 80}]});
    let services = "api/v1/namespaces/default/services";
    cluster.put(services, "web", balanced).await;
    cluster
        .put(services, "inner", json!({"ports": [{"port": 80}]}))
        .await;
    let ingresses = "apis/networking.k8s.io/v1/namespaces/shop/ingresses";
    cluster
        .put(ingresses, "web", json!({"ingressClassName": "alb"}))
        .await;
    cluster.put("api/v1/nodes", "ip-1", json!({})).await;
    cluster
        .put(
            "api/v1/namespaces/shop/pods",
            "web-1",
            json!({"nodeName": "ip-1"}),
        )
        .await;

    let kubernetes = cluster.kubernetes();
    let mut found = kubernetes.services().await.unwrap();
    found.retain(Service::is_load_balanced);
    assert_eq!(found.len(), 1);
    let web = &found[0].meta;
    assert_eq!(
        (web.namespace.as_str(), web.name.as_str()),
        ("default", "web")
    );
    assert!(kubernetes.delete_service(web).await.unwrap());
    assert!(!kubernetes.delete_service(web).await.unwrap(), "it is gone");
    assert_eq!(kubernetes.services().await.unwrap().len(), 1);

    let ingress = kubernetes.ingresses().await.unwrap().remove(0);
    assert!(ingress.is_of_aws());
    assert!(kubernetes.delete_ingress(&ingress.meta).await.unwrap());
    assert_eq!(kubernetes.ingresses().await.unwrap(), []);

    let nodes = kubernetes.nodes("").await.unwrap();
    assert_eq!((nodes.len(), nodes[0].ready), (1, false));
    let pods = kubernetes.pods(Some("shop"), "").await.unwrap();
    assert_eq!(pods[0].node.as_deref(), Some("ip-1"));
    assert_eq!(kubernetes.pods(Some("default"), "").await.unwrap(), []);
}

#[tokio::test]
async fn a_restart_changes_the_annotation_of_the_pods() {
    let cluster = Cluster::new();
    cluster.install(json!({ "kept": "as it is" })).await;
    let kubernetes = cluster.kubernetes();
    let at = chrono::DateTime::UNIX_EPOCH;
    let what = ("kube-system", "coredns");
    let restarted = kubernetes.restart_deployment(what, at).await.unwrap();
    let annotations = restarted.pod_annotations;
    assert_eq!(
        annotations["kubectl.kubernetes.io/restartedAt"],
        "1970-01-01T00:00:00Z"
    );
    assert_eq!(annotations["kept"], "as it is");
}
