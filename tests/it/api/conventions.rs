//! What holds for every route: ids of requests, documents, health.

use reqwest::Method;
use serde_json::Value;

use crate::support::app::{Send as _, TestApp};

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let app = TestApp::start().await;
    let own = app
        .viewer("/v1/jobs")
        .header("X-Request-Id", "mine-1")
        .answer()
        .await;
    assert_eq!(own.header("x-request-id"), "mine-1");
    for bad in ["a b", &"x".repeat(129)] {
        let answer = app
            .viewer("/v1/jobs")
            .header("X-Request-Id", bad)
            .answer()
            .await;
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
    app.end().await;
}

#[tokio::test]
async fn the_documents_and_their_page_need_no_token_and_no_other_host() {
    let app = TestApp::start().await;
    for (path, version) in [("/openapi.json", "3.1.0"), ("/openapi-3.0.json", "3.0.3")] {
        let document = app
            .request(Method::GET, path)
            .answer()
            .await
            .expect(200)
            .json();
        assert_eq!(document["openapi"], version);
    }
    let moved = app.request(Method::GET, "/docs").answer().await.expect(308);
    let page = app
        .request(Method::GET, moved.header("location"))
        .answer()
        .await
        .expect(200);
    for part in ["https://", "http://", "src=\"//"] {
        assert!(!page.text.contains(part), "{part} in {}", page.text);
    }
    let start = app
        .request(Method::GET, "/docs/swagger-initializer.js")
        .answer()
        .await
        .expect(200);
    assert!(start.text.contains("/openapi.json"), "{}", start.text);
    app.request(Method::GET, "/docs/swagger-ui-bundle.js")
        .answer()
        .await
        .expect(200);
    app.end().await;
}

#[tokio::test]
async fn health_is_told_without_a_token() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz"] {
        let health: Value = app
            .request(Method::GET, path)
            .answer()
            .await
            .expect(200)
            .json();
        assert_eq!(health["status"], "ok");
    }
    app.end().await;
}

#[tokio::test]
async fn an_answer_is_compressed_when_asked() {
    let app = TestApp::start().await;
    let gzip = app
        .request(Method::GET, "/openapi.json")
        .header("Accept-Encoding", "gzip");
    assert_eq!(gzip.answer().await.header("content-encoding"), "gzip");
    app.end().await;
}

#[tokio::test]
async fn readiness_is_that_of_the_whole_process() {
    let app = TestApp::start_with(false).await;
    app.request(Method::GET, "/livez")
        .answer()
        .await
        .expect(200);
    let unready = app.request(Method::GET, "/readyz").answer().await;
    assert_eq!(unready.problem(503, "deadline_exceeded")["retryable"], true);
    app.end().await;
}

#[tokio::test]
async fn without_its_database_the_api_lives_and_asks_to_be_tried_again() {
    let app = TestApp::start().await;
    app.shares.close().await;
    app.request(Method::GET, "/livez")
        .answer()
        .await
        .expect(200);
    for path in ["/readyz", "/v1/jobs"] {
        let problem = app
            .viewer(path)
            .answer()
            .await
            .problem(503, "deadline_exceeded");
        assert_eq!(problem["retryable"], true, "{path}");
    }
    app.stop().await;
}
