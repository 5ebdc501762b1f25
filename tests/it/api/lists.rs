//! Lists: filters, pages, tokens that nobody can make up.

use fargate_fleet::limits::Limits;
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

/// All pages of a list: the names in their order, and how many pages there were.
async fn pages(app: &TestApp, token: &str, query: &str) -> (Vec<String>, usize) {
    let (mut seen, mut count) = (Vec::new(), 0);
    let mut path = format!("/v1/jobs?{query}");
    loop {
        let page = app.request(Method::GET, &path).bearer_auth(token);
        let list = page.answer().await.expect(200).json();
        seen.extend(names(&list).into_iter().map(str::to_owned));
        count += 1;
        let Some(token) = list["nextPageToken"].as_str() else {
            return (seen, count);
        };
        path = format!("/v1/jobs?{query}&pageToken={token}");
    }
}

#[tokio::test]
async fn a_page_that_finds_little_is_short_and_goes_on() {
    let limits = Limits {
        list_rows: 4,
        ..Limits::default()
    };
    let app = TestApp::start_limited(limits).await;
    app.register("222222222222").await;
    for i in 0..6 {
        for account in ["111111111111", "222222222222"] {
            let base = BASE.replace("111111111111", account);
            let name = format!("fp-{i}-{}", &account[..1]);
            let body = json!({"name": name, "selectors": [{"namespace": "a"}]});
            let post = app.operator(Method::POST, &base).json(&body);
            post.answer().await.expect(202);
        }
    }
    let body =
        json!({"name": "both", "role": "viewer", "accountIds": ["111111111111", "222222222222"]});
    let made = app.admin(Method::POST, "/v1/tokens").json(&body);
    let made = made.answer().await.expect(201).json();
    let both = made["secret"].as_str().unwrap().to_owned();
    // Of two accounts a window looks at the newest two of each, and ends with the newer second.
    for (token, empty) in [(&app.tokens.viewer, 4), (&both, 5)] {
        let (seen, count) = pages(&app, token, "requestedBy=nobody").await;
        assert_eq!(
            (seen.len(), count),
            (0, empty),
            "twelve jobs, four at a time"
        );
        let (seen, count) = pages(&app, token, "profileName=fp-0-1,fp-5-2&pageSize=5").await;
        let found = vec!["fp-5-2".to_owned(), "fp-0-1".to_owned()];
        assert_eq!((seen, count), (found, empty));
        let (seen, _) = pages(&app, token, "state=queued&pageSize=3").await;
        assert_eq!(seen.len(), 12);
        let (all, _) = pages(&app, token, "pageSize=7").await;
        assert_eq!(all, seen);
        let (one, count) = pages(&app, token, "accountId=222222222222&state=queued").await;
        assert_eq!((one.len(), count), (6, 2));
    }
    app.end().await;
}

#[tokio::test]
async fn a_list_that_takes_too_long_is_told_to_come_again() {
    let app = TestApp::start().await;
    let mut blocking = app.pool.begin().await.unwrap();
    sqlx::query("lock table job_rows in access exclusive mode")
        .execute(&mut *blocking)
        .await
        .unwrap();
    let problem = app.viewer("/v1/jobs").answer().await;
    let problem = problem.problem(503, "deadline_exceeded");
    assert!(problem["detail"].as_str().unwrap().contains("pageSize"));
    blocking.rollback().await.unwrap();
    app.viewer("/v1/jobs").answer().await.expect(200);
    app.end().await;
}
