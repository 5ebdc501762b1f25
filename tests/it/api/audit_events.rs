//! The audit trail as callers read it.

use fargate_fleet::audit::seal::Sealer;
use fargate_fleet::audit::verify::verify;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

const OTHER: &str = "999999999999";

fn actions(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect()
}

/// The trail of a registration, a creation, a token; and a registration in another account.
async fn trail(app: &TestApp) {
    app.create_profile("fp-a").await;
    let body = json!({"name": "ci", "role": "viewer"});
    app.admin(Method::POST, "/v1/tokens")
        .json(&body)
        .answer()
        .await
        .expect(201);
    let body = json!({"accountId": OTHER, "name": "x", "regions": ["eu-central-1"]});
    let post = app
        .request(Method::POST, "/v1/accounts")
        .bearer_auth(&app.tokens.other_admin);
    post.json(&body).answer().await.expect(201);
}

#[tokio::test]
async fn every_change_is_told_newest_first() {
    let app = TestApp::start().await;
    trail(&app).await;
    app.viewer("/v1/jobs").answer().await.expect(200);
    let list = app
        .viewer("/v1/audit-events")
        .answer()
        .await
        .expect(200)
        .json();
    assert_eq!(
        actions(&list),
        [
            "registerAccount",
            "createToken",
            "createFargateProfile",
            "registerAccount"
        ]
    );
    let created = &list["items"][2];
    assert_eq!(created["actor"], "all-operator");
    assert_eq!(created["accountId"], ACCOUNT);
    assert_eq!(created["resource"], format!("{BASE}/fp-a"));
    for (key, present) in [
        ("eventId", true),
        ("occurredAt", true),
        ("subjectId", true),
        ("requestId", true),
        ("detail", true),
        ("onBehalfOf", false),
        ("actorKind", true),
    ] {
        assert_eq!(created.get(key).is_some(), present, "{key}: {created}");
    }
    assert!(list["items"][1].get("accountId").is_none());
    app.end().await;
}

