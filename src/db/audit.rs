//! The audit trail: one row a change, written in the transaction of the change.
//!
//! Lists of it are in [`super::audit_list`]. The rows of submissions are written by [`crate::queue::enqueue`]; these are the others. The chain
//! over all of them is in [`crate::audit`].

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::domain::ActorKind;

/// Where a row's `detail` keeps what kind of name its actor is. There it is hashed with the row, also by
/// processes that are too old to know of it; rows of theirs have none.
const ACTOR_KIND: &str = "actorKind";

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Who, by the name of the token.
    pub actor: String,
    /// What kind of name that is.
    pub actor_kind: ActorKind,
    /// The person that the actor says is behind it.
    pub on_behalf_of: Option<String>,
    /// The API operation.
    pub action: &'static str,
    /// The account concerned, if it is one.
    pub account_id: Option<String>,
    /// The thing changed, by its API path.
    pub resource: String,
    /// The job or token concerned.
    pub subject_id: Option<Uuid>,
    /// The request's id, if one asked for it.
    pub request_id: Option<String>,
    /// What was asked.
    pub detail: Value,
}

/// The detail of a row by an actor of this kind.
#[must_use]
pub fn detail_by(kind: ActorKind, detail: Value) -> Value {
    let mut detail = members(detail);
    detail.insert(ACTOR_KIND.to_owned(), kind.as_str().into());
    Value::Object(detail)
}

/// What was asked, and by what kind of actor, if that was noted.
#[must_use]
pub fn told_apart(detail: Value) -> (Map<String, Value>, Option<String>) {
    let mut detail = members(detail);
    let kind = match detail.remove(ACTOR_KIND) {
        Some(Value::String(kind)) => Some(kind),
        _ => None,
    };
    (detail, kind)
}

fn members(detail: Value) -> Map<String, Value> {
    match detail {
        Value::Object(detail) => detail,
        other => Map::from_iter([("detail".to_owned(), other)]),
    }
}

/// Records a change.
pub async fn record(executor: impl PgExecutor<'_>, event: &AuditEvent) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- record_audit_event
        insert into audit_events (
            actor, action, account_id, resource, subject_id, request_id, detail, on_behalf_of
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.actor,
        event.action,
        event.account_id,
        event.resource,
        event.subject_id,
        event.request_id,
        detail_by(event.actor_kind, event.detail.clone()),
        event.on_behalf_of,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// A recorded change.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditRow {
    /// Grows with time, but for moments.
    pub event_seq: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who, by the name of the token.
    pub actor: String,
    /// The person that the actor says is behind it.
    pub on_behalf_of: Option<String>,
    /// The API operation.
    pub action: String,
    /// The account concerned, if it is one.
    pub account_id: Option<String>,
    /// The thing changed, by its API path.
    pub resource: String,
    /// The job, operation or token concerned.
    pub subject_id: Option<Uuid>,
    /// The request's id.
    pub request_id: Option<String>,
    /// What was asked.
    pub detail: Value,
}
