//! Tokens of an OpenID Connect issuer, beside the API's own.

mod bad;
mod good;
mod keys;

use std::sync::LazyLock;

use fargate_fleet::clock::ManualClock;
use fargate_fleet::http::ApiOptions;
use fargate_fleet::oidc::OidcOptions;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::issuer::{Issuer, Mood, Signer};

const AUDIENCE: &str = "fargate-fleet";
/// When these tests begin.
const NOW: i64 = 1_800_000_000;

/// Made once: RSA keys take their time.
static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-1"));
static EC: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-1"));
static ED: LazyLock<Signer> = LazyLock::new(|| Signer::ed("ed-1"));

/// An API that trusts an issuer, and the hand on its clock.
struct Stage {
    app: TestApp,
    issuer: Issuer,
    hand: ManualClock,
}

impl Stage {
    /// With the three keys above.
    async fn new() -> Self {
        let keys = [&*RSA, &*EC, &*ED].map(Signer::jwk);
        Self::with(Mood::Well, keys.into()).await
    }

    async fn with(mood: Mood, keys: Vec<Value>) -> Self {
        let issuer = Issuer::start(mood, keys);
        let hand = ManualClock::at(chrono::DateTime::from_timestamp(NOW, 0).unwrap());
        let oidc = OidcOptions {
            issuer: issuer.url.parse().unwrap(),
            audience: AUDIENCE.parse().unwrap(),
            role_claim: "roles".parse().unwrap(),
            roles:
                r#"{"viewer": "viewer", "fleet-operators": "operator", "fleet-admins": "admin"}"#
                    .parse()
                    .unwrap(),
            accounts_claim: Some("accounts".parse().unwrap()),
            accounts: r#"{"team-a": ["111111111111"]}"#.parse().unwrap(),
            name_claim: "email".parse().unwrap(),
        };
        let options = ApiOptions {
            oidc: Some(oidc),
            ..ApiOptions::default()
        };
        let app = TestApp::start_as(true, hand.clock(), options).await;
        Self { app, issuer, hand }
    }

    /// Claims that make an administrator of everything for five minutes.
    fn claims(&self) -> Value {
        json!({
            "iss": self.issuer.url,
            "aud": AUDIENCE,
            "sub": "subject-1",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 300,
            "email": "alice@example.com",
            "roles": ["everyone", "fleet-admins"],
            "accounts": ["*"],
        })
    }

    fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(token)
    }

    fn get(&self, token: &str) -> RequestBuilder {
        self.request(Method::GET, "/v1/accounts", token)
    }

    async fn end(self) {
        self.app.end().await;
        assert_eq!(self.issuer.strays(), 0, "a place nobody may ask was asked");
        self.issuer.stop().await;
    }
}

/// The same claims with one of them set.
fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

/// The same without one.
fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}
