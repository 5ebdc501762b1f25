//! What is logged, and what never is.

use reqwest::Method;
use serde_json::json;

use crate::support::app::{BASE, Send as _, TestApp};
use crate::support::logs;

#[tokio::test]
async fn requests_are_logged_without_their_secrets() {
    let logs = logs::captured();
    let app = TestApp::start().await;
    let body = json!({"name": "fp-l", "selectors": [{"namespace": "body-marker"}]});
    let path = format!("{BASE}?requestId=query-marker");
    let post = app
        .operator(Method::POST, &path)
        .header("X-Request-Id", "logged-1")
        .json(&body);
    post.answer().await.expect(202);
    let unknown = app
        .request(Method::GET, "/v1/jobs")
        .bearer_auth("fleet_token-marker");
    unknown.answer().await.problem(401, "unauthenticated");
    let broken = app
        .operator(Method::POST, BASE)
        .header("content-type", "application/json");
    broken
        .body("{\"name\": \"broken-marker\"")
        .answer()
        .await
        .problem(400, "invalid_request");
    let text = logs.text();
    let line = text
        .lines()
        .find(|line| line.contains("logged-1") && line.contains("answered"));
    assert!(
        line.is_some_and(|line| line.contains("202") && line.contains(BASE)),
        "{line:?}"
    );
    let markers = [
        "body-marker",
        "query-marker",
        "token-marker",
        "broken-marker",
    ];
    let tokens = [&app.tokens.operator, &app.tokens.admin, &app.tokens.viewer].map(String::as_str);
    for secret in markers.iter().chain(&tokens) {
        let found = text.lines().find(|line| line.contains(secret));
        assert!(found.is_none(), "{found:?}");
    }
    app.end().await;
}
