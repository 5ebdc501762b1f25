//! Headers that every answer has, whatever went wrong.

use fargate_fleet::limits::Limits;
use reqwest::Method;

use crate::support::app::{ACCOUNT, Answer, BASE, Send as _, TestApp};

fn assert_safe(answer: &Answer, cache: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cache-control", cache),
        // Plain HTTP must not promise TLS.
        ("strict-transport-security", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {answer:?}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let runs_scripts = policy.contains("script-src 'self'");
    assert_eq!(runs_scripts, answer.text.contains("swagger-ui"), "{policy}");
}

#[tokio::test]
async fn every_answer_tells_browsers_and_caches_what_they_may_not_do() {
    let app = TestApp::start_limited(Limits {
        uri_bytes: 512,
        ..Limits::default()
    })
    .await;
    let job = app.create_profile("fp").await;
    let job = job["links"]["self"].as_str().unwrap().to_owned();
    let account = format!("/v1/accounts/{ACCOUNT}");
    for path in [job.as_str(), &account] {
        let answer = app.viewer(path).answer().await.expect(200);
        assert_safe(&answer, "private, no-cache");
        let known = app
            .viewer(path)
            .header("If-None-Match", answer.header("etag"));
        let known = known.answer().await.expect(304);
        assert_safe(&known, "private, no-cache");
    }
    let long = format!("/v1/jobs?kind={}", "x".repeat(512));
    for (path, status) in [
        ("/v1/jobs", 200),
        ("/v1/accounts", 200),
        ("/v1/jobs?kind=x", 422),
        (&long, 414),
        ("/v1/nothing", 404),
    ] {
        let answer = app.viewer(path).answer().await.expect(status);
        assert_safe(&answer, "no-store");
    }
    for (method, path, status) in [
        (Method::GET, "/livez", 200),
        (Method::GET, "/v1/jobs", 401),
        (Method::PUT, "/v1/jobs", 405),
        (Method::OPTIONS, "/v1/jobs", 204),
        (Method::POST, BASE, 401),
    ] {
        let answer = app.request(method, path).answer().await.expect(status);
        assert_safe(&answer, "no-store");
    }
    for (path, status) in [("/openapi.json", 200), ("/docs", 308), ("/docs/", 200)] {
        let answer = app.request(Method::GET, path).answer().await;
        let answer = answer.expect(status);
        if path.starts_with("/docs") {
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("script-src 'self';"), "{policy}");
            assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
        } else {
            assert_safe(&answer, "no-cache");
        }
    }
    app.end().await;
}

/// The policy of the page lets no inline script run, so there must be none.
#[tokio::test]
async fn the_page_for_people_has_no_script_of_its_own() {
    let app = TestApp::start().await;
    let page = app
        .request(Method::GET, "/docs/")
        .answer()
        .await
        .expect(200);
    let scripts: Vec<&str> = page.text.split("<script").skip(1).collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src="), "{tag}");
        assert!(
            rest.starts_with("</script>") || rest.starts_with(' '),
            "{rest}"
        );
    }
    app.end().await;
}
