//! What a webhook may be: which accounts, and where to.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::webhooks::{self, Settings};
use crate::domain::{AccountId, ErrorCode, WebhookEventType};
use crate::http::auth::{Admin, Caller};
use crate::http::extract::Call;
use crate::http::problem::Problem;
use crate::webhooks::signature::Secret;
use crate::webhooks::{Refused, Vault};

const MAX_DESCRIPTION: usize = 256;
const MAX_ACCOUNTS: usize = 1000;
const MAX_EVENT_TYPES: usize = 20;

/// The accounts of a webhook: those asked for, else all that the caller may see.
pub(super) fn accounts(
    caller: &Caller,
    asked: Option<Vec<AccountId>>,
) -> Result<Option<Vec<String>>, Problem> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(caller.visible());
    };
    if asked.len() > MAX_ACCOUNTS {
        let message = format!("at most {MAX_ACCOUNTS} accounts; leave it out for all");
        return Err(Problem::invalid_field("/accountIds", message));
    }
    if let Some(hidden) = asked.iter().find(|id| !caller.sees(id.as_str())) {
        let detail = format!(
            "Your token is not for account {hidden}: ask an administrator of all accounts."
        );
        return Err(Problem::new(ErrorCode::PermissionDenied, detail));
    }
    Ok(Some(asked.into_iter().map(String::from).collect()))
}

/// The same for a new one. Who sends a list without an account does not mean all of them.
pub(super) fn accounts_of_new(
    caller: &Caller,
    asked: Option<Vec<AccountId>>,
) -> Result<Option<Vec<String>>, Problem> {
    if asked.as_ref().is_some_and(Vec::is_empty) {
        let message = "expected at least one account; leave it out for all";
        return Err(Problem::invalid_field("/accountIds", message));
    }
    accounts(caller, asked)
}

/// Refuses a webhook of an account that has as many as it may.
pub(super) async fn has_room(
    connection: &mut PgConnection,
    account_ids: Option<&[String]>,
    webhook_id: Uuid,
) -> Result<(), Problem> {
    let Some(full) = webhooks::find_full(connection, account_ids, webhook_id).await? else {
        return Ok(());
    };
    let max = webhooks::MAX_AN_ACCOUNT;
    let who = if full.is_empty() {
        format!("There are {max} webhooks of all accounts")
    } else {
        format!("There are {max} webhooks of account {full}")
    };
    let detail =
        format!("{who}, and there may be no more: delete one that is not needed, or edit it.");
    Err(Problem::new(ErrorCode::Conflict, detail))
}

pub(super) fn event_types(asked: &[WebhookEventType]) -> Result<Vec<String>, Problem> {
    if asked.is_empty() || asked.len() > MAX_EVENT_TYPES {
        let message = format!("expected 1 to {MAX_EVENT_TYPES} event types");
        return Err(Problem::invalid_field("/eventTypes", message));
    }
    Ok(asked.iter().map(ToString::to_string).collect())
}

/// A description, if there is anything to it.
pub(super) fn description(asked: Option<String>) -> Result<Option<String>, Problem> {
    let long = |text: &String| text.chars().count() > MAX_DESCRIPTION;
    if asked.as_ref().is_some_and(long) {
        let message = format!("at most {MAX_DESCRIPTION} characters");
        return Err(Problem::invalid_field("/description", message));
    }
    Ok(asked.filter(|text| !text.is_empty()))
}

/// What the audit trail keeps. Path and query of a URL may hold its receiver's password.
pub(super) fn detail(settings: &Settings) -> Value {
    let url = url::Url::parse(&settings.url).map(|url| url.origin().ascii_serialization());
    let url = url.unwrap_or_default();
    let mut detail = json!({
        "url": url,
        "format": settings.format,
        "eventTypes": settings.event_types,
        "enabled": settings.enabled,
    });
    if let Some(account_ids) = &settings.account_ids {
        detail["accountIds"] = json!(account_ids);
    }
    detail
}

impl Call<Admin> {
    /// Refuses a URL that must not be told.
    pub(super) async fn check_url(&self, url: &str) -> Result<(), Problem> {
        let rules = self.state.options.webhooks.rules.clone();
        let url = url.to_owned();
        let checking = async move { Ok(rules.check(&url).await.map(drop)) };
        let checked: Result<(), Refused> = self.state.run(checking).await?;
        checked.map_err(|refused| Problem::invalid_field("/url", refused.to_string()))
    }

    /// What seals the secrets of webhooks.
    pub(super) async fn vault(&self) -> Result<Vault, Problem> {
        let state = &self.state;
        let vault = state.vault.get_or_try_init(|| async {
            let rng = state.rng.clone();
            let key = state.options.webhooks.secrets_key.clone();
            state
                .look_up(self.caller.slot(), move |connection| {
                    Box::pin(async move { Ok(Vault::open(connection, key.as_deref(), &rng).await) })
                })
                .await?
                .map_err(|error| unsealable(&error))
        });
        vault.await.cloned()
    }

    /// A new secret, plain and sealed.
    pub(super) async fn fresh_secret(
        &self,
        webhook_id: uuid::Uuid,
    ) -> Result<(String, Vec<u8>), Problem> {
        let secret = Secret::fresh(&self.state.rng);
        let sealed = self.sealed(webhook_id, &secret).await?;
        Ok((secret.text(), sealed))
    }

    /// A secret as it is kept.
    pub(super) async fn sealed(
        &self,
        webhook_id: uuid::Uuid,
        secret: &Secret,
    ) -> Result<Vec<u8>, Problem> {
        let vault = self.vault().await?;
        let sealed = vault.seal(&self.state.rng, webhook_id, secret);
        sealed.map_err(|error| unsealable(&error))
    }
}

fn unsealable(error: &crate::webhooks::vault::VaultError) -> Problem {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "sealing a webhook's secret"
    );
    let detail = "This is a fault of the service: report it with the request id.";
    Problem::new(ErrorCode::Internal, detail)
}
