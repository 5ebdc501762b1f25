//! Webhooks of portals, made and edited: their credentials are never shown and go nowhere else.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::portals::{Port, SECRET, port_webhook};
use super::support::{delivery, id, patch, post, read, sender};
use crate::support::app::{Send as _, TestApp};

fn ends() -> Value {
    json!([
        "job.succeeded",
        "job.failed",
        "job.canceled",
        "operation.finished"
    ])
}

#[tokio::test]
async fn a_portals_webhook_needs_its_credentials_and_takes_no_others() {
    let app = TestApp::start().await;
    let port = json!({
        "url": "https://198.51.100.1", "format": "port", "clientId": "an-id", "secret": SECRET,
        "eventTypes": ends(),
    });
    let cortex = json!({
        "url": "https://198.51.100.1/api/v1/workflows", "format": "cortex", "secret": SECRET,
        "eventTypes": ends(),
    });
    let standard = json!({"url": "https://198.51.100.1/x", "eventTypes": ["job.failed"]});
    for (of, field, value, pointer) in [
        (&port, "clientId", Value::Null, "/clientId"),
        (&port, "clientId", json!(""), "/clientId"),
        (&port, "secret", Value::Null, "/secret"),
        (&port, "secret", json!(""), "/secret"),
        (&port, "secret", json!("two\nlines"), "/secret"),
        (&port, "url", json!("https://198.51.100.1/v1"), "/url"),
        (&port, "url", json!("https://198.51.100.1?a=1"), "/url"),
        (&port, "url", json!("https://127.0.0.2"), "/url"),
        (&port, "format", json!("jira"), "/format"),
        (&port, "eventTypes", json!(["job.succeeded"]), "/eventTypes"),
        (&cortex, "clientId", json!("an-id"), "/clientId"),
        (&cortex, "secret", Value::Null, "/secret"),
        (&standard, "secret", json!(SECRET), "/secret"),
        (&standard, "clientId", json!("an-id"), "/clientId"),
    ] {
        let mut body = of.clone();
        body[field] = value;
        if body[field].is_null() {
            body.as_object_mut().unwrap().remove(field);
        }
        let refused = app.admin(Method::POST, "/v1/webhooks").json(&body).answer();
        let problem = refused.await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_portals_secret_is_never_shown() {
    let app = TestApp::start().await;
    let webhook = port_webhook(&app, "https://198.51.100.1", SECRET).await;
    assert_eq!(
        (&webhook["format"], &webhook["clientId"]),
        (&json!("port"), &json!("an-id"))
    );
    let path = format!("/v1/webhooks/{}", id(&webhook));
    assert_eq!(read(&app, &path).await, webhook);
    let edited = patch(&app, &webhook, json!({"secret": "the-next-secret"})).await;
    for shown in [&webhook, &edited] {
        assert!(shown.get("secret").is_none(), "{shown}");
    }
    let rotate = app.admin(Method::POST, &format!("{path}/rotate-secret"));
    rotate.answer().await.problem(409, "conflict");
    for table in [
        "webhooks",
        "webhook_deliveries",
        "audit_events",
        "job_callbacks",
    ] {
        let rows = AssertSqlSafe(format!(
            "select coalesce(json_agg(t)::text, '') from {table} t"
        ));
        let rows: String = sqlx::query_scalar(rows).fetch_one(&app.pool).await.unwrap();
        assert!(
            !rows.contains(SECRET) && !rows.contains("the-next-secret"),
            "{table}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn credentials_do_not_go_to_another_url_without_being_given_again() {
    let app = TestApp::start().await;
    let webhook = port_webhook(&app, "https://198.51.100.1", SECRET).await;
    let path = format!("/v1/webhooks/{}", id(&webhook));
    let moved = json!({"url": "https://198.51.100.9"});
    let refused = app.admin(Method::PATCH, &path).json(&moved).answer().await;
    let problem = refused.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/secret");
    patch(
        &app,
        &webhook,
        json!({"url": webhook["url"], "description": "Port"}),
    )
    .await;
    let moved = json!({"url": "https://198.51.100.9", "secret": SECRET, "clientId": "other"});
    let moved = patch(&app, &webhook, moved).await;
    assert_eq!(
        (&moved["url"], &moved["clientId"]),
        (&json!("https://198.51.100.9"), &json!("other"))
    );
    let standard = app.create_webhook("https://198.51.100.3/fleet").await;
    for wrong in [
        json!({"secret": SECRET}),
        json!({"clientId": "an-id"}),
        json!({"format": "port"}),
    ] {
        let path = format!("/v1/webhooks/{}", id(&standard));
        let refused = app.admin(Method::PATCH, &path).json(&wrong).answer().await;
        refused.problem(422, "invalid_request");
    }
    app.end().await;
}

#[tokio::test]
async fn a_ping_of_port_tries_the_credentials_and_cortex_has_none() {
    let (app, port) = (TestApp::start().await, Port::start(&[]).await);
    let sender = sender(&app);
    let webhook = port_webhook(&app, &port.url(), SECRET).await;
    post(&app, &webhook, "test").await;
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(port.receiver.only().path, "/v1/auth/access_token");
    assert_eq!(delivery(&app, &webhook).await["state"], "succeeded");
    let cortex = json!({
        "url": "https://198.51.100.1/api/v1/workflows", "format": "cortex", "secret": SECRET,
        "eventTypes": ends(),
    });
    let made = app
        .admin(Method::POST, "/v1/webhooks")
        .json(&cortex)
        .answer();
    let cortex = made.await.expect(201).json();
    let ping = format!("/v1/webhooks/{}/test", id(&cortex));
    app.admin(Method::POST, &ping)
        .answer()
        .await
        .problem(409, "conflict");
    port.receiver.stop().await;
    app.end().await;
}
