//! Webhooks and their deliveries as callers see them, and as they write them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::paths;
use crate::db::webhook_deliveries as deliveries;
use crate::db::webhooks as db;
use crate::domain::{AccountId, DeliveryState, WebhookEventType, WebhookFormat};

/// Somebody who is told of what happens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "url": "https://hooks.example.com/fleet",
    "format": "standard",
    "description": "The portal of team payments",
    "eventTypes": ["job.succeeded", "job.failed", "job.canceled"],
    "accountIds": ["111111111111"],
    "enabled": true,
    "createdAt": "2026-01-02T03:04:05Z",
    "updatedAt": "2026-01-02T03:04:05Z",
    "links": {
        "self": "/v1/webhooks/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
        "deliveries": "/v1/webhooks/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f/deliveries"
    }
})))]
pub(in crate::http) struct Webhook {
    /// The webhook's id, a UUID of version 7.
    pub id: Uuid,
    /// Where events are posted, or the base of the portal's API.
    #[schema(max_length = 2048, examples("https://hooks.example.com/fleet"))]
    pub url: String,
    /// Whom it tells.
    #[schema(value_type = WebhookFormat)]
    pub format: String,
    /// Port: the client id that the secret belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 256)]
    pub client_id: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 256)]
    pub description: Option<String>,
    /// What it is told of.
    #[schema(value_type = Vec<WebhookEventType>, max_items = 20)]
    pub event_types: Vec<String>,
    /// Of which accounts; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<AccountId>, required = false, nullable = false, max_items = 1000)]
    pub account_ids: Option<Vec<String>>,
    /// Whether it is told at all.
    pub enabled: bool,
    /// Why the service disabled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub disabled_reason: Option<String>,
    /// Since when every attempt has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failing_since: Option<DateTime<Utc>>,
    /// What deliveries are signed with. Only in the answer that makes it: keep it. A portal's
    /// secret is never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 256,
        examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    )]
    pub secret: Option<String>,
    /// Until when the secret before the last rotation signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub old_secret_until: Option<DateTime<Utc>>,
    /// The token that made it; absent: a caller of an issuer, or not noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Where to go from here.
    pub links: WebhookLinks,
}

/// Where to go from a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookLinks {
    /// The webhook, as in `Location`.
    #[serde(rename = "self")]
    #[schema(max_length = 2048)]
    pub own: String,
    /// What it was told.
    #[schema(max_length = 2048)]
    pub deliveries: String,
}

impl Webhook {
    pub(in crate::http) fn of(row: db::Webhook, secret: Option<String>) -> Self {
        let own = paths::webhook(row.webhook_id);
        Self {
            id: row.webhook_id,
            url: row.url,
            format: row.format,
            client_id: row.client_id,
            description: row.description,
            event_types: row.event_types,
            account_ids: row.account_ids,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since,
            secret,
            old_secret_until: row.old_secret_until,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            links: WebhookLinks {
                deliveries: format!("{own}/deliveries"),
                own,
            },
        }
    }
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "url": "https://hooks.example.com/fleet",
    "eventTypes": ["job.succeeded", "job.failed", "job.canceled"],
    "accountIds": ["111111111111"]
})))]
pub(in crate::http) struct WebhookInput {
    /// Where to post events, or the base of a portal's API: `https`, and a host whose addresses are
    /// public.
    #[schema(
        max_length = 2048,
        pattern = "^https?://[!-~]+$",
        examples("https://hooks.example.com/fleet")
    )]
    pub url: String,
    /// Whom it tells, `standard` when absent. A portal's is told of what names it with `callback`,
    /// and of nothing else.
    #[serde(default)]
    #[schema(value_type = WebhookFormat, required = false, nullable = false)]
    pub format: Option<WebhookFormat>,
    /// Port: the client id that the secret belongs to.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 256)]
    pub client_id: Option<String>,
    /// A portal's own: Port's client secret, or Cortex's API key. It is kept sealed, and not shown
    /// again.
    #[serde(default)]
    #[schema(
        nullable = false,
        write_only,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    pub secret: Option<String>,
    /// What people call it.
    #[serde(default)]
    #[schema(nullable = false, max_length = 256)]
    pub description: Option<String>,
    /// What to tell it of. A portal's run waits for its end, whichever it is: name all four.
    #[schema(min_items = 1, max_items = 20)]
    pub event_types: Vec<WebhookEventType>,
    /// Of which accounts; all that the token may see when absent.
    #[serde(default)]
    #[schema(value_type = Vec<AccountId>, required = false, nullable = false, min_items = 1, max_items = 1000)]
    pub account_ids: Option<Vec<AccountId>>,
    /// `false` makes one that is not told yet.
    #[serde(default)]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
}

