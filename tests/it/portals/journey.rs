//! The whole journey of a portal through a proxy that drops every header which Backstage's drops:
//! all is said in the query and the body, and all is read in the body.

use fargate_fleet::sim::AccountSettings;
use nix::sys::signal::Signal;
use reqwest::Client;
use reqwest::Method;
use serde_json::{Value, json};

use super::documents::{ROUTE, backstage};
use super::proxy::{PREFIX, Proxy, SAFE};
use super::template::rendered;
use crate::binary::support::{
    ACCOUNT, BOUND, Caller, OTHER_ACCOUNT, Process, Stage, profile, profiles,
};

const PERSON: &str = "user:default/ann";

/// The service with AWS behind it and Backstage's proxy before it.
struct Portal {
    stage: Stage,
    process: Process,
    proxy: Proxy,
    http: Client,
}

struct Answer {
    status: u16,
    body: Value,
    text: String,
}

impl Portal {
    async fn start() -> Self {
        let stage = Stage::new().await;
        let (process, address) = stage.both("30").await;
        let admin = Caller::new(&address, &stage.token("admin", &[]).await);
        stage.register(&admin).await;
        let token = stage.token("operator", &["--on-behalf-of"]).await;
        let config = backstage("app-config.yaml").remove(0);
        let target = format!("http://{address}");
        Self {
            proxy: Proxy::start(&config, ROUTE, &target, &token).await,
            http: Client::new(),
            stage,
            process,
        }
    }

    /// Asks through the proxy, with headers that mean something and do not arrive.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let url = format!("http://{}{PREFIX}{ROUTE}{path}", self.proxy.addr);
        let request = self
            .http
            .request(method, url)
            .timeout(BOUND)
            .header("Authorization", "Bearer of-a-backstage-user")
            .header("Idempotency-Key", "dropped")
            .header("Prefer", "wait=60")
            .header("X-On-Behalf-Of", "nobody")
            .header("If-None-Match", "*");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let own = ["connection", "content-length"];
        for name in answer.headers().keys() {
            let name = name.as_str();
            assert!(
                SAFE.contains(&name) || own.contains(&name),
                "{name} came through"
            );
        }
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, body, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn end(self) {
        let dropped = self.proxy.dropped();
        for name in [
            "authorization",
            "idempotency-key",
            "prefer",
            "x-on-behalf-of",
            "if-none-match",
            "location",
            "operation-location",
            "retry-after",
            "etag",
            "x-request-id",
        ] {
            assert!(
                dropped.contains(name),
                "{name} was never there to be dropped: {dropped:?}"
            );
        }
        self.proxy.stop().await;
        self.process.signal(Signal::SIGTERM);
        assert_eq!(self.process.ended().await.status.code(), Some(0));
        self.stage.end().await;
    }
}

impl Answer {
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
}

fn link<'a>(of: &'a Value, name: &str) -> &'a str {
    of["links"][name].as_str().unwrap()
}

