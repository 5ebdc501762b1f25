//! Tokens and who one is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fargate_fleet::clock::Clock;
use fargate_fleet::domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, Answer, Send as _, TestApp};

const OTHER: &str = "999999999999";

async fn make(app: &TestApp, by: &str, body: &Value) -> Answer {
    app.request(Method::POST, "/v1/tokens")
        .bearer_auth(by)
        .json(body)
        .answer()
        .await
}

async fn get(app: &TestApp, by: &str, path: &str) -> Answer {
    app.request(Method::GET, path)
        .bearer_auth(by)
        .answer()
        .await
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key}: {value}"))
}

fn names(list: &Answer) -> Vec<String> {
    let list = list.json();
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| text(item, "name").to_owned())
        .collect()
}

#[tokio::test]
async fn a_token_is_made_shown_once_and_does_what_it_may() {
    let app = TestApp::start().await;
    let wish = json!({"name": "ci", "role": "operator", "accountIds": [ACCOUNT, ACCOUNT], "expiresInDays": 30});
    let made = make(&app, &app.tokens.admin, &wish).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let (location, made) = (made.header("location").to_owned(), made.json());
    assert_eq!(location, format!("/v1/tokens/{}", text(&made, "id")));
    let secret = text(&made, "secret").to_owned();
    assert!(
        secret.starts_with("fleet_") && secret.len() == 49,
        "{secret}"
    );
    assert_eq!(made["accountIds"], json!([ACCOUNT]));
    let expires: DateTime<Utc> = text(&made, "expiresAt").parse().unwrap();
    let created: DateTime<Utc> = text(&made, "createdAt").parse().unwrap();
    let off = (expires - created - TimeDelta::days(30)).num_minutes();
    assert_eq!(off, 0, "{made}");

    let who = get(&app, &secret, "/v1/whoami").await.expect(200).json();
    assert_eq!(
        who,
        json!({
            "name": "ci", "role": "operator", "accountIds": [ACCOUNT], "credential": "api_token",
            "tokenId": made["id"], "expiresAt": made["expiresAt"], "mayActFor": false,
        })
    );
    let read = get(&app, &app.tokens.admin, &location).await.expect(200);
    assert!(!read.text.contains(&secret) && read.json().get("secret").is_none());
    assert!(read.json()["lastUsedAt"].is_string(), "{}", read.text);
    let list = get(&app, &app.tokens.admin, "/v1/tokens").await.expect(200);
    assert!(
        !list.text.contains(&secret) && names(&list)[0] == "ci",
        "{}",
        list.text
    );
    let trail = get(&app, &app.tokens.admin, "/v1/audit-events").await;
    assert!(!trail.text.contains(&secret), "{}", trail.text);
    app.end().await;
}

#[tokio::test]
async fn whoami_of_a_token_of_all_accounts_names_none() {
    let app = TestApp::start().await;
    let who = app.viewer("/v1/whoami").answer().await.expect(200).json();
    assert_eq!(
        (
            &who["name"],
            &who["role"],
            who.get("accountIds"),
            who.get("expiresAt")
        ),
        (&json!("all-viewer"), &json!("viewer"), None, None)
    );
    app.end().await;
}

