//! Entity tags: `304` for readers who have the latest, `412` for writers who have not.

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use crate::db::accounts::Account;
use crate::db::jobs::JobRow;
use crate::db::webhooks::Webhook;
use crate::domain::ErrorCode;

/// A job's tag: weak, because estimates and times to wait change without it.
pub(super) fn of_job(job: &JobRow) -> String {
    let position = job.lane_position.unwrap_or(0);
    let account = job.account_state.as_deref().unwrap_or("gone");
    format!("W/\"{}-{position}-{account}\"", job.version)
}

/// An account's tag: the version that `If-Match` compares, and a sum over what the service itself
/// changes, which only readers care for.
pub(super) fn of_account(account: &Account) -> String {
    let changing = (
        &account.state,
        &account.parked_reason,
        account.probe_at,
        account.last_verified_at,
    );
    let sum = Sha256::digest(format!("{changing:?}"));
    let [a, b, c, d, ..]: [u8; 32] = sum.into();
    format!("\"{}-{a:02x}{b:02x}{c:02x}{d:02x}\"", account.version)
}

/// A webhook's tag: its version, and since when it fails.
pub(super) fn of_webhook(webhook: &Webhook) -> String {
    let failing = webhook.failing_since.map_or(0, |at| at.timestamp_micros());
    format!("\"{}-{failing:x}\"", webhook.version)
}

/// Whether the reader has this version already.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let weak = |tag: &str| tag.trim_start_matches("W/").to_owned();
    tags(headers, &IF_NONE_MATCH)
        .iter()
        .any(|tag| tag == "*" || weak(tag) == weak(etag))
}

/// What a writer says it has seen, if it says anything.
#[derive(Debug, Clone)]
pub(super) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(
            headers
                .contains_key(IF_MATCH)
                .then(|| tags(headers, &IF_MATCH)),
        )
    }

    /// Refuses a writer who has seen another version, or whose words can't be read. Weak tags pass
    /// too: proxies that compress weaken them on the way.
    pub(super) fn check(&self, version: i64) -> Result<(), Problem> {
        let seen = |tag: &String| {
            let tag = tag.trim_start_matches("W/").trim_matches('"');
            tag == "*" || tag.split('-').next() == Some(version.to_string().as_str())
        };
        if self.0.as_ref().is_none_or(|tags| tags.iter().any(seen)) {
            return Ok(());
        }
        let detail = "It was changed since you read it: read it again, and repeat the \
                      change with its new ETag.";
        Err(Problem::new(ErrorCode::PreconditionFailed, detail))
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect()
}
