//! A recorded change as callers see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::audit::{self, AuditRow};
use crate::domain::{AccountId, ActorKind, AuditOutcome, Person};

/// A change that was made, by whom.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "eventId": 42,
    "occurredAt": "2026-01-02T03:04:05Z",
    "actor": "backstage",
    "actorKind": "api_token",
    "actorId": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0d",
    "onBehalfOf": "ann@example.com",
    "action": "createFargateProfile",
    "outcome": "allowed",
    "accountId": "111111111111",
    "resource": "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/fargate-profiles/fp-dev",
    "subjectId": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "requestId": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0e",
    "detail": {"name": "fp-dev"}
})))]
pub(in crate::http) struct AuditEvent {
    /// Its number. Later events have greater ones, but for those of the same moment.
    #[schema(minimum = 1)]
    pub event_id: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who, by the name of the token, or by the one that the identity provider gives.
    #[schema(max_length = 256, examples("payments-ci"))]
    pub actor: String,
    /// What kind of name that is: two of different kinds may be alike. Absent where it was not noted yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ActorKind, required = false)]
    pub actor_kind: Option<String>,
    /// The id of the token, when it is one of this service; names of tokens may come again. Absent where
    /// it was not noted yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor_id: Option<Uuid>,
    /// The person that the actor named, as `X-On-Behalf-Of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Person, required = false)]
    pub on_behalf_of: Option<String>,
    /// The operation, by its `operationId`; of the command line, the command.
    #[schema(max_length = 128, examples("createFargateProfile"))]
    pub action: String,
    /// Whether it was done, or refused because the actor may not do it or not see the thing.
    pub outcome: AuditOutcome,
    /// How many refused requests of the actor, alike in action and account, this event stands for. Only
    /// where they were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub count: Option<u64>,
    /// The account concerned, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = AccountId, required = false)]
    pub account_id: Option<String>,
    /// The thing changed, by its path.
    #[schema(
        max_length = 2048,
        examples("/v1/jobs/0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f")
    )]
    pub resource: String,
    /// The job, operation or token concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_id: Option<Uuid>,
    /// The request's id, as in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 128)]
    pub request_id: Option<String>,
    /// What was asked, in the operation's own words.
    #[schema(schema_with = super::super::openapi::shapes::anything)]
    pub detail: Map<String, Value>,
}

impl From<AuditRow> for AuditEvent {
    fn from(row: AuditRow) -> Self {
        let (detail, noted) = audit::told_apart(row.detail);
        Self {
            event_id: row.event_seq,
            occurred_at: row.occurred_at,
            actor: row.actor,
            actor_kind: noted.actor_kind,
            actor_id: noted.actor_id,
            outcome: if noted.denied {
                AuditOutcome::Denied
            } else {
                AuditOutcome::Allowed
            },
            count: noted.count,
            on_behalf_of: row.on_behalf_of,
            action: row.action,
            account_id: row.account_id,
            resource: row.resource,
            subject_id: row.subject_id,
            request_id: row.request_id,
            detail,
        }
    }
}

/// One page of recorded changes, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AuditEventList {
    /// The changes of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<AuditEvent>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}
