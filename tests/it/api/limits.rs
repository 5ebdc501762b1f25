//! What a request, a caller and an account may take, over real HTTP.

use std::time::Duration;

use fargate_fleet::limits::Limits;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

/// Bounds only catch a mistake.
const BOUND: Duration = Duration::from_secs(30);

async fn limited(change: impl FnOnce(&mut Limits)) -> TestApp {
    let mut limits = Limits::default();
    change(&mut limits);
    TestApp::start_limited(limits).await
}

async fn jobs(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from jobs")
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_whether_it_says_its_length_or_not() {
    let app = limited(|limits| limits.body_bytes = 2_048).await;
    let post = |body: reqwest::Body| {
        app.operator(Method::POST, BASE)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
    };
    let announced = post(vec![b' '; 2_049].into()).answer().await;
    announced.problem(413, "invalid_request");
    let body = json!({"selectors": [{"namespace": "a"}]}).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    post(padded(2_048).into()).answer().await.expect(202);

    let raw = format!(
        "POST {BASE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n801\r\n{}\r\n0\r\n\r\n",
        app.tokens.operator,
        " ".repeat(2_049)
    );
    let told = super::slow::exchange(&app, &raw).await;
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
    assert_eq!(jobs(&app).await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_head_beyond_the_limits_is_414_or_431() {
    let app = limited(|limits| {
        limits.uri_bytes = 512;
        limits.header_bytes = 2_048;
        limits.headers = 16;
    })
    .await;
    let path = |length: usize| {
        let path = "/v1/jobs?clusterName=";
        format!("{path}{}", "a".repeat(length - path.len()))
    };
    let long = app.viewer(&path(513)).answer().await;
    long.problem(414, "invalid_request");
    app.viewer(&path(512))
        .answer()
        .await
        .problem(422, "invalid_request");

    let large = app.viewer("/v1/jobs").header("X-Large", "x".repeat(2_048));
    large.answer().await.problem(431, "invalid_request");
    let mut many = app.viewer("/v1/jobs");
    for n in 0..17 {
        many = many.header(format!("X-Header-{n}"), "x");
    }
    many.answer().await.problem(431, "invalid_request");
    let fine = app.viewer("/v1/jobs").header("X-Large", "x".repeat(1_024));
    fine.answer().await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_document_that_is_too_deep_or_too_long_is_422() {
    let app = limited(|limits| {
        limits.json_depth = 6;
        limits.json_items = 20;
    })
    .await;
    let post = async |path: &str, body: String| {
        let request = app.admin(Method::POST, path);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        request.answer().await
    };
    let deep = format!("{{\"name\": {}{}}}", "[".repeat(6), "]".repeat(6));
    let long = json!({"selectors": vec![json!({"namespace": "a"}); 21]}).to_string();
    let profiles = format!("/v1/accounts/{ACCOUNT}/fargate-profiles");
    for path in [BASE, "/v1/accounts", &profiles] {
        for (body, words) in [
            (&deep, "deeper than 6 levels"),
            (&long, "more than 20 elements"),
        ] {
            let problem = post(path, body.clone()).await;
            let problem = problem.problem(422, "invalid_request");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{path}: {problem}");
            assert_eq!(problem["errors"][0]["pointer"], "", "{problem}");
        }
    }
    // The length of a text is none of it.
    let text = json!({"name": "[{,".repeat(50), "selectors": [{"namespace": "a"}]}).to_string();
    let problem = post(BASE, text).await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/name", "{problem}");
    app.end().await;
}

#[tokio::test]
async fn a_page_is_no_larger_than_the_limit() {
    let app = limited(|limits| limits.page_size = 2).await;
    for name in ["a", "b", "c"] {
        app.create_profile(name).await;
    }
    for wish in ["", "?pageSize=1000", "?pageSize=3"] {
        let page = app.viewer(&format!("/v1/jobs{wish}")).answer().await;
        let page = page.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 2, "{wish}");
        assert!(page["nextPageToken"].is_string(), "{wish}");
    }
    app.end().await;
}

/// Two a minute: a third would have to come half a minute later.
#[tokio::test]
async fn a_caller_who_asks_too_often_is_429_and_nobody_else() {
    let app = limited(|limits| limits.requests_per_minute = 2).await;
    let first = app.viewer("/v1/jobs").answer().await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=2;w=60");
    assert_eq!(first.header("ratelimit"), "\"default\";r=1;t=30");
    // A refusal of another kind counts too, and tells.
    let second = app.viewer("/v1/jobs?state=none").answer().await;
    assert!(second.header("ratelimit").starts_with("\"default\";r=0;t="));
    second.problem(422, "invalid_request");

    let refused = app.viewer("/v1/jobs").answer().await;
    let standing = refused.header("ratelimit").to_owned();
    let problem = refused.problem(429, "rate_limited");
    let seconds = problem["retryAfterSeconds"].as_u64().unwrap();
    assert!((1..=30).contains(&seconds), "{problem}");
    assert_eq!(problem["retryable"], true);
    assert_eq!(standing, format!("\"default\";r=0;t={seconds}"));

    let other = app.operator(Method::GET, "/v1/jobs").answer().await;
    assert_eq!(
        other.expect(200).header("ratelimit"),
        "\"default\";r=1;t=30"
    );
    for path in ["/livez", "/readyz", "/openapi.json"] {
        for _ in 0..3 {
            let open = app.request(Method::GET, path).answer().await.expect(200);
            assert_eq!(open.header("ratelimit"), "");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn strangers_use_up_nobodys_budget() {
    let app = limited(|limits| limits.requests_per_minute = 2).await;
    let forged = format!("{}x", app.tokens.viewer);
    for token in [forged.as_str(), "fleet_unknown", "x"] {
        for _ in 0..5 {
            let stranger = app.request(Method::GET, "/v1/jobs").bearer_auth(token);
            let answer = stranger.answer().await;
            assert_eq!(answer.header("ratelimit"), "");
            answer.problem(401, "unauthenticated");
        }
    }
    let answer = app.viewer("/v1/jobs").answer().await.expect(200);
    assert_eq!(answer.header("ratelimit"), "\"default\";r=1;t=30");
    app.end().await;
}

#[tokio::test]
async fn a_caller_has_so_many_requests_under_way_and_a_stream_is_one() {
    let app = limited(|limits| limits.concurrent_requests = 1).await;
    let job = app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let stream = app.viewer(path).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let refused = app.viewer("/v1/jobs").answer().await;
    let problem = refused.problem(429, "rate_limited");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("1 requests under way"), "{detail}");
    // Another caller has a count of its own.
    let other = app.operator(Method::GET, "/v1/jobs").answer().await;
    other.expect(200);

    app.hands.finish_all().await;
    stream.text().await.unwrap();
    let free = async {
        while app.viewer("/v1/jobs").answer().await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    let freed = tokio::time::timeout(BOUND, free).await;
    freed.expect("the stream has ended");
    app.end().await;
}

#[tokio::test]
async fn an_account_has_so_many_unfinished_jobs_and_then_nothing_is_queued() {
    let app = limited(|limits| limits.unfinished_jobs = 2).await;
    let create = |name: &str| {
        let body = json!({"name": name, "selectors": [{"namespace": "default"}]});
        app.operator(Method::POST, BASE)
            .header("Idempotency-Key", name)
            .json(&body)
    };
    let first = create("one").answer().await.expect(202).json();
    let file = |account: &str| {
        json!({
            "apiVersion": "eksctl.io/v1alpha5",
            "kind": "ClusterConfig",
            "metadata": {"name": "prod-1", "region": "eu-central-1"},
            "fargateProfiles": [
                {"name": "a", "selectors": [{"namespace": account}]},
                {"name": "b", "selectors": [{"namespace": account}]},
            ],
        })
    };
    let apply = |account: &str| {
        let path = format!("/v1/accounts/{account}/fargate-profiles");
        app.operator(Method::POST, &path).json(&file("x"))
    };
    // Two more would be three.
    apply(ACCOUNT).answer().await.problem(429, "rate_limited");
    create("two").answer().await.expect(202);
    let refused = create("three").answer().await.problem(429, "rate_limited");
    assert_eq!(refused["retryable"], true);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("2 unfinished jobs"), "{detail}");
    // A live read is a job too, and what was queued before is still answered.
    app.viewer(BASE).answer().await.problem(429, "rate_limited");
    let again = create("one").answer().await.expect(202);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["id"], first["id"]);
    assert_eq!(jobs(&app).await, 2);

    app.register("222222222222").await;
    apply("222222222222").answer().await.expect(202);

    // What the database says counts within a second.
    app.hands.finish_all().await;
    let room = async {
        while create("three").answer().await.status != 202 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, room).await.expect("room again");
    app.end().await;
}
