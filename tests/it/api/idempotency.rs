//! The same key and the same request: the same answer.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{BASE, Send as _, TestApp};

fn body(name: &str) -> Value {
    json!({"name": name, "selectors": [{"namespace": "default"}]})
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    let sql = format!("select count(*) from {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_hundred_parallel_posts_with_one_key_make_one_job() {
    let app = TestApp::start().await;
    let post = || {
        app.operator(Method::POST, BASE)
            .header("Idempotency-Key", "k-1")
            .json(&body("fp"))
    };
    let answers = join_all((0..100).map(|_| post().answer())).await;
    let mut ids: Vec<String> = answers.iter().map(|a| a.json()["id"].to_string()).collect();
    let replayed = answers
        .iter()
        .filter(|a| a.header("idempotent-replayed") == "true")
        .count();
    assert!(
        answers.iter().all(|answer| answer.status == 202),
        "{answers:?}"
    );
    ids.dedup();
    assert_eq!((ids.len(), replayed), (1, 99));
    assert_eq!(
        (count(&app, "jobs").await, count(&app, "audit_events").await),
        (1, 2)
    );
    app.end().await;
}

#[tokio::test]
async fn a_hundred_parallel_registrations_with_one_key_make_one_account() {
    let app = TestApp::start().await;
    let body = json!({"accountId": "222222222222", "name": "x", "regions": ["eu-central-1"]});
    let post = || {
        app.admin(Method::POST, "/v1/accounts?requestId=k-1")
            .json(&body)
    };
    let answers = join_all((0..100).map(|_| post().answer())).await;
    assert!(
        answers.iter().all(|answer| answer.status == 201),
        "{answers:?}"
    );
    let replayed = answers
        .iter()
        .filter(|a| a.header("idempotent-replayed") == "true")
        .count();
    assert_eq!(replayed, 99);
    assert!(
        answers
            .iter()
            .all(|answer| answer.json() == answers[0].json())
    );
    assert_eq!(count(&app, "accounts").await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let app = TestApp::start().await;
    let post = async |token: &str, path: &str, name: &str| {
        let post = app.request(Method::POST, path).bearer_auth(token);
        post.header("Idempotency-Key", "k")
            .json(&body(name))
            .answer()
            .await
    };
    let operator = &app.tokens.operator;
    let first = post(operator, BASE, "fp-a").await.expect(202).json();
    post(operator, BASE, "fp-b")
        .await
        .problem(422, "idempotency_key_reused");
    let elsewhere = BASE.replace("prod-1", "dev-1");
    post(operator, &elsewhere, "fp-a")
        .await
        .problem(422, "idempotency_key_reused");
    // How long to wait does not make another request of it; the query's twin is the same key.
    let patient = format!("{BASE}?waitSeconds=1&requestId=k");
    let again = post(operator, &patient, "fp-a").await.expect(202);
    assert_eq!(
        (again.header("idempotent-replayed"), &again.json()["id"]),
        ("true", &first["id"])
    );
    let other = post(&app.tokens.admin, BASE, "fp-a").await.expect(202);
    assert_ne!(other.json()["id"], first["id"]);
    for bad in ["", &"x".repeat(256), "a%20b"] {
        let path = format!("{BASE}?requestId={bad}");
        let problem = post(operator, &path, "fp-a")
            .await
            .problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/query/requestId");
    }
    let odd = app
        .operator(Method::POST, &format!("{BASE}?requestId=fine"))
        .header("Idempotency-Key", "not one word")
        .json(&body("fp-a"));
    let problem = odd.answer().await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/header/Idempotency-Key");
    app.end().await;
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let app = TestApp::start().await;
    let post = || {
        app.operator(Method::POST, BASE)
            .header("Idempotency-Key", "k")
            .json(&body("fp"))
    };
    let first = post().answer().await.expect(202).json();
    sqlx::query("update idempotency_keys set created_at = now() - interval '25 hours'")
        .execute(&app.pool)
        .await
        .unwrap();
    let second = post().answer().await.expect(202);
    assert_ne!(second.json()["id"], first["id"]);
    assert_eq!(second.header("idempotent-replayed"), "");
    app.end().await;
}

#[tokio::test]
async fn deleting_canceling_and_retrying_can_be_repeated() {
    let app = TestApp::start().await;
    let key = ("Idempotency-Key", "again");
    let remove = || {
        app.operator(Method::DELETE, &format!("{BASE}/fp"))
            .header(key.0, key.1)
    };
    let job = remove().answer().await.expect(202).json();
    assert_eq!(remove().answer().await.expect(202).json()["id"], job["id"]);

    let path = format!(
        "{}/cancel?requestId=cancel-1",
        job["links"]["self"].as_str().unwrap()
    );
    let cancel = || app.operator(Method::POST, &path);
    assert_eq!(
        cancel().answer().await.expect(200).json()["state"],
        "canceled"
    );
    let again = cancel().answer().await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), "true");

    let path = format!(
        "{}/retry?requestId=retry-1",
        job["links"]["self"].as_str().unwrap()
    );
    let retry = || app.operator(Method::POST, &path);
    let retried = retry().answer().await.expect(202).json();
    assert_eq!(
        retry().answer().await.expect(202).json()["id"],
        retried["id"]
    );
    assert_eq!(count(&app, "jobs").await, 2);
    app.hands.finish_all().await;

    let path = "/v1/accounts/111111111111?requestId=delete-1";
    app.admin(Method::DELETE, path).answer().await.expect(204);
    let again = app.admin(Method::DELETE, path).answer().await.expect(204);
    assert_eq!(again.header("idempotent-replayed"), "true");
    app.end().await;
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_free() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let remove = || app.admin(Method::DELETE, "/v1/accounts/111111111111?requestId=k");
    remove().answer().await.problem(409, "conflict");
    let cancel = format!("{}/cancel", job["links"]["self"].as_str().unwrap());
    app.operator(Method::POST, &cancel)
        .answer()
        .await
        .expect(200);
    let removed = remove().answer().await.expect(204);
    assert_eq!(removed.header("idempotent-replayed"), "");
    app.end().await;
}
