//! Webhooks: who wants to be told of what.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// A webhook's row.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// A UUID of version 7.
    pub webhook_id: Uuid,
    /// Where events are posted.
    pub url: String,
    /// Whom it tells.
    pub format: String,
    /// Port: what the secret belongs to.
    pub client_id: Option<String>,
    /// What people call it.
    pub description: Option<String>,
    /// What it is told of.
    pub event_types: Vec<String>,
    /// Of which accounts; none means all.
    pub account_ids: Option<Vec<String>>,
    /// Whether it is told at all.
    pub enabled: bool,
    /// Why the service disabled it.
    pub disabled_reason: Option<String>,
    /// The first failure since the last success.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when the secret before the last rotation signs too.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// The token whose bearer made it; none: a caller of an issuer, or not noted.
    pub created_by: Option<Uuid>,
    /// Raised by every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a person may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where events are posted.
    pub url: String,
    /// Whom it tells.
    pub format: String,
    /// Port: what the secret belongs to.
    pub client_id: Option<String>,
    /// What people call it.
    pub description: Option<String>,
    /// What it is told of.
    pub event_types: Vec<String>,
    /// Of which accounts; none means all.
    pub account_ids: Option<Vec<String>>,
    /// Whether it is told at all.
    pub enabled: bool,
}

/// Makes a webhook. `secret` is sealed.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    settings: &Settings,
    secret: &[u8],
    created_by: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- insert_webhook
        insert into webhooks (
            webhook_id, url, description, event_types, account_ids, enabled, secret, format,
            client_id, created_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        webhook_id,
        settings.url,
        settings.description,
        &settings.event_types,
        settings.account_ids.as_deref() as Option<&[String]>,
        settings.enabled,
        secret,
        settings.format,
        settings.client_id,
        created_by,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Reads a webhook that the caller may see: all whose accounts are among `visible`.
pub async fn find(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    webhook_id: Uuid,
) -> Result<Option<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        "-- find_webhook
        select
            webhook_id, url, format, client_id, description, event_types, account_ids, enabled,
            disabled_reason, failing_since, old_secret_until, created_by, version, created_at,
            updated_at
        from webhooks
        where webhook_id = $1
          and ($2::text[] is null or account_ids <@ $2)",
        webhook_id,
        visible as Option<&[String]>,
    )
    .fetch_optional(executor)
    .await
}

/// The same, held until the transaction ends.
pub async fn find_for_update(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    webhook_id: Uuid,
) -> Result<Option<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        "-- find_webhook_for_update
        select
            webhook_id, url, format, client_id, description, event_types, account_ids, enabled,
            disabled_reason, failing_since, old_secret_until, created_by, version, created_at,
            updated_at
        from webhooks
        where webhook_id = $1
          and ($2::text[] is null or account_ids <@ $2)
        for update",
        webhook_id,
        visible as Option<&[String]>,
    )
    .fetch_optional(executor)
    .await
}

/// The oldest of the next so many webhooks, seen or not; none when fewer are left.
pub async fn reach(
    executor: impl PgExecutor<'_>,
    before: Option<Uuid>,
    rows: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- list_webhooks_reach
        select webhook_id
        from webhooks
        where webhook_id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by webhook_id desc
        offset $2
        limit 1",
        before,
        rows - 1,
    )
    .fetch_optional(executor)
    .await
}

/// Lists the webhooks that the caller may see, newest first, those after `before` and down to `from`.
pub async fn list(
    executor: impl PgExecutor<'_>,
    visible: Option<&[String]>,
    (before, from): (Option<Uuid>, Option<Uuid>),
    limit: i64,
) -> Result<Vec<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        "-- list_webhooks
        select
            webhook_id, url, format, client_id, description, event_types, account_ids, enabled,
            disabled_reason, failing_since, old_secret_until, created_by, version, created_at,
            updated_at
        from webhooks
        where ($1::text[] is null or account_ids <@ $1)
          and webhook_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and webhook_id >= coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
        order by webhook_id desc
        limit $4",
        visible as Option<&[String]>,
        before,
        from,
        limit,
    )
    .fetch_all(executor)
    .await
}

/// Writes a webhook's settings. Enabling it again, or another URL, forgets its failures.
pub async fn update(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    settings: &Settings,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- update_webhook
        update webhooks
        set url = $2,
            description = $3,
            event_types = $4,
            account_ids = $5,
            enabled = $6,
            client_id = $7,
            disabled_reason = case when $6 then null else disabled_reason end,
            failing_since = case when enabled = $6 and url = $2 then failing_since end,
            version = version + 1,
            updated_at = now()
        where webhook_id = $1",
        webhook_id,
        settings.url,
        settings.description,
        &settings.event_types,
        settings.account_ids.as_deref() as Option<&[String]>,
        settings.enabled,
        settings.client_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Gives a webhook a new secret; the one it had signs too for 24 hours.
pub async fn rotate_secret(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    secret: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- rotate_webhook_secret
        update webhooks
        set secret = $2,
            old_secret = secret,
            old_secret_until = now() + interval '24 hours',
            version = version + 1,
            updated_at = now()
        where webhook_id = $1",
        webhook_id,
        secret,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Gives a portal's webhook another secret at once; the portal has one, too.
pub async fn replace_secret(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    secret: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- replace_webhook_secret
        update webhooks
        set secret = $2
        where webhook_id = $1",
        webhook_id,
        secret,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// A portal's webhook that requests may name.
#[derive(Debug, Clone)]
pub struct Portal {
    /// Which portal.
    pub format: String,
    /// The base of its API.
    pub url: String,
}

/// Finds an enabled webhook of a portal that jobs of this account may name.
pub async fn find_portal(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    account_id: &str,
) -> Result<Option<Portal>, sqlx::Error> {
    sqlx::query_as!(
        Portal,
        "-- find_portal
        select format, url
        from webhooks
        where webhook_id = $1
          and format <> 'standard'
          and enabled
          and (account_ids is null or $2 = any (account_ids))",
        webhook_id,
        account_id,
    )
    .fetch_optional(executor)
    .await
}

/// The webhooks that one account may have, and those of all accounts together.
pub const MAX_AN_ACCOUNT: i64 = 50;

/// Taken by whoever makes a webhook or gives it other accounts, until the transaction ends: so two
/// do not pass the bound together.
const BOUND: i64 = 0x0066_6c65_6574_7762;

/// The first of these accounts that has as many webhooks as it may, beside this one; empty when
/// those of all accounts are as many. In a transaction that goes on to write the webhook.
pub async fn find_full(
    connection: &mut PgConnection,
    account_ids: Option<&[String]>,
    webhook_id: Uuid,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query!(
        "-- lock_bound_of_webhooks
        select pg_advisory_xact_lock($1)",
        BOUND
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        r#"-- find_full_owner
        select owned.account_id as "account_id!"
        from webhooks w
        cross join lateral unnest(coalesce(w.account_ids, '{""}')) as owned (account_id)
        where owned.account_id = any (coalesce($1::text[], '{""}'))
          and w.webhook_id <> $2
        group by owned.account_id
        having count(*) >= $3
        order by owned.account_id
        limit 1"#,
        account_ids as Option<&[String]>,
        webhook_id,
        MAX_AN_ACCOUNT,
    )
    .fetch_optional(connection)
    .await
}

/// Deletes a webhook and its deliveries.
pub async fn delete(executor: impl PgExecutor<'_>, webhook_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- delete_webhook
        delete from webhooks
        where webhook_id = $1",
        webhook_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}
