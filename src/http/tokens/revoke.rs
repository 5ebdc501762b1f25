//! DELETE /v1/tokens/{tokenId}: end a token's life, and if asked that of all it made.

use actix_web::{HttpResponse, delete};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use utoipa::IntoParams;
use uuid::Uuid;

use super::TokenPath;
use crate::db::audit::{self, AuditEvent};
use crate::db::descendants::{self, Descendants, Scope};
use crate::db::tokens::{self, TokenRow};
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::problem::Problem;
use crate::http::query::text;
use crate::http::wire::paths;
use crate::http::wire::token::TokenRevocation;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct RevokeTokenQuery {
    /// Revoke with it all tokens that it made, those that they made and so on, and disable the webhooks
    /// that any of them made. The answer lists them.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = true)]
    revoke_descendants: Option<bool>,
    /// Change nothing; answer what would end with `revokeDescendants=true`.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = true)]
    validate_only: Option<bool>,
    /// The twin of the header `Idempotency-Key`; wins over it.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "request-1"
    )]
    #[expect(
        dead_code,
        reason = "read by http::idempotency; declared so that it is known"
    )]
    request_id: Option<String>,
}

/// Revoke a token.
///
/// It stops working at once, in every process. Its record stays; revoking it again changes nothing.
/// With `revokeDescendants=true` all that it made ends too.
#[utoipa::path(
    operation_id = "revokeToken",
    tag = "access",
    params(RevokeTokenQuery),
    responses(
        (status = 200, description = "What ended with it, or would end with it.", body = TokenRevocation),
        (status = 204, description = "The token is revoked, and nothing else."),
    ),
    extensions(("x-required-role" = json!("admin"))),
)]
#[delete("/v1/tokens/{tokenId}")]
pub(in crate::http) async fn revoke_token(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: TokenPath = call.path()?;
    let query: RevokeTokenQuery = call.query()?;
    let row = call.token(path.token_id).await?;
    let key = call.idempotency_key(&call.body().await?)?;
    let revocation = Revocation {
        visible: call.caller.visible(),
        all: query.revoke_descendants.unwrap_or(false),
        validate_only: query.validate_only.unwrap_or(false),
        key,
        event: call.event("revokeToken", None, String::new(), json!({})),
        root: row,
    };
    let listed = revocation.all || revocation.validate_only;
    let validate_only = revocation.validate_only;
    let (taken, root, ended) = revocation.made(&call).await?;
    call.state.known.forget_callers();
    let manner = Manner {
        replayed: taken != Taken::Fresh,
        ..Manner::default()
    };
    if listed {
        let mut answer = HttpResponse::Ok();
        answer.insert_header(("Cache-Control", "no-store"));
        answer::mannered(&mut answer, &manner);
        let revocation = TokenRevocation::of(root, ended, validate_only);
        return Ok(answer::json(answer, &revocation));
    }
    let mut answer = HttpResponse::NoContent();
    answer::mannered(&mut answer, &manner);
    Ok(answer.finish())
}

/// A revocation to be made.
struct Revocation {
    root: TokenRow,
    visible: Option<Vec<String>>,
    all: bool,
    validate_only: bool,
    key: Option<Key>,
    /// Whose it is; the rest differs for each row.
    event: AuditEvent,
}

/// Whether it was made now, the token as it is, and what ended with it.
type Done = (Taken, TokenRow, Descendants);

impl Revocation {
    async fn made(self, call: &Call<Admin>) -> Result<Done, Problem> {
        let (state, caller) = (&call.state, &call.caller);
        if self.validate_only {
            let looking = state.read(caller, move |connection| {
                Box::pin(async move {
                    let living = descendants::living(connection, self.scope()).await?;
                    Ok((Taken::Fresh, self.root, living))
                })
            });
            return looking.await;
        }
        let making = state.change(caller, move |transaction| {
            Box::pin(async move { self.make(transaction).await })
        });
        making.await
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            root: self.root.token_id,
            visible: self.visible.as_deref(),
        }
    }

    async fn make(self, connection: &mut PgConnection) -> Result<Done, Problem> {
        let scope = self.scope();
        let subject = scope.root.to_string();
        let taken = Key::take(self.key.as_ref(), connection, &subject).await?;
        let mut ended = Descendants::default();
        if taken == Taken::Fresh {
            // Only what ends its life is a change.
            if tokens::revoke(&mut *connection, scope.root).await? {
                let event = revoked(&self.event, &self.root, None);
                audit::record(&mut *connection, &event).await?;
            }
            if self.all {
                ended = descendants::end(connection, scope).await?;
                let events = events_of(&self.event, scope.root, &ended);
                audit::record_all(connection, &events).await?;
            }
        } else if self.all {
            ended = descendants::ended(connection, scope).await?;
        }
        let root = tokens::find(connection, None, scope.root).await?;
        Ok((taken, root.unwrap_or(self.root), ended))
    }
}

/// One row for each that ended with `root`.
fn events_of(event: &AuditEvent, root: Uuid, ended: &Descendants) -> Vec<AuditEvent> {
    let tokens = ended.tokens.iter();
    let tokens = tokens.map(|row| revoked(event, row, Some(root)));
    let webhooks = ended.webhooks.iter().map(|row| AuditEvent {
        action: "updateWebhook",
        resource: paths::webhook(row.webhook_id),
        subject_id: Some(row.webhook_id),
        detail: json!({"enabled": false, "revokedWith": root}),
        ..event.clone()
    });
    tokens.chain(webhooks).collect()
}

fn revoked(event: &AuditEvent, row: &TokenRow, with: Option<Uuid>) -> AuditEvent {
    let mut detail = row.audit_detail();
    if let Some(root) = with {
        detail["revokedWith"] = json!(root);
    }
    AuditEvent {
        resource: paths::token(row.token_id),
        subject_id: Some(row.token_id),
        detail,
        ..event.clone()
    }
}
