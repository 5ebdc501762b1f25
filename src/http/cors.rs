//! Which web pages of other origins may call the API from a browser.
//!
//! Exact origins only, and no credentials of the browser: a page sends its token itself, in
//! `Authorization`, so cookies and client certificates never come into it.

use actix_cors::Cors;
use actix_web::middleware::Condition;

/// What a page may send.
const REQUEST_HEADERS: [&str; 12] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "prefer",
    "traceparent",
    "tracestate",
    "x-on-behalf-of",
    "x-request-id",
];
/// What a page may read, besides what every page may.
const ANSWER_HEADERS: [&str; 11] = [
    "allow",
    "etag",
    "idempotent-replayed",
    "location",
    "operation-location",
    "preference-applied",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
    "x-request-id",
];
/// How long a browser may remember the answer to a preflight: an hour.
const REMEMBERED: usize = 3_600;

/// The middleware; without origins it does nothing.
pub(super) fn cors(origins: &[String]) -> Condition<Cors> {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(REQUEST_HEADERS)
        .expose_headers(ANSWER_HEADERS)
        .max_age(REMEMBERED);
    for origin in origins {
        cors = cors.allowed_origin(origin);
    }
    Condition::new(!origins.is_empty(), cors)
}
