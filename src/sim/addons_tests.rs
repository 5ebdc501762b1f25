//! Add-ons, nodegroups and the end of clusters, by a clock that is pushed.

use super::*;
use crate::sim::action::Target;
use crate::sim::control::ClusterSettings;
use crate::sim::options::SimOptions;
use crate::sim::wire::{Answer, Inbound};

const PLACE: (&str, &str, &str) = ("111111111111", "eu-central-1", "prod-1");
const COREDNS: &str = "/clusters/prod-1/addons/coredns";

struct Sim(World);

impl Sim {
    fn new(settings: ClusterSettings) -> Self {
        let mut world = World::new(SimOptions::default());
        world.clock.freeze();
        world.set_cluster(PLACE, settings);
        Self(world)
    }

    /// A cluster without nodes whose CoreDNS was made to run on them.
    fn without_nodes() -> Self {
        Self::new(ClusterSettings {
            nodes: Some(false),
            ..ClusterSettings::default()
        })
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        assert!(Target::parse(method, path).is_some(), "{method} {path}");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let scope = "test/20260101/eu-central-1/eks/aws4_request";
        let inbound = Inbound {
            method: method.into(),
            path: path.into(),
            query: crate::sim::wire::pairs(query),
            content_type: None,
            authorization: Some(format!("AWS4-HMAC-SHA256 Credential={scope}")),
            token: None,
            target: None,
            body: body.to_string().into(),
        };
        let arrival = self.0.arrive(&inbound);
        let Answer { status, body, .. } = self.0.perform(&inbound, &arrival);
        (status, serde_json::from_str(&body).unwrap())
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, &Value::Null);
        assert_eq!(status, 200, "{body}");
        body
    }

    fn pass(&mut self, seconds: u64) {
        self.0.clock.advance(Duration::from_secs(seconds));
    }

    fn status(&mut self) -> Value {
        self.get(COREDNS)["addon"]["status"].clone()
    }

    fn create_profile(&mut self, namespace: &str) {
        let body = json!({
            "fargateProfileName": "web",
            "podExecutionRoleArn": "arn:aws:iam::111111111111:role/fargate-pod-execution",
            "selectors": [{"namespace": namespace}],
        });
        let path = "/clusters/prod-1/fargate-profiles";
        assert_eq!(self.call("POST", path, &body).0, 200);
    }
}

#[test]
fn clusters_of_the_fleet_run_coredns() {
    let mut sim = Sim::new(ClusterSettings::default());
    assert_eq!(
        sim.get("/clusters/prod-1/addons")["addons"],
        json!(["coredns"])
    );
    assert_eq!(sim.status(), "ACTIVE");
    assert_eq!(
        sim.get("/clusters/prod-1/node-groups")["nodegroups"],
        json!([])
    );
}

#[test]
fn coredns_needs_nodes_or_fargate_and_a_profile_that_catches_it() {
    let mut sim = Sim::without_nodes();
    assert_eq!(sim.status(), "DEGRADED");
    let issue = &sim.get(COREDNS)["addon"]["health"]["issues"][0]["code"];
    assert_eq!(issue, "InsufficientNumberOfReplicas");
    let body = json!({"configurationValues": "{\"computeType\": \"Fargate\"}"});
    let (status, answer) = sim.call("POST", &format!("{COREDNS}/update"), &body);
    assert_eq!(
        (status, &answer["update"]["status"]),
        (200, &json!("InProgress"))
    );
    assert_eq!(sim.status(), "UPDATING");
    let (status, refused) = sim.call("POST", &format!("{COREDNS}/update"), &body);
    assert_eq!(
        (
            status,
            refused["message"].as_str().unwrap().contains("UPDATING")
        ),
        (409, true)
    );
    sim.pass(60);
    let id = answer["update"]["id"].as_str().unwrap().to_owned();
    let query = [("addonName".to_owned(), "coredns".to_owned())];
    let caller = Caller {
        account: PLACE.0.into(),
        region: PLACE.1.into(),
        service: "eks".into(),
        session: None,
        role: None,
    };
    let update = sim
        .0
        .describe_update(&caller, PLACE.2, &id, &query)
        .unwrap();
    assert_eq!(update["update"]["status"], "Successful");
    assert_eq!(sim.status(), "DEGRADED");
    sim.create_profile("kube-*");
    sim.pass(300);
    assert_eq!(
        sim.status(),
        "DEGRADED",
        "its pods are older than the profile"
    );
}

