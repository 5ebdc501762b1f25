//! POST /v1/tokens: make a token.

use actix_web::{HttpResponse, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{no_token, token_answer};
use crate::db::audit::{self, AuditEvent};
use crate::db::tokens::{self, CreateError, NewToken, TokenRow};
use crate::domain::token::{MAX_ACCOUNTS, MAX_DAYS};
use crate::domain::{AccountId, ErrorCode};
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::paths;
use crate::http::wire::token::{Token, TokenInput};
use crate::rng::Rng;

/// Make a token.
///
/// The answer holds the token itself as `secret`, this once: only its SHA-256 is kept. A maker grants
/// only what it holds: an administrator of some accounts makes tokens of those only, and `mayActFor`
/// is given by a token that has it. A name that a living token has is refused (409).
#[utoipa::path(
    operation_id = "createToken",
    tag = "access",
    params(KeyQuery),
    request_body(content = TokenInput, content_type = "application/json"),
    responses((status = 201, description = "The token, with its secret.", body = Token)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/tokens")]
pub(in crate::http) async fn create_token(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let _: KeyQuery = call.query()?;
    body::must_be(call.headers(), &["application/json"])?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    let new = new_token(&call, body::json(&body)?)?;
    let token_id = call.state.clock.uuid();
    let resource = paths::token(token_id);
    let event = AuditEvent {
        subject_id: Some(token_id),
        ..call.event("createToken", None, resource, Value::Null)
    };
    let (rng, visible) = (call.state.rng.clone(), call.caller.visible());
    let (row, secret) = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(async move {
                let new = (token_id, new);
                create(transaction, rng, new, key, (event, visible)).await
            })
        })
        .await?;
    let manner = Manner {
        replayed: secret.is_none(),
        ..Manner::default()
    };
    let mut answer = HttpResponse::Created();
    answer.insert_header(("Location", paths::token(row.token_id)));
    answer::mannered(&mut answer, &manner);
    Ok(token_answer(answer, &Token::of(row, secret)))
}

fn new_token(call: &Call<Admin>, input: TokenInput) -> Result<NewToken, Problem> {
    let expires_at = expiry(call.state.clock.now(), &input)?;
    let account_ids = input.account_ids.map(accounts).transpose()?;
    if let Some(visible) = call.caller.visible() {
        let asked = account_ids.as_deref();
        let own = asked.is_some_and(|ids| ids.iter().all(|id| visible.contains(id)));
        if !own {
            let detail = "Your own token is for some accounts only, so it makes tokens of those \
                          only: name accounts of yours in accountIds, or ask an administrator of \
                          all accounts.";
            return Err(Problem::new(ErrorCode::PermissionDenied, detail));
        }
    }
    let may_act_for = input.may_act_for.unwrap_or(false);
    if may_act_for && !call.caller.may_act_for {
        let detail = "Your own token may not name the person behind a request, so it makes none that \
                      may: leave mayActFor out, use a token that has it, or make the first one on the \
                      command line with token create --on-behalf-of.";
        return Err(Problem::new(ErrorCode::PermissionDenied, detail));
    }
    Ok(NewToken {
        name: input.name.into(),
        role: input.role,
        account_ids,
        expires_at,
        may_act_for,
        created_by: call.caller.token_id(),
    })
}

fn accounts(ids: Vec<AccountId>) -> Result<Vec<String>, Problem> {
    if !(1..=MAX_ACCOUNTS).contains(&ids.len()) {
        let message = format!(
            "expected 1 to {MAX_ACCOUNTS} accounts: leave it out for a token of all accounts"
        );
        return Err(Problem::invalid_field("/accountIds", message));
    }
    let mut ids: Vec<String> = ids.into_iter().map(String::from).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn expiry(now: DateTime<Utc>, input: &TokenInput) -> Result<Option<DateTime<Utc>>, Problem> {
    let latest = now + TimeDelta::days(MAX_DAYS.into());
    match (input.expires_at, input.expires_in_days) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let message = "given beside expiresAt: send one of the two";
            Err(Problem::invalid_field("/expiresInDays", message))
        }
        (Some(at), None) if at > now && at <= latest => Ok(Some(at)),
        (Some(_), None) => {
            let message = format!("expected a time in the next {MAX_DAYS} days");
            Err(Problem::invalid_field("/expiresAt", message))
        }
        (None, Some(days)) if days >= 1 && i64::from(days) <= i64::from(MAX_DAYS) => {
            Ok(Some(now + TimeDelta::days(days.into())))
        }
        (None, Some(_)) => {
            let message = format!("expected 1 to {MAX_DAYS} days");
            Err(Problem::invalid_field("/expiresInDays", message))
        }
    }
}

/// The token and its text; no text when an earlier request made it.
async fn create(
    transaction: &mut PgTransaction<'_>,
    rng: Rng,
    (token_id, new): (Uuid, NewToken),
    key: Option<Key>,
    (event, visible): (AuditEvent, Option<Vec<String>>),
) -> Result<(TokenRow, Option<String>), Problem> {
    match Key::take(key.as_ref(), transaction, &token_id.to_string()).await? {
        Taken::Fresh => {
            let (row, secret) = tokens::mint(transaction, token_id, &rng, new)
                .await
                .map_err(|error| not_made(error, visible.as_deref()))?;
            let detail = row.audit_detail();
            audit::record(&mut **transaction, &AuditEvent { detail, ..event }).await?;
            Ok((row, Some(secret)))
        }
        Taken::Replay(subject) => {
            let made = Uuid::parse_str(&subject).unwrap_or(token_id);
            let row = tokens::find(&mut **transaction, None, made).await?;
            Ok((row.ok_or_else(|| no_token(made))?, None))
        }
    }
}

fn not_made(error: CreateError, visible: Option<&[String]>) -> Problem {
    let CreateError::NameTaken(holder) = error else {
        return error.into();
    };
    let seen = match (visible, &holder.account_ids) {
        (None, _) => true,
        (Some(visible), Some(ids)) => ids.iter().all(|id| visible.contains(id)),
        (Some(_), None) => false,
    };
    let whose = if seen {
        format!("The token {}", holder.token_id)
    } else {
        "A token of other accounts".to_owned()
    };
    let detail = format!(
        "{whose} goes by the name {:?} and lives: choose another name, or revoke that token first.",
        holder.name
    );
    Problem::new(ErrorCode::AlreadyExists, detail)
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Database(error) => error.into(),
            CreateError::MakerEnded => {
                let detail = "The token is unknown, expired or revoked: ask an administrator for \
                              another.";
                Self::new(ErrorCode::Unauthenticated, detail)
            }
            CreateError::NameTaken(_) => Self::new(ErrorCode::AlreadyExists, error.to_string()),
        }
    }
}
