//! Web pages of other origins: those that are named, and no others.

use fargate_fleet::clock::Clock;
use fargate_fleet::http::ApiOptions;
use reqwest::{Method, RequestBuilder};

use crate::support::app::{Answer, BASE, Send as _, TestApp};

const PORTAL: &str = "https://portal.example.com";

async fn app() -> TestApp {
    let options = ApiOptions {
        cors_origins: vec![PORTAL.to_owned(), "http://localhost:3000".to_owned()],
        ..ApiOptions::default()
    };
    TestApp::start_as(true, Clock::system(), options).await
}

fn preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> RequestBuilder {
    app.request(Method::OPTIONS, BASE)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers)
}

fn assert_closed(answer: &Answer) {
    for name in answer.headers.keys() {
        let name = name.as_str();
        let opens = name == "access-control-allow-origin" || name.ends_with("-credentials");
        assert!(!opens, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_named_origin_may_send_what_the_api_reads() {
    let app = app().await;
    let headers = "authorization,content-type,idempotency-key,if-match,if-none-match,prefer,\
                   traceparent,x-request-id,x-on-behalf-of,last-event-id";
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let answer = preflight(&app, PORTAL, method, headers).answer().await;
        let answer = answer.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), PORTAL);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        let allowed = answer.header("access-control-allow-headers").to_lowercase();
        for header in headers.split(',') {
            assert!(allowed.contains(header), "{header}: {allowed}");
        }
        let methods = answer.header("access-control-allow-methods");
        assert!(methods.contains(method), "{methods}");
        assert!(answer.header("vary").to_lowercase().contains("origin"));
    }
    app.end().await;
}

#[tokio::test]
async fn a_named_origin_may_read_every_answer_and_its_headers() {
    let app = app().await;
    let fine = app
        .viewer("/v1/jobs")
        .header("Origin", PORTAL)
        .answer()
        .await;
    let refused = app.viewer("/v1/jobs?x=1").header("Origin", PORTAL);
    let stranger = app
        .request(Method::GET, "/v1/jobs")
        .header("Origin", PORTAL);
    let stranger = stranger.answer().await.expect(401);
    for answer in [
        fine.expect(200),
        refused.answer().await.expect(422),
        stranger,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), PORTAL);
        assert!(answer.header("vary").to_lowercase().contains("origin"));
        let exposed = answer
            .header("access-control-expose-headers")
            .to_lowercase();
        for header in [
            "location",
            "operation-location",
            "retry-after",
            "etag",
            "idempotent-replayed",
            "x-request-id",
            "ratelimit",
            "ratelimit-policy",
            "www-authenticate",
        ] {
            let named = exposed.split(',').any(|name| name.trim() == header);
            assert!(named, "{header}: {exposed}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn other_origins_may_nothing() {
    let app = app().await;
    for origin in [
        "https://evil.example.com",
        "http://portal.example.com",
        "https://portal.example.com:8443",
        "https://portal.example.com.evil.example",
        "null",
    ] {
        let refused = preflight(&app, origin, "POST", "authorization")
            .answer()
            .await;
        assert_closed(&refused);
        refused.problem(400, "invalid_request");
        let answer = app
            .viewer("/v1/jobs")
            .header("Origin", origin)
            .answer()
            .await;
        assert_closed(&answer);
    }
    // Not from a browser's page at all.
    let answer = app.viewer("/v1/jobs").answer().await.expect(200);
    assert_closed(&answer);
    app.end().await;
}

#[tokio::test]
async fn without_origins_no_page_may_anything() {
    let app = TestApp::start().await;
    let refused = preflight(&app, PORTAL, "POST", "authorization")
        .answer()
        .await;
    assert_closed(&refused.expect(204));
    let answer = app
        .viewer("/v1/jobs")
        .header("Origin", PORTAL)
        .answer()
        .await;
    assert_closed(&answer.expect(200));
    app.end().await;
}
