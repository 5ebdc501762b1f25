//! DELETE /v1/accounts/{accountId}: take an account out of the fleet.

use actix_web::{HttpResponse, delete};
use serde_json::json;
use sqlx::PgTransaction;

use super::AccountPath;
use crate::db::account_changes;
use crate::db::audit::{self, AuditEvent};
use crate::domain::ErrorCode;
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::etag::IfMatch;
use crate::http::extract::{Call, no_account};
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::paths;

/// Take an account out of the fleet.
///
/// Refused while it has unfinished jobs. Nothing is changed in AWS; the account's finished jobs
/// stay as history.
#[utoipa::path(
    operation_id = "deleteAccount",
    tag = "accounts",
    params(KeyQuery),
    responses((status = 204, description = "The account is no longer part of the fleet.")),
    extensions(("x-required-role" = json!("admin"))),
)]
#[delete("/v1/accounts/{accountId}")]
pub(in crate::http) async fn delete_account(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: AccountPath = call.path()?;
    let _: KeyQuery = call.query()?;
    let key = call.idempotency_key(&call.body().await?)?;
    let replayed = call.replayed(key.as_ref()).await?.is_some();
    if !replayed {
        call.account(&path.account_id).await?;
        let id = path.account_id.as_str();
        let event = call.event("deleteAccount", Some(id), paths::account(id), json!({}));
        let seen = IfMatch::of(call.headers());
        let id = id.to_owned();
        call.state
            .change(&call.caller, move |transaction| {
                Box::pin(delete(transaction, id, key, seen, event))
            })
            .await?;
        call.state
            .known
            .forget_account(path.account_id.as_str())
            .await;
    }
    let mut answer = HttpResponse::NoContent();
    answer::mannered(
        &mut answer,
        &Manner {
            replayed,
            ..Manner::default()
        },
    );
    Ok(answer.finish())
}

async fn delete(
    transaction: &mut PgTransaction<'_>,
    id: String,
    key: Option<Key>,
    seen: IfMatch,
    event: AuditEvent,
) -> Result<(), Problem> {
    let id = id.as_str();
    // The account before the key, as in an enqueue. A job enqueued meanwhile holds the account for key
    // share, and is counted below.
    let row = account_changes::find_for_update(&mut **transaction, id).await?;
    if Key::take(key.as_ref(), transaction, id).await? != Taken::Fresh {
        return Ok(());
    }
    let row = row.ok_or_else(|| no_account(id))?;
    seen.check(row.version)?;
    let jobs = account_changes::unfinished_jobs(&mut **transaction, id).await?;
    if jobs > 0 {
        let detail = format!(
            "Account {id} has {jobs} unfinished jobs: cancel them or wait, then delete it. \
             GET /v1/jobs?accountId={id} lists them."
        );
        return Err(Problem::new(ErrorCode::Conflict, detail));
    }
    account_changes::delete(&mut **transaction, id).await?;
    audit::record(&mut **transaction, &event).await?;
    Ok(())
}