#[tokio::test]
async fn a_journey_needs_no_header() {
    let portal = Portal::start().await;
    let base = profiles(ACCOUNT);
    let asked = format!("{base}?requestId=r-1&onBehalfOf=ann%40example.com");
    let body = profile("fp-web");
    let made = portal
        .ask(Method::POST, &asked, Some(&body))
        .await
        .expect(202);
    assert!(made["retryAfterSeconds"].as_u64().is_some(), "{made}");
    assert_eq!(made["requestedBy"], "ann@example.com");
    let again = portal.ask(Method::POST, &asked, Some(&body)).await;
    assert!(again.status == 202 || again.status == 200);
    assert_eq!(again.body["id"], made["id"]);

    let follow = format!("{}?waitSeconds=50", link(&made, "self"));
    let done = portal.get(&follow).await.expect(200);
    assert_eq!(done["state"], "succeeded", "{done}");
    let read = portal.get(link(&done, "target")).await.expect(200);
    assert_eq!(
        (&read["name"], &read["status"]),
        (&json!("fp-web"), &json!("ACTIVE"))
    );
    let listed = portal.get(&base).await.expect(200);
    assert_eq!(listed["items"][0]["name"], "fp-web");
    let table = portal.get(&format!("{base}?output=table")).await;
    assert!(
        table.status == 200 && table.text.contains("fp-web"),
        "{}",
        table.text
    );
    let jobs = portal
        .get("/v1/jobs?profileName=fp-web&state=succeeded")
        .await
        .expect(200);
    assert!(
        jobs["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|job| job["id"] == made["id"])
    );

    let delete = format!("{base}/fp-web?requestId=r-2&waitSeconds=50");
    let gone = portal.ask(Method::DELETE, &delete, None).await.expect(200);
    assert_eq!(gone["state"], "succeeded", "{gone}");
    let missing = portal.get(&format!("{base}/fp-web")).await.expect(404);
    assert_eq!(missing["code"], "not_found");
    assert!(missing["requestId"].is_string());
    portal.end().await;
}

#[tokio::test]
async fn a_cancel_and_an_error_that_says_when_to_come_back_need_no_header() {
    let portal = Portal::start().await;
    let base = profiles(ACCOUNT);
    // While AWS takes no more calls, nothing is asked of it.
    portal.settings(ACCOUNT, true, false);
    let mut made = Vec::new();
    for name in ["fp-first", "fp-second"] {
        let job = portal.ask(Method::POST, &base, Some(&profile(name))).await;
        made.push(job.expect(202));
    }
    let cancel = format!("{}?waitSeconds=50", link(&made[1], "cancel"));
    let canceled = portal.ask(Method::POST, &cancel, None).await.expect(200);
    assert_eq!(canceled["state"], "canceled");
    portal.settings(ACCOUNT, false, false);
    let first = format!("{}?waitSeconds=50", link(&made[0], "self"));
    assert_eq!(portal.get(&first).await.expect(200)["state"], "succeeded");

    portal.settings(OTHER_ACCOUNT, false, true);
    let other = profiles(OTHER_ACCOUNT);
    let refused = portal.get(&other).await.expect(502);
    assert_eq!(refused["code"], "aws_assume_role_failed", "{refused}");
    // The account is known to be broken by now, and until when.
    let parked = portal.get(&other).await.expect(502);
    assert!(parked["retryAfterSeconds"].as_u64().is_some(), "{parked}");
    let hidden = format!("{base}/fp-first?callback=x");
    portal.get(&hidden).await.expect(422);
    portal.end().await;
}

#[tokio::test]
async fn the_template_makes_a_profile_and_sees_it() {
    let portal = Portal::start().await;
    let template = backstage("template.yaml").remove(0);
    let mut context = json!({
        "parameters": {
            "accountId": ACCOUNT, "region": "eu-central-1", "clusterName": "prod-1",
            "profileName": "fp-web", "namespace": "web",
        },
        "user": {"ref": PERSON},
        "context": {"task": {"id": "0197f6e2"}},
        "steps": {},
    });
    for step in template["spec"]["steps"].as_array().unwrap() {
        let input = rendered(&step["input"], &context);
        let times = step["each"].as_array().map_or(1, Vec::len);
        for _ in 0..times {
            let answer = portal.step(&input).await;
            assert!(answer.status < 400, "{step}: {}", answer.text);
            let id = step["id"].as_str().unwrap();
            context["steps"][id] = json!({"output": {"code": answer.status, "body": answer.body}});
        }
    }
    let output = rendered(&template["spec"]["output"]["text"][0], &context);
    let text = output["content"].as_str().unwrap();
    assert!(text.contains("AWS says: ACTIVE."), "{text}");
    let job = &context["steps"]["job"]["output"]["body"];
    assert_eq!(
        (&job["state"], &job["requestedBy"]),
        (&json!("succeeded"), &json!(PERSON))
    );
    portal.end().await;
}

impl Portal {
    /// How AWS treats an account from now on.
    fn settings(&self, account: &str, throttle: bool, deny_assume_role: bool) {
        let settings = AccountSettings {
            throttle,
            deny_assume_role,
            ..AccountSettings::default()
        };
        self.stage.sim.set_account(account, settings);
    }

    /// What the action `http:backstage:request` does.
    async fn step(&self, input: &Value) -> Answer {
        let path = input["path"].as_str().unwrap();
        let path = path.strip_prefix(&format!("/proxy{ROUTE}")).unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in input["params"].as_object().into_iter().flatten() {
            query.append_pair(name, value.as_str().unwrap());
        }
        let method = Method::from_bytes(input["method"].as_str().unwrap().as_bytes()).unwrap();
        let path = format!("{path}?{}", query.finish());
        self.ask(method, &path, input.get("body")).await
    }
}
