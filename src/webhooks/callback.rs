//! A portal's run, told by the portal's own API how its job has ended.
//!
//! | portal | call | documented at |
//! |---|---|---|
//! | Port | `PATCH /v1/actions/runs/{runId}`, with a token of `POST /v1/auth/access_token` | <https://docs.port.io/api-reference/update-an-action-run/> |
//! | Cortex | `POST` to the callback's URL, with an API key | <https://docs.cortex.io/api/rest/workflows/update-asynchronous-http-request-workflow-block> |

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::client::{Answer, Client, Request};
use super::payload;
use super::sender::SendError;
use super::signature::Secret;
use crate::db::webhook_deliveries::Claimed;
use crate::domain::{WebhookEventType, WebhookFormat};

/// What is said of a run that can't be told.
pub const OVER: &str = "the portal has no such run, or it has ended, or it takes no such end";

/// The longest id of a run of Port's.
const MAX_PORT_RUN: usize = 128;

/// What a sentence of ours may have at most, in characters.
const MAX_SENTENCE: usize = 2000;

/// Whether a URL can be the base of a portal's API; why not.
pub fn check_base(format: WebhookFormat, base: &Url) -> Result<(), &'static str> {
    if base.query().is_some() {
        return Err("a portal's URL has no query");
    }
    if format == WebhookFormat::Port && base.path() != "/" {
        return Err("Port's URL has no path: such as https://api.getport.io");
    }
    Ok(())
}

/// Where a run is told; none when it can't be one of this portal.
#[must_use]
pub fn run_url(format: WebhookFormat, base: &Url, run: &str) -> Option<Url> {
    match format {
        WebhookFormat::Standard => None,
        WebhookFormat::Port => {
            let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            let good = (1..=MAX_PORT_RUN).contains(&run.len()) && run.bytes().all(known);
            let path = format!("/v1/actions/runs/{run}");
            good.then(|| base.join(&path).ok()).flatten()
        }
        WebhookFormat::Cortex => under(base, run),
    }
}

/// A URL below the base, written as every reader reads it.
fn under(base: &Url, run: &str) -> Option<Url> {
    let url = Url::parse(run).ok()?;
    let place = |url: &Url| (url.origin(), url.username().to_owned());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    let folder = format!("{}/", base.path().trim_end_matches('/'));
    let below = url.path().strip_prefix(&folder)?;
    // In the normal form there are no dots that lead elsewhere.
    let good = place(base) == place(&url)
        && url.as_str() == run
        && url.password().is_none()
        && url.path().bytes().all(plain)
        && !below.is_empty()
        && url.query().is_none()
        && url.fragment().is_none();
    good.then_some(url)
}

/// Whether an answer says that this run will never take it.
pub(super) fn is_over(sent: &Result<Answer, SendError>) -> bool {
    match sent {
        Ok(answer) => [404, 410, 422].contains(&answer.status),
        Err(error) => matches!(error, SendError::ForeignRun),
    }
}

/// Tells a run. A ping tells no run: it asks Port for a token.
pub(super) async fn tell(
    client: &Client,
    claimed: &Claimed,
    secrets: &[Secret],
    data: Value,
) -> Result<Answer, SendError> {
    let format: WebhookFormat = claimed.format.parse().map_err(|_| SendError::ForeignRun)?;
    let base = Url::parse(&claimed.url).map_err(|_| SendError::ForeignRun)?;
    let secret = secrets.first().ok_or(SendError::ForeignRun)?;
    let secret = String::from_utf8_lossy(secret.bytes()).into_owned();
    if claimed.event_type == WebhookEventType::WebhookPing.as_str() {
        return Ok(token(client, &base, claimed, &secret).await?.1);
    }
    let url = claimed.callback_run.as_deref();
    let url = url.and_then(|run| run_url(format, &base, run));
    let url = url.ok_or(SendError::ForeignRun)?;
    let (method, token, body) = if format == WebhookFormat::Port {
        let token = token(client, &base, claimed, &secret).await?.0;
        (
            Method::PATCH,
            token,
            port_body(&data).to_string().into_bytes(),
        )
    } else {
        let body = payload::bounded(data, |data| cortex_body(&claimed.event_type, data));
        (Method::POST, secret, body)
    };
    let request = Request {
        method,
        url: url.as_str(),
        headers: vec![("authorization", format!("Bearer {token}"))],
        body,
    };
    Ok(client.send(request).await?)
}

/// Port's token for the credentials, and the answer that it came with.
async fn token(
    client: &Client,
    base: &Url,
    claimed: &Claimed,
    secret: &str,
) -> Result<(String, Answer), SendError> {
    let url = base.join("/v1/auth/access_token");
    let url = url.map_err(|_| SendError::ForeignRun)?;
    let body = json!({"clientId": claimed.client_id, "clientSecret": secret});
    let request = Request {
        method: Method::POST,
        url: url.as_str(),
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    };
    let answer = client.send(request).await?;
    let read: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match read["accessToken"].as_str() {
        Some(token) if (200..300).contains(&answer.status) => Ok((token.to_owned(), answer)),
        _ => Err(SendError::NoToken(Answer {
            body: Vec::new(),
            ..answer
        })),
    }
}

