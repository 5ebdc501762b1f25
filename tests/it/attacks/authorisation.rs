//! Callers who ask for more than they hold.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, Send as _, TestApp};

/// Who asks.
#[derive(Clone, Copy)]
pub enum Who {
    Nobody,
    Viewer,
    Operator,
    /// An administrator of another account.
    OtherAdmin,
    OtherOperator,
    /// An administrator of all accounts, without `mayActFor`.
    Admin,
}

/// Who, the method, the path, the body, and the status of the refusal.
pub const ATTACKS: &[(Who, &str, &str, &str, u16)] = &[
    (Who::Nobody, "GET", "/v1/jobs", "", 401),
    (
        Who::Nobody,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"admin"}"#,
        401,
    ),
    (
        Who::Viewer,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"viewer"}"#,
        403,
    ),
    (
        Who::Operator,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"admin"}"#,
        403,
    ),
    (Who::Operator, "GET", "/v1/tokens", "", 403),
    (
        Who::Admin,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"operator","mayActFor":true}"#,
        403,
    ),
    (
        Who::OtherAdmin,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"viewer"}"#,
        403,
    ),
    (
        Who::OtherAdmin,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"viewer","accountIds":["111111111111"]}"#,
        403,
    ),
    (
        Who::OtherAdmin,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"viewer","accountIds":["999999999999","111111111111"]}"#,
        403,
    ),
    (
        Who::OtherAdmin,
        "POST",
        "/v1/tokens",
        r#"{"name":"x","role":"admin","accountIds":["999999999999"],"mayActFor":true}"#,
        403,
    ),
    (Who::OtherAdmin, "DELETE", "/v1/tokens/{admin}", "", 404),
    (
        Who::OtherAdmin,
        "DELETE",
        "/v1/tokens/{admin}?revokeDescendants=true",
        "",
        404,
    ),
    (
        Who::OtherAdmin,
        "DELETE",
        "/v1/tokens/{admin}?validateOnly=true",
        "",
        404,
    ),
    (Who::OtherAdmin, "GET", "/v1/tokens/{admin}", "", 404),
    (Who::Operator, "DELETE", "/v1/tokens/{admin}", "", 403),
    (
        Who::OtherAdmin,
        "POST",
        "/v1/webhooks",
        r#"{"url":"https://198.51.100.7/","eventTypes":["job.failed"],"accountIds":["111111111111"]}"#,
        403,
    ),
    (
        Who::Operator,
        "POST",
        "/v1/webhooks",
        r#"{"url":"https://198.51.100.7/","eventTypes":["job.failed"]}"#,
        403,
    ),
    (
        Who::OtherAdmin,
        "PATCH",
        "/v1/accounts/111111111111",
        r#"{"state":"disabled"}"#,
        404,
    ),
    (
        Who::OtherAdmin,
        "DELETE",
        "/v1/accounts/111111111111",
        "",
        404,
    ),
    (
        Who::Operator,
        "PATCH",
        "/v1/accounts/111111111111",
        r#"{"state":"disabled"}"#,
        403,
    ),
    (
        Who::OtherOperator,
        "POST",
        "/v1/accounts/111111111111/clusters",
        r#"{"metadata":{"name":"c","region":"eu-central-1"}}"#,
        404,
    ),
    (
        Who::OtherOperator,
        "POST",
        "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/fargate-profiles",
        r#"{"selectors":[{"namespace":"a"}]}"#,
        404,
    ),
    (
        Who::Viewer,
        "POST",
        "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/fargate-profiles",
        r#"{"selectors":[{"namespace":"a"}]}"#,
        403,
    ),
    (
        Who::OtherOperator,
        "DELETE",
        "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1?confirm=prod-1",
        "",
        404,
    ),
    (
        Who::OtherOperator,
        "PUT",
        "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/access-entries/arn%3Aaws%3Aiam%3A%3A999999999999%3Arole%2Fx",
        "{}",
        404,
    ),
    (Who::OtherOperator, "POST", "/v1/jobs/{job}/cancel", "", 404),
    (Who::OtherOperator, "POST", "/v1/jobs/{job}/retry", "", 404),
    (Who::Viewer, "POST", "/v1/jobs/{job}/cancel", "", 403),
    (Who::OtherOperator, "GET", "/v1/jobs/{job}", "", 404),
    (Who::OtherOperator, "GET", "/v1/jobs/{job}/events", "", 404),
];

fn token(app: &TestApp, who: Who) -> Option<&str> {
    Some(match who {
        Who::Nobody => return None,
        Who::Viewer => &app.tokens.viewer,
        Who::Operator => &app.tokens.operator,
        Who::Admin => &app.tokens.admin,
        Who::OtherAdmin => &app.tokens.other_admin,
        Who::OtherOperator => &app.tokens.other_operator,
    })
}

/// All that must stay as it is: everything but the trail of refusals and when tokens were used.
async fn world(app: &TestApp) -> Value {
    sqlx::query_scalar(
        "select jsonb_build_object(
            'tokens', (select jsonb_agg(to_jsonb(t) - 'last_used_at' order by token_id) from api_tokens t),
            'webhooks', (select jsonb_agg(to_jsonb(w)) from webhooks w),
            'accounts', (select jsonb_agg(to_jsonb(a)) from accounts a),
            'jobs', (select jsonb_agg(to_jsonb(j)) from job_rows j),
            'done', (select count(*) from audit_events where (detail ->> 'outcome' = 'denied') is not true)
        )",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn who_asks_for_more_than_it_holds_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp-a").await;
    let job = job["id"].as_str().unwrap();
    let admin: String =
        sqlx::query_scalar("select token_id::text from api_tokens where name = 'all-admin'")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    let before = world(&app).await;
    for (who, method, path, body, status) in ATTACKS {
        let path = path.replace("{admin}", &admin).replace("{job}", job);
        let mut request = app.request(method.parse::<Method>().unwrap(), &path);
        if let Some(token) = token(&app, *who) {
            request = request.bearer_auth(token);
        }
        if !body.is_empty() {
            let body: Value = serde_json::from_str(body).unwrap();
            request = request.json(&body);
        }
        let answer = request.answer().await;
        assert_eq!(
            answer.status, *status,
            "{method} {path} {body}: {}",
            answer.text
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let whose = answer.text.contains("all-admin") || answer.text.contains("test\"");
        assert!(!whose, "{method} {path}: {}", answer.text);
    }
    assert_eq!(world(&app).await, before);
    let body = json!({"name": "after", "role": "viewer", "accountIds": [ACCOUNT]});
    app.admin(Method::POST, "/v1/tokens")
        .json(&body)
        .answer()
        .await
        .expect(201);
    app.end().await;
}
