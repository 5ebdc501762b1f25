//! What receivers are sent, for the top-level `webhooks` of the 3.1 document: one entry an event
//! type, with the headers and the body of Standard Webhooks 1.0. The 3.0 document has no such part,
//! but the schemas of the bodies.
//!
//! The entries are marked `x-internal`: openapi-generator would make calls to us of them, which are
//! not there, and which don't compile. The bodies' types it makes all the same.

use serde_json::{Map, Value, json};

use crate::domain::WebhookEventType;

/// The headers of every delivery, as they are named among the parameters.
const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// Adds the entries, and the schemas and parameters that they refer to.
pub(super) fn describe(document: &mut Value) {
    let entries = WebhookEventType::ALL.iter().map(|event_type| {
        let post = json!({"post": telling(*event_type)});
        (event_type.as_str().to_owned(), post)
    });
    let entries: Map<String, Value> = entries.collect();
    let schemas = schemas(&document["components"]["schemas"]);
    document["webhooks"] = entries.into();
    add(&mut document["components"]["schemas"], schemas);
    add(&mut document["components"]["parameters"], parameters());
}

/// Takes away what 3.0 does not know.
pub(super) fn withdraw(document: &mut Value) {
    if let Some(document) = document.as_object_mut() {
        document.remove("webhooks");
    }
    if let Some(parameters) = document["components"]["parameters"].as_object_mut() {
        parameters.retain(|name, _| !HEADERS.contains(&name.as_str()));
    }
}

fn add(to: &mut Value, more: Value) {
    if let (Some(to), Value::Object(more)) = (to.as_object_mut(), more) {
        to.extend(more);
    }
}

/// The operation's id, what happened, and the body's schema.
fn about(event_type: WebhookEventType) -> (&'static str, &'static str, &'static str) {
    match event_type {
        WebhookEventType::JobSucceeded => (
            "tellJobSucceeded",
            "A job has ended as asked.",
            "JobWebhookEvent",
        ),
        WebhookEventType::JobFailed => (
            "tellJobFailed",
            "A job has ended with an error.",
            "JobWebhookEvent",
        ),
        WebhookEventType::JobCanceled => (
            "tellJobCanceled",
            "A job has ended before AWS had accepted anything.",
            "JobWebhookEvent",
        ),
        WebhookEventType::OperationFinished => (
            "tellOperationFinished",
            "All jobs of an operation have ended.",
            "OperationWebhookEvent",
        ),
        WebhookEventType::WebhookPing => (
            "tellWebhookPing",
            "Somebody wants to see whether the webhook works.",
            "PingWebhookEvent",
        ),
    }
}

fn telling(event_type: WebhookEventType) -> Value {
    let (id, summary, schema) = about(event_type);
    let headers = HEADERS.map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    let later = json!({
        "description": "Sent again, not sooner than `Retry-After` says, if it is there: at most a day later.",
        "headers": {"Retry-After": {
            "description": "Seconds, or an HTTP date.",
            "schema": {"type": "string", "maxLength": 64}
        }}
    });
    json!({
        "operationId": id,
        "tags": ["webhooks"],
        "summary": summary,
        "description": format!(
            "{summary} Sent to the URL of every webhook that names `{event_type}` among its event \
             types, at least once, until it is answered with 2xx. Verify the signature first; \
             repetitions have the same `webhook-id`."
        ),
        "security": [],
        "x-internal": true,
        "parameters": headers,
        "requestBody": {
            "required": true,
            "description": "At most 64 KiB. A larger one lacks `profiles`, `clusters`, the elements of `warnings`, `profile`, `cluster` and `error`, in this order, as far as needed.",
            "content": {"application/json": {
                "schema": {"$ref": format!("#/components/schemas/{schema}")}
            }}
        },
        "responses": {
            "200": {"description": "Accepted, as by any other 2xx."},
            "410": {"description": "The webhook is disabled: no more events."},
            "429": later,
            "503": later
        }
    })
}

fn parameters() -> Value {
    let header = |name: &str, about: &str, schema: Value, example: Value| {
        json!({
            "name": name, "in": "header", "required": true,
            "description": about, "schema": schema, "example": example
        })
    };
    let [id, timestamp, signature] = HEADERS;
    json!({
        id: header(
            id,
            "What repetitions of a delivery are told by: the same at every attempt.",
            json!({"type": "string", "maxLength": 64}),
            json!("msg_0197f6e2a1b07c3d8e4f5a6b7c8d9e0f"),
        ),
        timestamp: header(
            timestamp,
            "When this attempt was made, in seconds since 1970. Refuse what is more than five \
             minutes off.",
            json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991_i64}),
            json!(1_767_323_045),
        ),
        signature: header(
            signature,
            "One or two signatures with a space between: `v1,` and the base64 of an HMAC-SHA-256 \
             over id, timestamp and body, joined by dots. One that verifies is enough.",
            json!({"type": "string", "maxLength": 256}),
            json!("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        ),
    })
}

fn schemas(known: &Value) -> Value {
    let uuid = |about: &str| json!({"type": "string", "format": "uuid", "maxLength": 36, "description": about});
    let ended = ended(&known["Job"]["examples"][0]);
    json!({
        "JobWebhookEvent": event(
            "A job has ended: the body of a delivery.",
            "Job",
            &["job.succeeded", "job.failed", "job.canceled"],
            &ended,
        ),
        "OperationWebhookEvent": event(
            "All jobs of an operation have ended: the body of a delivery. `data` lacks `jobs`; \
             `links.jobs` lists them.",
            "Operation",
            &["operation.finished"],
            &Value::Null,
        ),
        "PingWebhookEvent": event(
            "A ping: the body of a delivery.",
            "WebhookPing",
            &["webhook.ping"],
            &Value::Null,
        ),
        "WebhookPing": {
            "type": "object",
            "description": "Which webhook was tried.",
            "required": ["webhookId", "deliveryId"],
            "properties": {
                "webhookId": uuid("The webhook."),
                "deliveryId": uuid("The ping's delivery.")
            }
        }
    })
}

fn event(about: &str, data: &str, types: &[&str], example: &Value) -> Value {
    let mut schema = json!({
        "type": "object",
        "description": about,
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {
                "type": "string",
                "maxLength": 64,
                "description": "What happened. New values may be added.",
                "examples": [types.first()],
                "x-extensible-enum": types
            },
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "maxLength": 35,
                "description": "When it happened.",
                "examples": ["2026-01-02T03:04:05.000000Z"]
            },
            "data": {"$ref": format!("#/components/schemas/{data}")}
        }
    });
    if example.is_object() {
        let example = json!({
            "type": types.first(), "timestamp": "2026-01-02T03:06:11.000000Z", "data": example
        });
        schema["examples"] = json!([example]);
    }
    schema
}

/// The example of a job, at its end.
fn ended(job: &Value) -> Value {
    let mut job = job.clone();
    job["state"] = json!("succeeded");
    job["message"] = json!("The profile is active.");
    job["finishedAt"] = json!("2026-01-02T03:06:11Z");
    if let Some(job) = job.as_object_mut() {
        job.retain(|name, _| {
            !["waitingReason", "nextCheckAt", "retryAfterSeconds"].contains(&name.as_str())
        });
    }
    if let Some(links) = job["links"].as_object_mut() {
        links.remove("cancel");
    }
    job
}
