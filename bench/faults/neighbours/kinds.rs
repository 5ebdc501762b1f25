//! The kinds of worst callers, and what each asks.

use std::sync::Mutex;
use std::time::Duration;

use clap::ValueEnum;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Cancels of a job that has ended
    Cancels,
    /// Lists through a long history in which nothing fits
    Lists,
    /// The same of the audit trail
    Audit,
    /// Reads of a job that is deep in its lane
    Lane,
    /// Live reads that nobody waits for
    Reads,
    /// Long polls and event streams, as many as one caller may have
    Waits,
    /// The largest profiles
    Bodies,
    /// Webhooks made, edited and tested
    Webhooks,
    /// Retries, and creations with one idempotency key
    Retries,
    /// Lists that are hung up on after a few milliseconds
    HangUps,
    /// Tokens that nobody has
    Strangers,
}

/// What the worst caller has and knows.
pub struct Target {
    pub base: String,
    /// Tokens of one account.
    pub viewer: String,
    pub operator: String,
    pub admin: String,
    pub account: String,
    /// The clusters, as paths of their profiles.
    pub clusters: Vec<String>,
    /// Jobs that have ended: one well, one not.
    pub succeeded: Uuid,
    pub failed: Uuid,
    /// The last of a deep lane.
    pub last: Uuid,
    /// Webhooks, as many as there may be.
    pub webhooks: Mutex<Vec<String>>,
}

impl Kind {
    /// Requests under way at once.
    pub fn at_once(self, short: bool) -> usize {
        match self {
            Self::Cancels => 12,
            Self::Lists | Self::Audit => 8,
            Self::Lane => 32,
            Self::Reads | Self::Retries | Self::HangUps | Self::Strangers | Self::Webhooks => 16,
            Self::Waits if short => 200,
            Self::Waits => 2_000,
            Self::Bodies => 64,
        }
    }

    /// Its request number `n`.
    pub fn request(self, client: &Client, target: &Target, n: usize) -> RequestBuilder {
        let cluster = &target.clusters[n % target.clusters.len()];
        let (viewer, operator) = (&target.viewer, &target.operator);
        let ask = |token: &str, method: Method, path: &str| {
            let url = format!("{}{path}", target.base);
            client.request(method, url).bearer_auth(token)
        };
        match self {
            Self::Cancels => {
                let path = format!("/v1/jobs/{}/cancel", target.succeeded);
                ask(operator, Method::POST, &path)
            }
            Self::Lists => ask(viewer, Method::GET, LIST),
            Self::Audit => {
                let path = format!(
                    "/v1/audit-events?accountId={}&actor=nobody&outcome=allowed",
                    target.account
                );
                ask(viewer, Method::GET, &path)
            }
            Self::Lane => ask(viewer, Method::GET, &format!("/v1/jobs/{}", target.last)),
            Self::Reads => ask(viewer, Method::GET, &format!("{cluster}?waitSeconds=0")),
            Self::Waits => {
                let end = ["/events", "?waitSeconds=30"][n % 2];
                let path = format!("/v1/jobs/{}{end}", target.last);
                ask(viewer, Method::GET, &path)
            }
            Self::Bodies => ask(operator, Method::POST, cluster).json(&large(n)),
            Self::Webhooks => target.webhook(ask, n),
            Self::Retries if n.is_multiple_of(2) => {
                let path = format!("/v1/jobs/{}/retry", target.failed);
                ask(operator, Method::POST, &path)
            }
            Self::Retries => ask(operator, Method::POST, &target.clusters[0])
                .header("Idempotency-Key", "again-and-again")
                .json(&json!({"name": "again", "selectors": [{"namespace": "again"}]})),
            Self::HangUps => {
                let after = Duration::from_millis(1 + n as u64 % 5);
                ask(viewer, Method::GET, LIST).timeout(after)
            }
            Self::Strangers => ask(&stranger(n), Method::GET, "/v1/whoami"),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value().unwrap();
        f.write_str(value.get_name())
    }
}

const LIST: &str = "/v1/jobs?requestedBy=nobody";

impl Target {
    /// One more, an edit, a test.
    fn webhook(
        &self,
        ask: impl Fn(&str, Method, &str) -> RequestBuilder,
        n: usize,
    ) -> RequestBuilder {
        let path = {
            let known = self.webhooks.lock().unwrap();
            format!("/v1/webhooks/{}", known[n % known.len()])
        };
        match n % 3 {
            0 => ask(&self.admin, Method::POST, "/v1/webhooks").json(&webhook(n)),
            1 => {
                let types = [json!(["job.failed"]), json!(["job.succeeded"])];
                let edit = json!({"eventTypes": types[n / 3 % 2]});
                let request = ask(&self.admin, Method::PATCH, &path);
                let edit = serde_json::to_vec(&edit).unwrap();
                request
                    .header("Content-Type", "application/merge-patch+json")
                    .body(edit)
            }
            _ => ask(&self.admin, Method::POST, &format!("{path}/test")),
        }
    }
}

/// One whose receiver refuses the connection: nobody listens at that port of this machine.
pub fn webhook(n: usize) -> Value {
    json!({
        "url": format!("https://127.0.0.1:1024/{n}"),
        "eventTypes": ["job.succeeded", "job.failed", "job.canceled"],
    })
}

/// A profile of about 90,000 bytes.
fn large(n: usize) -> Value {
    let labels = |selector: usize| -> Value {
        let pairs = (0..20).map(|label| {
            let key = format!("{:0>120}", format!("k{selector}-{label}"));
            (key, json!("v".repeat(63)))
        });
        Value::Object(pairs.collect())
    };
    let selectors: Vec<Value> = (0..23)
        .map(|selector| json!({"namespace": format!("n{selector}"), "labels": labels(selector)}))
        .collect();
    json!({"name": format!("large-{n}"), "selectors": selectors})
}

/// A token of the right form.
fn stranger(n: usize) -> String {
    let number = (n as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    format!("fleet_{number:0>42x}A")
}
