//! Page tokens that were cut, changed, made up or taken from another list: 400, and nobody's data.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fargate_fleet::http;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Answer, Send as _, TestApp};

const FILLED: [&str; 3] = ["/v1/accounts", "/v1/jobs", "/v1/operations"];

/// Every list of the document that needs nothing in its path.
fn lists() -> Vec<String> {
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let lists = paths.iter().filter(|(path, item)| {
        let parameters = item["get"]["parameters"].to_string();
        !path.contains('{') && parameters.contains("pageToken")
    });
    lists.map(|(path, _)| path.clone()).collect()
}

/// An API with two accounts, operations and jobs.
async fn filled() -> TestApp {
    let app = TestApp::start().await;
    app.register("222222222222").await;
    for name in ["fp-a", "fp-b"] {
        let config = json!({
            "apiVersion": "eksctl.io/v1alpha5",
            "kind": "ClusterConfig",
            "metadata": {"name": "prod-1", "region": "eu-central-1"},
            "fargateProfiles": [{"name": name, "selectors": [{"namespace": name}]}],
        });
        app.operator(Method::POST, "/v1/accounts/111111111111/fargate-profiles")
            .json(&config)
            .answer()
            .await
            .expect(202);
    }
    app
}

async fn token(app: &TestApp, list: &str) -> String {
    let page = app.admin(Method::GET, &format!("{list}?pageSize=1"));
    let page = page.answer().await.expect(200).json();
    page["nextPageToken"].as_str().unwrap().to_owned()
}

async fn page(app: &TestApp, list: &str, token: &str) -> Answer {
    let page = app.admin(Method::GET, list).query(&[("pageToken", token)]);
    page.answer().await
}

async fn refused(app: &TestApp, list: &str, token: &str) {
    let answer = page(app, list, token).await;
    assert_eq!(answer.status, 400, "{list} {token}: {}", answer.text);
    let problem = answer.problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/query/pageToken");
}

/// The signature of a token with something else to go on from.
fn resigned(token: &str, cursor: &str) -> String {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    bytes.truncate(32);
    bytes.extend_from_slice(cursor.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What a token becomes on the way or in wrong hands, none of it the token.
fn spoiled(token: &str) -> BTreeSet<String> {
    let cut = (0..token.len()).flat_map(|at| [token[..at].to_owned(), token[at..].to_owned()]);
    let changed = token.char_indices().map(|(at, was)| {
        let now = if was == 'A' { "B" } else { "A" };
        format!("{}{now}{}", &token[..at], &token[at + 1..])
    });
    let made_up = [
        resigned(token, ""),
        resigned(token, "0"),
        resigned(token, "111111111111"),
        resigned(token, "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f"),
        resigned(token, "' or 1=1 --"),
        BASE64_URL_SAFE_NO_PAD.encode([0xff; 64]),
        format!("{token}{token}"),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        token.to_ascii_lowercase(),
        "null".to_owned(),
        "\u{1f600}".repeat(100),
        "A".repeat(1024),
    ];
    let all = cut.chain(changed).chain(made_up);
    all.filter(|spoiled| spoiled != token).collect()
}

#[tokio::test]
async fn a_spoiled_token_is_refused_whatever_was_done_to_it() {
    let app = filled().await;
    for list in FILLED {
        let token = token(&app, list).await;
        page(&app, list, &token).await.expect(200);
        for spoiled in spoiled(&token) {
            refused(&app, list, &spoiled).await;
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_token_of_one_list_opens_no_other() {
    let app = filled().await;
    let lists = lists();
    assert!(
        FILLED
            .iter()
            .all(|list| lists.contains(&(*list).to_owned()))
    );
    for from in FILLED {
        let token = token(&app, from).await;
        for list in lists.iter().filter(|list| *list != from) {
            refused(&app, list, &token).await;
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_token_of_another_caller_shows_nothing_of_that_callers() {
    let app = filled().await;
    for list in FILLED {
        let token = token(&app, list).await;
        let other = app
            .request(Method::GET, list)
            .query(&[("pageToken", &token)])
            .bearer_auth(&app.tokens.other_viewer);
        let page = other.answer().await.expect(200);
        assert_eq!(page.json(), json!({"items": []}), "{list}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_token_of_another_service_is_refused() {
    let (app, other) = (filled().await, filled().await);
    for list in FILLED {
        refused(&app, list, &token(&other, list).await).await;
    }
    app.end().await;
    other.end().await;
}
