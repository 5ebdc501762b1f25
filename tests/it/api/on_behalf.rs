//! The person behind a request.

use fargate_fleet::domain::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::{BASE, Send as _, TestApp};

const HEADER: &str = "X-On-Behalf-Of";
const ANN: &str = "ann@example.com";

/// A token that may name persons; the first of these comes from the command line.
async fn portal(app: &TestApp) -> String {
    app.token_that_acts_for("portal", Role::Operator).await
}

fn create(app: &TestApp, token: &str, name: &str, query: &str) -> RequestBuilder {
    let body = json!({"name": name, "selectors": [{"namespace": "a"}]});
    app.request(Method::POST, &format!("{BASE}{query}"))
        .bearer_auth(token)
        .json(&body)
}

async fn last_event(app: &TestApp) -> Value {
    let list = app
        .viewer("/v1/audit-events?pageSize=1")
        .answer()
        .await
        .expect(200);
    list.json()["items"][0].clone()
}

#[tokio::test]
async fn the_person_is_who_asked_and_the_token_who_acted() {
    let app = TestApp::start().await;
    let token = portal(&app).await;
    let job = create(&app, &token, "fp-a", "")
        .header(HEADER, ANN)
        .answer()
        .await
        .expect(202)
        .json();
    assert_eq!(job["requestedBy"], ANN);
    let path = job["links"]["self"].as_str().unwrap().to_owned();
    assert_eq!(app.viewer(&path).answer().await.json()["requestedBy"], ANN);
    let event = last_event(&app).await;
    assert_eq!(
        (&event["actor"], &event["onBehalfOf"]),
        (&json!("portal"), &json!(ANN))
    );

    // Other changes tell it too, and so does the twin in the query.
    let cancel = format!("{path}/cancel?onBehalfOf=bob%20%C3%A9");
    let cancel = app.request(Method::POST, &cancel).bearer_auth(&token);
    cancel.answer().await.expect(200);
    let event = last_event(&app).await;
    assert_eq!(event["action"], "cancelJob");
    assert_eq!(
        (&event["actor"], &event["onBehalfOf"]),
        (&json!("portal"), &json!("bob é"))
    );
    let who = app.request(Method::GET, "/v1/whoami").bearer_auth(&token);
    let who = who.header(HEADER, ANN).answer().await.expect(200).json();
    assert_eq!(
        (&who["name"], &who["onBehalfOf"]),
        (&json!("portal"), &json!(ANN))
    );

    // Without a person the token itself asked, whatever it said a moment ago.
    let job = create(&app, &token, "fp-b", "")
        .answer()
        .await
        .expect(202)
        .json();
    assert_eq!(job["requestedBy"], "portal");
    assert!(last_event(&app).await.get("onBehalfOf").is_none());
    let list = app
        .viewer("/v1/jobs?requestedBy=ann@example.com")
        .answer()
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_token_that_may_not_name_a_person_is_told_so() {
    let app = TestApp::start().await;
    for token in [&app.tokens.viewer, &app.tokens.admin] {
        for request in [
            app.request(Method::GET, "/v1/jobs").header(HEADER, ANN),
            app.request(Method::GET, "/v1/jobs?onBehalfOf=ann"),
            // Whether it is well-formed is not told to who may not send it.
            app.request(Method::GET, "/v1/jobs").header(HEADER, ""),
        ] {
            let refused = request.bearer_auth(token).answer().await;
            let problem = refused.problem(403, "permission_denied");
            assert!(
                problem["detail"].as_str().unwrap().contains(HEADER),
                "{problem}"
            );
        }
    }
    let unknown = app.request(Method::GET, "/v1/jobs").header(HEADER, ANN);
    unknown.answer().await.problem(401, "unauthenticated");
    app.end().await;
}

#[tokio::test]
async fn a_person_that_is_no_name_or_not_one_is_refused() {
    let app = TestApp::start().await;
    let token = portal(&app).await;
    let long = "x".repeat(129);
    let get = |query: &str| {
        app.request(Method::GET, &format!("/v1/jobs{query}"))
            .bearer_auth(&token)
    };
    let binary = reqwest::header::HeaderValue::from_bytes(&[0xff, 0xfe]).unwrap();
    for (request, pointer) in [
        (get("").header(HEADER, ""), "/header/X-On-Behalf-Of"),
        (
            get("").header(HEADER, long.as_str()),
            "/header/X-On-Behalf-Of",
        ),
        (get("").header(HEADER, binary), "/header/X-On-Behalf-Of"),
        (
            get("").header(HEADER, ANN).header(HEADER, "bob"),
            "/header/X-On-Behalf-Of",
        ),
        (get("?onBehalfOf="), "/query/onBehalfOf"),
        (get("?onBehalfOf=a%0Ab"), "/query/onBehalfOf"),
        (get("?onBehalfOf=a&onBehalfOf=a"), "/query/onBehalfOf"),
        // Whoever writes the query of a portal's request is not the portal.
        (
            get("?onBehalfOf=bob").header(HEADER, ANN),
            "/query/onBehalfOf",
        ),
    ] {
        let problem = request.answer().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    get("?onBehalfOf=ann%40example.com")
        .header(HEADER, ANN)
        .answer()
        .await
        .expect(200);
    app.end().await;
}

#[tokio::test]
async fn the_same_key_for_another_person_is_another_request() {
    let app = TestApp::start().await;
    let token = portal(&app).await;
    let ask = |query: &str| create(&app, &token, "fp-a", query);
    let first = ask("?requestId=k")
        .header(HEADER, ANN)
        .answer()
        .await
        .expect(202);
    // The header and its twin are one.
    let again = ask("?requestId=k&onBehalfOf=ann@example.com")
        .answer()
        .await
        .expect(202);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.json()["id"], again.json()["id"]);
    for other in [
        ask("?requestId=k").header(HEADER, "bob"),
        ask("?requestId=k"),
    ] {
        other.answer().await.problem(422, "idempotency_key_reused");
    }
    app.end().await;
}

#[tokio::test]
async fn a_page_token_is_of_the_list_whoever_asks() {
    let app = TestApp::start().await;
    let token = portal(&app).await;
    for name in ["fp-a", "fp-b"] {
        app.create_profile(name).await;
    }
    let list = async |query: &str, person: &str| {
        let get = app.request(Method::GET, &format!("/v1/jobs?pageSize=1{query}"));
        get.bearer_auth(&token)
            .header(HEADER, person)
            .answer()
            .await
            .expect(200)
            .json()
    };
    let first = list("", ANN).await;
    let next = first["nextPageToken"].as_str().unwrap();
    let second = list(&format!("&onBehalfOf=bob&pageToken={next}"), "bob").await;
    assert_eq!(second["items"][0]["profileName"], "fp-a");
    app.end().await;
}
