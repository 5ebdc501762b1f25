//! A caller as it sees itself.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{AccountId, Credential, Person, Role};
use crate::http::auth::Caller;

/// Who calls, and what that caller may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "name": "payments-ci",
    "role": "operator",
    "accountIds": ["111111111111"],
    "credential": "api_token",
    "tokenId": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "expiresAt": "2026-04-02T03:04:05Z",
    "mayActFor": false
})))]
pub(in crate::http) struct Whoami {
    /// What jobs and the audit trail call the caller.
    #[schema(max_length = 256, examples("payments-ci"))]
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// The accounts it may do it on; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<AccountId>, required = false, max_items = 1000)]
    pub account_ids: Option<Vec<String>>,
    /// What the caller proved itself with.
    pub credential: Credential,
    /// The API token's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_id: Option<Uuid>,
    /// When the credential ends; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the caller may name the person behind its requests, in `X-On-Behalf-Of`.
    pub may_act_for: bool,
    /// The person whom this request names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Person, required = false)]
    pub on_behalf_of: Option<String>,
}

impl Whoami {
    pub(in crate::http) fn of(caller: &Caller) -> Self {
        Self {
            name: caller.name.clone(),
            role: caller.role(),
            account_ids: caller.visible(),
            credential: if caller.token_id().is_some() {
                Credential::ApiToken
            } else {
                Credential::Oidc
            },
            token_id: caller.token_id(),
            expires_at: caller.expires_at(),
            may_act_for: caller.may_act_for,
            on_behalf_of: caller.on_behalf_of.clone(),
        }
    }
}
