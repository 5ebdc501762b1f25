//! DELETE /v1/webhooks/{webhookId}.

use actix_web::{HttpResponse, delete};
use serde_json::json;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{WebhookPath, no_webhook};
use crate::db::audit::{self, AuditEvent};
use crate::db::{job_callbacks, webhooks};
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::etag::IfMatch;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;

/// Delete a webhook.
///
/// It is told no more, and its deliveries are forgotten.
#[utoipa::path(
    operation_id = "deleteWebhook",
    tag = "webhooks",
    params(KeyQuery),
    responses((status = 204, description = "The webhook is gone.")),
    extensions(("x-required-role" = json!("admin"))),
)]
#[delete("/v1/webhooks/{webhookId}")]
pub(in crate::http) async fn delete_webhook(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let key = call.idempotency_key(&call.body().await?)?;
    let replayed = call.replayed(key.as_ref()).await?.is_some();
    if !replayed {
        call.webhook(path.webhook_id).await?;
        let seen = IfMatch::of(call.headers());
        let event = call.webhook_event("deleteWebhook", path.webhook_id, json!({}));
        let id = path.webhook_id;
        call.state
            .change(&call.caller, move |transaction| {
                Box::pin(delete(transaction, id, key, seen, event))
            })
            .await?;
    }
    let mut answer = HttpResponse::NoContent();
    let manner = Manner {
        replayed,
        ..Manner::default()
    };
    answer::mannered(&mut answer, &manner);
    Ok(answer.finish())
}

async fn delete(
    transaction: &mut PgTransaction<'_>,
    webhook_id: Uuid,
    key: Option<Key>,
    seen: IfMatch,
    event: AuditEvent,
) -> Result<(), Problem> {
    let subject = webhook_id.to_string();
    if Key::take(key.as_ref(), transaction, &subject).await? != Taken::Fresh {
        return Ok(());
    }
    // The runs before the webhook, as in the fan-out of events.
    job_callbacks::forget(&mut **transaction, webhook_id).await?;
    let row = webhooks::find_for_update(&mut **transaction, None, webhook_id).await?;
    seen.check(row.ok_or_else(|| no_webhook(webhook_id))?.version)?;
    webhooks::delete(&mut **transaction, webhook_id).await?;
    audit::record(&mut **transaction, &event).await?;
    Ok(())
}
