//! A running simulator, driven over HTTP and by its in-process controls.

use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::*;
use crate::sim::{Fault, FleetShape, HealthIssue, ProfileSpec, SimControl};

const HERE: (&str, &str, &str) = ("111111111111", "eu-central-1", "prod-1");
const PROFILES: &str = "/clusters/prod-1/fargate-profiles";

struct Sim {
    simulator: Simulator,
    control: SimControl,
    client: Client,
}

impl Sim {
    async fn start() -> Self {
        let options = SimOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            speed: 60.0,
            fleet: FleetShape {
                accounts: 1,
                regions: 1,
                clusters: 1,
            },
            ..SimOptions::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let control = simulator.control();
        Self {
            simulator,
            control,
            client: Client::new(),
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let scope = format!("test/20260101/{}/eks/aws4_request", HERE.1);
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        self.client
            .request(method, format!("{}{path}", self.simulator.endpoint()))
            .header("authorization", signature)
    }

    async fn create(&self, name: &str) -> reqwest::Result<Response> {
        let role = "arn:aws:iam::111111111111:role/fargate-pod-execution";
        let body = json!({
            "fargateProfileName": name,
            "podExecutionRoleArn": role,
            "selectors": [{"namespace": "default"}],
        });
        self.request(Method::POST, PROFILES)
            .json(&body)
            .send()
            .await
    }

    async fn delete(&self, name: &str) -> Response {
        self.request(Method::DELETE, &format!("{PROFILES}/{name}"))
            .send()
            .await
            .unwrap()
    }

    fn status(&self, name: &str) -> Option<String> {
        self.control
            .profile(HERE.0, HERE.1, HERE.2, name)
            .map(|profile| profile.status)
    }
}

#[actix_web::test]
async fn a_profile_lives_by_the_simulated_clock() {
    let sim = Sim::start().await;
    sim.control.freeze();
    let answer = sim.create("web").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("x-amzn-requestid"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["fargateProfile"]["status"], "CREATING");
    sim.control.advance(Duration::from_mins(1));
    assert_eq!(sim.status("web").as_deref(), Some("CREATING"));
    sim.control.advance(Duration::from_mins(2));
    assert_eq!(sim.status("web").as_deref(), Some("ACTIVE"));
    assert_eq!(sim.delete("web").await.status(), 200);
    assert_eq!(sim.status("web").as_deref(), Some("DELETING"));
    sim.control.advance(Duration::from_mins(5));
    assert_eq!(sim.status("web"), None);
    sim.simulator.stop().await;
}

#[actix_web::test]
async fn a_second_mutation_is_refused_and_on_record() {
    let sim = Sim::start().await;
    sim.control
        .put_profile(HERE.0, HERE.1, HERE.2, named("old"), "ACTIVE");
    sim.control.freeze();
    sim.create("web").await.unwrap();
    let refused = sim.delete("old").await;
    assert_eq!(refused.status(), 409);
    assert_eq!(
        refused.headers()["x-amzn-errortype"],
        "ResourceInUseException"
    );
    let record = sim.control.record();
    assert_eq!(record.calls.len(), 2);
    assert_eq!(record.overlaps.len(), 1);
    assert_eq!(record.overlaps[0].blocked_by, "web");
    assert_eq!(record.overlaps[0].seq, record.calls[1].seq);
    sim.simulator.stop().await;
}

#[actix_web::test]
async fn failures_are_arranged_for_the_next_accepted_call() {
    let sim = Sim::start().await;
    let issue = HealthIssue {
        code: "AccessDenied".into(),
        message: "no".into(),
        resource_ids: vec!["r".into()],
    };
    sim.control
        .fail_next_create(HERE.0, HERE.1, HERE.2, None, vec![issue.clone()]);
    sim.control.freeze();
    sim.create("web").await.unwrap();
    sim.control.advance(Duration::from_mins(3));
    let profile = sim.control.profile(HERE.0, HERE.1, HERE.2, "web").unwrap();
    assert_eq!(
        (profile.status.as_str(), profile.health.issues),
        ("CREATE_FAILED", vec![issue])
    );
    sim.control.vanish_profile(HERE.0, HERE.1, HERE.2, "web");
    assert_eq!(sim.status("web"), None);
    sim.control.remove_cluster(HERE.0, HERE.1, HERE.2);
    assert_eq!(sim.create("web").await.unwrap().status(), 404);
    sim.simulator.stop().await;
}

#[actix_web::test]
async fn a_cut_call_takes_effect_and_is_never_answered() {
    let sim = Sim::start().await;
    sim.control.freeze();
    sim.control.add_faults(vec![Fault {
        action: "CreateFargateProfile".into(),
        profile: Some("web".into()),
        cut: true,
        ..Fault::default()
    }]);
    assert!(sim.create("web").await.is_err());
    assert_eq!(sim.status("web").as_deref(), Some("CREATING"));
    assert_eq!(sim.control.record().calls[0].status, None);
    assert_eq!(sim.create("web").await.unwrap().status(), 409);
    sim.simulator.stop().await;
}

#[actix_web::test]
async fn an_arrival_is_seen_while_its_answer_waits() {
    let sim = Sim::start().await;
    sim.control.add_faults(vec![Fault {
        action: "CreateFargateProfile".into(),
        delay_ms: Some(600_000),
        ..Fault::default()
    }]);
    let arrival = sim
        .control
        .wait_for(|call| call.action == "CreateFargateProfile");
    let call = tokio::select! {
        call = arrival => call,
        answer = sim.create("web") => unreachable!("answered before its delay: {answer:?}"),
    };
    assert_eq!((call.status, call.profile.as_deref()), (None, Some("web")));
    assert_eq!(sim.status("web"), None);
    sim.simulator.stop().await;
}

#[actix_web::test]
async fn stopping_does_not_wait_for_delayed_answers_and_frees_the_port() {
    let sim = Sim::start().await;
    let address = sim.simulator.address();
    sim.simulator.stop().await;
    // Not bound anew: a connection of another test may have this number by now.
    assert!(std::net::TcpStream::connect(address).is_err());
    drop(Sim::start().await);
}

fn named(name: &str) -> ProfileSpec {
    ProfileSpec {
        name: name.into(),
        ..ProfileSpec::default()
    }
}