fn port_body(data: &Value) -> Value {
    let state = data["state"].as_str().unwrap_or_default();
    let label = match data["error"]["code"].as_str() {
        Some(code) => format!("{state}: {code}"),
        None => state.to_owned(),
    };
    json!({
        "status": outcome(data),
        "statusLabel": label,
        "summary": sentence(data),
        "externalRunId": data["id"],
    })
}

fn cortex_body(event_type: &str, data: &Value) -> Value {
    json!({
        "message": sentence(data),
        "response": {"status": outcome(data), "type": event_type, "data": data},
    })
}

fn outcome(data: &Value) -> &'static str {
    if data["state"] == "succeeded" {
        "SUCCESS"
    } else {
        "FAILURE"
    }
}

/// What a person reads: a job has a sentence of its own, an operation counts.
fn sentence(data: &Value) -> String {
    let text = match data["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!(
            "{} of {} jobs succeeded.",
            data["counts"]["succeeded"], data["jobCount"]
        ),
    };
    text.chars().take(MAX_SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(format: WebhookFormat, base: &str, run: &str) -> Option<String> {
        let base = Url::parse(base).unwrap();
        run_url(format, &base, run).map(String::from)
    }

    #[test]
    fn a_run_of_port_is_an_id_and_nothing_else() {
        let port = |run: &str| url(WebhookFormat::Port, "https://api.getport.io", run);
        assert_eq!(
            port("r_QOz6WoOB1Q2lmhZZ").unwrap(),
            "https://api.getport.io/v1/actions/runs/r_QOz6WoOB1Q2lmhZZ"
        );
        let long = "r".repeat(129);
        for bad in [
            "",
            "..",
            "a/b",
            "a?b",
            "a#b",
            "a%2fb",
            "//evil.example",
            "https://evil.example/",
            &long,
        ] {
            assert_eq!(port(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_callback_of_cortex_lies_below_the_base() {
        let base = "https://api.getcortexapp.com/api/v1/workflows";
        let good = "https://api.getcortexapp.com/api/v1/workflows/make-fp/callback/0b7c-1";
        let cortex = |run: &str| url(WebhookFormat::Cortex, base, run);
        assert_eq!(cortex(good).as_deref(), Some(good));
        for bad in [
            "",
            "make-fp/callback/0b7c-1",
            base,
            "https://api.getcortexapp.com/api/v1/workflows/",
            "https://api.getcortexapp.com/api/v1/workflows-of-others/x",
            "https://api.getcortexapp.com/api/v1/catalog/x",
            "https://api.getcortexapp.com/api/v1/workflows/../catalog/x",
            "https://api.getcortexapp.com/api/v1/workflows/%2e%2e/catalog/x",
            "https://api.getcortexapp.com/api/v1/workflows/a%2f..%2fb",
            "https://api.getcortexapp.com/api/v1/workflows/x?y=1",
            "https://api.getcortexapp.com/api/v1/workflows/x#y",
            "https://api.getcortexapp.com:8443/api/v1/workflows/x",
            "https://api.getcortexapp.com.evil.example/api/v1/workflows/x",
            "https://evil@api.getcortexapp.com/api/v1/workflows/x",
            "https://:evil@api.getcortexapp.com/api/v1/workflows/x",
            "https://API.getcortexapp.com/api/v1/workflows/x",
            "http://api.getcortexapp.com/api/v1/workflows/x",
            "https://api.getcortexapp.com\\@evil.example/api/v1/workflows/x",
        ] {
            assert_eq!(cortex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_run_is_told_how_it_ended() {
        let job = json!({
            "id": "0197", "state": "failed", "message": "It broke.",
            "error": {"code": "not_stabilized"},
        });
        let told = json!({
            "status": "FAILURE", "statusLabel": "failed: not_stabilized", "summary": "It broke.",
            "externalRunId": "0197",
        });
        assert_eq!(port_body(&job), told);
        let operation = json!({
            "id": "0198", "state": "succeeded", "jobCount": 2, "counts": {"succeeded": 2},
        });
        let told = json!({
            "message": "2 of 2 jobs succeeded.",
            "response": {"status": "SUCCESS", "type": "operation.finished", "data": operation},
        });
        assert_eq!(cortex_body("operation.finished", &operation), told);
    }

    #[test]
    fn a_base_has_no_query_and_ports_no_path() {
        let check = |format, base: &str| check_base(format, &Url::parse(base).unwrap()).is_ok();
        assert!(check(WebhookFormat::Port, "https://api.us.getport.io"));
        assert!(!check(WebhookFormat::Port, "https://api.getport.io/v1"));
        assert!(!check(WebhookFormat::Port, "https://api.getport.io/?a=1"));
        let cortex = "https://api.getcortexapp.com/api/v1/workflows";
        assert!(check(WebhookFormat::Cortex, cortex));
        assert!(!check(WebhookFormat::Cortex, &format!("{cortex}?a=1")));
    }
}
