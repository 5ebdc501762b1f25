//! Runs of portals that jobs name: what they are told, and that they are told whatever happens.
//!
//! The portals are played as they document themselves: docs/portals/port.md and cortex.md say where.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{
    Received, Receiver, count, create_operation_at, deliveries, delivery, end_leases, id, make_due,
    options, patch, post, read, sender, sender_with, time,
};
use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

pub const SECRET: &str = "a-client-secret";
const TOKEN: &str = "a.token.of-port";
const API_KEY: &str = "an-api-key";

/// Port: takes credentials, and an end of each run it knows.
pub struct Port {
    pub receiver: Receiver,
    runs: Arc<Mutex<BTreeMap<String, Option<Value>>>>,
}

impl Port {
    pub async fn start(runs: &[&str]) -> Self {
        let runs = runs.iter().map(|run| ((*run).to_owned(), None)).collect();
        let runs = Arc::new(Mutex::new(runs));
        let known = Arc::clone(&runs);
        let receiver = Receiver::playing(move |request| play(&known, request)).await;
        Self { receiver, runs }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.receiver.addr)
    }

    /// What a run was told.
    pub fn run(&self, run: &str) -> Option<Value> {
        self.runs.lock().unwrap()[run].clone()
    }

    fn asked(&self) -> Vec<String> {
        let received = self.receiver.received();
        let asked = |one: &Received| format!("{} {}", one.method, one.path);
        received.iter().map(asked).collect()
    }
}

fn play(runs: &Mutex<BTreeMap<String, Option<Value>>>, request: &Received) -> (u16, Value) {
    assert_eq!(request.headers["content-type"], "application/json");
    let body = request.json();
    if (request.method.as_str(), request.path.as_str()) == ("POST", "/v1/auth/access_token") {
        if body == json!({"clientId": "an-id", "clientSecret": SECRET}) {
            let token = json!({"ok": true, "accessToken": TOKEN, "expiresIn": 10_800});
            return (200, token);
        }
        return (401, json!({"ok": false, "error": "invalid_credentials"}));
    }
    if request.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return (401, json!({"ok": false}));
    }
    let run = request.path.strip_prefix("/v1/actions/runs/");
    let mut runs = runs.lock().unwrap();
    let known = run.and_then(|run| runs.get_mut(run));
    match known.filter(|_| request.method == "PATCH") {
        None => (404, json!({"ok": false, "error": "not_found"})),
        Some(Some(_)) => (422, json!({"ok": false, "error": "run_exhausted"})),
        Some(open) => {
            assert!(
                body["status"] == "SUCCESS" || body["status"] == "FAILURE",
                "{body}"
            );
            *open = Some(body);
            (200, json!({"ok": true}))
        }
    }
}

/// A webhook of Port with these credentials.
pub async fn port_webhook(app: &TestApp, url: &str, secret: &str) -> Value {
    let body = json!({
        "url": url, "format": "port", "clientId": "an-id", "secret": secret,
        "eventTypes": ["job.succeeded", "job.failed", "job.canceled", "operation.finished"],
    });
    let made = app.admin(Method::POST, "/v1/webhooks").json(&body).answer();
    made.await.expect(201).json()
}

async fn cortex_webhook(app: &TestApp, url: &str) -> Value {
    let body = json!({
        "url": url, "format": "cortex", "secret": API_KEY,
        "eventTypes": ["job.succeeded", "job.failed", "job.canceled", "operation.finished"],
    });
    let made = app.admin(Method::POST, "/v1/webhooks").json(&body).answer();
    made.await.expect(201).json()
}

fn naming(path: &str, webhook: &Value, run: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("callback", id(webhook))
        .append_pair("callbackRun", run)
        .finish();
    format!("{path}?{query}")
}

/// Asks for a profile, and names a run.
async fn create(app: &TestApp, name: &str, webhook: &Value, run: &str) -> Value {
    let body = json!({"name": name, "selectors": [{"namespace": "default"}]});
    let path = naming(BASE, webhook, run);
    let post = app.operator(Method::POST, &path).json(&body);
    post.answer().await.expect(202).json()
}

