//! What a token's bearer has made: tokens, what those made, and webhooks of any of them.
//!
//! A creation holds its maker's row ([`super::tokens::hold_maker`]), and a revocation takes the rows of
//! all it ends before it writes them, so nothing is made beside it that lives on.

use sqlx::PgConnection;
use uuid::Uuid;

use super::tokens::TokenRow;
use super::webhooks::Webhook;

/// What was ended, or would be.
#[derive(Debug, Default)]
pub struct Descendants {
    /// Tokens, in the order in which they were made.
    pub tokens: Vec<TokenRow>,
    /// Webhooks that are told no more.
    pub webhooks: Vec<Webhook>,
}

/// Which descendants are meant.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The token that they go back to.
    pub root: Uuid,
    /// Only those whose accounts are all among these, when the caller may see no others.
    pub visible: Option<&'a [String]>,
}

/// Why the service has disabled a webhook.
#[must_use]
pub fn reason(root: Uuid) -> String {
    format!("the token {root} was revoked with all that it made")
}

/// Finds the living descendants.
pub async fn living(
    connection: &mut PgConnection,
    scope: Scope<'_>,
) -> Result<Descendants, sqlx::Error> {
    Ok(Descendants {
        tokens: tokens(&mut *connection, scope, true).await?,
        webhooks: living_webhooks(connection, scope).await?,
    })
}

/// Ends the living descendants. The root itself is another's to revoke, before this.
pub async fn end(
    connection: &mut PgConnection,
    scope: Scope<'_>,
) -> Result<Descendants, sqlx::Error> {
    hold_root(connection, scope.root).await?;
    let mut ended = Descendants::default();
    loop {
        // What was being made meanwhile is found by the next look: makers that are revoked make nothing.
        let living = tokens(connection, scope, true).await?;
        if living.is_empty() {
            break;
        }
        let ids: Vec<Uuid> = living.iter().map(|row| row.token_id).collect();
        revoke_all(connection, &ids).await?;
        ended.tokens.extend(living);
    }
    ended.webhooks = living_webhooks(connection, scope).await?;
    let ids: Vec<Uuid> = ended.webhooks.iter().map(|row| row.webhook_id).collect();
    disable_all(connection, &ids, &reason(scope.root)).await?;
    Ok(ended)
}

async fn hold_root(connection: &mut PgConnection, root: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- hold_root
        select token_id
        from api_tokens
        where token_id = $1
        for update",
        root,
    )
    .fetch_optional(connection)
    .await
    .map(drop)
}

/// Those that live, or those that were revoked.
async fn tokens(
    connection: &mut PgConnection,
    scope: Scope<'_>,
    live: bool,
) -> Result<Vec<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        r#"-- descendants
        with recursive made as (
            select $1::uuid as token_id
            union
            select t.token_id
            from api_tokens t
            join made on made.token_id = t.created_by
        )
        select t.token_id, t.name, t.role, t.account_ids, t.created_at, t.expires_at, t.revoked_at,
            t.may_act_for, t.created_by, t.last_used_at, false as "touch_due!"
        from api_tokens t
        where t.token_id in (select token_id from made)
          and t.token_id <> $1
          and (t.revoked_at is null) = $3
          and ($2::text[] is null or t.account_ids <@ $2)
        order by t.token_id"#,
        scope.root,
        scope.visible as Option<&[String]>,
        live,
    )
    .fetch_all(connection)
    .await
}

async fn living_webhooks(
    connection: &mut PgConnection,
    scope: Scope<'_>,
) -> Result<Vec<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        r#"-- webhooks_of_descendants
        with recursive made as (
            select $1::uuid as token_id
            union
            select t.token_id
            from api_tokens t
            join made on made.token_id = t.created_by
        )
        select
            webhook_id, url, format, client_id, description, event_types, account_ids, enabled,
            disabled_reason, failing_since, old_secret_until, created_by, version, created_at,
            updated_at
        from webhooks
        where created_by in (select token_id from made)
          and enabled
          and ($2::text[] is null or account_ids <@ $2)
        order by webhook_id"#,
        scope.root,
        scope.visible as Option<&[String]>,
    )
    .fetch_all(connection)
    .await
}

async fn revoke_all(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- revoke_tokens
        with held as materialized (
            select token_id
            from api_tokens
            where token_id = any ($1)
              and revoked_at is null
            order by token_id
            for update
        )
        update api_tokens t
        set revoked_at = now()
        from held
        where t.token_id = held.token_id",
        ids,
    )
    .execute(connection)
    .await
    .map(drop)
}

async fn disable_all(
    connection: &mut PgConnection,
    ids: &[Uuid],
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- disable_webhooks
        with held as materialized (
            select webhook_id
            from webhooks
            where webhook_id = any ($1)
              and enabled
            order by webhook_id
            for update
        )
        update webhooks w
        set enabled = false,
            disabled_reason = $2,
            version = w.version + 1,
            updated_at = now()
        from held
        where w.webhook_id = held.webhook_id",
        ids,
        reason,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// What an earlier revocation has ended, for whoever repeats it.
pub async fn ended(
    connection: &mut PgConnection,
    scope: Scope<'_>,
) -> Result<Descendants, sqlx::Error> {
    let tokens = tokens(&mut *connection, scope, false).await?;
    let webhooks = sqlx::query_as!(
        Webhook,
        r#"-- webhooks_disabled_with
        select
            webhook_id, url, format, client_id, description, event_types, account_ids, enabled,
            disabled_reason, failing_since, old_secret_until, created_by, version, created_at,
            updated_at
        from webhooks
        where created_by is not null
          and disabled_reason = $1
          and ($2::text[] is null or account_ids <@ $2)
        order by webhook_id"#,
        reason(scope.root),
        scope.visible as Option<&[String]>,
    )
    .fetch_all(connection)
    .await?;
    Ok(Descendants { tokens, webhooks })
}
