//! POST /v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay: tell it again.

use actix_web::{HttpResponse, post};
use serde_json::json;
use sqlx::PgTransaction;

use super::deliveries::{DeliveryPath, accepted, no_delivery};
use super::ping::must_be_enabled;
use crate::db::audit::{self, AuditEvent};
use crate::db::webhook_deliveries::{self as db, Delivery};
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::webhook::WebhookDelivery;

/// Send a delivery again.
///
/// Under the same `webhook-id`, now, and with all its attempts anew, whether it was accepted, was
/// given up or is still to be sent.
#[utoipa::path(
    operation_id = "replayWebhookDelivery",
    tag = "webhooks",
    params(KeyQuery),
    responses((status = 202, description = "The delivery, to be sent.", body = WebhookDelivery)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay")]
pub(in crate::http) async fn replay_webhook_delivery(
    call: Call<Admin>,
) -> Result<HttpResponse, Problem> {
    let path: DeliveryPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let key = call.idempotency_key(&call.body().await?)?;
    must_be_enabled(&call.webhook(path.webhook_id).await?)?;
    let detail = json!({"deliveryId": path.delivery_id});
    let event = call.webhook_event("replayWebhookDelivery", path.webhook_id, detail);
    let (row, fresh) = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(replay(transaction, path, key, event))
        })
        .await?;
    Ok(accepted(row, !fresh))
}

async fn replay(
    transaction: &mut PgTransaction<'_>,
    path: DeliveryPath,
    key: Option<Key>,
    event: AuditEvent,
) -> Result<(Delivery, bool), Problem> {
    let subject = path.delivery_id.to_string();
    let fresh = Key::take(key.as_ref(), transaction, &subject).await? == Taken::Fresh;
    if fresh {
        if !db::replay(&mut **transaction, path.webhook_id, path.delivery_id).await? {
            return Err(no_delivery(path.delivery_id));
        }
        audit::record(&mut **transaction, &event).await?;
    }
    let row = db::find(&mut **transaction, path.webhook_id, path.delivery_id).await?;
    let row = row.ok_or_else(|| no_delivery(path.delivery_id))?;
    Ok((row, fresh))
}