/// What to change of a webhook. A field that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"enabled": true})))]
pub(in crate::http) struct WebhookPatch {
    /// Where to post events.
    #[serde(default)]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^https?://[!-~]+$",
        examples("https://hooks.example.com/fleet")
    )]
    pub url: Option<String>,
    /// Port: the client id that the secret belongs to.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 256)]
    pub client_id: Option<String>,
    /// A portal's new one, at once instead of the old one.
    #[serde(default)]
    #[schema(
        nullable = false,
        write_only,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    pub secret: Option<String>,
    /// What people call it; an empty text removes it (as null does).
    #[serde(default)]
    #[schema(nullable = false, max_length = 256)]
    pub description: Option<String>,
    /// What to tell it of; replaces the list.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    pub event_types: Option<Vec<WebhookEventType>>,
    /// Of which accounts; replaces the list. An empty list (as null does) means all.
    #[serde(default)]
    #[schema(value_type = Vec<AccountId>, required = false, nullable = false, max_items = 1000)]
    pub account_ids: Option<Vec<AccountId>>,
    /// `true` also enables one again that the service has disabled.
    #[serde(default)]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
}

/// One event for one webhook, and how its sending goes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookDelivery {
    /// The delivery's id; the header `webhook-id` is made of it.
    pub id: Uuid,
    /// The webhook.
    pub webhook_id: Uuid,
    /// What it tells.
    #[schema(value_type = WebhookEventType)]
    pub event_type: String,
    /// The job that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub job_id: Option<Uuid>,
    /// The operation that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub operation_id: Option<Uuid>,
    /// The portal's run that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub callback_run: Option<String>,
    /// How it stands.
    #[schema(value_type = DeliveryState)]
    pub state: String,
    /// How often it was sent.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 100, maximum = 999)]
    pub last_status: Option<i32>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub last_error: Option<String>,
    /// When it was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// While pending: when it is sent next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When the delivery was made.
    pub created_at: DateTime<Utc>,
    /// When it was accepted or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub finished_at: Option<DateTime<Utc>>,
    /// Where to go from here.
    pub links: WebhookDeliveryLinks,
}

/// Where to go from a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookDeliveryLinks {
    /// The delivery, as in `Location`.
    #[serde(rename = "self")]
    #[schema(max_length = 2048)]
    pub own: String,
    /// POST here to send it again.
    #[schema(max_length = 2048)]
    pub replay: String,
}

impl From<deliveries::Delivery> for WebhookDelivery {
    fn from(row: deliveries::Delivery) -> Self {
        let own = paths::delivery(row.webhook_id, row.delivery_id);
        let of = |prefix: &str| row.event_type.starts_with(prefix).then_some(row.subject_id);
        Self {
            id: row.delivery_id,
            webhook_id: row.webhook_id,
            job_id: of("job."),
            operation_id: of("operation."),
            event_type: row.event_type,
            callback_run: row.callback_run,
            state: row.state,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
            last_attempt_at: row.last_attempt_at,
            next_attempt_at: row.next_attempt_at,
            occurred_at: row.occurred_at,
            created_at: row.created_at,
            finished_at: row.finished_at,
            links: WebhookDeliveryLinks {
                replay: format!("{own}/replay"),
                own,
            },
        }
    }
}

/// One page of webhooks, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookList {
    /// The webhooks of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<Webhook>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}

/// One page of deliveries, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookDeliveryList {
    /// The deliveries of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<WebhookDelivery>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}