#[tokio::test]
async fn what_makes_no_token_is_pointed_at() {
    let app = TestApp::start().await;
    let past = Clock::system().now() - TimeDelta::minutes(1);
    let far = past + TimeDelta::days(3651);
    for (more, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"role": "owner"}), "/role"),
        (json!({"accountIds": []}), "/accountIds"),
        (json!({"accountIds": ["1"]}), "/accountIds/0"),
        (json!({"expiresInDays": 0}), "/expiresInDays"),
        (json!({"expiresInDays": 3651}), "/expiresInDays"),
        (json!({"expiresAt": past}), "/expiresAt"),
        (json!({"expiresAt": far}), "/expiresAt"),
        (json!({"expiresAt": "soon"}), "/expiresAt"),
        (
            json!({"expiresAt": far, "expiresInDays": 1}),
            "/expiresInDays",
        ),
        (json!({"admin": true}), "/admin"),
    ] {
        let mut body = json!({"name": "ci", "role": "viewer"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let problem = make(&app, &app.tokens.admin, &body).await;
        let problem = problem.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    let count: i64 = sqlx::query_scalar("select count(*) from api_tokens")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(count, 6);
    app.end().await;
}

#[tokio::test]
async fn an_administrator_of_some_accounts_makes_and_sees_only_their_tokens() {
    let app = TestApp::start().await;
    let by = &app.tokens.other_admin;
    for accounts in [json!([ACCOUNT]), json!([OTHER, ACCOUNT])] {
        let body = json!({"name": "x", "role": "viewer", "accountIds": accounts});
        make(&app, by, &body)
            .await
            .problem(403, "permission_denied");
    }
    let all = json!({"name": "x", "role": "viewer"});
    make(&app, by, &all).await.problem(403, "permission_denied");
    let own = json!({"name": "own", "role": "admin", "accountIds": [OTHER]});
    let own = make(&app, by, &own).await.expect(201).json();
    let both = json!({"name": "both", "role": "viewer", "accountIds": [OTHER, ACCOUNT]});
    let both = make(&app, &app.tokens.admin, &both)
        .await
        .expect(201)
        .json();

    let seen = names(&get(&app, by, "/v1/tokens").await.expect(200));
    assert_eq!(
        seen,
        ["own", "other-admin", "other-operator", "other-viewer"]
    );
    let path = format!("/v1/tokens/{}", text(&own, "id"));
    get(&app, by, &path).await.expect(200);
    let hidden = format!("/v1/tokens/{}", text(&both, "id"));
    for method in [Method::GET, Method::DELETE] {
        let refused = app.request(method, &hidden).bearer_auth(by).answer().await;
        assert_eq!(refused.problem(404, "not_found")["resource"], "token");
    }
    get(&app, text(&both, "secret"), "/v1/whoami")
        .await
        .expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_revoked_token_stops_working_and_its_record_stays() {
    let app = TestApp::start().await;
    let body = json!({"name": "gone", "role": "viewer"});
    let made = make(&app, &app.tokens.admin, &body)
        .await
        .expect(201)
        .json();
    let (path, secret) = (
        format!("/v1/tokens/{}", text(&made, "id")),
        text(&made, "secret"),
    );
    get(&app, secret, "/v1/jobs").await.expect(200);
    for _ in 0..2 {
        app.admin(Method::DELETE, &path).answer().await.expect(204);
        // No moment of grace in the process that was told.
        get(&app, secret, "/v1/jobs")
            .await
            .problem(401, "unauthenticated");
    }
    let read = get(&app, &app.tokens.admin, &path).await.expect(200).json();
    assert!(read["revokedAt"].is_string(), "{read}");
    let listed = async |query: &str| {
        let path = format!("/v1/tokens{query}");
        names(&get(&app, &app.tokens.admin, &path).await.expect(200))
    };
    assert!(!listed("").await.contains(&"gone".to_owned()));
    assert!(
        listed("?includeRevoked=true")
            .await
            .contains(&"gone".to_owned())
    );
    let trail = app.viewer("/v1/audit-events?action=createToken,revokeToken");
    let trail = trail.answer().await.expect(200).json();
    let actions: Vec<&str> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| text(e, "action"))
        .collect();
    assert_eq!(actions, ["revokeToken", "createToken"]);
    assert_eq!(trail["items"][0]["resource"], path);
    assert_eq!(trail["items"][0]["subjectId"], made["id"]);
    assert_eq!(trail["items"][0]["detail"], trail["items"][1]["detail"]);
    app.end().await;
}

/// Revokes a token as another process does it.
async fn revoke(app: &TestApp, token: &Value) {
    let id = text(token, "id").parse().unwrap();
    let revoked = fargate_fleet::db::tokens::revoke(&app.pool, id).await;
    assert!(revoked.unwrap());
}

/// Waits until a token has let somebody in.
async fn used(app: &TestApp, token: &Value) {
    let path = format!("/v1/tokens/{}", text(token, "id"));
    let used =
        async { while get(app, &app.tokens.admin, &path).await.json()["lastUsedAt"].is_null() {} };
    let waited = tokio::time::timeout(Duration::from_secs(20), used).await;
    waited.expect("it is used");
}

#[tokio::test]
async fn a_stream_ends_soon_after_its_token_is_revoked() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp-watched").await;
    let body = json!({"name": "gone", "role": "viewer"});
    let made = make(&app, &app.tokens.admin, &body).await.json();
    let events = text(&job["links"], "events");
    let stream = async |secret: &str| {
        let stream = app.request(Method::GET, events).bearer_auth(secret);
        let mut stream = stream.send().await.unwrap();
        assert!(stream.chunk().await.unwrap().is_some());
        stream
    };
    let mut ends = stream(text(&made, "secret")).await;
    let mut stays = stream(&app.tokens.viewer).await;
    revoke(&app, &made).await;
    let ended = async { while ends.chunk().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
    ended.expect("it ends");
    // The other one goes on, and tells the end of the job.
    app.hands.finish_all().await;
    let mut rest = String::new();
    while let Some(chunk) = stays.chunk().await.unwrap() {
        rest.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(rest.contains("succeeded"), "{rest}");
    app.end().await;
}

#[tokio::test]
async fn a_long_poll_ends_soon_after_its_token_is_revoked() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp-polled").await;
    let body = json!({"name": "gone", "role": "viewer"});
    let made = make(&app, &app.tokens.admin, &body).await.json();
    let path = format!("/v1/jobs/{}?waitSeconds=60", text(&job, "id"));
    let poll = app.request(Method::GET, &path);
    let poll = poll.bearer_auth(text(&made, "secret")).answer();
    let revoked = async {
        used(&app, &made).await;
        revoke(&app, &made).await;
    };
    let both = async { tokio::join!(poll, revoked).0 };
    let answer = tokio::time::timeout(Duration::from_secs(30), both).await;
    let answer = answer.expect("it ends").expect(200).json();
    assert_eq!(
        answer["state"], "queued",
        "it was let in, and told what there was"
    );
    app.end().await;
}

/// A request that waits for a minute, and what it is answered when its token is revoked meanwhile.
async fn ended_with_its_token(
    app: &TestApp,
    role: &str,
    wait: impl AsyncFn(&str) -> Answer,
) -> Answer {
    let body = json!({"name": "gone", "role": role});
    let made = make(app, &app.tokens.admin, &body).await.json();
    let waiting = wait(text(&made, "secret"));
    let revoked = async {
        used(app, &made).await;
        revoke(app, &made).await;
    };
    let both = async { tokio::join!(waiting, revoked).0 };
    let answer = tokio::time::timeout(Duration::from_secs(30), both).await;
    answer.expect("it ends")
}

const CONFIG: &str = "/v1/accounts/111111111111/fargate-profiles?waitSeconds=60";

fn config(name: &str) -> Value {
    json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [{"name": name, "selectors": [{"namespace": "one"}]}],
    })
}

