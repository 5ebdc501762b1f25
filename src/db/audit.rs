//! The audit trail: one row a change, written in the transaction of the change.
//!
//! The rows of submissions are written by [`crate::queue::enqueue`]; these are the others.

use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Who, by the name of the token.
    pub actor: String,
    /// The API operation.
    pub action: &'static str,
    /// The account concerned.
    pub account_id: String,
    /// The thing changed, by its API path.
    pub resource: String,
    /// The job concerned.
    pub subject_id: Option<Uuid>,
    /// The request's id.
    pub request_id: String,
    /// What was asked.
    pub detail: Value,
}

/// Records a change.
pub async fn record(executor: impl PgExecutor<'_>, event: &AuditEvent) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- record_audit_event
        insert into audit_events (
            actor, action, account_id, resource, subject_id, request_id, detail
        )
        values ($1, $2, $3, $4, $5, $6, $7)",
        event.actor,
        event.action,
        event.account_id,
        event.resource,
        event.subject_id,
        event.request_id,
        event.detail,
    )
    .execute(executor)
    .await?;
    Ok(())
}
