//! Conditional requests, preferences and trace context, where a header says something odd.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

#[tokio::test]
async fn any_of_several_tags_weak_or_strong_is_known() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let job = job["links"]["self"].as_str().unwrap().to_owned();
    for path in [job, format!("/v1/accounts/{ACCOUNT}")] {
        let seen = app.viewer(&path).answer().await.expect(200);
        let tag = seen.header("etag");
        let strong = tag.trim_start_matches("W/");
        for (sent, status) in [
            (tag.to_owned(), 304),
            (strong.to_owned(), 304),
            (format!("W/{strong}"), 304),
            (format!("\"old\", {tag} , \"older\""), 304),
            ("*".to_owned(), 304),
            ("\"old\"".to_owned(), 200),
            (strong.trim_matches('"').to_owned(), 200),
            (format!("{strong}x"), 200),
            (",,".to_owned(), 200),
            (String::new(), 200),
        ] {
            let asked = app.viewer(&path).header("If-None-Match", &sent);
            let answer = asked.header("X-Request-Id", "req-1").answer().await;
            assert_eq!(answer.status, status, "{path} {sent}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("x-request-id"), "req-1");
            assert_eq!(answer.text.is_empty(), status == 304);
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_writer_who_has_seen_another_version_is_refused() {
    let app = TestApp::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}");
    let tag = app.viewer(&path).answer().await.expect(200);
    let tag = tag.header("etag").to_owned();
    for (sent, status) in [
        ("\"0-00000000\"".to_owned(), 412),
        ("\"x\", W/\"y\"".to_owned(), 412),
        ("\"\"".to_owned(), 412),
        ("\u{20ac}".to_owned(), 412),
        (",".to_owned(), 412),
        (String::new(), 412),
        (format!("\"x\", {tag}"), 200),
    ] {
        let seen = HeaderValue::from_bytes(sent.as_bytes()).unwrap();
        let request = app.admin(Method::PATCH, &path).header("If-Match", seen);
        let answer = request.json(&json!({"name": "renamed"})).answer().await;
        assert_eq!(answer.status, status, "{sent}: {}", answer.text);
    }
    app.end().await;
}

#[tokio::test]
async fn a_header_that_is_too_long_is_pointed_at() {
    let app = TestApp::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}");
    for (name, most) in [("Prefer", 256), ("If-Match", 1024), ("If-None-Match", 1024)] {
        let asked = |length: usize| app.viewer(&path).header(name, "x".repeat(length));
        asked(most).answer().await.expect(200);
        let refused = asked(most + 1).answer().await;
        let problem = refused.problem(422, "invalid_request");
        let pointer = format!("/header/{name}");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    app.end().await;
}

#[tokio::test]
async fn a_preference_that_is_not_known_changes_nothing() {
    let app = TestApp::start().await;
    for prefer in [
        "handling=strict",
        "wait=soon",
        "wait=-1",
        "wait",
        ";;,=",
        "",
    ] {
        let body = json!({"selectors": [{"namespace": "default"}]});
        let post = app.operator(Method::POST, BASE).header("Prefer", prefer);
        let answer = post.json(&body).answer().await.expect(202);
        assert_eq!(answer.header("preference-applied"), "", "{prefer}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_sound_trace_is_kept_with_every_job_and_another_is_left_out() {
    let app = TestApp::start().await;
    let sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let config = json!({
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [{"name": "fp-a", "selectors": [{"namespace": "a"}]}],
    });
    let configs = format!("/v1/accounts/{ACCOUNT}/fargate-profiles");
    for (trace, kept) in [
        (sound, Some(sound)),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", None),
        ("nonsense", None),
    ] {
        for request in [
            app.operator(Method::DELETE, &format!("{BASE}/fp-a")),
            app.operator(Method::POST, &configs).json(&config),
            app.viewer(&format!("{BASE}?waitSeconds=0")),
        ] {
            let request = request.header("traceparent", trace);
            request.answer().await.expect(202);
            let found: Option<String> =
                sqlx::query_scalar("select traceparent from jobs order by created_at desc limit 1")
                    .fetch_one(&app.pool)
                    .await
                    .unwrap();
            assert_eq!(found.as_deref(), kept);
        }
    }
    app.hands.finish_all().await;
    app.end().await;
}
