//! A cluster's API without its tokens, which `tests/it/sim` and `tests/boto3` sign.

use std::collections::BTreeMap;

use actix_web::web::Bytes;

use super::*;
use crate::sim::access_policies::Association;
use crate::sim::addon::{Addon, Stage};
use crate::sim::details::Details;
use crate::sim::profile::{Phase, Profile};
use crate::sim::selector::Selector;

const SECOND: Duration = Duration::from_secs(1);
const ADMIN: &str = "arn:aws:iam::111111111111:role/fargate-fleet";

/// A cluster, whom its API is asked by, and when.
struct Place {
    cluster: Cluster,
    who: Who,
    now: Duration,
}

impl Place {
    /// One of the first fleet.
    fn in_use() -> Self {
        Self::of(Cluster::new("111111111111", "eu-central-1", "prod-1"))
    }

    /// One that a stack has made.
    fn new() -> Self {
        let mut cluster = Cluster::new("111111111111", "eu-central-1", "new-1");
        cluster.set_details(Details {
            kube: Kube::new(wall()),
            admins: [ADMIN.to_owned()].into(),
            ..Details::default()
        });
        Self::of(cluster)
    }

    fn of(cluster: Cluster) -> Self {
        Self {
            cluster,
            who: Who {
                principal: ADMIN.to_owned(),
                session_arn: "arn:aws:sts::111111111111:assumed-role/fargate-fleet/me".to_owned(),
            },
            now: Duration::ZERO,
        }
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        let path = format!("/_kubernetes/111111111111/eu-central-1/c/{path}");
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let query = crate::sim::wire::pairs(query);
        let target = Target::parse(method, path, &query).unwrap();
        let What::Object(verb, object) = &target.what else {
            return Err(Status::no_route());
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let inbound = Inbound {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            authorization: None,
            content_type: Some("application/merge-patch+json".to_owned()),
            token: None,
            target: None,
            body: Bytes::from(body),
        };
        self.cluster.settle(self.now, Duration::ZERO);
        let call = Call {
            verb: *verb,
            object,
            inbound: &inbound,
            now: self.now,
        };
        let reply = call.perform(&mut self.cluster, &self.who);
        self.cluster.settle(self.now, Duration::ZERO);
        reply
    }

    fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, &Value::Null).unwrap().1
    }

    fn count(&mut self, path: &str) -> usize {
        self.get(path)["items"].as_array().unwrap().len()
    }

    fn refusal(&mut self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let status = self.call(method, path, body).unwrap_err();
        (status.code, status.message)
    }

    fn wait(&mut self, seconds: u32) {
        self.now += SECOND * seconds;
    }

    fn add_profile(&mut self, namespace: &str) {
        let profile = Profile {
            arn: String::new(),
            created_at: wall(),
            role_arn: String::new(),
            subnets: vec![],
            selectors: vec![Selector {
                namespace: namespace.to_owned(),
                ..Selector::default()
            }],
            tags: BTreeMap::new(),
            origin: None,
            active_since: Duration::ZERO,
            phase: Phase::Active,
        };
        self.cluster.profiles.insert(namespace.to_owned(), profile);
    }

    fn add_coredns(&mut self, configuration: Option<&str>) {
        let mut addon = Addon::settled(String::new(), "coredns");
        addon.configuration = configuration.map(str::to_owned);
        self.cluster
            .details()
            .addons
            .insert("coredns".to_owned(), addon);
        self.cluster.settle(self.now, Duration::ZERO);
    }
}

const COREDNS: &str = "apis/apps/v1/namespaces/kube-system/deployments/coredns";
const DNS_PODS: &str = "api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns";

#[test]
fn coredns_of_a_cluster_in_use_serves_on_its_nodes() {
    let mut place = Place::in_use();
    let deployment = place.get(COREDNS);
    assert_eq!(deployment["status"]["availableReplicas"], 2);
    assert_eq!(
        deployment["status"]["observedGeneration"],
        deployment["metadata"]["generation"]
    );
    assert_eq!(place.count(DNS_PODS), 2);
    assert_eq!(place.count("api/v1/nodes"), 2);
    assert_eq!(place.cluster.addon_runs("coredns"), Some(true));
}

