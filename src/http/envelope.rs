//! What surrounds every request: its id and trace context, one log line, refusal while the process
//! drains or when the head is too large, problems for all that went wrong, whoever found it, and the
//! headers that every answer has.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use tracing::Instrument as _;

use super::budget::Standing;
use super::problem::{PROBLEM_JSON, Problem};
use super::state::State;
use super::{connections, head, safety};
use crate::clock::Clock;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestFacts {
    pub request_id: String,
    /// W3C trace context, checked.
    pub traceparent: Option<String>,
}

impl RequestFacts {
    fn of(headers: &HeaderMap, clock: &Clock) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let given = text("x-request-id").filter(|id| is_request_id(id));
        Self {
            request_id: given.map_or_else(|| clock.uuid().to_string(), str::to_owned),
            traceparent: text("traceparent")
                .filter(|t| is_traceparent(t))
                .map(str::to_owned),
        }
    }
}

fn is_request_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, neither id all zeros, as the W3C's recommendation has it.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let id = |part: &str, length| hex(part, length) && part.bytes().any(|b| b != b'0');
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [version, trace, parent, flags] => {
            *version == "00" && id(trace, 32) && id(parent, 16) && hex(flags, 2)
        }
        _ => false,
    }
}

/// The middleware.
pub(super) async fn envelope(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<State>().cloned() else {
        return Err(Problem::shutting_down().into());
    };
    let facts = RequestFacts::of(request.headers(), &state.clock);
    let busy = connections::busy(&request);
    let id = facts.request_id.clone();
    let path = request.path().to_owned();
    let method = request.method().clone();
    request.extensions_mut().insert(facts);
    let is_head = method == Method::HEAD;
    if is_head {
        // Answered as GET, without the body.
        request.head_mut().method = Method::GET;
    }
    let span =
        tracing::info_span!("request", request.id = %id, http.method = %method, http.path = %path);
    let begun = state.clock.monotonic();
    let response = if state.draining.is_cancelled() && !is_open_path(&path) {
        refused_while_draining(request)
    } else if let Err(problem) = head::check(&request, &state.options.limits) {
        request.error_response(problem).map_into_boxed_body()
    } else {
        match next.call(request).instrument(span.clone()).await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => return Err(escaped(&error, &id, &path, (busy, is_head))),
        }
    };
    state.denials.look(&response, &id);
    let mut response = with_problem(response, &id, &path);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let standing = response.request().extensions().get::<Standing>().copied();
    if let Some(standing) = standing {
        standing.tell(response.headers_mut());
    }
    let over_tls = state.options.tls.is_some();
    safety::add(response.headers_mut(), &path, over_tls);
    let millis = state.clock.monotonic().duration_since(begun).as_millis();
    let http_status = response.status().as_u16();
    span.in_scope(|| {
        // Load balancers ask all day long.
        if is_open_path(&path) {
            tracing::debug!(http.status = http_status, took_ms = millis, "answered");
        } else {
            tracing::info!(http.status = http_status, took_ms = millis, "answered");
        }
    });
    Ok(response.map_body(|_, body| connections::held(body, busy, is_head)))
}

/// What a middleware throws, as an answer like all others.
fn escaped(
    error: &Error,
    id: &str,
    path: &str,
    (busy, is_head): (Option<connections::Busy>, bool),
) -> Error {
    let status = error.as_response_error().status_code();
    let mut answer = Problem::of_framework(status, &error.to_string()).response(id, path);
    safety::add(answer.headers_mut(), path, false);
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::info!(request.id = %id, http.path = %path, http.status = status.as_u16(), "answered");
    let answer = answer.map_body(|_, body| connections::held(body, busy, is_head));
    InternalError::from_response("refused", answer).into()
}

/// What load balancers ask while the process ends.
fn is_open_path(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz")
}

fn refused_while_draining(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let response = request.error_response(Problem::shutting_down());
    let (request, mut answer) = response.into_parts();
    answer.head_mut().set_connection_type(ConnectionType::Close);
    ServiceResponse::new(request, answer)
}

/// What tells a browser that a page of another origin may read the answer.
fn for_pages(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers
        .iter()
        .filter(|(name, _)| **name == VARY || name.as_str().starts_with("access-control-"))
}

/// Writes the problem that an answer carries, or the one that its status means.
fn with_problem(
    response: ServiceResponse<BoxBody>,
    request_id: &str,
    path: &str,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let carried = response.response().extensions().get::<Problem>().cloned();
    let already = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|v| v == PROBLEM_JSON);
    if carried.is_none() && already {
        return response;
    }
    let problem = carried.unwrap_or_else(|| {
        let words = response.response().error().map(ToString::to_string);
        Problem::of_framework(status, &words.unwrap_or_default())
    });
    let close = if status == StatusCode::REQUEST_TIMEOUT {
        // The rest of the body may still be on its way.
        ConnectionType::Close
    } else {
        response.response().head().connection_type()
    };
    let mut answer = problem.response(request_id, path);
    answer.head_mut().set_connection_type(close);
    for (name, value) in for_pages(response.headers()) {
        answer.headers_mut().append(name.clone(), value.clone());
    }
    response.into_response(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sound_traceparent_is_kept() {
        let sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(sound));
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn a_request_id_is_short_and_visible() {
        assert!(is_request_id("abc-123") && is_request_id(&"x".repeat(128)));
        assert!(!is_request_id("") && !is_request_id("a b") && !is_request_id(&"x".repeat(129)));
    }
}