#[tokio::test]
async fn the_kind_of_an_actor_is_told_where_it_was_noted() {
    let app = TestApp::start().await;
    trail(&app).await;
    // As a process wrote it that knew nothing of kinds.
    sqlx::query(
        "insert into audit_events (actor, action, resource, detail)
        values ('old', 'test', '/test', '{\"a\": 1}')",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let list = app.viewer("/v1/audit-events").answer().await.json();
    let events = list["items"].as_array().unwrap();
    let kinds: Vec<&Value> = events.iter().map(|event| &event["actorKind"]).collect();
    let known = json!("api_token");
    assert_eq!(kinds, [&Value::Null, &known, &known, &known, &known]);
    assert_eq!(events[0]["detail"], json!({"a": 1}));
    let told = |event: &Value| {
        event["detail"]
            .as_object()
            .unwrap()
            .contains_key("actorKind")
    };
    assert!(!events.iter().any(told), "{list}");
    let mut sealer = Sealer::default();
    assert_eq!(
        sealer
            .round(&app.shares.engine)
            .await
            .unwrap()
            .unwrap()
            .seal_no,
        5
    );
    // It is sealed with its row, for what an owner of the tables may do to it.
    let change = "alter table audit_events disable trigger user;
        update audit_events set detail = detail || '{\"actorKind\": \"oidc\"}' where event_seq = 3";
    sqlx::raw_sql(change).execute(&app.pool).await.unwrap();
    let mut connection = app.pool.acquire().await.unwrap();
    let found = verify(&mut connection, None).await.unwrap_err().to_string();
    assert!(found.contains("audit event 3 was changed"), "{found}");
    app.end().await;
}

#[tokio::test]
async fn a_caller_of_some_accounts_sees_their_changes_and_no_others() {
    let app = TestApp::start().await;
    trail(&app).await;
    for token in [
        &app.tokens.other_viewer,
        &app.tokens.other_operator,
        &app.tokens.other_admin,
    ] {
        for query in [String::new(), format!("?accountId={OTHER},{ACCOUNT}")] {
            let path = format!("/v1/audit-events{query}");
            let list = app.request(Method::GET, &path).bearer_auth(token);
            let list = list.answer().await.expect(200).json();
            assert_eq!(actions(&list), ["registerAccount"], "{path}");
            assert_eq!(list["items"][0]["accountId"], OTHER, "{path}");
        }
        for query in [
            format!("accountId={ACCOUNT}"),
            "action=createToken".to_owned(),
            "actor=all-admin".to_owned(),
        ] {
            let list = app.request(Method::GET, &format!("/v1/audit-events?{query}"));
            let list = list.bearer_auth(token).answer().await.expect(200).json();
            assert_eq!(list, json!({"items": []}), "{query}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn filters_narrow_the_trail() {
    let app = TestApp::start().await;
    trail(&app).await;
    let list = app
        .viewer("/v1/audit-events")
        .answer()
        .await
        .expect(200)
        .json();
    let made = list["items"][1]["occurredAt"].as_str().unwrap();
    for (query, expected) in [
        (
            "actor=all-operator".to_owned(),
            vec!["createFargateProfile"],
        ),
        (
            "actor=all-operator,other-admin".to_owned(),
            vec!["registerAccount", "createFargateProfile"],
        ),
        ("action=createToken".to_owned(), vec!["createToken"]),
        (
            format!("accountId={ACCOUNT}"),
            vec!["createFargateProfile", "registerAccount"],
        ),
        (
            format!("accountId={ACCOUNT}&action=registerAccount"),
            vec!["registerAccount"],
        ),
        (format!("createdAfter={made}"), vec!["registerAccount"]),
        (
            format!("createdBefore={made}"),
            vec!["createFargateProfile", "registerAccount"],
        ),
    ] {
        let list = app
            .viewer(&format!("/v1/audit-events?{query}"))
            .answer()
            .await;
        assert_eq!(actions(&list.expect(200).json()), expected, "{query}");
    }
    for (query, pointer) in [
        ("accountId=1", "accountId"),
        ("createdAfter=now", "createdAfter"),
        ("actr=x", "actr"),
    ] {
        let refused = app
            .viewer(&format!("/v1/audit-events?{query}"))
            .answer()
            .await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], format!("/query/{pointer}"));
    }
    app.end().await;
}

#[tokio::test]
async fn the_trail_is_read_page_by_page() {
    let app = TestApp::start().await;
    trail(&app).await;
    let mut seen = Vec::new();
    let mut path = "/v1/audit-events?pageSize=3".to_owned();
    loop {
        let page = app.viewer(&path).answer().await.expect(200).json();
        let ids = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["eventId"].as_i64().unwrap());
        seen.extend(ids);
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/v1/audit-events?pageSize=3&pageToken={token}");
    }
    assert_eq!(seen, [4, 3, 2, 1]);
    let forged = app.viewer("/v1/audit-events?pageToken=MTI").answer().await;
    forged.problem(400, "invalid_request");
    app.end().await;
}

#[tokio::test]
async fn a_refused_change_is_in_the_trail_and_verified_like_all_others() {
    let app = TestApp::start().await;
    let delete = app.operator(Method::DELETE, "/v1/accounts/111111111111");
    delete.answer().await.problem(403, "permission_denied");
    let hidden = app.request(Method::DELETE, "/v1/accounts/111111111111");
    let hidden = hidden.bearer_auth(&app.tokens.other_admin).answer().await;
    hidden.problem(404, "not_found");
    // Reads leave none, and neither does what is only wrong.
    let read = app.operator(Method::GET, "/v1/tokens").answer().await;
    read.problem(403, "permission_denied");
    app.operator(Method::POST, BASE)
        .json(&json!({}))
        .answer()
        .await
        .problem(422, "invalid_request");
    let denied = async {
        loop {
            let list = app.viewer("/v1/audit-events?outcome=denied").answer().await;
            let items = list.expect(200).json()["items"].as_array().unwrap().clone();
            if items.len() == 2 {
                return items;
            }
            tokio::task::yield_now().await;
        }
    };
    let denied = tokio::time::timeout(std::time::Duration::from_secs(20), denied).await;
    for item in denied.expect("both are told") {
        assert_eq!(item["action"], "deleteAccount", "{item}");
        assert_eq!(
            (&item["outcome"], &item["count"]),
            (&json!("denied"), &json!(1))
        );
        assert_eq!(item["accountId"], "111111111111");
        assert_eq!(item["resource"], "/v1/accounts/111111111111");
        assert!(
            item["actorId"].is_string() && item["requestId"].is_string(),
            "{item}"
        );
        assert!(item["detail"]["status"].is_u64() && item["detail"].get("outcome").is_none());
    }
    let allowed = app
        .viewer("/v1/audit-events?outcome=allowed")
        .answer()
        .await
        .json();
    let allowed = allowed["items"].as_array().unwrap();
    assert!(!allowed.is_empty() && allowed.iter().all(|item| item["outcome"] == "allowed"));
    app.viewer("/v1/audit-events?outcome=maybe")
        .answer()
        .await
        .problem(422, "invalid_request");

    Sealer::default().round(&app.shares.engine).await.unwrap();
    let mut connection = app.pool.acquire().await.unwrap();
    let sound = verify(&mut connection, None).await.unwrap();
    assert!(sound.rows >= 3, "{sound:?}");
    drop(connection);
    app.end().await;
}
