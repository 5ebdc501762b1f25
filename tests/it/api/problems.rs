//! Errors of the framework are problems like all others.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::support::app::{BASE, Send as _, TestApp};

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let app = TestApp::start().await;
    for path in ["/", "/v1", "/v1/nothing", "/v1/jobs/", "/v2/jobs", "/docsx"] {
        let answer = app
            .viewer(path)
            .header("X-Request-Id", "req-1")
            .answer()
            .await;
        let problem = answer.problem(404, "not_found");
        assert_eq!(problem["requestId"], "req-1");
        assert_eq!(problem["instance"], path);
    }
    app.end().await;
}

#[tokio::test]
async fn another_method_is_told_which_would_do() {
    let app = TestApp::start().await;
    for (method, path, allow) in [
        (Method::PUT, "/v1/jobs", "GET, HEAD, OPTIONS"),
        (Method::GET, "/v1/jobs/x/cancel", "POST, OPTIONS"),
        (
            Method::PUT,
            "/v1/accounts/111111111111",
            "DELETE, GET, PATCH, HEAD, OPTIONS",
        ),
        (Method::POST, "/docs", "GET, HEAD, OPTIONS"),
        (Method::POST, "/openapi.json", "GET, HEAD, OPTIONS"),
        (Method::DELETE, BASE, "GET, POST, HEAD, OPTIONS"),
    ] {
        let answer = app.operator(method, path).answer().await;
        assert_eq!(answer.header("allow"), allow);
        answer.problem(405, "invalid_request");
    }
    let options = app
        .request(Method::OPTIONS, "/v1/jobs")
        .answer()
        .await
        .expect(204);
    assert_eq!(options.header("allow"), "GET, HEAD, OPTIONS");
    let head = app
        .operator(Method::HEAD, "/v1/jobs")
        .answer()
        .await
        .expect(200);
    assert_eq!(head.text, "");
    app.end().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_problems() {
    let app = TestApp::start().await;
    let post = |kind: &str, body: Vec<u8>| {
        app.operator(Method::POST, BASE)
            .header(CONTENT_TYPE, kind)
            .body(body)
    };
    let json = "application/json";
    post("text/plain", b"x".to_vec())
        .answer()
        .await
        .problem(415, "invalid_request");
    app.operator(Method::POST, BASE)
        .body("{}")
        .answer()
        .await
        .problem(415, "invalid_request");
    let large = vec![b' '; 256 * 1024 + 1];
    post(json, large)
        .answer()
        .await
        .problem(413, "invalid_request");
    let broken = post(json, b"{\"name\": }".to_vec()).answer().await;
    let problem = broken.problem(400, "invalid_request");
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("line 1, column 10"), "{message}");
    for (body, pointer) in [
        (
            r#"{"selectors": [{"namespace": "a"}], "nmae": "x"}"#,
            "/nmae",
        ),
        (
            r#"{"selectors": [{"namespace": 5}]}"#,
            "/selectors/0/namespace",
        ),
        (
            r#"{"selectors": [{"namespace": "a"}], "subnets": ["x"]}"#,
            "/subnets/0",
        ),
        (
            r#"{"name": "eks-x", "selectors": [{"namespace": "a"}]}"#,
            "/name",
        ),
        (r#"{"selectors": []}"#, "/selectors"),
    ] {
        let problem = post(json, body.into())
            .answer()
            .await
            .problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_is_wrong_in_paths_and_queries_is_pointed_at() {
    let app = TestApp::start().await;
    let id = "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f";
    for (path, pointer) in [
        (BASE.replace("eu-central-1", "nowhere"), "/path/region"),
        (
            BASE.replace("eu-central-1", "ap-northeast-1"),
            "/path/region",
        ),
        (BASE.replace("prod-1", "-x"), "/path/clusterName"),
        (BASE.replace("111111111111", "1"), "/path/accountId"),
        (format!("{BASE}/a%20b"), "/path/profileName"),
        (format!("{BASE}/a%FFb"), "/path"),
        (format!("{BASE}?output=xml"), "/query/output"),
        (format!("{BASE}?waitSeconds=61"), "/query/waitSeconds"),
        ("/v1/jobs/1".to_owned(), "/path/jobId"),
        (format!("/v1/jobs/{id}?wait=1"), "/query/wait"),
        ("/v1/jobs?state=done".to_owned(), "/query/state"),
        ("/v1/jobs?accountId=1".to_owned(), "/query/accountId"),
        ("/v1/jobs?operationId=1".to_owned(), "/query/operationId"),
        (
            "/v1/jobs?createdAfter=yesterday".to_owned(),
            "/query/createdAfter",
        ),
        ("/v1/jobs?pageSize=0".to_owned(), "/query/pageSize"),
        ("/v1/jobs?pageSize=many".to_owned(), "/query/pageSize"),
        ("/v1/jobs?stat=failed".to_owned(), "/query/stat"),
    ] {
        let problem = app
            .viewer(&path)
            .answer()
            .await
            .problem(422, "invalid_request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{path}: {problem}"
        );
    }
    let unknown = app
        .viewer(&format!("/v1/jobs/{id}"))
        .answer()
        .await
        .problem(404, "not_found");
    assert_eq!(unknown["resource"], "job");
    let unknown = app
        .viewer(&BASE.replace("111111111111", "222222222222"))
        .answer()
        .await;
    assert_eq!(unknown.problem(404, "not_found")["resource"], "account");
    app.end().await;
}
