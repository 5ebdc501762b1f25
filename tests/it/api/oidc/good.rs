//! What counts, and what it lets its bearer do.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{EC, ED, NOW, RSA, Stage, with, without};
use crate::support::app::{ACCOUNT, BASE, Send as _};

#[tokio::test]
async fn each_algorithm_lets_each_role_do_what_it_may() {
    let stage = Stage::new().await;
    for signer in [&*RSA, &*EC, &*ED] {
        for (roles, change_profile, change_accounts) in [
            (json!(["viewer"]), 403, 403),
            (json!("viewer"), 403, 403),
            (json!(["fleet-operators", "viewer", "x"]), 422, 403),
            (json!(["viewer", "fleet-admins"]), 422, 422),
        ] {
            let claims = with(&stage.claims(), "roles", roles.clone());
            let token = signer.token(&claims);
            let name = format!("{roles} by {}", signer.algorithm());
            let read = stage.get(&token).answer().await;
            assert_eq!(read.status, 200, "{name}: {}", read.text);
            for (path, status) in [(BASE, change_profile), ("/v1/accounts", change_accounts)] {
                let post = stage.request(Method::POST, path, &token).json(&json!({}));
                assert_eq!(post.answer().await.status, status, "{name}: POST {path}");
            }
        }
    }
    assert_eq!(stage.issuer.asked(), (1, 1));
    stage.end().await;
}

#[tokio::test]
async fn issuers_write_their_tokens_in_more_than_one_way() {
    let stage = Stage::new().await;
    let claims = stage.claims();
    let head = |typ: Value| {
        let mut head = RSA.head();
        head["typ"] = typ;
        head
    };
    for (name, token) in [
        (
            "several audiences",
            RSA.token(&with(&claims, "aud", json!(["x", super::AUDIENCE]))),
        ),
        (
            "an end that is not whole",
            RSA.token(&with(&claims, "exp", json!(300.5 + 1.8e9))),
        ),
        ("no beginning", RSA.token(&without(&claims, "nbf"))),
        (
            "an access token's type",
            RSA.token_with(&head(json!("at+jwt")), &claims),
        ),
        ("no type", RSA.token_with(&head(Value::Null), &claims)),
    ] {
        let answer = stage.get(&token).answer().await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
    }
    stage.end().await;
}

#[tokio::test]
async fn one_key_alone_needs_no_id() {
    let jwk = without(&RSA.jwk(), "kid");
    let stage = Stage::with(super::Mood::Well, vec![jwk]).await;
    let head = json!({"alg": "RS256"});
    let token = RSA.token_with(&head, &stage.claims());
    stage.get(&token).answer().await.expect(200);
    stage.end().await;
}

#[tokio::test]
async fn a_caller_sees_the_accounts_of_the_token_alone() {
    let stage = Stage::new().await;
    stage.app.register("222222222222").await;
    for (accounts, seen) in [
        (json!(["*"]), vec![ACCOUNT, "222222222222"]),
        (json!("team-a"), vec![ACCOUNT]),
        (json!(["222222222222", "unknown"]), vec!["222222222222"]),
        (
            json!(["team-a", "222222222222"]),
            vec![ACCOUNT, "222222222222"],
        ),
        (json!(["999999999999"]), vec![]),
    ] {
        let token = EC.token(&with(&stage.claims(), "accounts", accounts.clone()));
        let list = stage.get(&token).answer().await.expect(200).json();
        let items = list["items"].as_array().unwrap().iter();
        let mut ids: Vec<&str> = items.map(|a| a["accountId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, seen, "{accounts}");
        for id in [ACCOUNT, "222222222222"] {
            let path = format!("/v1/accounts/{id}");
            let status = if seen.contains(&id) { 200 } else { 404 };
            let one = stage.request(Method::GET, &path, &token).answer().await;
            assert_eq!(one.status, status, "{accounts}: {path}");
        }
    }
    stage.end().await;
}

#[tokio::test]
async fn work_bears_the_callers_name_and_a_key_belongs_to_the_subject() {
    let stage = Stage::new().await;
    let body = json!({"name": "fp", "selectors": [{"namespace": "default"}]});
    let post = async |claims: &Value| {
        let post = stage.request(Method::POST, BASE, &ED.token(claims));
        post.header("Idempotency-Key", "k-1")
            .json(&body)
            .answer()
            .await
    };
    let first = post(&stage.claims()).await.expect(202);
    assert_eq!(first.json()["requestedBy"], "alice@example.com");
    // Another token of the same person.
    let again = post(&with(&stage.claims(), "exp", json!(NOW + 301))).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["id"], first.json()["id"]);
    // Another person who goes by the same name.
    let other = post(&with(&stage.claims(), "sub", json!("subject-2"))).await;
    assert_eq!(other.header("idempotent-replayed"), "");
    assert_ne!(other.json()["id"], first.json()["id"]);
    let actors: Vec<String> = sqlx::query_scalar("select distinct actor from audit_events")
        .fetch_all(&stage.app.pool)
        .await
        .unwrap();
    assert!(
        actors.contains(&"alice@example.com".to_owned()),
        "{actors:?}"
    );
    // An API token may go by the same name; the trail tells them apart.
    let body = json!({"name": "alice@example.com", "role": "admin"});
    let made = stage.app.admin(Method::POST, "/v1/tokens").json(&body);
    let made = made.answer().await.expect(201).json();
    let post = stage.request(Method::POST, BASE, made["secret"].as_str().unwrap());
    let body = json!({"name": "fp-2", "selectors": [{"namespace": "default"}]});
    post.json(&body).answer().await.expect(202);
    let path = "/v1/audit-events?actor=alice@example.com";
    let trail = stage.app.viewer(path).answer().await.expect(200).json();
    let events = trail["items"].as_array().unwrap();
    let kinds: Vec<&str> = events
        .iter()
        .map(|e| e["actorKind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["api_token", "oidc", "oidc"]);
    stage.end().await;
}

#[tokio::test]
async fn sixty_seconds_are_forgiven_and_not_one_more() {
    let stage = Stage::new().await;
    let at = |nbf: i64, exp: i64| {
        let claims = with(&stage.claims(), "nbf", json!(nbf));
        RSA.token(&with(&claims, "exp", json!(exp)))
    };
    for (nbf, exp, status) in [
        (NOW, NOW - 59, 200),
        (NOW, NOW - 60, 401),
        (NOW + 60, NOW + 300, 200),
        (NOW + 61, NOW + 300, 401),
    ] {
        let answer = stage.get(&at(nbf, exp)).answer().await;
        assert_eq!(answer.status, status, "{}: {}", nbf - NOW, exp - NOW);
    }
    // Remembered or not, a token ends when it ends.
    let token = at(NOW, NOW + 1);
    stage.get(&token).answer().await.expect(200);
    stage.hand.advance(Duration::from_mins(1));
    stage.get(&token).answer().await.expect(200);
    stage.hand.advance(Duration::from_secs(1));
    stage
        .get(&token)
        .answer()
        .await
        .problem(401, "unauthenticated");
    stage.end().await;
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_token() {
    let stage = Stage::new().await;
    let job = stage.app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let token = EC.token(&with(&stage.claims(), "exp", json!(NOW + 10)));
    let stream = stage.request(Method::GET, path, &token).send().await;
    let mut stream = stream.unwrap();
    assert_eq!(stream.status(), 200);
    stream.chunk().await.unwrap().expect("the first event");
    stage.hand.advance(Duration::from_secs(70));
    let rest = async { while stream.chunk().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(10), rest).await;
    ended.expect("the stream ends, though the job has not");
    stage.end().await;
}
