//! Why a cluster's Kubernetes API did not do what it was asked for.

use std::error::Error as _;

use reqwest::StatusCode;
use serde_json::Value;

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers at the cluster's address, as with a private endpoint.
    Unreachable,
    /// The cluster does not know the caller, or does not allow it.
    Unauthorized,
    /// What was asked for is not there.
    NotFound,
    /// It is not as it was seen to be.
    Conflict,
    /// The cluster answers that it can't just now.
    Unavailable,
    /// All else.
    Other,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {message}")]
pub struct KubernetesError {
    /// What was being done.
    pub action: &'static str,
    /// What it means.
    pub trouble: Trouble,
    /// The cluster's own words where it spoke.
    pub message: String,
}

impl KubernetesError {
    pub(super) fn setup(message: &str) -> Self {
        Self {
            action: "reaching the cluster",
            trouble: Trouble::Other,
            message: message.to_owned(),
        }
    }

    pub(super) fn broken(action: &'static str, message: &str) -> Self {
        Self {
            action,
            trouble: Trouble::Other,
            message: message.to_owned(),
        }
    }

    pub(super) fn unanswered(action: &'static str, error: &reqwest::Error) -> Self {
        let mut message = "the cluster's address does not answer".to_owned();
        if error.is_timeout() {
            message.push_str(" in time");
        } else if let Some(cause) = root_cause(error) {
            message = format!("{message}: {cause}");
        }
        Self {
            action,
            trouble: Trouble::Unreachable,
            message,
        }
    }

    pub(super) fn refused(action: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let said: Option<Value> = serde_json::from_slice(body).ok();
        let said = said.as_ref().and_then(|said| said["message"].as_str());
        let message = said.map_or_else(
            || format!("the cluster answered {status} without a reason"),
            str::to_owned,
        );
        Self {
            action,
            trouble: trouble(status),
            message,
        }
    }
}

/// reqwest's own words name the URL and little else.
fn root_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

fn trouble(status: StatusCode) -> Trouble {
    match status.as_u16() {
        401 | 403 => Trouble::Unauthorized,
        404 => Trouble::NotFound,
        409 => Trouble::Conflict,
        // A list that took too long begins anew.
        408 | 410 | 429 | 500..=599 => Trouble::Unavailable,
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        let seen = [
            (401, Trouble::Unauthorized),
            (403, Trouble::Unauthorized),
            (404, Trouble::NotFound),
            (409, Trouble::Conflict),
            (410, Trouble::Unavailable),
            (422, Trouble::Other),
            (429, Trouble::Unavailable),
            (500, Trouble::Unavailable),
            (503, Trouble::Unavailable),
            (302, Trouble::Other),
        ];
        for (status, expected) in seen {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(trouble(status), expected, "{status}");
        }
    }

    #[test]
    fn the_clusters_own_words_are_kept() {
        let body = br#"{"kind":"Status","message":"deployments.apps is forbidden"}"#;
        let error = KubernetesError::refused("reading", StatusCode::FORBIDDEN, body);
        assert_eq!(error.to_string(), "reading: deployments.apps is forbidden");
        let wordless = KubernetesError::refused("reading", StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(
            wordless.message,
            "the cluster answered 502 Bad Gateway without a reason"
        );
    }
}
