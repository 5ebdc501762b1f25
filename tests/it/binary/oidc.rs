//! The program with an OpenID Connect issuer that nobody can reach.

use serde_json::Value;

use super::support::{Caller, Process, Stage};

#[tokio::test]
async fn it_starts_without_its_issuer_and_says_so() {
    let stage = Stage::new().await;
    // Nothing listens there.
    let issuer = "http://127.0.0.1:9";
    let variables = [
        ("DATABASE_URL", stage.url.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
        ("FLEET_LOG_FORMAT", "json"),
        ("FLEET_OIDC_ISSUER", issuer),
        ("FLEET_OIDC_AUDIENCE", "fargate-fleet"),
    ];
    let mut api = Process::start(&["serve", "--role", "api"], &variables);
    let line = api.logs(|line| line.contains("can't read the keys")).await;
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(
        (&line["level"], &line["oidc.issuer"]),
        (&"WARN".into(), &issuer.into())
    );
    let line = api.logs(|line| line.contains(r#""serving""#)).await;
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    let address = line["address"].as_str().expect("its address");

    let admin = Caller::new(address, &stage.token("admin", &[]).await);
    assert_eq!(admin.get("/v1/accounts").await.0, 200);
    // {"alg":"RS256","kid":"a"} and nothing.
    let stranger = Caller::new(address, "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA");
    let (status, problem) = stranger.get("/v1/accounts").await;
    assert_eq!(
        (status, &problem["retryable"]),
        (503, &true.into()),
        "{problem}"
    );
    stage.end().await;
}
