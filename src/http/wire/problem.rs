//! A problem as callers see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{ErrorCode, Invalid};

/// The body of every error, `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem, examples(json!({
    "type": "/problems/not_found",
    "title": "Not found",
    "status": 404,
    "detail": "There is no account 111111111111 that you may see: register it, or check the id.",
    "instance": "/v1/accounts/111111111111",
    "code": "not_found",
    "retryable": false,
    "requestId": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "resource": "account"
})))]
pub(in crate::http) struct ProblemBody<'a> {
    /// A URI reference that names the kind of problem, by its code.
    #[schema(max_length = 256, examples("/problems/not_found"))]
    pub r#type: String,
    /// The kind of problem in a few words.
    #[schema(max_length = 256, examples("Not found"))]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, examples(404))]
    pub status: u16,
    /// What happened, and what to do next.
    #[schema(max_length = 8192)]
    pub detail: &'a str,
    /// The path of the request.
    #[schema(max_length = 8192, examples("/v1/accounts/111111111111"))]
    pub instance: &'a str,
    /// The stable code.
    pub code: ErrorCode,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// In how many seconds to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 86_400, examples(5))]
    pub retry_after_seconds: Option<u32>,
    /// The request's id, as in `X-Request-Id`.
    #[schema(max_length = 128)]
    pub request_id: &'a str,
    /// Which kind of thing was not found: account, cluster, profile, job,
    /// operation, token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("account"))]
    pub resource: Option<&'a str>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "<[Invalid]>::is_empty")]
    #[schema(max_items = 1000, required = false)]
    pub errors: &'a [Invalid],
}
