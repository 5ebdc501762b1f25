//! Accounts: register, edit, delete.

use reqwest::Method;
use serde_json::json;

use crate::support::app::{ACCOUNT, Send as _, TestApp};

const PATH: &str = "/v1/accounts/111111111111";

#[tokio::test]
async fn a_registered_account_has_defaults_and_a_secret_of_its_own() {
    let app = TestApp::start().await;
    let body = json!({"accountId": "222222222222", "name": "China", "regions": ["cn-north-1"]});
    let made = app
        .admin(Method::POST, "/v1/accounts")
        .json(&body)
        .answer()
        .await
        .expect(201);
    assert_eq!(made.header("location"), "/v1/accounts/222222222222");
    let account = made.json();
    assert_eq!(
        account["roleArn"],
        "arn:aws-cn:iam::222222222222:role/fargate-fleet"
    );
    assert_eq!(account["state"], "active");
    let external_id = account["externalId"].as_str().unwrap();
    assert!(
        external_id.starts_with("fleet-") && external_id.len() == 46,
        "{external_id}"
    );
    assert!(account.get("podExecutionRoleARN").is_none());
    let read = app
        .viewer("/v1/accounts/222222222222")
        .answer()
        .await
        .expect(200);
    assert_eq!(read.json(), account);
    assert_eq!(read.header("etag"), made.header("etag"));
    app.admin(Method::POST, "/v1/accounts")
        .json(&body)
        .answer()
        .await
        .problem(409, "already_exists");
    app.end().await;
}

