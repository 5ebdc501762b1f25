//! API tokens: stored as SHA-256, shown once when made.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgExecutor};
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
    /// The token whose bearer makes it; none: the command line, or a caller of an issuer.
    pub created_by: Option<Uuid>,
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// A token that lives goes by that name.
    #[error("the token {} goes by the name {:?}", .0.token_id, .0.name)]
    NameTaken(Box<TokenRow>),
    /// The token that asks for it lives no more.
    #[error("the token that asks was revoked")]
    MakerEnded,
    /// The database can't be asked.
    #[error("asking the database")]
    Database(#[from] sqlx::Error),
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
    /// The token whose bearer made it; none: the command line, a caller of an issuer, or not noted.
    pub created_by: Option<Uuid>,
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
    connection: &mut PgConnection,
    clock: &Clock,
    rng: &Rng,
    new: NewToken,
) -> Result<(TokenRow, String), CreateError> {
    mint(connection, clock.uuid(), rng, new).await
}

/// The same, with the id that the token will have.
pub async fn mint(
    connection: &mut PgConnection,
    token_id: Uuid,
    rng: &Rng,
    new: NewToken,
) -> Result<(TokenRow, String), CreateError> {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rng.bytes::<32>());
    let token = format!("{PREFIX}{secret}");
    let row = insert(connection, token_id, &token, new).await?;
    Ok((row, token))
}

/// Makes a token whose text is given, or gives the token of that text these rights.
pub async fn create_with_secret(
    connection: &mut PgConnection,
    clock: &Clock,
    token: &str,
    new: NewToken,
) -> Result<TokenRow, CreateError> {
    let known = sqlx::query_as!(
        TokenRow,
        r#"-- give_token_rights
        update api_tokens
        set name = $2,
            role = $3,
            account_ids = $4,
            expires_at = $5,
            may_act_for = $6,
            revoked_at = null,
            name_held = true
        where token_sha256 = $1
        returning token_id, name, role, account_ids, created_at, expires_at, revoked_at,
            may_act_for, created_by, last_used_at, false as "touch_due!""#,
        sha256(token),
        new.name,
        new.role.as_str(),
        new.account_ids.as_deref() as Option<&[String]>,
        new.expires_at,
        new.may_act_for,
    )
    .fetch_optional(&mut *connection)
    .await?;
    match known {
        Some(row) => Ok(row),
        None => insert(connection, clock.uuid(), token, new).await,
    }
}

/// How often a name is tried for whose holder ends at that moment.
const TRIES: u32 = 5;

async fn insert(
    connection: &mut PgConnection,
    token_id: Uuid,
    token: &str,
    new: NewToken,
) -> Result<TokenRow, CreateError> {
    if let Some(maker) = new.created_by {
        hold_maker(connection, maker).await?;
    }
    let mut tries = 0;
    loop {
        give_up_name(connection, &new.name).await?;
        if let Some(row) = try_insert(connection, token_id, token, &new).await? {
            return Ok(row);
        }
        tries += 1;
        match holder(connection, &new.name).await? {
            Some(holder) => return Err(CreateError::NameTaken(Box::new(holder))),
            None if tries == TRIES => return Err(sqlx::Error::RowNotFound.into()),
            None => {}
        }
    }
}

/// Holds the token that makes something until the transaction ends: a revocation with all that it made
/// waits for this, or this finds it revoked.
pub async fn hold_maker(connection: &mut PgConnection, token_id: Uuid) -> Result<(), CreateError> {
    let held = sqlx::query!(
        "-- hold_maker
        select token_id
        from api_tokens
        where token_id = $1
          and revoked_at is null
        for key share",
        token_id,
    )
    .fetch_optional(connection)
    .await?;
    held.map(drop).ok_or(CreateError::MakerEnded)
}

/// Takes the name from one that has expired.
async fn give_up_name(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- give_up_token_name
        update api_tokens
        set name_held = false
        where name = $1
          and name_held
          and revoked_at is null
          and expires_at <= now()",
        name,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// None where the name is taken.
async fn try_insert(
    connection: &mut PgConnection,
    token_id: Uuid,
    token: &str,
    new: &NewToken,
) -> Result<Option<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- create_token
        insert into api_tokens (
            token_id, name, token_sha256, role, account_ids, expires_at, may_act_for, created_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (name) where name_held and revoked_at is null do nothing
        returning token_id, name, role, account_ids, created_at, expires_at, revoked_at,
            may_act_for, created_by, last_used_at, false as "touch_due!""#,
        token_id,
        new.name,
        sha256(token),
        new.role.as_str(),
        new.account_ids.as_deref() as Option<&[String]>,
        new.expires_at,
        new.may_act_for,
        new.created_by,
    )
    .fetch_optional(connection)
    .await
}

/// The living token of this name.
async fn holder(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- find_token_by_name
        select token_id, name, role, account_ids, created_at, expires_at, revoked_at,
            may_act_for, created_by, last_used_at, false as "touch_due!"
        from api_tokens
        where name = $1
          and name_held
          and revoked_at is null
          and (expires_at is null or expires_at > now())"#,
        name,
    )
    .fetch_optional(connection)
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
            may_act_for, created_by, last_used_at,
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
            created_by, last_used_at, false as "touch_due!"
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
        before: Some(walk::after(token_id)),
        from: Some(token_id),
        limit: 1,
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