#[test]
fn a_new_cluster_has_coredns_with_the_add_on_and_its_pods_wait_for_a_place() {
    let mut place = Place::new();
    assert_eq!(place.refusal("GET", COREDNS, &Value::Null).0, 404);
    place.add_coredns(None);
    place.wait(600);
    assert_eq!(place.get(COREDNS)["status"]["availableReplicas"], 0);
    let events = place.get("api/v1/namespaces/kube-system/events");
    assert_eq!(
        events["items"][0]["message"],
        "no nodes available to schedule pods"
    );
    // A profile comes too late for pods that are there, whatever their add-on says.
    place.add_profile("kube-system");
    place.wait(600);
    assert_eq!(place.cluster.addon_runs("coredns"), Some(false));
    place.add_coredns(Some(r#"{"computeType": "Fargate", "replicaCount": 3}"#));
    assert_eq!(place.cluster.addon_runs("coredns"), Some(false));
    place.wait(60);
    assert_eq!(place.count(DNS_PODS), 3);
    assert_eq!(
        place.count(&format!("{DNS_PODS}&fieldSelector=status.phase%3DRunning")),
        3
    );
    assert_eq!(place.cluster.addon_runs("coredns"), Some(true));
    let nodes = place.get("api/v1/nodes?labelSelector=eks.amazonaws.com/compute-type%3Dfargate");
    assert_eq!(nodes["items"].as_array().unwrap().len(), 3);
    place
        .cluster
        .details()
        .addons
        .get_mut("coredns")
        .unwrap()
        .stage = Stage::Deleting(place.now);
    assert_eq!(place.count(DNS_PODS), 0);
    assert_eq!(place.cluster.addon_runs("coredns"), None);
}

#[test]
fn a_patch_and_a_restart_make_pods_anew() {
    let mut place = Place::in_use();
    place.add_profile("kube-system");
    let annotations = json!({"eks.amazonaws.com/compute-type": "fargate"});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    let patched = place.call("PATCH", COREDNS, &patch).unwrap().1;
    assert_eq!(patched["status"]["replicas"], 4);
    assert_eq!(patched["status"]["observedGeneration"], 1);
    place.wait(60);
    let done = place.get(COREDNS);
    assert_eq!(done["status"]["replicas"], 2);
    assert_eq!(done["metadata"]["generation"], 2);
    assert_eq!(place.count("api/v1/nodes"), 4);
    let before = place.get(DNS_PODS)["items"][0]["metadata"]["name"].clone();
    place.cluster.restart_addon("coredns", place.now);
    place.wait(60);
    assert_ne!(place.get(DNS_PODS)["items"][0]["metadata"]["name"], before);
    let changed = json!({"metadata": {"resourceVersion": "1"}});
    assert_eq!(place.refusal("PATCH", COREDNS, &changed).0, 409);
    let renamed = json!({"metadata": {"name": "other"}});
    assert_eq!(place.refusal("PATCH", COREDNS, &renamed).0, 422);
}

#[test]
fn a_service_of_type_load_balancer_stays_until_its_load_balancer_is_gone() {
    let mut place = Place::new();
    let services = "api/v1/namespaces/default/services";
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    });
    let (code, made) = place.call("POST", services, &service).unwrap();
    assert_eq!(code, 201);
    assert_eq!(made["status"], json!({"loadBalancer": {}}));
    assert_eq!(place.refusal("POST", services, &service).0, 409);
    place.wait(120);
    let made = place.get("api/v1/services")["items"][0].clone();
    let host = made["status"]["loadBalancer"]["ingress"][0]["hostname"]
        .as_str()
        .unwrap();
    assert!(host.ends_with(".eu-central-1.elb.amazonaws.com"), "{host}");
    let wrong = json!({"preconditions": {"uid": "another"}});
    let web = format!("{services}/web");
    assert_eq!(place.refusal("DELETE", &web, &wrong).0, 409);
    let deleted = place.call("DELETE", &web, &Value::Null).unwrap().1;
    assert!(
        deleted["metadata"]["deletionTimestamp"].is_string(),
        "{deleted}"
    );
    assert_eq!(place.count(services), 1);
    place.wait(30);
    assert_eq!(place.count(services), 0);
    let words = "services \"web\" not found".to_owned();
    assert_eq!(place.refusal("GET", &web, &Value::Null), (404, words));

    let ingresses = "apis/networking.k8s.io/v1/namespaces/default/ingresses";
    for (name, class, stays) in [("a", "alb", 1), ("b", "nginx", 0)] {
        let ingress = json!({
            "metadata": {"name": name},
            "spec": {"ingressClassName": class, "defaultBackend": {"service": {"name": "web"}}},
        });
        place.call("POST", ingresses, &ingress).unwrap();
        place
            .call("DELETE", &format!("{ingresses}/{name}"), &Value::Null)
            .unwrap();
        assert_eq!(place.count(ingresses), stays, "{class}");
        place.wait(60);
    }
}