#[tokio::test]
async fn what_waits_for_an_operation_ends_soon_after_its_token_is_revoked() {
    let app = TestApp::start().await;
    let posted = ended_with_its_token(&app, "operator", async |secret| {
        let post = app.request(Method::POST, CONFIG).bearer_auth(secret);
        post.json(&config("fp-one")).answer().await
    });
    let operation = posted.await.expect(202).json();
    assert_eq!(operation["state"], "queued");
    let path = format!("/v1/operations/{}?waitSeconds=60", text(&operation, "id"));
    let read = ended_with_its_token(&app, "viewer", async |secret| {
        app.request(Method::GET, &path)
            .bearer_auth(secret)
            .answer()
            .await
    });
    assert_eq!(read.await.expect(200).json()["state"], "queued");
    app.end().await;
}

#[tokio::test]
async fn another_process_is_told_of_a_revoked_token() {
    let app = TestApp::start().await;
    let list = get(&app, &app.tokens.admin, "/v1/tokens").await.json();
    let viewer = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "all-viewer");
    let id = text(viewer.unwrap(), "id").parse().unwrap();
    app.viewer("/v1/jobs").answer().await.expect(200);
    // As another process or the command line does it: this one hears of it.
    assert!(
        fargate_fleet::db::tokens::revoke(&app.pool, id)
            .await
            .unwrap()
    );
    app.refused_soon("/v1/jobs")
        .await
        .problem(401, "unauthenticated");
    app.end().await;
}

#[tokio::test]
async fn the_same_key_makes_one_token_and_tells_its_secret_once() {
    let app = TestApp::start().await;
    let body = json!({"name": "once", "role": "viewer"});
    let post = async |body: &Value| {
        app.admin(Method::POST, "/v1/tokens?requestId=k1")
            .json(body)
            .answer()
            .await
    };
    let (first, second) = (post(&body).await.expect(201), post(&body).await.expect(201));
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert!(first.json()["secret"].is_string() && second.json().get("secret").is_none());
    post(&json!({"name": "twice", "role": "viewer"}))
        .await
        .problem(422, "idempotency_key_reused");
    let path = format!("/v1/tokens/{}", text(&first.json(), "id"));
    let delete = async || {
        app.admin(Method::DELETE, &path)
            .header("Idempotency-Key", "k2")
            .answer()
            .await
    };
    assert_eq!(delete().await.expect(204).header("idempotent-replayed"), "");
    assert_eq!(
        delete().await.expect(204).header("idempotent-replayed"),
        "true"
    );
    let made: i64 =
        sqlx::query_scalar("select count(*) from api_tokens where name in ('once', 'twice')")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(made, 1);
    app.end().await;
}

