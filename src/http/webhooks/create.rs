//! POST /v1/webhooks: ask to be told.

use actix_web::{HttpResponse, post};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{no_webhook, portal, scope, webhook_answer};
use crate::db::audit::{self, AuditEvent};
use crate::db::tokens;
use crate::db::webhooks::{self, Settings, Webhook as Row};
use crate::domain::WebhookFormat;
use crate::http::answer::Manner;
use crate::http::auth::Admin;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::paths;
use crate::http::wire::webhook::{Webhook, WebhookInput};
use crate::webhooks::signature::Secret;

/// Make a webhook.
///
/// The answer holds the secret that deliveries are signed with, this once; a repetition with the
/// same idempotency key does not. A webhook of a portal has the portal's own credentials instead.
#[utoipa::path(
    operation_id = "createWebhook",
    tag = "webhooks",
    params(KeyQuery),
    request_body(content = WebhookInput, content_type = "application/json"),
    responses((status = 201, description = "The webhook, with its secret.", body = Webhook)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/webhooks")]
pub(in crate::http) async fn create_webhook(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let _: KeyQuery = call.query()?;
    body::must_be(call.headers(), &["application/json"])?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    if let Some(made) = call.replayed(key.as_ref()).await? {
        return replayed(&call, &made).await;
    }
    let (settings, given) = settings(&call, body::json(&body)?).await?;
    let webhook_id = call.state.clock.uuid();
    let (secret, sealed) = if let Some(given) = given {
        (None, call.sealed(webhook_id, &given).await?)
    } else {
        let (secret, sealed) = call.fresh_secret(webhook_id).await?;
        (Some(secret), sealed)
    };
    let event = call.webhook_event("createWebhook", webhook_id, scope::detail(&settings));
    let new = (webhook_id, settings, sealed);
    let made = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(create(transaction, new, key, event))
        })
        .await?;
    match made {
        Made::Fresh(row) => Ok(created(*row, secret, false)),
        Made::Before(id) => replayed(&call, &id).await,
    }
}

/// The settings, and a portal's secret.
async fn settings(
    call: &Call<Admin>,
    input: WebhookInput,
) -> Result<(Settings, Option<Secret>), Problem> {
    let format = input.format.unwrap_or(WebhookFormat::Standard);
    let secret = portal::secret(input.secret)?;
    portal::check_credentials(format, input.client_id.as_deref(), secret.is_some())?;
    let settings = Settings {
        format: format.to_string(),
        client_id: input.client_id,
        description: scope::description(input.description)?,
        event_types: scope::event_types(&input.event_types)?,
        account_ids: scope::accounts_of_new(&call.caller, input.account_ids)?,
        enabled: input.enabled.unwrap_or(true),
        url: input.url,
    };
    call.check_url(&settings.url).await?;
    portal::check(format, &settings)?;
    Ok((settings, secret))
}

enum Made {
    Fresh(Box<Row>),
    Before(String),
}

async fn create(
    transaction: &mut PgTransaction<'_>,
    (webhook_id, settings, sealed): (Uuid, Settings, Vec<u8>),
    key: Option<Key>,
    event: AuditEvent,
) -> Result<Made, Problem> {
    let subject = webhook_id.to_string();
    if let Taken::Replay(made) = Key::take(key.as_ref(), transaction, &subject).await? {
        return Ok(Made::Before(made));
    }
    let accounts = settings.account_ids.as_deref();
    scope::has_room(transaction, accounts, webhook_id).await?;
    let maker = event.actor_id;
    if let Some(maker) = maker {
        tokens::hold_maker(transaction, maker).await?;
    }
    webhooks::insert(&mut **transaction, webhook_id, &settings, &sealed, maker).await?;
    audit::record(&mut **transaction, &event).await?;
    let row = webhooks::find(&mut **transaction, None, webhook_id).await?;
    let row = row.ok_or_else(|| no_webhook(webhook_id))?;
    Ok(Made::Fresh(Box::new(row)))
}

/// What an earlier request made, without the secret, which was shown then.
async fn replayed(call: &Call<Admin>, made: &str) -> Result<HttpResponse, Problem> {
    let id = made.parse().unwrap_or_default();
    Ok(created(call.webhook(id).await?, None, true))
}

fn created(row: Row, secret: Option<String>, replayed: bool) -> HttpResponse {
    let mut answer = HttpResponse::Created();
    answer.insert_header(("Location", paths::webhook(row.webhook_id)));
    let manner = Manner {
        replayed,
        ..Manner::default()
    };
    webhook_answer(answer, row, secret, &manner)
}
