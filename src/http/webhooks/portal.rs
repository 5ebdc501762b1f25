//! Webhooks of portals: what they must have, and what they can't do.

use url::Url;

use crate::db::webhooks::{Settings, Webhook as Row};
use crate::domain::{ErrorCode, WebhookEventType, WebhookFormat};
use crate::http::problem::Problem;
use crate::webhooks::callback;
use crate::webhooks::signature::Secret;

const MAX_SECRET: usize = 4096;
const MAX_CLIENT_ID: usize = 256;

/// A run waits for whichever of these comes.
const ENDS: [WebhookEventType; 4] = [
    WebhookEventType::JobSucceeded,
    WebhookEventType::JobFailed,
    WebhookEventType::JobCanceled,
    WebhookEventType::OperationFinished,
];

/// Whom a webhook tells.
pub(super) fn format(row: &Row) -> Result<WebhookFormat, Problem> {
    row.format.parse().map_err(|_| {
        let detail = "This webhook was made by a newer version of the service: use that one.";
        Problem::new(ErrorCode::Conflict, detail)
    })
}

/// A portal's secret, as a header can hold it.
pub(super) fn secret(given: Option<String>) -> Result<Option<Secret>, Problem> {
    let Some(given) = given else {
        return Ok(None);
    };
    let fits = (1..=MAX_SECRET).contains(&given.len());
    if !fits || !given.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!("expected 1 to {MAX_SECRET} visible ASCII characters");
        return Err(Problem::invalid_field("/secret", message));
    }
    Ok(Some(Secret::of(given.into_bytes())))
}

/// Refuses credentials that a format does not take, and the lack of those that it needs.
pub(super) fn check_credentials(
    format: WebhookFormat,
    client_id: Option<&str>,
    has_secret: bool,
) -> Result<(), Problem> {
    let refused = |field: &str, message: &str| Err(Problem::invalid_field(field, message));
    let portal = format != WebhookFormat::Standard;
    if has_secret && !portal {
        return refused("/secret", "only a portal's webhook takes one: leave it out");
    }
    if portal && !has_secret {
        return refused(
            "/secret",
            "a portal's webhook needs the portal's credentials",
        );
    }
    match client_id {
        Some(_) if format != WebhookFormat::Port => refused(
            "/clientId",
            "only a webhook of Port takes one: leave it out",
        ),
        None if format == WebhookFormat::Port => refused(
            "/clientId",
            "Port's credentials are a client id and a secret",
        ),
        Some(id) if id.is_empty() || id.chars().count() > MAX_CLIENT_ID => {
            refused("/clientId", "expected 1 to 256 characters")
        }
        _ => Ok(()),
    }
}

/// Refuses to send a portal's credentials elsewhere: who does not know them shall not get them so.
pub(super) fn check_move(format: WebhookFormat, has_secret: bool) -> Result<(), Problem> {
    if format == WebhookFormat::Standard || has_secret {
        return Ok(());
    }
    let message = "another URL takes the portal's credentials with it: give the secret, too";
    Err(Problem::invalid_field("/secret", message))
}

/// Refuses settings that a portal's webhook can't have.
pub(super) fn check(format: WebhookFormat, settings: &Settings) -> Result<(), Problem> {
    if format == WebhookFormat::Standard {
        return Ok(());
    }
    let url = Url::parse(&settings.url).map_err(|_| Problem::invalid_field("/url", "not a URL"))?;
    callback::check_base(format, &url).map_err(|why| Problem::invalid_field("/url", why))?;
    let named = |end: &WebhookEventType| settings.event_types.iter().any(|t| t == end.as_str());
    if ENDS.iter().all(named) {
        return Ok(());
    }
    let ends = ENDS.map(WebhookEventType::as_str).join(", ");
    let message = format!("a portal's run waits for its end, whichever it is: name {ends}");
    Err(Problem::invalid_field("/eventTypes", message))
}

/// Refuses to make up a secret that is somebody else's.
pub(super) fn must_sign(row: &Row) -> Result<(), Problem> {
    if format(row)? == WebhookFormat::Standard {
        return Ok(());
    }
    let detail = "The secret of this webhook is the portal's: make a new one there, and write it \
                  with PATCH and secret.";
    Err(Problem::new(ErrorCode::Conflict, detail))
}

/// Refuses a ping where there is nothing to ask.
pub(super) fn must_answer_pings(row: &Row) -> Result<(), Problem> {
    if format(row)? != WebhookFormat::Cortex {
        return Ok(());
    }
    let detail = "Cortex has nothing to ping: name this webhook in a request, with callback and \
                  callbackRun.";
    Err(Problem::new(ErrorCode::Conflict, detail))
}
