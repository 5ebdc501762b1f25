//! Many at once, by one caller: another's requests are answered beside them.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::support::app::{BASE, Send as _, TestApp};
use crate::support::wire;

/// Each is tried below.
pub const STORMS: &[&str] = &[
    "refused changes",
    "tokens of one name",
    "tokens of a maker that is being revoked",
    "heads that can't be read",
];

/// Only catches a mistake.
const BOUND: Duration = Duration::from_secs(30);

#[tokio::test]
async fn refused_changes_in_a_storm_are_counted_and_hold_nobody_up() {
    let app = TestApp::start().await;
    let storm = (0..500).map(|i| {
        let body = json!({"name": format!("fp-{i}"), "selectors": [{"namespace": "a"}]});
        let post = app
            .request(Method::POST, BASE)
            .bearer_auth(&app.tokens.viewer);
        async move { post.json(&body).answer().await.status }
    });
    let other = app.operator(Method::POST, BASE);
    let other = other.json(&json!({"name": "fp", "selectors": [{"namespace": "a"}]}));
    let (statuses, other) = tokio::join!(join_all(storm), other.answer());
    assert!(statuses.iter().all(|status| *status == 403), "{statuses:?}");
    other.expect(202);
    let told = async {
        loop {
            let list = app.viewer("/v1/audit-events?outcome=denied").answer().await;
            let items = list.expect(200).json()["items"].as_array().unwrap().clone();
            let count: u64 = items
                .iter()
                .map(|item| item["count"].as_u64().unwrap())
                .sum();
            if count == 500 {
                return items.len();
            }
            tokio::task::yield_now().await;
        }
    };
    let rows = tokio::time::timeout(BOUND, told)
        .await
        .expect("all are counted");
    assert!(rows <= 4, "{rows}");
    app.end().await;
}

#[tokio::test]
async fn of_many_tokens_of_one_name_one_is_made() {
    let app = TestApp::start().await;
    let body = json!({"name": "one", "role": "viewer"});
    let storm = (0..50).map(|_| {
        let post = app.admin(Method::POST, "/v1/tokens").json(&body);
        async move { post.answer().await.status }
    });
    let mut statuses = join_all(storm).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    app.end().await;
}

#[tokio::test]
async fn nothing_that_a_revoked_maker_was_making_lives_on() {
    let app = TestApp::start().await;
    let maker = json!({"name": "maker", "role": "admin"});
    let maker = app.admin(Method::POST, "/v1/tokens").json(&maker).answer();
    let maker = maker.await.expect(201).json();
    let secret = maker["secret"].as_str().unwrap();
    let storm = (0..60).map(|i| {
        let body = json!({"name": format!("made-{i}"), "role": "admin"});
        let post = app
            .request(Method::POST, "/v1/tokens")
            .bearer_auth(secret)
            .json(&body);
        async move { post.answer().await.status }
    });
    let path = format!(
        "/v1/tokens/{}?revokeDescendants=true",
        maker["id"].as_str().unwrap()
    );
    let revoked = app.admin(Method::DELETE, &path).answer();
    let (statuses, revoked) = tokio::join!(join_all(storm), revoked);
    revoked.expect(200);
    assert!(
        statuses.iter().all(|status| [201, 401].contains(status)),
        "{statuses:?}"
    );
    let living: i64 = sqlx::query_scalar(
        "select count(*) from api_tokens where name like 'made-%' and revoked_at is null",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert_eq!(living, 0);
    app.end().await;
}

#[tokio::test]
async fn heads_that_cannot_be_read_hold_nobody_up() {
    let app = TestApp::start().await;
    let storm = (0..300).map(|_| wire::exchange(&app, b"\x16\x03\x01\r\n\r\n"));
    let (told, answer) = tokio::join!(join_all(storm), app.viewer("/v1/jobs").answer());
    answer.expect(200);
    assert!(told.iter().all(|told| told.starts_with(b"HTTP/1.1 400")));
    app.end().await;
}
