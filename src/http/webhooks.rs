//! Webhooks: make, list, read, edit, delete; what they were told, and telling it again.
//!
//! An administrator of some accounts sees and makes only webhooks within those.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod deliveries;
pub(super) mod documents;
pub(super) mod list;
pub(super) mod ping;
mod portal;
pub(super) mod replay;
pub(super) mod rotate;
pub(super) mod scope;
pub(super) mod update;

use actix_web::{HttpResponse, HttpResponseBuilder, get};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::accounts::NoQuery;
use super::answer::{self, Manner};
use super::auth::Admin;
use super::etag;
use super::extract::Call;
use super::problem::Problem;
use super::wire::paths;
use super::wire::webhook::Webhook;
use crate::db::audit::AuditEvent;
use crate::db::webhooks::{self, Webhook as Row};

/// The webhook in a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookPath {
    pub webhook_id: Uuid,
}

/// Read a webhook.
#[utoipa::path(
    operation_id = "getWebhook",
    tag = "webhooks",
    responses(
        (status = 200, description = "The webhook, without its secret.", body = Webhook),
        (status = 304, description = "The webhook is as your `If-None-Match` has it."),
    ),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/webhooks/{webhookId}")]
pub(super) async fn get_webhook(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    let NoQuery {} = call.query()?;
    let row = call.webhook(path.webhook_id).await?;
    let tag = etag::of_webhook(&row);
    if etag::is_known(call.headers(), &tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header(("ETag", tag))
            .finish());
    }
    let manner = Manner::default();
    Ok(webhook_answer(HttpResponse::Ok(), row, None, &manner))
}

impl Call<Admin> {
    /// Reads a webhook that the caller may see, and checks the caller's role.
    async fn webhook(&self, webhook_id: Uuid) -> Result<Row, Problem> {
        let visible = self.caller.visible();
        let found = self.state.read(&self.caller, move |connection| {
            Box::pin(async move {
                let found = webhooks::find(connection, visible.as_deref(), webhook_id).await?;
                found.ok_or_else(|| no_webhook(webhook_id))
            })
        });
        let row = found.await?;
        self.allowed()?;
        Ok(row)
    }

    /// What the audit trail keeps of a change of a webhook.
    fn webhook_event(&self, action: &'static str, webhook_id: Uuid, detail: Value) -> AuditEvent {
        // A webhook is of no one account; the detail has those that it names.
        self.event(action, None, paths::webhook(webhook_id), detail)
    }
}

/// A webhook with its `ETag`.
fn webhook_answer(
    mut answer: HttpResponseBuilder,
    row: Row,
    secret: Option<String>,
    manner: &Manner,
) -> HttpResponse {
    answer.insert_header(("ETag", etag::of_webhook(&row)));
    let caching = if secret.is_some() {
        "no-store"
    } else {
        "no-cache"
    };
    answer.insert_header(("Cache-Control", caching));
    answer::mannered(&mut answer, manner);
    answer::json(answer, &Webhook::of(row, secret))
}

/// What is unknown and what is hidden look the same.
fn no_webhook(webhook_id: Uuid) -> Problem {
    let detail =
        format!("There is no webhook {webhook_id} that you may see: GET /v1/webhooks lists those.");
    Problem::not_found("webhook", detail)
}
