//! Webhooks made, read, edited and deleted.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::support::{Receiver, count, deliveries, delivery, id, patch, post, read, sender, sql};
use crate::support::app::{ACCOUNT, Answer, Send as _, TestApp};

const URL: &str = "https://198.51.100.1/fleet?key=hidden";

fn body() -> Value {
    json!({"url": URL, "eventTypes": ["job.failed"]})
}

async fn create(app: &TestApp, token: &str, body: &Value) -> Answer {
    let post = app.request(Method::POST, "/v1/webhooks").bearer_auth(token);
    post.json(body).answer().await
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_keeps_it_sealed() {
    let app = TestApp::start().await;
    let made = create(&app, &app.tokens.admin, &body()).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let webhook = made.json();
    let secret = webhook["secret"].as_str().unwrap();
    assert!(
        secret.starts_with("whsec_") && secret.len() == 50,
        "{secret}"
    );
    let path = format!("/v1/webhooks/{}", id(&webhook));
    assert_eq!(made.header("location"), path);
    let got = app.admin(Method::GET, &path).answer().await.expect(200);
    assert_eq!(got.header("etag"), made.header("etag"));
    let mut expected = webhook.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(got.json(), expected);
    let list = read(&app, "/v1/webhooks").await;
    assert_eq!(list, json!({"items": [expected]}));
    let known = app
        .admin(Method::GET, &path)
        .header("If-None-Match", got.header("etag"));
    known.answer().await.expect(304);
    for table in [
        "webhooks",
        "webhook_deliveries",
        "audit_events",
        "idempotency_keys",
    ] {
        let rows = AssertSqlSafe(format!(
            "select coalesce(json_agg(t)::text, '') from {table} t"
        ));
        let rows: String = sqlx::query_scalar(rows).fetch_one(&app.pool).await.unwrap();
        assert!(!rows.contains(secret), "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn fifty_posts_with_one_key_make_one_webhook() {
    let app = TestApp::start().await;
    let posts = (0..50).map(|_| {
        let post = app.admin(Method::POST, "/v1/webhooks").json(&body());
        post.header("Idempotency-Key", "one").answer()
    });
    let answers = join_all(posts).await;
    let first = answers[0].json();
    let mut secrets = 0;
    for answer in answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
        let webhook = answer.json();
        assert_eq!(webhook["id"], first["id"]);
        let shown = webhook["secret"].is_string();
        assert_eq!(
            answer.header("idempotent-replayed"),
            if shown { "" } else { "true" }
        );
        secrets += usize::from(shown);
    }
    assert_eq!(secrets, 1);
    assert_eq!(count(&app.pool, "webhooks").await, 1);
    let other = json!({"url": URL, "eventTypes": ["job.succeeded"]});
    let other = app.admin(Method::POST, "/v1/webhooks").json(&other);
    let refused = other.header("Idempotency-Key", "one").answer().await;
    refused.problem(422, "idempotency_key_reused");
    app.end().await;
}

#[tokio::test]
async fn actions_with_a_key_happen_once() {
    let app = TestApp::start().await;
    let webhook = app.create_webhook(URL).await;
    let ping = post(&app, &webhook, "test").await;
    let path = format!("/v1/webhooks/{}", id(&webhook));
    for action in [
        "test".to_owned(),
        "rotate-secret".to_owned(),
        format!("deliveries/{}/replay", id(&ping)),
    ] {
        let twice = async || {
            let act = app.admin(Method::POST, &format!("{path}/{action}"));
            act.header("Idempotency-Key", action.as_str())
                .answer()
                .await
        };
        let (first, second) = (twice().await, twice().await);
        assert_eq!(first.status, second.status, "{}", second.text);
        assert_eq!(first.json()["id"], second.json()["id"]);
        assert_eq!(second.header("idempotent-replayed"), "true", "{action}");
        assert!(second.json().get("secret").is_none());
    }
    assert_eq!(deliveries(&app, &webhook).await.len(), 2);
    for _ in 0..2 {
        let delete = app.admin(Method::DELETE, &path);
        delete
            .header("Idempotency-Key", "delete")
            .answer()
            .await
            .expect(204);
    }
    let gone = app.admin(Method::GET, &path).answer().await;
    assert_eq!(gone.problem(404, "not_found")["resource"], "webhook");
    assert_eq!(count(&app.pool, "webhook_deliveries").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_edit_keeps_what_it_does_not_name_and_compares_the_etag() {
    let app = TestApp::start().await;
    let mut body = body();
    body["description"] = json!("The portal");
    body["accountIds"] = json!([ACCOUNT]);
    let made = create(&app, &app.tokens.admin, &body).await.expect(201);
    let webhook = made.json();
    let path = format!("/v1/webhooks/{}", id(&webhook));
    let edit = app
        .admin(Method::PATCH, &path)
        .json(&json!({"enabled": false}));
    let edited = edit
        .header("If-Match", made.header("etag"))
        .answer()
        .await
        .expect(200);
    let now = edited.json();
    assert_eq!(now["enabled"], false);
    for kept in [
        "url",
        "description",
        "accountIds",
        "eventTypes",
        "createdAt",
    ] {
        assert_eq!(now[kept], webhook[kept], "{kept}");
    }
    for method in [Method::PATCH, Method::DELETE] {
        let stale = app.admin(method, &path).json(&json!({"enabled": true}));
        let stale = stale.header("If-Match", made.header("etag")).answer().await;
        stale.problem(412, "precondition_failed");
    }
    let all = patch(
        &app,
        &webhook,
        json!({"accountIds": null, "description": null}),
    )
    .await;
    assert!(all.get("accountIds").is_none() && all.get("description").is_none());
    for (change, pointer) in [
        (json!({"url": null}), "/url"),
        (json!({"url": "https://10.0.0.1/"}), "/url"),
        (json!({"eventTypes": []}), "/eventTypes"),
        (json!({"eventTypes": ["job.exploded"]}), "/eventTypes/0"),
        (json!({"accountIds": ["12"]}), "/accountIds/0"),
        (json!({"secret": "whsec_mine"}), "/secret"),
        (json!({"description": "x".repeat(257)}), "/description"),
    ] {
        let refused = app.admin(Method::PATCH, &path).json(&change).answer().await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{change}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_new_webhook_without_an_account_is_not_one_of_all() {
    let app = TestApp::start().await;
    let mut none = body();
    none["accountIds"] = json!([]);
    let refused = create(&app, &app.tokens.admin, &none).await;
    let problem = refused.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/accountIds");
    app.end().await;
}

#[tokio::test]
async fn an_administrator_of_one_account_sees_and_makes_only_webhooks_within_it() {
    let app = TestApp::start().await;
    let other = app.tokens.other_admin.as_str();
    let all = app.create_webhook(URL).await;
    let mine = create(&app, other, &body()).await.expect(201).json();
    assert_eq!(mine["accountIds"], json!(["999999999999"]));
    let mut asked = body();
    asked["accountIds"] = json!(["999999999999", ACCOUNT]);
    let refused = create(&app, other, &asked).await;
    refused.problem(403, "permission_denied");
    let list = app.request(Method::GET, "/v1/webhooks").bearer_auth(other);
    let list = list.answer().await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["id"], mine["id"]);
    let path = format!("/v1/webhooks/{}", id(&all));
    let hidden = app.request(Method::GET, &path).bearer_auth(other);
    hidden.answer().await.problem(404, "not_found");
    let path = format!("/v1/webhooks/{}", id(&mine));
    let widen = app.request(Method::PATCH, &path).bearer_auth(other);
    let widened = widen
        .json(&json!({"accountIds": null}))
        .answer()
        .await
        .expect(200);
    assert_eq!(widened.json()["accountIds"], json!(["999999999999"]));
    // Half of it is not enough.
    patch(
        &app,
        &mine,
        json!({"accountIds": ["999999999999", ACCOUNT]}),
    )
    .await;
    let hidden = app.request(Method::GET, &path).bearer_auth(other);
    hidden.answer().await.problem(404, "not_found");
    app.end().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_trail() {
    let app = TestApp::start().await;
    let webhook = app.create_webhook(URL).await;
    let ping = post(&app, &webhook, "test").await;
    post(&app, &webhook, &format!("deliveries/{}/replay", id(&ping))).await;
    post(&app, &webhook, "rotate-secret").await;
    patch(&app, &webhook, json!({"enabled": false})).await;
    let path = format!("/v1/webhooks/{}", id(&webhook));
    app.admin(Method::DELETE, &path).answer().await.expect(204);
    let events: Vec<(String, String, Option<String>, Value)> = sqlx::query_as(
        "select action, actor, account_id, detail from audit_events where resource = $1 order by event_seq",
    )
    .bind(&path)
    .fetch_all(&app.pool)
    .await
    .unwrap();
    let actions: Vec<&str> = events.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "createWebhook",
            "testWebhook",
            "replayWebhookDelivery",
            "rotateWebhookSecret",
            "updateWebhook",
            "deleteWebhook"
        ]
    );
    assert!(
        events
            .iter()
            .all(|(_, actor, account, _)| actor == "all-admin" && account.is_none())
    );
    assert_eq!(
        events[0].3["url"], "https://198.51.100.1",
        "without path and query"
    );
    assert_eq!(events[4].3["enabled"], false);
    app.end().await;
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    for _ in 0..2 {
        app.create_webhook(URL).await;
    }
    for _ in 0..3 {
        post(&app, &webhook, "test").await;
    }
    receiver.answers(&[500]);
    assert_eq!(sender(&app).round().await.unwrap(), 3);
    let base = format!("/v1/webhooks/{}/deliveries", id(&webhook));
    for list in ["/v1/webhooks", base.as_str()] {
        let mut ids = Vec::new();
        let mut next = format!("{list}?pageSize=2");
        loop {
            let page = read(&app, &next).await;
            ids.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| id(one).to_owned()),
            );
            match page["nextPageToken"].as_str() {
                Some(token) => next = format!("{list}?pageSize=2&pageToken={token}"),
                None => break,
            }
        }
        assert_eq!(ids.len(), 3, "{list}");
        assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    }
    let pending = read(&app, &format!("{base}?state=pending")).await;
    assert_eq!(pending["items"].as_array().unwrap().len(), 1);
    let ended = read(&app, &format!("{base}?state=succeeded,failed")).await;
    assert_eq!(ended["items"].as_array().unwrap().len(), 2);
    let missing = app.admin(Method::GET, &format!("{base}/{}", id(&webhook)));
    assert_eq!(
        missing.answer().await.problem(404, "not_found")["resource"],
        "delivery"
    );
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn a_webhook_is_no_longer_told_of_accounts_that_were_taken_from_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.create_webhook(&receiver.url()).await;
    let job = app.create_profile("fp-told").await;
    let told = format!(
        "insert into webhook_deliveries
            (webhook_id, delivery_id, event_type, subject_id, occurred_at, next_attempt_at)
        values ('{}', gen_random_uuid(), 'job.succeeded', '{}', now(), now())",
        id(&webhook),
        id(&job)
    );
    sql(&app.pool, &told).await;
    patch(&app, &webhook, json!({"accountIds": ["222222222222"]})).await;
    assert_eq!(sender(&app).round().await.unwrap(), 1);
    let stands = delivery(&app, &webhook).await;
    assert_eq!(stands["state"], "failed", "{stands}");
    assert_eq!(receiver.count(), 0);
    receiver.stop().await;
    app.end().await;
}

#[tokio::test]
async fn an_account_has_fifty_webhooks_at_most() {
    let app = TestApp::start().await;
    let of = |accounts: &[&str]| {
        json!({
            "url": URL, "eventTypes": ["job.failed"], "accountIds": accounts,
        })
    };
    let (one, two) = ("111111111111", "222222222222");
    sqlx::query(
        "insert into webhooks (webhook_id, url, event_types, account_ids, secret)
        select gen_random_uuid(), 'http://127.0.0.1:1/', '{job.failed}', '{111111111111}', 'x'
        from generate_series(1, 49)",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let fiftieth = create(&app, &app.tokens.admin, &of(&[one]))
        .await
        .expect(201)
        .json();
    let full = create(&app, &app.tokens.admin, &of(&[two, one])).await;
    let problem = full.problem(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("There are 50 webhooks of account 111111111111"),
        "{detail}"
    );
    // Others are not concerned, nor is an edit that gives it no more.
    let other = create(&app, &app.tokens.admin, &of(&[two]))
        .await
        .expect(201)
        .json();
    let everyones = json!({"url": URL, "eventTypes": ["job.failed"]});
    create(&app, &app.tokens.admin, &everyones)
        .await
        .expect(201);
    let edit = async |webhook: &Value, body: &Value| {
        let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
        app.admin(Method::PATCH, &path).json(body).answer().await
    };
    edit(&fiftieth, &json!({"description": "the last"}))
        .await
        .expect(200);
    let moved = edit(&other, &json!({"accountIds": [two, one]})).await;
    moved.problem(409, "conflict");
    let path = format!("/v1/webhooks/{}", fiftieth["id"].as_str().unwrap());
    app.admin(Method::DELETE, &path).answer().await.expect(204);
    edit(&other, &json!({"accountIds": [two, one]}))
        .await
        .expect(200);
    app.end().await;
}

/// Two who ask at the same moment do not pass the bound together.
#[tokio::test]
async fn the_last_place_is_given_once() {
    let app = TestApp::start().await;
    sqlx::query(
        "insert into webhooks (webhook_id, url, event_types, secret)
        select gen_random_uuid(), 'http://127.0.0.1:1/', '{job.failed}', 'x'
        from generate_series(1, 49)",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let body = body();
    let asking = (0..8).map(|_| create(&app, &app.tokens.admin, &body));
    let mut statuses: Vec<u16> = futures_util::future::join_all(asking)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    app.end().await;
}
