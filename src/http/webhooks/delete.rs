//! DELETE /v1/webhooks/{webhookId}.

use actix_web::{HttpResponse, delete};
use serde_json::json;
use sqlx::PgPool;
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
        let pool = call.state.pool.clone();
        let deleting = delete(pool, path.webhook_id, key, seen, event);
        call.state.run(deleting).await?;
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
    pool: PgPool,
    webhook_id: Uuid,
    key: Option<Key>,
    seen: IfMatch,
    event: AuditEvent,
) -> Result<(), Problem> {
    let mut transaction = pool.begin().await?;
    let subject = webhook_id.to_string();
    if Key::take(key.as_ref(), &mut transaction, &subject).await? != Taken::Fresh {
        return Ok(());
    }
    let row = webhooks::find_for_update(&mut *transaction, None, webhook_id).await?;
    seen.check(row.ok_or_else(|| no_webhook(webhook_id))?.version)?;
    webhooks::delete(&mut *transaction, webhook_id).await?;
    job_callbacks::forget(&mut *transaction, webhook_id).await?;
    audit::record(&mut *transaction, &event).await?;
    transaction.commit().await?;
    Ok(())
}
