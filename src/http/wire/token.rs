//! A token as administrators see it, and as they ask for it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::webhook::Webhook;
use crate::db::descendants::Descendants;
use crate::db::tokens::TokenRow;
use crate::domain::{AccountId, Role, TokenName};

/// An API token. Its text is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
    "name": "payments-ci",
    "role": "operator",
    "accountIds": ["111111111111"],
    "mayActFor": false,
    "createdAt": "2026-01-02T03:04:05Z",
    "expiresAt": "2026-04-02T03:04:05Z"
})))]
pub(in crate::http) struct Token {
    /// The token's id, a UUID of version 7.
    pub id: Uuid,
    /// Who uses it; jobs and the audit trail name it.
    #[schema(value_type = TokenName)]
    pub name: String,
    /// What it may do.
    #[schema(value_type = Role)]
    pub role: String,
    /// The accounts it may do it on; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<AccountId>, required = false, max_items = 1000)]
    pub account_ids: Option<Vec<String>>,
    /// Whether it may name the person behind its requests, in `X-On-Behalf-Of`.
    pub may_act_for: bool,
    /// The token itself, to be sent as `Authorization: Bearer`. Only in the answer that made it:
    /// it can't be read again, not even with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 64,
        examples("fleet_f3mK26RU86nXNo3hN3nKOTexQBbcJ8aBJoCuy8ozogY")
    )]
    pub secret: Option<String>,
    /// The token that made it; absent: the command line, a caller of an issuer, or not noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, within a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Token {
    pub(in crate::http) fn of(row: TokenRow, secret: Option<String>) -> Self {
        Self {
            id: row.token_id,
            name: row.name,
            role: row.role,
            account_ids: row.account_ids,
            may_act_for: row.may_act_for,
            secret,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A token to be made. Without `expiresAt` and `expiresInDays` it never ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "name": "payments-ci",
    "role": "operator",
    "accountIds": ["111111111111"],
    "expiresInDays": 90
})))]
pub(in crate::http) struct TokenInput {
    /// Who will use it. No two living tokens share a name.
    pub name: TokenName,
    /// What it may do.
    pub role: Role,
    /// The accounts it may do it on; absent: all.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    pub account_ids: Option<Vec<AccountId>>,
    /// When it ends: at most 3650 days from now.
    #[serde(default)]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// The same in days from now.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 3650)]
    pub expires_in_days: Option<i32>,
    /// Whether it may name the person behind its requests, in `X-On-Behalf-Of`. Only a token that
    /// may do so itself makes another that may.
    #[serde(default)]
    #[schema(nullable = false, default = false)]
    pub may_act_for: Option<bool>,
}

/// One page of tokens, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct TokenList {
    /// The tokens of this page.
    #[schema(max_items = 1000)]
    pub items: Vec<Token>,
    /// Send it as `pageToken` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1024)]
    pub next_page_token: Option<String>,
}

/// What ended with a token, or what would end with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct TokenRevocation {
    /// The token itself.
    pub token: Token,
    /// Tokens that it made, and that those made: the first 1000, in the order in which they were made.
    #[schema(max_items = 1000)]
    pub tokens: Vec<Token>,
    /// How many those are.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub token_count: i64,
    /// Webhooks that one of all these tokens made, which are disabled: the first 1000.
    #[schema(max_items = 1000)]
    pub webhooks: Vec<Webhook>,
    /// How many those are.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub webhook_count: i64,
    /// Whether nothing was changed: `validateOnly` was sent.
    pub validate_only: bool,
}

/// The most items that one list of a revocation names.
const MOST_NAMED: usize = 1_000;

impl TokenRevocation {
    pub(in crate::http) fn of(root: TokenRow, ended: Descendants, validate_only: bool) -> Self {
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let named = |row: TokenRow| Token::of(row, None);
        Self {
            token_count: count(ended.tokens.len()),
            webhook_count: count(ended.webhooks.len()),
            token: named(root),
            tokens: ended
                .tokens
                .into_iter()
                .take(MOST_NAMED)
                .map(named)
                .collect(),
            webhooks: ended
                .webhooks
                .into_iter()
                .take(MOST_NAMED)
                .map(|row| Webhook::of(row, None))
                .collect(),
            validate_only,
        }
    }
}
