//! DELETE /v1/tokens/{tokenId}: end a token's life.

use actix_web::{HttpResponse, delete};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::TokenPath;
use crate::db::audit::{self, AuditEvent};
use crate::db::tokens;
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::paths;

/// Revoke a token.
///
/// It stops working at once, in every process. Its record stays; revoking it again changes nothing.
#[utoipa::path(
    operation_id = "revokeToken",
    tag = "access",
    params(KeyQuery),
    responses((status = 204, description = "The token is revoked.")),
    extensions(("x-required-role" = json!("admin"))),
)]
#[delete("/v1/tokens/{tokenId}")]
pub(in crate::http) async fn revoke_token(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: TokenPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let row = call.token(path.token_id).await?;
    let key = call.idempotency_key(&call.body().await?)?;
    let resource = paths::token(row.token_id);
    let event = AuditEvent {
        subject_id: Some(row.token_id),
        ..call.event("revokeToken", None, resource, row.audit_detail())
    };
    let id = row.token_id;
    let taken = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(revoke(transaction, id, key, event))
        })
        .await?;
    call.state.known.forget_callers();
    let mut answer = HttpResponse::NoContent();
    let manner = Manner {
        replayed: taken != Taken::Fresh,
        ..Manner::default()
    };
    answer::mannered(&mut answer, &manner);
    Ok(answer.finish())
}

async fn revoke(
    transaction: &mut PgTransaction<'_>,
    token_id: Uuid,
    key: Option<Key>,
    event: AuditEvent,
) -> Result<Taken, Problem> {
    let taken = Key::take(key.as_ref(), transaction, &token_id.to_string()).await?;
    // Only what ends its life is a change.
    if taken == Taken::Fresh && tokens::revoke(&mut **transaction, token_id).await? {
        audit::record(&mut **transaction, &event).await?;
    }
    Ok(taken)
}
