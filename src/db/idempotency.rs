//! Idempotency keys of requests that do not go through the queue, and the look before any request.
//!
//! The keys of submissions are written by [`crate::queue::enqueue`], in the same table.

use sqlx::PgExecutor;

/// What a key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// SHA-256 of that request.
    pub request_sha256: Vec<u8>,
    /// What it made.
    pub subject: String,
}

/// Takes a key; `false` when it is taken. Waits for another transaction that is taking it.
pub async fn take(
    executor: impl PgExecutor<'_>,
    caller: &str,
    key: &str,
    used: &UsedKey,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!(
        "-- take_idempotency_key
        insert into idempotency_keys as old (caller, key, request_sha256, subject)
        values ($1, $2, $3, $4)
        on conflict (caller, key) do update
        set request_sha256 = excluded.request_sha256,
            subject = excluded.subject,
            created_at = now()
        where old.created_at < now() - interval '24 hours'",
        caller,
        key,
        used.request_sha256,
        used.subject,
    )
    .execute(executor)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// What a key was used for within the last 24 hours.
pub async fn find(
    executor: impl PgExecutor<'_>,
    caller: &str,
    key: &str,
) -> Result<Option<UsedKey>, sqlx::Error> {
    sqlx::query_as!(
        UsedKey,
        "-- find_idempotency_key
        select request_sha256, subject
        from idempotency_keys
        where caller = $1
          and key = $2
          and created_at >= now() - interval '24 hours'",
        caller,
        key,
    )
    .fetch_optional(executor)
    .await
}
