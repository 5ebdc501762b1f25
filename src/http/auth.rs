//! Who calls, and what that caller may do.
//!
//! The role that a route needs is in its handler's type: [`super::extract::Call`]`<Operator>`.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::budget::Slot;
use super::problem::Problem;
use super::state::State;
use crate::db::tokens;
use crate::domain::{ActorKind, ErrorCode, Role};
use crate::oidc::{Oidc, Refusal};

/// A route's need, as a type.
pub(super) trait Needs: 'static {
    const ROLE: Role;
}

/// Reads.
pub(super) struct Viewer;
/// Changes profiles and jobs.
pub(super) struct Operator;
/// Changes accounts and tokens.
pub(super) struct Admin;

impl Needs for Viewer {
    const ROLE: Role = Role::Viewer;
}
impl Needs for Operator {
    const ROLE: Role = Role::Operator;
}
impl Needs for Admin {
    const ROLE: Role = Role::Admin;
}

/// A caller whose token is valid.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Whose token it is, the same for all tokens of a subject of an OIDC issuer.
    owner: String,
    token_id: Option<Uuid>,
    /// What jobs and the audit trail call it.
    pub name: String,
    role: Role,
    account_ids: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
    /// The watchers' epoch before the token was looked up.
    epoch: u64,
    /// Whether it may name the person behind a request.
    pub may_act_for: bool,
    /// The person behind this request, as the caller says.
    pub on_behalf_of: Option<String>,
    /// The request under way; none for what is kept of a caller between requests.
    pub slot: Option<Slot>,
}

impl Caller {
    /// Whether the token has run out by then.
    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Who asks, as jobs tell it: the person behind the request, if one is named.
    pub(super) fn asker(&self) -> &str {
        self.on_behalf_of.as_deref().unwrap_or(&self.name)
    }

    /// The API's own token; none for one of an issuer.
    pub(super) fn token_id(&self) -> Option<Uuid> {
        self.token_id
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What the audit trail says of the name: two of different kinds may be alike.
    pub(super) fn kind(&self) -> ActorKind {
        if self.token_id.is_some() {
            ActorKind::ApiToken
        } else {
            ActorKind::Oidc
        }
    }

    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// The owner of this caller's idempotency keys.
    pub(super) fn key_owner(&self) -> String {
        self.owner.clone()
    }

    /// The accounts that the caller may see; none means all.
    pub(super) fn visible(&self) -> Option<Vec<String>> {
        self.account_ids.clone()
    }

    /// The account, when the caller may see no other.
    pub(super) fn only_account(&self) -> Option<&str> {
        match self.account_ids.as_deref() {
            Some([one]) => Some(one),
            _ => None,
        }
    }

    /// The request under way, for what goes on when its caller has hung up.
    pub(super) fn slot(&self) -> Option<Slot> {
        self.slot.clone()
    }

    pub(super) fn sees(&self, account_id: &str) -> bool {
        let listed = |ids: &Vec<String>| ids.iter().any(|id| id == account_id);
        self.account_ids.as_ref().is_none_or(listed)
    }

    /// Refuses a caller whose role is too low.
    pub(super) fn must_be(&self, needed: Role) -> Result<(), Problem> {
        if self.role >= needed {
            return Ok(());
        }
        let detail = format!(
            "This needs the role {needed}, and your token has the role {}: ask an administrator \
             for another token.",
            self.role
        );
        Err(Problem::new(ErrorCode::PermissionDenied, detail))
    }
}

/// The token in `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<String, Problem> {
    if headers.get_all(AUTHORIZATION).count() > 1 {
        // A proxy may look at one of them, and this service at another.
        let detail = "Two Authorization headers came: send one.";
        return Err(Problem::new(ErrorCode::InvalidRequest, detail));
    }
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err(unauthenticated(
            "Send a token: Authorization: Bearer fleet_..., or one of your identity provider.",
        )),
    }
}

/// Finds the caller of a token: one of an OIDC issuer, if there is any, or one of the API. Those of
/// strangers, which have not counted for a while, are not all looked at at once.
pub(super) async fn caller(state: &State, token: &str, stranger: bool) -> Result<Caller, Problem> {
    if let Some(oidc) = &state.oidc
        && is_foreign(token)
    {
        return of_issuer(oidc, token).await;
    }
    let permit = if stranger {
        Some(state.stranger().await?)
    } else {
        None
    };
    let token = token.to_owned();
    let epoch = state.watchers.epoch();
    state
        .look_up(permit, move |connection| {
            Box::pin(async move { of_api(connection, &token, epoch).await })
        })
        .await
}

/// Whether it looks like a signed token rather than like one of the API's.
fn is_foreign(token: &str) -> bool {
    token.contains('.') && !token.starts_with(tokens::PREFIX)
}

async fn of_issuer(oidc: &Oidc, token: &str) -> Result<Caller, Problem> {
    let identity = oidc
        .identify(token)
        .await
        .map_err(|refusal| match refusal {
            Refusal::NoKeys => Problem::unavailable(&refusal.to_string()),
            _ => invalid_token(&refusal.to_string()),
        })?;
    Ok(Caller {
        owner: identity.owner,
        token_id: None,
        name: identity.name,
        role: identity.role,
        account_ids: identity.account_ids,
        expires_at: Some(identity.expires_at),
        // Nobody tells of a change of it.
        epoch: 0,
        may_act_for: false,
        on_behalf_of: None,
        slot: None,
    })
}

async fn of_api(connection: &mut PgConnection, token: &str, epoch: u64) -> Result<Caller, Problem> {
    let found = tokens::find_valid(&mut *connection, token).await?;
    let row = found.ok_or_else(|| {
        invalid_token("The token is unknown, expired or revoked: ask an administrator for another.")
    })?;
    if row.touch_due {
        tokens::touch(connection, row.token_id).await?;
    }
    let role = row.role.parse::<Role>().map_err(|error| {
        tracing::error!(%error, token.id = %row.token_id, "reading a token's role");
        invalid_token("The token's role is unknown to this version: ask an administrator.")
    })?;
    Ok(Caller {
        owner: format!("token:{}", row.token_id),
        token_id: Some(row.token_id),
        name: row.name,
        role,
        account_ids: row.account_ids,
        expires_at: row.expires_at,
        epoch,
        may_act_for: row.may_act_for,
        on_behalf_of: None,
        slot: None,
    })
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(ErrorCode::Unauthenticated, detail)
}

/// There was a token, and it does not count.
fn invalid_token(detail: &str) -> Problem {
    let mut problem = unauthenticated(detail);
    problem.invalid_token = true;
    problem
}