#[tokio::test]
async fn a_run_of_port_is_told_how_its_job_ended_and_nothing_else() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    let job = create(&app, "fp-told", &webhook, "r_one").await;
    app.create_profile("fp-untold").await;
    assert_eq!(sender.round().await.unwrap(), 0, "it has not ended");
    app.hands.finish_all().await;
    assert_eq!(sender.round().await.unwrap(), 1, "only what names it");
    assert_eq!(sender.round().await.unwrap(), 0);
    let job = read(&app, &format!("/v1/jobs/{}", id(&job))).await;
    let told = json!({
        "status": "SUCCESS", "statusLabel": "succeeded", "summary": job["message"],
        "externalRunId": job["id"],
    });
    assert_eq!(port.run("r_one"), Some(told));
    let asked = ["POST /v1/auth/access_token", "PATCH /v1/actions/runs/r_one"];
    assert_eq!(port.asked(), asked);
    let delivery = delivery(&app, &webhook).await;
    assert_eq!(
        (
            &delivery["state"],
            &delivery["callbackRun"],
            &delivery["jobId"]
        ),
        (&json!("succeeded"), &json!("r_one"), &job["id"])
    );
    assert_eq!(delivery["eventType"], "job.succeeded");
    assert_eq!(count(&app.pool, "job_callbacks").await, 0);
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn every_request_that_makes_a_job_can_name_a_run_and_every_end_is_told() {
    let runs = [
        "r_failed",
        "r_canceled",
        "r_deleted",
        "r_retried",
        "r_operation",
    ];
    let (app, port) = (TestApp::start().await, Port::start(&runs).await);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    let failing = create(&app, "fp-fails", &webhook, "r_failed").await;
    let behind = create(&app, "fp-canceled", &webhook, "r_canceled").await;
    let cancel = format!("/v1/jobs/{}/cancel", id(&behind));
    let cancel = app.operator(Method::POST, &cancel).answer();
    cancel.await.expect(200);
    let job = app.hands.claim_one().await;
    app.hands.fail(&job, "not_stabilized", "It broke.").await;
    let delete = naming(&format!("{BASE}/fp-old"), &webhook, "r_deleted");
    let delete = app.operator(Method::DELETE, &delete).answer();
    delete.await.expect(202);
    let retry = naming(
        &format!("/v1/jobs/{}/retry", id(&failing)),
        &webhook,
        "r_retried",
    );
    app.operator(Method::POST, &retry)
        .answer()
        .await
        .expect(202);
    let path = format!("/v1/accounts/{ACCOUNT}/fargate-profiles");
    create_operation_at(&app, &naming(&path, &webhook, "r_operation")).await;
    app.hands.finish_all().await;
    assert_eq!(sender(&app).round().await.unwrap(), runs.len());
    let label = |run: &str| {
        let told = port.run(run).unwrap();
        (told["status"].clone(), told["statusLabel"].clone())
    };
    assert_eq!(
        label("r_failed"),
        (json!("FAILURE"), json!("failed: not_stabilized"))
    );
    assert_eq!(port.run("r_failed").unwrap()["summary"], "It broke.");
    assert_eq!(label("r_canceled"), (json!("FAILURE"), json!("canceled")));
    assert_eq!(label("r_deleted"), (json!("SUCCESS"), json!("succeeded")));
    assert_eq!(label("r_retried"), (json!("SUCCESS"), json!("succeeded")));
    assert_eq!(label("r_operation"), (json!("SUCCESS"), json!("succeeded")));
    let operation = port.run("r_operation").unwrap();
    assert_eq!(operation["summary"], "2 of 2 jobs succeeded.");
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_callback_of_cortex_is_answered_with_the_job() {
    let receiver = Receiver::playing(|request| {
        let authorized = request.headers["authorization"] == format!("Bearer {API_KEY}");
        (if authorized { 200 } else { 401 }, json!({}))
    })
    .await;
    let app = TestApp::start().await;
    let base = format!("http://{}/api/v1/workflows", receiver.addr);
    let webhook = cortex_webhook(&app, &base).await;
    let run = format!("{base}/make-a-profile/callback/0b7c");
    let job = create(&app, "fp-told", &webhook, &run).await;
    app.hands.finish_all().await;
    assert_eq!(sender(&app).round().await.unwrap(), 1);
    let told = receiver.only();
    assert_eq!(
        (told.method.as_str(), told.path.as_str()),
        ("POST", "/api/v1/workflows/make-a-profile/callback/0b7c")
    );
    let job = read(&app, &format!("/v1/jobs/{}", id(&job))).await;
    let body = json!({
        "message": job["message"],
        "response": {"status": "SUCCESS", "type": "job.succeeded", "data": job},
    });
    assert_eq!(told.json(), body);
    assert_eq!(delivery(&app, &webhook).await["state"], "succeeded");
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn wrong_credentials_are_seen_and_the_run_is_told_with_the_right_ones() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), "another-secret").await;
    create(&app, "fp-told", &webhook, "r_one").await;
    app.hands.finish_all().await;
    assert_eq!(sender.round().await.unwrap(), 1);
    let stands = delivery(&app, &webhook).await;
    assert_eq!(
        (
            &stands["state"],
            &stands["lastStatus"],
            &stands["lastError"]
        ),
        (
            &json!("pending"),
            &json!(401),
            &json!("the portal gave no token for the credentials: answered 401")
        )
    );
    assert_eq!(
        port.asked(),
        ["POST /v1/auth/access_token"],
        "no run without a token"
    );
    patch(&app, &webhook, json!({"secret": SECRET})).await;
    make_due(&app).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(port.run("r_one").unwrap()["status"], "SUCCESS");
    assert_eq!(delivery(&app, &webhook).await["state"], "succeeded");
    port.receiver.stop().await;
    app.end().await;
}

