//! The audit trail: one row a change, written in the transaction of the change.
//!
//! Lists of it are in [`super::audit_list`]. The rows of submissions are written by [`crate::queue::enqueue`]; these are the others. The chain
//! over all of them is in [`crate::audit`].

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::ActorKind;

/// Where a row's `detail` keeps what kind of name its actor is, its token, whether it was let do it, and
/// how many such requests the row stands for. There they are hashed with the row, also by processes that
/// are too old to know of them; rows of theirs have none.
const ACTOR_KIND: &str = "actorKind";
const ACTOR_ID: &str = "actorId";
const OUTCOME: &str = "outcome";
const COUNT: &str = "count";
/// What the row's `outcome` is then; rows without one were allowed.
pub const DENIED: &str = "denied";

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Who, by the name of the token.
    pub actor: String,
    /// What kind of name that is.
    pub actor_kind: ActorKind,
    /// Its token; none where it has none.
    pub actor_id: Option<Uuid>,
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

/// The detail of a row by an actor of this kind, by this token of ours if it is one.
#[must_use]
pub fn detail_by(kind: ActorKind, id: Option<Uuid>, detail: Value) -> Value {
    let mut detail = members(detail);
    for name in [ACTOR_ID, OUTCOME, COUNT] {
        detail.remove(name);
    }
    detail.insert(ACTOR_KIND.to_owned(), kind.as_str().into());
    if let Some(id) = id {
        detail.insert(ACTOR_ID.to_owned(), id.to_string().into());
    }
    Value::Object(detail)
}

/// The detail of a row that stands for `count` refused requests.
#[must_use]
pub fn denied(detail: Value, count: u64) -> Value {
    let mut detail = members(detail);
    detail.insert(OUTCOME.to_owned(), DENIED.into());
    detail.insert(COUNT.to_owned(), count.into());
    Value::Object(detail)
}

/// What a row's `detail` says besides what was asked.
#[derive(Debug, Default)]
pub struct Noted {
    /// What kind of name the actor is.
    pub actor_kind: Option<String>,
    /// Its token.
    pub actor_id: Option<Uuid>,
    /// Whether it was refused.
    pub denied: bool,
    /// How many refused requests the row stands for.
    pub count: Option<u64>,
}

/// What was asked, and what was noted beside it.
#[must_use]
pub fn told_apart(detail: Value) -> (Map<String, Value>, Noted) {
    let mut detail = members(detail);
    let mut text = |name: &str| match detail.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let noted = Noted {
        actor_kind: text(ACTOR_KIND),
        actor_id: text(ACTOR_ID).and_then(|id| id.parse().ok()),
        denied: text(OUTCOME).as_deref() == Some(DENIED),
        count: detail.remove(COUNT).and_then(|count| count.as_u64()),
    };
    (detail, noted)
}

fn members(detail: Value) -> Map<String, Value> {
    match detail {
        Value::Object(detail) => detail,
        other => Map::from_iter([("detail".to_owned(), other)]),
    }
}

impl AuditEvent {
    fn whole_detail(&self) -> Value {
        detail_by(self.actor_kind, self.actor_id, self.detail.clone())
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
        event.whole_detail(),
        event.on_behalf_of,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Records changes, in one statement.
pub async fn record_all(
    connection: &mut PgConnection,
    events: &[AuditEvent],
) -> Result<(), sqlx::Error> {
    let details = events.iter().map(AuditEvent::whole_detail).collect();
    record_rows(connection, events.iter(), details).await
}

/// A request that was refused, or several that are alike.
#[derive(Debug, Clone)]
pub struct Refusals {
    /// What was refused; `detail` says why.
    pub event: AuditEvent,
    /// How many such requests it stands for.
    pub count: u64,
}

/// Records refused requests, in one statement.
pub async fn record_refusals(
    connection: &mut PgConnection,
    refusals: &[Refusals],
) -> Result<(), sqlx::Error> {
    let counts = refusals.iter().map(|refusals| refusals.count);
    let events = refusals.iter().map(|refusals| &refusals.event);
    let details = events
        .clone()
        .zip(counts)
        .map(|(event, count)| denied(event.whole_detail(), count))
        .collect();
    record_rows(connection, events, details).await
}

async fn record_rows(
    connection: &mut PgConnection,
    events: impl Iterator<Item = &AuditEvent> + Clone,
    details: Vec<Value>,
) -> Result<(), sqlx::Error> {
    let texts = |field: fn(&AuditEvent) -> &str| -> Vec<String> {
        events
            .clone()
            .map(|event| field(event).to_owned())
            .collect()
    };
    let options = |field: fn(&AuditEvent) -> &Option<String>| -> Vec<Option<String>> {
        events.clone().map(|event| field(event).clone()).collect()
    };
    let subjects: Vec<Option<Uuid>> = events.clone().map(|event| event.subject_id).collect();
    sqlx::query!(
        "-- record_audit_events
        insert into audit_events (
            actor, action, account_id, resource, subject_id, request_id, detail, on_behalf_of
        )
        select actor, action, account_id, resource, subject_id, request_id, detail, on_behalf_of
        from unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::jsonb[],
            $8::text[]
        ) with ordinality as e (
            actor, action, account_id, resource, subject_id, request_id, detail, on_behalf_of, place
        )
        order by place",
        &texts(|event| &event.actor),
        &texts(|event| event.action),
        &options(|event| &event.account_id) as &[Option<String>],
        &texts(|event| &event.resource),
        &subjects as &[Option<Uuid>],
        &options(|event| &event.request_id) as &[Option<String>],
        &details,
        &options(|event| &event.on_behalf_of) as &[Option<String>],
    )
    .execute(connection)
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