impl Sim {
    fn update(&mut self, values: &str) {
        let body = json!({"configurationValues": values});
        let (status, answer) = self.call("POST", &format!("{COREDNS}/update"), &body);
        assert_eq!(status, 200, "{answer}");
        self.pass(60);
    }
}

#[test]
fn pods_that_are_older_than_the_profile_wait_until_they_are_made_anew() {
    let mut sim = Sim::without_nodes();
    sim.update(r#"{"computeType": "Fargate"}"#);
    sim.create_profile("kube-system");
    sim.pass(600);
    assert_eq!(sim.status(), "DEGRADED");
    sim.update(r#"{"computeType": "Fargate"}"#);
    assert_eq!(sim.status(), "DEGRADED", "the values are as they were");
    sim.update(r#"{"computeType": "Fargate", "podAnnotations": {"at": "now"}}"#);
    assert_eq!(sim.status(), "ACTIVE");
    // Its pods end with the profile, and wait for nodes, or a profile that is there when they are.
    let profile = "/clusters/prod-1/fargate-profiles/web";
    sim.call("DELETE", profile, &Value::Null);
    sim.pass(600);
    assert_eq!(sim.status(), "DEGRADED");
    sim.create_profile("kube-system");
    sim.pass(600);
    assert_eq!(sim.status(), "DEGRADED");
}

#[test]
fn an_add_on_without_a_place_is_creating_for_a_quarter_of_an_hour_and_then_degraded() {
    let mut sim = Sim::new(ClusterSettings {
        nodes: Some(false),
        addons: Some(vec![]),
        ..ClusterSettings::default()
    });
    let body = json!({
        "addonName": "coredns", "configurationValues": "{\"computeType\": \"Fargate\"}",
    });
    let (status, _) = sim.call("POST", "/clusters/prod-1/addons", &body);
    assert_eq!(status, 200);
    sim.pass(14 * 60);
    assert_eq!(sim.status(), "CREATING");
    let (status, refused) = sim.call("POST", &format!("{COREDNS}/update"), &json!({}));
    let why = "Addon coredns cannot be updated as it is currently in CREATING state";
    assert_eq!((status, &refused["message"]), (409, &json!(why)));
    sim.pass(2 * 60);
    assert_eq!(sim.status(), "DEGRADED");
    // With one, it is there in less than a minute.
    sim.call("DELETE", COREDNS, &Value::Null);
    sim.create_profile("kube-system");
    sim.pass(300);
    assert_eq!(sim.call("POST", "/clusters/prod-1/addons", &body).0, 200);
    sim.pass(60);
    assert_eq!(sim.status(), "ACTIVE");
}

#[test]
fn versions_that_do_not_fit_the_cluster_are_refused() {
    let mut sim = Sim::new(ClusterSettings::default());
    for (status, version) in [
        (400, "v1.19.2-eksbuild.1"),
        (400, "latest"),
        (400, "v1.20.1"),
        (200, "v1.20.4-eksbuild.1"),
    ] {
        let body = json!({"addonName": "vpc-cni", "addonVersion": version});
        let (answered, answer) = sim.call("POST", "/clusters/prod-1/addons", &body);
        assert_eq!(answered, status, "{version}: {answer}");
        if status == 400 {
            assert_eq!(
                answer["message"],
                "Addon version specified is not supported"
            );
        }
    }
    let body = json!({"addonVersion": "v1.0.0-eksbuild.1"});
    assert_eq!(sim.call("POST", &format!("{COREDNS}/update"), &body).0, 400);
}

#[test]
fn add_ons_are_made_once_and_deleted() {
    let mut sim = Sim::new(ClusterSettings::default());
    let body = json!({"addonName": "vpc-cni", "clientRequestToken": "t"});
    let (status, made) = sim.call("POST", "/clusters/prod-1/addons", &body);
    assert_eq!(
        (status, &made["addon"]["status"]),
        (200, &json!("CREATING"))
    );
    assert_eq!(sim.call("POST", "/clusters/prod-1/addons", &body).0, 200);
    let other = json!({"addonName": "vpc-cni", "clientRequestToken": "u"});
    assert_eq!(sim.call("POST", "/clusters/prod-1/addons", &other).0, 409);
    for bad in [
        json!({"addonName": "nonsense"}),
        json!({"addonName": "coredns", "configurationValues": "{\"computetype\": 1}"}),
        json!({"addonName": "kube-proxy", "resolveConflicts": "MAYBE"}),
    ] {
        assert_eq!(
            sim.call("POST", "/clusters/prod-1/addons", &bad).0,
            400,
            "{bad}"
        );
    }
    sim.pass(60);
    let path = "/clusters/prod-1/addons/vpc-cni";
    assert_eq!(sim.get(path)["addon"]["status"], "ACTIVE");
    assert_eq!(
        sim.call("DELETE", path, &Value::Null).1["addon"]["status"],
        "DELETING"
    );
    sim.pass(60);
    assert_eq!(sim.call("GET", path, &Value::Null).0, 404);
    let changed = sim
        .0
        .recorder
        .copy(0)
        .calls
        .into_iter()
        .filter(|call| call.changed);
    let changed: Vec<_> = changed
        .map(|call| (call.action.clone(), call.resource().unwrap().to_owned()))
        .collect();
    let expected = ["CreateAddon", "DeleteAddon"].map(|action| (action.into(), "vpc-cni".into()));
    assert_eq!(changed, expected);
}

#[test]
fn a_cluster_goes_after_what_is_in_it() {
    let mut sim = Sim::new(ClusterSettings {
        nodegroups: Some(vec!["ng".into()]),
        ..ClusterSettings::default()
    });
    sim.create_profile("default");
    let refused = |sim: &mut Sim| {
        let (status, body) = sim.call("DELETE", "/clusters/prod-1", &Value::Null);
        (
            status,
            body["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let creating = "Cluster has Fargate Profiles in CREATING state".to_owned();
    assert_eq!(refused(&mut sim), (409, creating));
    assert_eq!(sim.0.recorder.copy(0).overlaps[0].blocked_by, "web");
    sim.pass(300);
    sim.call(
        "DELETE",
        "/clusters/prod-1/fargate-profiles/web",
        &Value::Null,
    );
    sim.pass(600);
    assert_eq!(
        refused(&mut sim),
        (409, "Cluster has nodegroups attached".to_owned())
    );
    let path = "/clusters/prod-1/node-groups/ng";
    assert_eq!(sim.get(path)["nodegroup"]["status"], "ACTIVE");
    assert_eq!(
        sim.call("DELETE", path, &Value::Null).1["nodegroup"]["status"],
        "DELETING"
    );
    sim.pass(200);
    assert_eq!(sim.call("GET", path, &Value::Null).0, 404);
    assert_eq!(sim.call("DELETE", "/clusters/prod-1", &Value::Null).0, 200);
    assert_eq!(sim.get("/clusters/prod-1")["cluster"]["status"], "DELETING");
    sim.pass(200);
    assert_eq!(sim.call("GET", "/clusters/prod-1", &Value::Null).0, 404);
}

#[test]
fn the_endpoint_of_a_cluster_is_the_testers_choice() {
    let mut sim = Sim::new(ClusterSettings {
        kubernetes_endpoint: Some("https://127.0.0.1:6443".into()),
        certificate_authority: Some("Q0E=".into()),
        addons: Some(vec![]),
        ..ClusterSettings::default()
    });
    let cluster = sim.get("/clusters/prod-1")["cluster"].clone();
    assert_eq!(cluster["endpoint"], "https://127.0.0.1:6443");
    assert_eq!(cluster["certificateAuthority"]["data"], "Q0E=");
    assert_eq!(sim.call("GET", COREDNS, &Value::Null).0, 404);
}