#[tokio::test]
async fn what_does_not_fit_together_is_pointed_at() {
    let app = TestApp::start().await;
    for (body, pointer) in [
        (
            json!({"accountId": "22", "name": "x", "regions": ["eu-central-1"]}),
            "/accountId",
        ),
        (
            json!({"accountId": "222222222222", "name": "x", "regions": []}),
            "/regions",
        ),
        (
            json!({"accountId": "222222222222", "name": "x", "regions": ["nowhere"]}),
            "/regions/0",
        ),
        (
            json!({"accountId": "222222222222", "name": "x", "regions": ["eu-central-1"],
                "roleArn": "arn:aws:iam::333333333333:role/x"}),
            "/roleArn",
        ),
        (
            json!({"accountId": "222222222222", "name": "x", "regions": ["eu-central-1"],
                "podExecutionRoleARN": "arn:aws-cn:iam::222222222222:role/x"}),
            "/podExecutionRoleARN",
        ),
        (
            json!({"accountId": "222222222222", "name": "x", "regions": ["eu-central-1"],
                "externalId": "mine"}),
            "/externalId",
        ),
    ] {
        let refused = app
            .admin(Method::POST, "/v1/accounts")
            .json(&body)
            .answer()
            .await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_patch_merges_and_wants_the_version_it_has_seen() {
    let app = TestApp::start().await;
    let seen = app.viewer(PATH).answer().await.expect(200);
    let tag = seen.header("etag").to_owned();
    let known = app
        .viewer(PATH)
        .header("If-None-Match", &tag)
        .answer()
        .await
        .expect(304);
    assert_eq!(known.text, "");
    let patch = json!({"name": "renamed", "labels": {"a": "b"}, "podExecutionRoleARN": null});
    let edit = || app.admin(Method::PATCH, PATH).json(&patch);
    let edited = edit().header("If-Match", &tag).answer().await.expect(200);
    assert_eq!(edited.json()["labels"], json!({"a": "b"}));
    assert!(edited.json().get("podExecutionRoleARN").is_none());
    assert_eq!(edited.json()["regions"], seen.json()["regions"]);
    assert_eq!(edited.json()["externalId"], seen.json()["externalId"]);
    assert_ne!(edited.header("etag"), tag);
    edit()
        .header("If-Match", &tag)
        .answer()
        .await
        .problem(412, "precondition_failed");
    edit().header("If-Match", "*").answer().await.expect(200);
    edit().answer().await.expect(200);
    let gone = app
        .admin(Method::DELETE, PATH)
        .header("If-Match", &tag)
        .answer()
        .await;
    gone.problem(412, "precondition_failed");
    app.end().await;
}

#[tokio::test]
async fn some_fields_never_change() {
    let app = TestApp::start().await;
    for field in ["accountId", "externalId"] {
        let patch = json!({(field): "222222222222"});
        let refused = app.admin(Method::PATCH, PATH).json(&patch).answer().await;
        let problem = refused.problem(422, "immutable_field");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
    for (patch, pointer) in [
        (json!({"state": "parked"}), "/state"),
        (json!({"name": null}), "/name"),
        (
            json!({"roleArn": "arn:aws:iam::222222222222:role/x"}),
            "/roleArn",
        ),
    ] {
        let refused = app.admin(Method::PATCH, PATH).json(&patch).answer().await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_disabled_account_takes_no_jobs_until_it_is_active_again() {
    let app = TestApp::start().await;
    let set = async |state: &str| {
        app.admin(Method::PATCH, PATH)
            .json(&json!({"state": state}))
            .answer()
            .await
            .expect(200)
    };
    let base = crate::support::app::BASE;
    let body = json!({"name": "fp", "selectors": [{"namespace": "a"}]});
    set("disabled").await;
    let refused = app.operator(Method::POST, base).json(&body).answer().await;
    let problem = refused.problem(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("disabled"),
        "{problem}"
    );
    set("active").await;
    app.operator(Method::POST, base)
        .json(&body)
        .answer()
        .await
        .expect(202);
    app.end().await;
}

#[tokio::test]
async fn setting_a_parked_account_active_closes_its_breaker() {
    let app = TestApp::start().await;
    sqlx::query(
        "update accounts set state = 'parked', role_failures = 3, parked_reason = 'denied',
         probe_at = now() + interval '5 minutes'",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let parked = app.viewer(PATH).answer().await.expect(200).json();
    assert_eq!(
        (&parked["state"], &parked["parkedReason"]),
        (&json!("parked"), &json!("denied"))
    );
    let read = app.viewer(crate::support::app::BASE).answer().await;
    let problem = read.problem(502, "aws_assume_role_failed");
    assert!(
        problem["detail"].as_str().unwrap().contains("denied"),
        "{problem}"
    );
    let job = app.create_profile("fp-parked").await;
    assert_eq!(job["waitingReason"], "account_parked");
    let active = json!({"state": "active"});
    let mended = app
        .admin(Method::PATCH, PATH)
        .json(&active)
        .answer()
        .await
        .expect(200)
        .json();
    assert_eq!(mended["state"], "active");
    assert!(mended.get("parkedReason").is_none() && mended.get("nextProbeAt").is_none());
    app.end().await;
}

#[tokio::test]
async fn an_account_with_unfinished_jobs_stays() {
    let app = TestApp::start().await;
    app.create_profile("fp-a").await;
    app.create_profile("fp-b").await;
    let problem = app
        .admin(Method::DELETE, PATH)
        .answer()
        .await
        .problem(409, "conflict");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("2 unfinished jobs"),
        "{problem}"
    );
    app.hands.finish_all().await;
    app.admin(Method::DELETE, PATH).answer().await.expect(204);
    let problem = app.viewer(PATH).answer().await.problem(404, "not_found");
    assert_eq!(problem["resource"], "account");
    app.admin(Method::DELETE, PATH)
        .answer()
        .await
        .problem(404, "not_found");
    app.end().await;
}

#[tokio::test]
async fn every_change_leaves_one_audit_row_and_a_refused_one_none() {
    let app = TestApp::start().await;
    app.admin(Method::PATCH, PATH)
        .json(&json!({"name": "y"}))
        .answer()
        .await
        .expect(200);
    let stale = app
        .admin(Method::PATCH, PATH)
        .header("If-Match", "\"0\"")
        .json(&json!({"name": "z"}));
    stale.answer().await.problem(412, "precondition_failed");
    app.admin(Method::DELETE, PATH)
        .header("X-Request-Id", "req-9")
        .answer()
        .await
        .expect(204);
    let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
        "select actor, action, resource, request_id from audit_events order by event_seq",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    let actions: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    assert_eq!(
        actions,
        ["registerAccount", "updateAccount", "deleteAccount"]
    );
    assert!(
        rows.iter()
            .all(|row| row.0 == "all-admin" && row.2 == format!("/v1/accounts/{ACCOUNT}"))
    );
    assert_eq!(rows[2].3.as_deref(), Some("req-9"));
    app.end().await;
}