#[tokio::test]
async fn tokens_are_listed_page_by_page() {
    let app = TestApp::start().await;
    let mut seen = Vec::new();
    let mut path = "/v1/tokens?pageSize=4".to_owned();
    loop {
        let page = get(&app, &app.tokens.admin, &path).await.expect(200);
        seen.extend(names(&page));
        let Some(token) = page.json()["nextPageToken"].as_str().map(str::to_owned) else {
            break;
        };
        path = format!("/v1/tokens?pageSize=4&pageToken={token}");
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert_eq!(
        (seen[0].as_str(), seen[5].as_str()),
        ("other-admin", "all-viewer")
    );
    app.end().await;
}

#[tokio::test]
async fn a_change_that_is_not_recorded_is_not_made() {
    let app = TestApp::start().await;
    sqlx::raw_sql(
        "alter table audit_events add constraint no_tokens check (action !~ 'Token') not valid",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let body = json!({"name": "unseen", "role": "admin"});
    make(&app, &app.tokens.admin, &body)
        .await
        .problem(500, "internal");
    let list = get(&app, &app.tokens.admin, "/v1/tokens").await.json();
    let first = &list["items"][0];
    let path = format!("/v1/tokens/{}", text(first, "id"));
    app.admin(Method::DELETE, &path)
        .answer()
        .await
        .problem(500, "internal");
    let tokens: (i64, i64) = sqlx::query_as("select count(*), count(revoked_at) from api_tokens")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(tokens, (6, 0));
    app.end().await;
}

#[tokio::test]
async fn the_right_to_act_for_a_person_is_given_by_who_has_it() {
    let app = TestApp::start().await;
    let body = json!({"name": "portal", "role": "operator", "mayActFor": true});
    let refused = make(&app, &app.tokens.admin, &body).await;
    let refused = refused.problem(403, "permission_denied");
    assert!(text(&refused, "detail").contains("mayActFor"), "{refused}");
    let holder = app.token_that_acts_for("holder", Role::Admin).await;
    let made = make(&app, &holder, &body).await.expect(201).json();
    assert_eq!(made["mayActFor"], true);
    let who = get(&app, text(&made, "secret"), "/v1/whoami").await.json();
    assert_eq!(who["mayActFor"], true);
    app.end().await;
}

#[tokio::test]
async fn no_two_living_tokens_share_a_name() {
    let app = TestApp::start().await;
    let body = json!({"name": "ci", "role": "viewer"});
    let first = make(&app, &app.tokens.admin, &body)
        .await
        .expect(201)
        .json();
    let taken = make(&app, &app.tokens.admin, &body).await;
    let taken = taken.problem(409, "already_exists");
    assert!(
        text(&taken, "detail").contains(text(&first, "id")),
        "{taken}"
    );
    // Who may not see the other is not told which it is.
    let of_other = json!({"name": "ci", "role": "viewer", "accountIds": [OTHER]});
    let taken = make(&app, &app.tokens.other_admin, &of_other).await;
    let taken = taken.problem(409, "already_exists");
    assert!(
        !text(&taken, "detail").contains(text(&first, "id")),
        "{taken}"
    );
    // Neither revoked nor expired ones count.
    let path = format!("/v1/tokens/{}", text(&first, "id"));
    app.admin(Method::DELETE, &path).answer().await.expect(204);
    let second = make(&app, &app.tokens.admin, &body)
        .await
        .expect(201)
        .json();
    sqlx::query("update api_tokens set expires_at = now() where token_id = $1::uuid")
        .bind(text(&second, "id"))
        .execute(&app.pool)
        .await
        .unwrap();
    make(&app, &app.tokens.admin, &body).await.expect(201);
    app.end().await;
}

/// Tokens that made each other, and a webhook of the youngest.
struct Family {
    root: Value,
    child: Value,
    grandchild: Value,
    hook: Value,
}

async fn family(app: &TestApp) -> Family {
    let admin = |name: &str| json!({"name": name, "role": "admin"});
    let root = make(app, &app.tokens.admin, &admin("root")).await.json();
    let child = make(app, text(&root, "secret"), &admin("child"))
        .await
        .json();
    let grandchild = make(app, text(&child, "secret"), &admin("grandchild"))
        .await
        .json();
    make(app, &app.tokens.admin, &admin("beside"))
        .await
        .expect(201);
    assert_eq!(grandchild["createdBy"], child["id"]);
    let hook = json!({"url": "http://198.51.100.7/", "eventTypes": ["job.failed"]});
    let hook = app.request(Method::POST, "/v1/webhooks").json(&hook);
    let hook = hook.bearer_auth(text(&grandchild, "secret")).answer().await;
    let hook = hook.expect(201).json();
    assert_eq!(hook["createdBy"], grandchild["id"]);
    Family {
        root,
        child,
        grandchild,
        hook,
    }
}

/// What ended in the audit trail, and with which token.
async fn ends_in_the_trail(app: &TestApp) -> Vec<(Value, Value)> {
    let trail = "/v1/audit-events?action=revokeToken,updateWebhook&pageSize=3";
    let trail = get(app, &app.tokens.admin, trail).await.json();
    let items = trail["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let with = item["detail"]["revokedWith"].clone();
            (item["subjectId"].clone(), with)
        })
        .collect()
}

#[tokio::test]
async fn what_a_token_made_is_listed_and_ends_with_it_when_that_is_asked() {
    let app = TestApp::start().await;
    let Family {
        root,
        child,
        grandchild,
        hook,
    } = family(&app).await;
    // The one between lives no more; what it made does.
    let path = format!("/v1/tokens/{}", text(&child, "id"));
    app.admin(Method::DELETE, &path).answer().await.expect(204);
    get(&app, text(&grandchild, "secret"), "/v1/jobs")
        .await
        .expect(200);

    let path = format!("/v1/tokens/{}", text(&root, "id"));
    let delete = async |query: &str| {
        let delete = app.admin(Method::DELETE, &format!("{path}{query}"));
        delete.answer().await.expect(200).json()
    };
    let ids = |answer: &Value, of: &str| -> Vec<Value> {
        let items = answer[of].as_array().unwrap().iter();
        items.map(|item| item["id"].clone()).collect()
    };
    let planned = delete("?validateOnly=true&revokeDescendants=true").await;
    assert_eq!(planned["validateOnly"], true);
    assert_eq!(ids(&planned, "tokens"), [grandchild["id"].clone()]);
    assert_eq!(ids(&planned, "webhooks"), [hook["id"].clone()]);
    get(&app, text(&root, "secret"), "/v1/jobs")
        .await
        .expect(200);

    let done = delete("?revokeDescendants=true&requestId=k").await;
    for answer in [&done, &delete("?revokeDescendants=true&requestId=k").await] {
        assert!(answer["token"]["revokedAt"].is_string(), "{answer}");
        assert!(
            ids(answer, "tokens").contains(&grandchild["id"]),
            "{answer}"
        );
        assert_eq!(ids(answer, "webhooks"), [hook["id"].clone()]);
        assert_eq!(answer["webhookCount"], 1);
    }
    assert_eq!(done["tokenCount"], 1);
    for ended in [&root, &child, &grandchild] {
        let refused = get(&app, text(ended, "secret"), "/v1/jobs").await;
        refused.problem(401, "unauthenticated");
    }
    let hook = format!("/v1/webhooks/{}", text(&hook, "id"));
    let hook = get(&app, &app.tokens.admin, &hook).await.expect(200).json();
    assert_eq!(hook["enabled"], false);
    assert!(text(&hook, "disabledReason").contains(text(&root, "id")));
    let list = get(&app, &app.tokens.admin, "/v1/tokens").await;
    assert!(names(&list).contains(&"beside".to_owned()));
    let told = ends_in_the_trail(&app).await;
    assert!(
        told.contains(&(root["id"].clone(), Value::Null)),
        "{told:?}"
    );
    assert!(
        told.contains(&(grandchild["id"].clone(), root["id"].clone())),
        "{told:?}"
    );
    app.end().await;
}

#[tokio::test]
async fn the_audit_trail_names_the_token_by_its_id() {
    let app = TestApp::start().await;
    let who = get(&app, &app.tokens.operator, "/v1/whoami").await.json();
    app.create_profile("fp-a").await;
    let admin = get(&app, &app.tokens.admin, "/v1/whoami").await.json();
    let body = json!({"name": "x", "role": "viewer"});
    make(&app, &app.tokens.admin, &body).await.expect(201);
    let trail = get(&app, &app.tokens.viewer, "/v1/audit-events?pageSize=2")
        .await
        .json();
    assert_eq!(trail["items"][0]["actorId"], admin["tokenId"]);
    assert_eq!(trail["items"][1]["actorId"], who["tokenId"]);
    assert_eq!(trail["items"][0]["outcome"], "allowed");
    app.end().await;
}
