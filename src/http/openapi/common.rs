//! The parts that operations refer to.

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::{AccountId, ClusterName, Person, PrincipalArn, ProfileName, Region};
use crate::http::header_bounds::{MAX_PREFER, MAX_TAGS};

const ABOUT: &str = "Manages AWS Fargate profiles on EKS across many accounts, regions and \
clusters. Whatever touches AWS is a job: durable, followed to its end, one change of a cluster at \
a time. Errors are problems (RFC 9457) with a stable `code`. Enums are open: accept values that \
are not listed. `X-Request-Id` and `traceparent` are accepted on every request; the first is \
echoed, the second is continued by the worker.";

pub(super) fn info() -> Value {
    json!({
        "title": "fargate-fleet",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "AWS Fargate on EKS for a whole fleet of accounts.",
        "description": ABOUT,
        "contact": {"name": "The maintainers of fargate-fleet", "url": "https://fargate-fleet.dev"},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    })
}

pub(super) fn tags() -> Value {
    json!([
        {"name": "accounts", "description": "The AWS accounts of the fleet."},
        {"name": "clusters", "description": "EKS clusters, live; each request is a job."},
        {"name": "fargate-profiles", "description": "Fargate profiles, live; each request is a job."},
        {"name": "jobs", "description": "What is being done, and what was."},
        {"name": "operations", "description": "Changes that became several jobs."},
        {"name": "access", "description": "Who calls, with which tokens, and who changed what."},
        {"name": "webhooks", "description": "Who is told of what happens, by Standard Webhooks 1.0."},
        {"name": "health", "description": "For load balancers."}
    ])
}

pub(super) fn security_schemes() -> Value {
    json!({"bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, `Authorization: Bearer fleet_...`, or, where an OpenID Connect issuer is configured, a JWT of that."
    }})
}

pub(super) fn parameters() -> Value {
    let job = json!({"type": "string", "format": "uuid", "maxLength": 36});
    let text = |max: usize| json!({"type": "string", "maxLength": max});
    let id = "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f";
    json!({
        "accountId": in_path("accountId", "The AWS account.", &schema::<AccountId>(), "111111111111"),
        "region": in_path("region", "The AWS region.", &schema::<Region>(), "eu-central-1"),
        "clusterName": in_path("clusterName", "The EKS cluster.", &schema::<ClusterName>(), "prod-1"),
        "profileName": in_path("profileName", "The Fargate profile.", &schema::<ProfileName>(), "fp-dev"),
        "principalArn": in_path(
            "principalArn",
            "The ARN of the IAM principal, percent-encoded.",
            &schema::<PrincipalArn>(),
            "arn:aws:iam::111111111111:role/platform-admins",
        ),
        "jobId": in_path("jobId", "The job.", &job, id),
        "tokenId": in_path("tokenId", "The token.", &job, id),
        "operationId": in_path("operationId", "The operation.", &job, id),
        "webhookId": in_path("webhookId", "The webhook.", &job, id),
        "deliveryId": in_path("deliveryId", "The delivery.", &job, id),
        "Idempotency-Key": in_header(
            "Idempotency-Key",
            "The same key and the same request within 24 hours give the same answer. 1 to 255 \
             visible ASCII characters. Twin: the query's `requestId`.",
            &json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}),
            "create-fp-dev-1",
        ),
        "X-On-Behalf-Of": in_header(
            "X-On-Behalf-Of",
            "The person behind the request; only from tokens made with `mayActFor`, else 403. Twin: \
             the query's `onBehalfOf`.",
            &schema::<Person>(),
            "ann@example.com",
        ),
        "onBehalfOf": in_query(
            "onBehalfOf",
            "The twin of the header `X-On-Behalf-Of`; must agree with it when both are sent.",
            &schema::<Person>(),
            "ann@example.com",
        ),
        "Prefer": in_header(
            "Prefer",
            "`wait=N` holds the answer up to N seconds, `respond-async` does not hold it at all. \
             Twin: the query's `waitSeconds`, which wins.",
            &text(MAX_PREFER),
            "wait=30",
        ),
        "If-Match": in_header("If-Match", "The ETag you have seen.", &text(MAX_TAGS), "\"3-0a1b2c3d\""),
        "If-None-Match": in_header(
            "If-None-Match",
            "The ETag you have: answered 304 while it holds.",
            &text(MAX_TAGS),
            "\"3-0a1b2c3d\"",
        ),
        "Last-Event-ID": in_header(
            "Last-Event-ID",
            "The number of the last event you have seen.",
            &json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX}),
            3,
        ),
    })
}