#[test]
fn what_kubernetes_refuses_is_refused_in_its_words() {
    let mut place = Place::new();
    let services = "api/v1/namespaces/default/services";
    let named = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    for (path, body, code, words) in [
        (services, json!({}), 422, "name or generateName is required"),
        (services, named("A", json!({})), 422, "RFC 1123"),
        (
            services,
            named("a", json!({})),
            422,
            "Service \"a\" is invalid: spec.ports: Required value",
        ),
        (
            services,
            named("a", json!({"type": "x"})),
            422,
            "Unsupported value",
        ),
        (
            services,
            json!({"kind": "Pod", "metadata": {"name": "a"}}),
            400,
            "must be of type Service",
        ),
        (services, json!([]), 400, "no JSON object"),
        (
            "api/v1/namespaces/x/services",
            named("a", json!({"ports": [1]})),
            404,
            "namespaces \"x\" not found",
        ),
        (
            "api/v1/nodes",
            named("a", json!({})),
            405,
            "does not allow this method",
        ),
        (
            "apis/networking.k8s.io/v1/namespaces/default/ingresses",
            named("a", json!({})),
            422,
            "either `defaultBackend` or `rules`",
        ),
        (
            "apis/apps/v1/namespaces/default/deployments",
            named("a", json!({})),
            422,
            "Deployment.apps \"a\" is invalid: spec.selector",
        ),
    ] {
        let (found, message) = place.refusal("POST", path, &body);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_refusal_is_an_object_of_kind_status() {
    let mut place = Place::new();
    let status = place.call("GET", COREDNS, &Value::Null).unwrap_err();
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "deployments.apps \"coredns\" not found", "reason": "NotFound",
        "details": {"name": "coredns", "group": "apps", "kind": "deployments"}, "code": 404,
    });
    assert_eq!(status.body(), expected);
}

#[test]
fn deployments_of_callers_run_where_a_profile_catches_them() {
    let mut place = Place::new();
    place
        .call(
            "POST",
            "api/v1/namespaces",
            &json!({"metadata": {"name": "dev"}}),
        )
        .unwrap();
    let labels = json!({"app": "web"});
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web"}]}},
        },
    });
    place.add_profile("dev");
    let deployments = "apis/apps/v1/namespaces/dev/deployments";
    place.call("POST", deployments, &deployment).unwrap();
    place.wait(60);
    let pod = place.get("api/v1/pods")["items"][0].clone();
    assert_eq!(pod["spec"]["schedulerName"], "fargate-scheduler");
    assert_eq!(
        pod["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"],
        "dev"
    );
    assert_eq!(pod["status"]["phase"], "Running");
    let pods = format!(
        "api/v1/namespaces/dev/pods/{}",
        pod["metadata"]["name"].as_str().unwrap()
    );
    place.call("DELETE", &pods, &Value::Null).unwrap();
    assert_eq!(
        place.get("api/v1/pods")["items"][0]["status"]["phase"],
        "Pending"
    );
    place
        .call("DELETE", &format!("{deployments}/web"), &Value::Null)
        .unwrap();
    assert_eq!(place.count("api/v1/pods"), 0);
}

#[test]
fn strangers_are_unknown_and_entries_say_who_may_what() {
    let mut place = Place::new();
    let reader = "arn:aws:iam::111111111111:role/reader";
    place.who.principal = reader.to_owned();
    let list = "api/v1/namespaces/kube-system/pods";
    let unknown = (401, "Unauthorized".to_owned());
    assert_eq!(place.refusal("GET", list, &Value::Null), unknown);
    place.cluster.add_access_entry(reader, "EC2_LINUX").unwrap();
    assert_eq!(place.refusal("GET", list, &Value::Null), unknown);
    place.cluster.details().access_entries.clear();
    place.cluster.add_access_entry(reader, "STANDARD").unwrap();
    let (code, words) = place.refusal("GET", list, &Value::Null);
    assert_eq!(code, 403);
    let who = "User \"arn:aws:sts::111111111111:assumed-role/reader/me\" cannot list resource";
    assert!(words.contains(who), "{words}");
    let policy = Association {
        policy_arn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy".to_owned(),
        namespaces: Some(vec!["kube-*".to_owned()]),
        associated_at: wall(),
    };
    let policies = &mut place.cluster.details().access_policies;
    policies.insert(reader.to_owned(), vec![policy]);
    assert_eq!(place.count(list), 0);
    assert_eq!(place.refusal("GET", "api/v1/pods", &Value::Null).0, 403);
    assert_eq!(place.refusal("DELETE", COREDNS, &Value::Null).0, 403);
}
