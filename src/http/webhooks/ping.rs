//! POST /v1/webhooks/{webhookId}/test: see whether it works.

use actix_web::{HttpResponse, post};
use serde_json::json;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::deliveries::{accepted, no_delivery};
use super::{WebhookPath, portal};
use crate::db::audit::{self, AuditEvent};
use crate::db::webhook_deliveries::{self as db, Delivery};
use crate::db::webhooks::Webhook as Row;
use crate::domain::ErrorCode;
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::webhook::WebhookDelivery;

/// Send a webhook a ping.
///
/// An event of the type `webhook.ping`, whatever the webhook is told of otherwise. Of Port it asks
/// for a token, and tells no run; Cortex has nothing to ping.
#[utoipa::path(
    operation_id = "testWebhook",
    tag = "webhooks",
    params(KeyQuery),
    responses((status = 202, description = "The ping's delivery.", body = WebhookDelivery)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/webhooks/{webhookId}/test")]
pub(in crate::http) async fn test_webhook(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let key = call.idempotency_key(&call.body().await?)?;
    let row = call.webhook(path.webhook_id).await?;
    portal::must_answer_pings(&row)?;
    must_be_enabled(&row)?;
    let delivery_id = call.state.clock.uuid();
    let detail = json!({"deliveryId": delivery_id});
    let event = call.webhook_event("testWebhook", path.webhook_id, detail);
    let ids = (path.webhook_id, delivery_id);
    let (row, fresh) = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(ping(transaction, ids, key, event))
        })
        .await?;
    Ok(accepted(row, !fresh))
}

async fn ping(
    transaction: &mut PgTransaction<'_>,
    (webhook_id, delivery_id): (Uuid, Uuid),
    key: Option<Key>,
    event: AuditEvent,
) -> Result<(Delivery, bool), Problem> {
    let subject = delivery_id.to_string();
    let (delivery_id, fresh) = match Key::take(key.as_ref(), transaction, &subject).await? {
        Taken::Fresh => (delivery_id, true),
        Taken::Replay(made) => (made.parse().unwrap_or_default(), false),
    };
    if fresh {
        db::insert_ping(&mut **transaction, webhook_id, delivery_id).await?;
        audit::record(&mut **transaction, &event).await?;
    }
    let row = db::find(&mut **transaction, webhook_id, delivery_id).await?;
    let row = row.ok_or_else(|| no_delivery(delivery_id))?;
    Ok((row, fresh))
}

/// Nothing is sent to a webhook that is disabled, so nothing is promised.
pub(super) fn must_be_enabled(row: &Row) -> Result<(), Problem> {
    if row.enabled {
        return Ok(());
    }
    let detail = format!(
        "Webhook {} is disabled: enable it with PATCH and {{\"enabled\": true}}, then repeat this.",
        row.webhook_id
    );
    Err(Problem::new(ErrorCode::Conflict, detail))
}
