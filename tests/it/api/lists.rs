//! Lists: filters, pages, tokens that nobody can make up.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{BASE, Send as _, TestApp};

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|job| job["profileName"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_cover_everything_once_newest_first() {
    let app = TestApp::start().await;
    for i in 0..5 {
        app.create_profile(&format!("fp-{i}")).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/jobs?pageSize=2".to_owned();
    loop {
        let list = app.viewer(&path).answer().await.expect(200).json();
        seen.extend(names(&list).into_iter().map(str::to_owned));
        let Some(token) = list["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/v1/jobs?pageSize=2&pageToken={token}");
    }
    assert_eq!(seen, ["fp-4", "fp-3", "fp-2", "fp-1", "fp-0"]);
    let all = app
        .viewer("/v1/jobs?pageSize=5000")
        .answer()
        .await
        .expect(200)
        .json();
    assert!(all.get("nextPageToken").is_none());
    app.end().await;
}

#[tokio::test]
async fn a_page_token_fits_only_its_list_and_cannot_be_forged() {
    let app = TestApp::start().await;
    for name in ["fp-a", "fp-b"] {
        app.create_profile(name).await;
    }
    let first = app
        .viewer("/v1/jobs?pageSize=1&state=queued")
        .answer()
        .await
        .expect(200)
        .json();
    let token = first["nextPageToken"].as_str().unwrap();
    let page = async |query: String| app.viewer(&format!("/v1/jobs?{query}")).answer().await;
    page(format!("state=queued&pageToken={token}"))
        .await
        .expect(200);
    let mut forged = token.to_owned();
    forged.replace_range(0..1, if forged.starts_with('A') { "B" } else { "A" });
    for bad in [
        format!("pageToken={token}"),
        format!("state=failed&pageToken={token}"),
        format!("state=queued&pageToken={forged}"),
        "state=queued&pageToken=".to_owned(),
        "state=queued&pageToken=MDE5N2Y2ZTI".to_owned(),
    ] {
        let problem = page(bad).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/query/pageToken");
    }
    // It carries no authority: another caller sees only what is that caller's.
    let path = format!("/v1/jobs?state=queued&pageToken={token}");
    let other = app
        .request(Method::GET, &path)
        .bearer_auth(&app.tokens.other_viewer);
    assert_eq!(
        other.answer().await.expect(200).json(),
        json!({"items": []})
    );
    app.end().await;
}

#[tokio::test]
async fn filters_narrow_and_commas_mean_or() {
    let app = TestApp::start().await;
    app.register("222222222222").await;
    for (base, name) in [
        (BASE.to_owned(), "fp-a"),
        (BASE.replace("prod-1", "dev-1"), "fp-b"),
        (BASE.replace("eu-central-1", "us-east-1"), "fp-c"),
        (BASE.replace("111111111111", "222222222222"), "fp-d"),
    ] {
        let body = json!({"name": name, "selectors": [{"namespace": "a"}]});
        app.operator(Method::POST, &base)
            .json(&body)
            .answer()
            .await
            .expect(202);
    }
    let remove = app
        .admin(Method::DELETE, &format!("{BASE}/fp-e"))
        .answer()
        .await
        .expect(202);
    let made = remove.json()["createdAt"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("kind=delete_fargate_profile", vec!["fp-e"]),
        ("accountId=222222222222", vec!["fp-d"]),
        (
            "accountId=222222222222,111111111111&clusterName=prod-1&region=eu-central-1",
            vec!["fp-e", "fp-d", "fp-a"],
        ),
        ("clusterName=dev-1,dev-2", vec!["fp-b"]),
        ("region=us-east-1", vec!["fp-c"]),
        ("profileName=fp-a,fp-b", vec!["fp-b", "fp-a"]),
        ("requestedBy=all-admin", vec!["fp-e"]),
        ("state=failed,canceled", vec![]),
        ("operationId=0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f", vec![]),
        (&format!("createdAfter={made}"), vec![]),
        (
            &format!("createdBefore={made}&accountId=111111111111"),
            vec!["fp-c", "fp-b", "fp-a"],
        ),
    ] {
        let list = app
            .viewer(&format!("/v1/jobs?{query}"))
            .answer()
            .await
            .expect(200)
            .json();
        assert_eq!(names(&list), expected, "{query}");
    }
    app.end().await;
}

#[tokio::test]
async fn accounts_are_listed_in_order_page_by_page() {
    let app = TestApp::start().await;
    for id in ["333333333333", "222222222222"] {
        app.register(id).await;
    }
    let first = app
        .viewer("/v1/accounts?pageSize=2")
        .answer()
        .await
        .expect(200)
        .json();
    let token = first["nextPageToken"].as_str().unwrap();
    let path = format!("/v1/accounts?pageSize=2&pageToken={token}");
    let second = app.viewer(&path).answer().await.expect(200).json();
    let ids = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|a| a["accountId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["111111111111", "222222222222"]);
    assert_eq!(ids(&second), ["333333333333"]);
    let none = app
        .viewer("/v1/accounts?state=disabled")
        .answer()
        .await
        .expect(200)
        .json();
    assert_eq!(none, json!({"items": []}));
    app.end().await;
}
