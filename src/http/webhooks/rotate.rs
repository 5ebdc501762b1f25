//! POST /v1/webhooks/{webhookId}/rotate-secret: a new secret, while the old one still signs.

use actix_web::{HttpResponse, post};
use serde_json::json;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{WebhookPath, no_webhook, portal, webhook_answer};
use crate::db::audit::{self, AuditEvent};
use crate::db::webhooks::{self, Webhook as Row};
use crate::http::answer::Manner;
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::webhook::Webhook;

/// Give a webhook a new secret.
///
/// The answer holds it, this once; a repetition with the same idempotency key does not. For 24
/// hours deliveries are signed with both, the new one first. A portal's secret is the portal's to
/// rotate: write the new one with PATCH.
#[utoipa::path(
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    params(KeyQuery),
    responses((status = 200, description = "The webhook, with its new secret.", body = Webhook)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/webhooks/{webhookId}/rotate-secret")]
pub(in crate::http) async fn rotate_webhook_secret(
    call: Call<Admin>,
) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let key = call.idempotency_key(&call.body().await?)?;
    portal::must_sign(&call.webhook(path.webhook_id).await?)?;
    let (secret, sealed) = call.fresh_secret(path.webhook_id).await?;
    let event = call.webhook_event("rotateWebhookSecret", path.webhook_id, json!({}));
    let new = (path.webhook_id, sealed);
    let (row, fresh) = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(rotate(transaction, new, key, event))
        })
        .await?;
    let manner = Manner {
        replayed: !fresh,
        ..Manner::default()
    };
    let secret = fresh.then_some(secret);
    Ok(webhook_answer(HttpResponse::Ok(), row, secret, &manner))
}

/// The webhook, and whether the secret is its new one.
async fn rotate(
    transaction: &mut PgTransaction<'_>,
    (webhook_id, sealed): (Uuid, Vec<u8>),
    key: Option<Key>,
    event: AuditEvent,
) -> Result<(Row, bool), Problem> {
    let subject = webhook_id.to_string();
    let fresh = Key::take(key.as_ref(), transaction, &subject).await? == Taken::Fresh;
    if fresh {
        webhooks::rotate_secret(&mut **transaction, webhook_id, &sealed).await?;
        audit::record(&mut **transaction, &event).await?;
    }
    let row = webhooks::find(&mut **transaction, None, webhook_id).await?;
    let row = row.ok_or_else(|| no_webhook(webhook_id))?;
    Ok((row, fresh))
}
