//! API tokens: stored as SHA-256, shown once when made.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::walk;
use crate::clock::Clock;
use crate::domain::Role;
use crate::rng::Rng;

/// What every token that we make begins with.
pub const PREFIX: &str = "fleet_";

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Who uses it; jobs and the audit trail name it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// None: all accounts.
    pub account_ids: Option<Vec<String>>,
    /// None: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it may name the person behind a request.
    pub may_act_for: bool,
}

/// A token's row; the token itself is nowhere.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// A UUID of version 7.
    pub token_id: Uuid,
    /// Who uses it.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// None: all accounts.
    pub account_ids: Option<Vec<String>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// None: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// None: not revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether it may name the person behind a request.
    pub may_act_for: bool,
    /// Within a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Whether that was a minute ago or more.
    pub touch_due: bool,
}

impl TokenRow {
    /// What the audit trail keeps of it: the rights, never the token.
    #[must_use]
    pub fn audit_detail(&self) -> Value {
        let mut detail = json!({
            "name": self.name,
            "role": self.role,
            "mayActFor": self.may_act_for,
        });
        if let Some(ids) = &self.account_ids {
            detail["accountIds"] = json!(ids);
        }
        if let Some(at) = self.expires_at {
            detail["expiresAt"] = json!(at);
        }
        detail
    }
}

/// Makes a token of 256 random bits; the text is returned here and never again.
pub async fn create(
    executor: impl PgExecutor<'_>,
    clock: &Clock,
    rng: &Rng,
    new: NewToken,
) -> Result<(TokenRow, String), sqlx::Error> {
    mint(executor, clock.uuid(), rng, new).await
}

/// The same, with an id that was made before.
pub async fn mint(
    executor: impl PgExecutor<'_>,
    token_id: Uuid,
    rng: &Rng,
    new: NewToken,
) -> Result<(TokenRow, String), sqlx::Error> {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rng.bytes::<32>());
    let token = format!("{PREFIX}{secret}");
    let row = keep(executor, token_id, &token, new).await?;
    Ok((row, token))
}

/// Makes a token whose text is given, or gives the token of that text these rights.
pub async fn create_with_secret(
    executor: impl PgExecutor<'_>,
    clock: &Clock,
    token: &str,
    new: NewToken,
) -> Result<TokenRow, sqlx::Error> {
    keep(executor, clock.uuid(), token, new).await
}

async fn keep(
    executor: impl PgExecutor<'_>,
    token_id: Uuid,
    token: &str,
    new: NewToken,
) -> Result<TokenRow, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- create_token
        insert into api_tokens (
            token_id, name, token_sha256, role, account_ids, expires_at, may_act_for
        )
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (token_sha256) do update
        set name = excluded.name,
            role = excluded.role,
            account_ids = excluded.account_ids,
            expires_at = excluded.expires_at,
            may_act_for = excluded.may_act_for,
            revoked_at = null
        returning token_id, name, role, account_ids, created_at, expires_at, revoked_at,
            may_act_for, last_used_at, false as "touch_due!""#,
        token_id,
        new.name,
        sha256(token),
        new.role.as_str(),
        new.account_ids.as_deref() as Option<&[String]>,
        new.expires_at,
        new.may_act_for,
    )
    .fetch_one(executor)
    .await
}

/// Finds the token of this text, unless it has expired or was revoked.
pub async fn find_valid(
    executor: impl PgExecutor<'_>,
    token: &str,
) -> Result<Option<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- find_valid_token
        select token_id, name, role, account_ids, created_at, expires_at, revoked_at,
            may_act_for, last_used_at,
            last_used_at is null or last_used_at < now() - interval '1 minute' as "touch_due!"
        from api_tokens
        where token_sha256 = $1
          and revoked_at is null
          and (expires_at is null or expires_at > now())"#,
        sha256(token),
    )
    .fetch_optional(executor)
    .await
}

/// Whether there is a token that opens anything.
pub async fn any_valid(executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- any_valid_token
        select exists (
            select from api_tokens
            where revoked_at is null
              and (expires_at is null or expires_at > now())
        ) as "any!""#,
    )
    .fetch_one(executor)
    .await
}

/// Notes that a token was used, at most once a minute.
pub async fn touch(executor: impl PgExecutor<'_>, token_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- touch_token
        update api_tokens
        set last_used_at = now()
        where token_id = $1
          and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        token_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Which tokens to read.
#[derive(Debug, Clone, Default)]
pub struct TokenFilter {
    /// Only those whose accounts are all among these, when the caller may see no others.
    pub visible: Option<Vec<String>>,
    /// Those too that were revoked.
    pub revoked_too: bool,
    /// Only those older than this one.
    pub before: Option<Uuid>,
    /// Only this one, and those that are newer.
    pub from: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// Lists tokens, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &TokenFilter,
) -> Result<Vec<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- list_tokens
        select token_id, name, role, account_ids, created_at, expires_at, revoked_at, may_act_for,
            last_used_at, false as "touch_due!"
        from api_tokens
        where ($1::text[] is null or account_ids <@ $1)
          and ($2 or revoked_at is null)
          and token_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and token_id >= coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
        order by token_id desc
        limit $5"#,
        filter.visible.as_deref() as Option<&[String]>,
        filter.revoked_too,
        filter.before,
        filter.from,
        filter.limit,
    )
    .fetch_all(executor)
    .await
}

/// The oldest of the next so many tokens, seen or not; none when fewer are left.
pub async fn reach(
    executor: impl PgExecutor<'_>,
    before: Option<Uuid>,
    rows: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- list_tokens_reach
        select token_id
        from api_tokens
        where token_id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by token_id desc
        offset $2
        limit 1",
        before,
        rows - 1,
    )
    .fetch_optional(executor)
    .await
}

/// Reads one token that the caller may see, revoked or not.
pub async fn find(
    executor: impl PgExecutor<'_>,
    visible: Option<Vec<String>>,
    token_id: Uuid,
) -> Result<Option<TokenRow>, sqlx::Error> {
    let filter = TokenFilter {
        visible,
        revoked_too: true,
        before: walk::after(token_id),
        from: Some(token_id),
        limit: 1,
        ..TokenFilter::default()
    };
    Ok(list(executor, &filter).await?.pop())
}

/// Ends a token's life; `false` when there is no such living token.
pub async fn revoke(executor: impl PgExecutor<'_>, token_id: Uuid) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query!(
        "-- revoke_token
        update api_tokens
        set revoked_at = now()
        where token_id = $1
          and revoked_at is null",
        token_id,
    )
    .execute(executor)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

fn sha256(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
