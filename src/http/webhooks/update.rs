//! PATCH /v1/webhooks/{webhookId}: edit a webhook, or enable it again.

use actix_web::{HttpResponse, patch};
use serde_json::json;
use sqlx::PgTransaction;

use super::{WebhookPath, no_webhook, portal, scope, webhook_answer};
use crate::db::audit::{self, AuditEvent};
use crate::db::webhooks::{self, Settings, Webhook as Row};
use crate::domain::{WebhookFormat, decode};
use crate::http::accounts::NoQuery;
use crate::http::answer::Manner;
use crate::http::auth::{Admin, Caller};
use crate::http::body;
use crate::http::etag::IfMatch;
use crate::http::extract::Call;
use crate::http::problem::Problem;
use crate::http::wire::webhook::{Webhook, WebhookPatch};

/// Edit a webhook.
///
/// Absent fields stay as they are (JSON merge patch); lists are replaced as a whole. Setting
/// `enabled` to `true` also enables one again that the service has disabled.
#[utoipa::path(
    operation_id = "updateWebhook",
    tag = "webhooks",
    request_body(content = WebhookPatch, content_type = "application/json"),
    responses((status = 200, description = "The webhook as it is now.", body = Webhook)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[patch("/v1/webhooks/{webhookId}")]
pub(in crate::http) async fn update_webhook(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    let NoQuery {} = call.query()?;
    let before = call.webhook(path.webhook_id).await?;
    body::must_be(
        call.headers(),
        &["application/json", "application/merge-patch+json"],
    )?;
    let mut changes = read_patch(&call.body().await?)?;
    let secret = portal::secret(changes.secret.take())?;
    let format = portal::format(&before)?;
    if format == WebhookFormat::Standard {
        portal::check_credentials(format, changes.client_id.as_deref(), secret.is_some())?;
    }
    let sealed = match &secret {
        Some(secret) => Some(call.sealed(path.webhook_id, secret).await?),
        None => None,
    };
    if let Some(url) = &changes.url {
        call.check_url(url).await?;
    }
    let seen = IfMatch::of(call.headers());
    let event = call.webhook_event("updateWebhook", path.webhook_id, json!({}));
    let (change, caller) = ((path, changes, sealed), call.caller.clone());
    let row = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(update(transaction, change, seen, caller, event))
        })
        .await?;
    let manner = Manner::default();
    Ok(webhook_answer(HttpResponse::Ok(), row, None, &manner))
}

fn read_patch(body: &[u8]) -> Result<WebhookPatch, Problem> {
    let mut sent = decode::json_tree(body).map_err(body::malformed)?;
    // Merge patch: null removes. Only these two can be without a value.
    for (field, nothing) in [("description", json!("")), ("accountIds", json!([]))] {
        if let Some(value) = sent.get_mut(field).filter(|value| value.is_null()) {
            *value = nothing;
        }
    }
    if let Some((name, _)) = sent
        .as_object()
        .into_iter()
        .flatten()
        .find(|(_, value)| value.is_null())
    {
        let message = "can't be removed: leave it out, or give it a value";
        return Err(Problem::invalid_field(format!("/{name}"), message));
    }
    Ok(decode::typed(sent)?)
}

async fn update(
    transaction: &mut PgTransaction<'_>,
    (path, changes, secret): (WebhookPath, WebhookPatch, Option<Vec<u8>>),
    seen: IfMatch,
    caller: Caller,
    event: AuditEvent,
) -> Result<Row, Problem> {
    let (id, visible) = (path.webhook_id, caller.visible());
    let row = webhooks::find_for_update(&mut **transaction, visible.as_deref(), id).await?;
    let row = row.ok_or_else(|| no_webhook(id))?;
    seen.check(row.version)?;
    let before = row.account_ids.clone();
    let settings = merged(&caller, row, changes, secret.is_some())?;
    if settings.account_ids != before {
        let accounts = settings.account_ids.as_deref();
        scope::has_room(transaction, accounts, id).await?;
    }
    webhooks::update(&mut **transaction, id, &settings).await?;
    if let Some(secret) = secret {
        webhooks::replace_secret(&mut **transaction, id, &secret).await?;
    }
    let event = AuditEvent {
        detail: scope::detail(&settings),
        ..event
    };
    audit::record(&mut **transaction, &event).await?;
    let row = webhooks::find(&mut **transaction, visible.as_deref(), id).await?;
    row.ok_or_else(|| no_webhook(id))
}

fn merged(
    caller: &Caller,
    row: Row,
    changes: WebhookPatch,
    has_secret: bool,
) -> Result<Settings, Problem> {
    let format = portal::format(&row)?;
    let account_ids = match changes.account_ids {
        Some(asked) => scope::accounts(caller, Some(asked))?,
        None => row.account_ids,
    };
    if changes.url.as_ref().is_some_and(|url| *url != row.url) {
        portal::check_move(format, has_secret)?;
    }
    let description = match changes.description {
        Some(asked) => scope::description(Some(asked))?,
        None => row.description,
    };
    let event_types = match changes.event_types {
        Some(asked) => scope::event_types(&asked)?,
        None => row.event_types,
    };
    let settings = Settings {
        format: row.format,
        client_id: changes.client_id.or(row.client_id),
        url: changes.url.unwrap_or(row.url),
        description,
        event_types,
        account_ids,
        enabled: changes.enabled.unwrap_or(row.enabled),
    };
    portal::check(format, &settings)?;
    let has_secret = format != WebhookFormat::Standard;
    portal::check_credentials(format, settings.client_id.as_deref(), has_secret)?;
    Ok(settings)
}
