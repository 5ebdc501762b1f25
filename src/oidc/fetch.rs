//! Reads an issuer's keys: its discovery document, then the key set that names.
//!
//! Answers are bounded in size and time; redirects are not followed, and no address but the
//! configured one and the one that its document names is ever asked.

use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use super::key_set::KeySet;
use super::options::{Issuer, is_safe};

/// How long one answer may take, to its last byte.
const PATIENCE: Duration = Duration::from_secs(4);
/// The largest discovery document and the largest key set, in bytes.
const LARGEST_DOCUMENT: usize = 64 * 1024;
const LARGEST_KEY_SET: usize = 256 * 1024;

/// Why the keys could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("making an HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("asking for the {0}")]
    Ask(&'static str, #[source] reqwest::Error),
    #[error("the {0} was answered with {1}")]
    Status(&'static str, StatusCode),
    #[error("the {0} is larger than {1} bytes")]
    Large(&'static str, usize),
    #[error("the {0} is not JSON")]
    Json(&'static str, #[source] serde_json::Error),
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error("the discovery document names no key set with an https:// address")]
    NoAddress,
    #[error("the key set has no key for RS256, ES256 or EdDSA")]
    NoKey,
}

/// Reads the keys that the issuer publishes now.
pub(super) async fn keys(issuer: &Issuer) -> Result<KeySet, FetchError> {
    // Made anew: certificates may have changed, and connections would only grow old in between.
    let client = Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("fargate-fleet/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(FetchError::Client)?;
    let discovery = issuer.discovery().clone();
    let what = "discovery document";
    let document = json(&client, discovery, what, LARGEST_DOCUMENT).await?;
    if document.get("issuer").and_then(Value::as_str) != Some(issuer.as_str()) {
        return Err(FetchError::OtherIssuer);
    }
    let address = document.get("jwks_uri").and_then(Value::as_str);
    let address = address.and_then(|text| Url::parse(text).ok());
    let address = address.filter(is_safe).ok_or(FetchError::NoAddress)?;
    let set = json(&client, address, "key set", LARGEST_KEY_SET).await?;
    let keys = KeySet::of(&set);
    if keys.len() == 0 {
        return Err(FetchError::NoKey);
    }
    Ok(keys)
}

async fn json(
    client: &Client,
    url: Url,
    what: &'static str,
    largest: usize,
) -> Result<Value, FetchError> {
    let failed = |source| FetchError::Ask(what, source);
    let asked = client.get(url).header(ACCEPT, "application/json").send();
    let mut answer = asked.await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(what, answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > largest {
            return Err(FetchError::Large(what, largest));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|source| FetchError::Json(what, source))
}