/// The portal is busy where it gives tokens, and says for how long.
#[tokio::test]
async fn a_portal_that_gives_no_token_for_now_is_asked_again_when_it_said() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-told", &webhook, "r_one").await;
    app.hands.finish_all().await;
    for status in [429, 503] {
        port.receiver.answers_with(status, "Retry-After: 7200\r\n");
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1);
        let stands = delivery(&app, &webhook).await;
        assert_eq!(
            (&stands["state"], &stands["lastStatus"]),
            (&json!("pending"), &json!(status))
        );
        let pause = time(&stands["nextAttemptAt"]) - time(&stands["lastAttemptAt"]);
        assert!((7_199..=7_230).contains(&pause.num_seconds()), "{pause}");
    }
    assert_eq!(sender.round().await.unwrap(), 0, "it is not due");
    assert_eq!(port.asked(), ["POST /v1/auth/access_token"; 2]);
    make_due(&app).await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(port.run("r_one").unwrap()["status"], "SUCCESS");
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_worker_that_dies_before_or_after_telling_a_run_loses_nothing() {
    let (app, port) = (
        TestApp::start().await,
        Port::start(&["r_one", "r_two"]).await,
    );
    let (dying, other) = (sender(&app), sender(&app));
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-one", &webhook, "r_one").await;
    app.hands.finish_all().await;
    dying.fan_out().await.unwrap();
    assert_eq!(dying.claim(10).await.unwrap().len(), 1);
    assert_eq!(other.round().await.unwrap(), 0, "its lease stands");
    end_leases(&app).await;
    assert_eq!(other.round().await.unwrap(), 1);
    assert_eq!(port.run("r_one").unwrap()["status"], "SUCCESS");

    create(&app, "fp-two", &webhook, "r_two").await;
    app.hands.finish_all().await;
    dying.fan_out().await.unwrap();
    let claimed = dying.claim(10).await.unwrap();
    assert_eq!(dying.send(&claimed[0]).await.unwrap().status, 200);
    end_leases(&app).await;
    assert_eq!(other.round().await.unwrap(), 1);
    // The run has been told; told again, Port says that it has ended.
    let again = deliveries(&app, &webhook).await.remove(0);
    assert_eq!(
        (&again["state"], &again["lastStatus"]),
        (&json!("failed"), &json!(422))
    );
    assert_eq!(port.run("r_two").unwrap()["status"], "SUCCESS");
    let webhook = read(&app, &format!("/v1/webhooks/{}", id(&webhook))).await;
    assert!(webhook.get("failingSince").is_none(), "{webhook}");
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_run_that_port_does_not_know_is_given_up_and_can_be_replayed() {
    let (app, port) = (TestApp::start().await, Port::start(&[]).await);
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-told", &webhook, "r_unknown").await;
    app.hands.finish_all().await;
    assert_eq!(sender.round().await.unwrap(), 1);
    let stands = delivery(&app, &webhook).await;
    assert_eq!(
        (&stands["state"], &stands["lastStatus"]),
        (&json!("failed"), &json!(404))
    );
    assert!(
        stands["lastError"]
            .as_str()
            .unwrap()
            .contains("no such run")
    );
    port.runs
        .lock()
        .unwrap()
        .insert("r_unknown".to_owned(), None);
    post(
        &app,
        &webhook,
        &format!("deliveries/{}/replay", id(&stands)),
    )
    .await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(port.run("r_unknown").unwrap()["status"], "SUCCESS");
    // Nor does a run that is gone disable the webhook.
    create(&app, "fp-gone", &webhook, "r_gone").await;
    app.hands.finish_all().await;
    port.receiver.answers(&[200, 410]);
    assert_eq!(sender.round().await.unwrap(), 1);
    let webhook = read(&app, &format!("/v1/webhooks/{}", id(&webhook))).await;
    assert_eq!(webhook["enabled"], true);
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_run_whose_job_ends_while_the_webhook_is_disabled_is_told_when_it_is_enabled() {
    let (app, port) = (
        TestApp::start().await,
        Port::start(&["r_job", "r_operation"]).await,
    );
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-told", &webhook, "r_job").await;
    let path = format!("/v1/accounts/{ACCOUNT}/fargate-profiles");
    create_operation_at(&app, &naming(&path, &webhook, "r_operation")).await;
    patch(&app, &webhook, json!({"enabled": false})).await;
    let job = app.hands.claim_one().await;
    app.hands.succeed(&job, json!({})).await;
    sender.sweep().await.unwrap();
    assert_eq!(sender.round().await.unwrap(), 0);
    patch(&app, &webhook, json!({"enabled": true})).await;
    sender.sweep().await.unwrap();
    assert_eq!(
        sender.round().await.unwrap(),
        1,
        "the operation has not ended"
    );
    assert!(port.run("r_job").is_some());
    // As by a worker that knew no runs: the events are gone, and the runs still there.
    app.hands.finish_all().await;
    super::support::sql(&app.pool, "delete from webhook_events").await;
    sender.sweep().await.unwrap();
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(port.run("r_operation").unwrap()["status"], "SUCCESS");
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn runs_of_a_webhook_that_is_deleted_are_forgotten() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-told", &webhook, "r_one").await;
    assert_eq!(count(&app.pool, "job_callbacks").await, 1);
    let path = format!("/v1/webhooks/{}", id(&webhook));
    app.admin(Method::DELETE, &path).answer().await.expect(204);
    assert_eq!(count(&app.pool, "job_callbacks").await, 0);
    app.hands.finish_all().await;
    assert_eq!(sender(&app).round().await.unwrap(), 0);
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_repeated_request_has_one_run_and_is_replayed_without_its_webhook() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    let path = format!("{}&requestId=r_one", naming(BASE, &webhook, "r_one"));
    let body = json!({"name": "fp-told", "selectors": [{"namespace": "default"}]});
    let repeat = async || {
        let made = app.operator(Method::POST, &path).json(&body).answer();
        made.await.expect(202).json()
    };
    let (first, second) = (repeat().await, repeat().await);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(count(&app.pool, "job_callbacks").await, 1);
    let delete = format!("/v1/webhooks/{}", id(&webhook));
    app.admin(Method::DELETE, &delete)
        .answer()
        .await
        .expect(204);
    assert_eq!(repeat().await["id"], first["id"]);
    let other = path.replace("callbackRun=r_one", "callbackRun=r_two");
    let other = app.operator(Method::POST, &other).json(&body).answer();
    other.await.problem(422, "idempotency_key_reused");
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn what_a_request_may_not_name_is_refused_and_makes_no_job() {
    let app = TestApp::start().await;
    let port = port_webhook(&app, "https://198.51.100.1", SECRET).await;
    let cortex = cortex_webhook(&app, "https://198.51.100.2/api/v1/workflows").await;
    let standard = app.create_webhook("https://198.51.100.3/fleet").await;
    let disabled = port_webhook(&app, "https://198.51.100.4", SECRET).await;
    patch(&app, &disabled, json!({"enabled": false})).await;
    let others = port_webhook(&app, "https://198.51.100.5", SECRET).await;
    app.register("222222222222").await;
    patch(&app, &others, json!({"accountIds": ["222222222222"]})).await;
    let below = "https://198.51.100.2/api/v1/workflows/w/callback/1";
    let unknown = json!({"id": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f"});
    let nobody = json!({"id": "port"});
    for (webhook, run, pointer) in [
        (&unknown, "r_one", "/query/callback"),
        (&nobody, "r_one", "/query/callback"),
        (&standard, "r_one", "/query/callback"),
        (&disabled, "r_one", "/query/callback"),
        (&others, "r_one", "/query/callback"),
        (&port, below, "/query/callbackRun"),
        (&port, "../../users", "/query/callbackRun"),
        (
            &port,
            "https://169.254.169.254/latest",
            "/query/callbackRun",
        ),
        (&cortex, "r_one", "/query/callbackRun"),
        (
            &cortex,
            "https://169.254.169.254/api/v1/workflows/w",
            "/query/callbackRun",
        ),
        (
            &cortex,
            "https://198.51.100.2/api/v1/catalog",
            "/query/callbackRun",
        ),
        (
            &cortex,
            "https://198.51.100.2/api/v1/workflows/../catalog",
            "/query/callbackRun",
        ),
    ] {
        let body = json!({"name": "fp-no", "selectors": [{"namespace": "default"}]});
        let path = naming(BASE, webhook, run);
        let refused = app.operator(Method::POST, &path).json(&body).answer();
        let problem = refused.await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{webhook} {run}");
    }
    assert_eq!(count(&app.pool, "job_rows").await, 0);
    assert_eq!(count(&app.pool, "job_callbacks").await, 0);
    app.end().await;
}

#[tokio::test]
async fn half_a_callback_is_refused_and_what_makes_no_change_tells_nobody() {
    let app = TestApp::start().await;
    let port = port_webhook(&app, "https://198.51.100.1", SECRET).await;
    for (half, pointer) in [
        (
            format!("{BASE}/fp-no?callback={}", id(&port)),
            "/query/callbackRun",
        ),
        (format!("{BASE}/fp-no?callbackRun=r_one"), "/query/callback"),
    ] {
        let refused = app.operator(Method::DELETE, &half).answer().await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(count(&app.pool, "job_rows").await, 0);
    assert_eq!(count(&app.pool, "job_callbacks").await, 0);
    let job = app.create_profile("fp-other").await;
    let cancel = naming(&format!("/v1/jobs/{}/cancel", id(&job)), &port, "r_one");
    let refused = app.operator(Method::POST, &cancel).answer().await;
    refused.problem(422, "invalid_request");
    // Nobody who only reads can have a portal told.
    let read = naming(BASE, &port, "r_one");
    app.viewer(&read)
        .answer()
        .await
        .problem(422, "invalid_request");
    app.end().await;
}

#[tokio::test]
async fn addresses_are_checked_when_a_run_is_told() {
    let (app, port) = (TestApp::start().await, Port::start(&["r_one"]).await);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    create(&app, "fp-told", &webhook, "r_one").await;
    app.hands.finish_all().await;
    let mut strict = options();
    strict.setup.rules.allowed.clear();
    assert_eq!(sender_with(&app, strict).round().await.unwrap(), 1);
    assert_eq!(port.receiver.count(), 0);
    let stands = delivery(&app, &webhook).await;
    assert_eq!(stands["state"], "pending");
    assert!(
        stands["lastError"].as_str().unwrap().contains("not public"),
        "{stands}"
    );
    port.receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_named_run_is_in_the_audit_trail() {
    let app = TestApp::start().await;
    let webhook = port_webhook(&app, "https://198.51.100.1", SECRET).await;
    let job = create(&app, "fp-told", &webhook, "r_one").await;
    let events = read(&app, "/v1/audit-events?action=createFargateProfile").await;
    let event = &events["items"][0];
    assert!(
        event["resource"].as_str().unwrap().ends_with("/fp-told"),
        "{event}"
    );
    let callback = json!({"webhookId": webhook["id"], "run": "r_one"});
    assert_eq!(event["detail"]["callback"], callback, "{job}");
    app.end().await;
}