fn schema<T: PartialSchema>() -> Value {
    let RefOr::T(Schema::Object(mut object)) = T::schema() else {
        return json!({"type": "string"});
    };
    object.description = None;
    object.examples = Vec::new();
    json!(object)
}

fn in_path(name: &str, about: &str, schema: &Value, example: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": about, "schema": schema,
        "example": example
    })
}

fn in_query(name: &str, about: &str, schema: &Value, example: &str) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": about, "schema": schema,
        "example": example
    })
}

fn in_header(name: &str, about: &str, schema: &Value, example: impl Into<Value>) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": about, "schema": schema,
        "example": example.into()
    })
}

pub(super) fn headers() -> Value {
    let text = |about: &str, max: u32| json!({"description": about, "schema": {"type": "string", "maxLength": max}});
    let seconds = json!({
        "description": "In how many seconds to ask again. Twin: `retryAfterSeconds`.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86_400}
    });
    json!({
        "Location": text("The thing made. Twin: `links.self`.", 2048),
        "Operation-Location": text("Where to follow the work. Twin: `links.self`.", 2048),
        "Retry-After": seconds,
        "ETag": text("The version, for `If-None-Match` and `If-Match`.", 256),
        "X-Request-Id": text("The request's id.", 128),
        "Idempotent-Replayed": text("`true` when an earlier request with this key made it.", 8),
        "Preference-Applied": text("The preference that was honoured.", 64),
        "RateLimit": text("What is left of your budget, `r`, and in how many seconds, `t`, it is full again.", 128),
        "RateLimit-Policy": text("Your budget: `q` requests in `w` seconds.", 128),
    })
}

/// Statuses that are problems, with the name of the response and when it comes.
const PROBLEMS: [(u16, &str, &str); 18] = [
    (400, "BadRequest", "The request can't be read."),
    (
        401,
        "Unauthenticated",
        "No token, or one that is unknown, expired or revoked.",
    ),
    (403, "PermissionDenied", "The token may not do this."),
    (
        404,
        "NotFound",
        "There is no such thing that the caller may see; `resource` says which.",
    ),
    (406, "NotAcceptable", "Nothing fits the `Accept` header."),
    (408, "RequestTimeout", "The body did not arrive in time."),
    (
        409,
        "Conflict",
        "What is there does not fit what was asked.",
    ),
    (
        412,
        "PreconditionFailed",
        "It was changed since it was read.",
    ),
    (413, "PayloadTooLarge", "The body is larger than 256 KiB."),
    (414, "UriTooLong", "The path and query are too long."),
    (
        415,
        "UnsupportedMediaType",
        "A body of this media type is not read here.",
    ),
    (
        422,
        "UnprocessableContent",
        "Fields are wrong; `errors` points at them.",
    ),
    (
        429,
        "TooManyRequests",
        "Too many requests; `Retry-After` says when to go on.",
    ),
    (
        431,
        "HeadersTooLarge",
        "The headers are too many or too large.",
    ),
    (500, "InternalError", "A fault of the service."),
    (
        502,
        "BadGateway",
        "AWS refused: the account has to be mended.",
    ),
    (
        503,
        "Unavailable",
        "The service can't answer now; `Retry-After` says when to try again.",
    ),
    (504, "DeadlineExceeded", "AWS did not answer in time."),
];

pub(super) fn response_name(status: u16) -> &'static str {
    let known = PROBLEMS.iter().find(|(known, ..)| *known == status);
    known.map_or("InternalError", |(_, name, _)| name)
}

pub(super) fn responses() -> Value {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let response = |(status, name, about): &(u16, &str, &str)| {
        let mut headers = Map::new();
        headers.insert("X-Request-Id".to_owned(), header("X-Request-Id"));
        if matches!(status, 429 | 502..=504) {
            headers.insert("Retry-After".to_owned(), header("Retry-After"));
        }
        // Of callers who are known by then.
        if matches!(status, 400 | 403..=406 | 409..=413 | 415 | 422 | 429) {
            for name in ["RateLimit", "RateLimit-Policy"] {
                headers.insert(name.to_owned(), header(name));
            }
        }
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let body = json!({
            "description": about,
            "headers": headers,
            "content": {"application/problem+json": {"schema": schema}}
        });
        ((*name).to_owned(), body)
    };
    PROBLEMS.iter().map(response).collect::<Map<_, _>>().into()
}
