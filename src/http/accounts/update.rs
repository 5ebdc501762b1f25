//! PATCH /v1/accounts/{accountId}: edit what people may set.

use actix_web::{HttpResponse, patch};
use serde_json::{Value, json};
use sqlx::PgTransaction;

use super::checks::{self, Fields};
use super::{AccountPath, NoQuery, account_answer};
use crate::db::account_changes::{self, Settings};
use crate::db::accounts::{self, Account as Row};
use crate::db::audit::{self, AuditEvent};
use crate::domain::decode;
use crate::domain::{AccountId, AccountState, ErrorCode, Invalid, PrincipalArn, Region, RoleArn};
use crate::http::answer::Manner;
use crate::http::auth::Admin;
use crate::http::body;
use crate::http::etag::IfMatch;
use crate::http::extract::{Call, no_account};
use crate::http::problem::Problem;
use crate::http::wire::account::{Account, AccountPatch};
use crate::http::wire::paths;

/// Edit an account.
///
/// Absent fields stay as they are (JSON merge patch); labels, regions and cluster admins are replaced as a whole.
/// `state` can be set to `disabled`, and to `active`, which also tries a parked account's role
/// again at once.
#[utoipa::path(
    operation_id = "updateAccount",
    tag = "accounts",
    request_body(content = AccountPatch, content_type = "application/json"),
    responses((status = 200, description = "The account as it is now.", body = Account)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[patch("/v1/accounts/{accountId}")]
pub(in crate::http) async fn update_account(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: AccountPath = call.path()?;
    let NoQuery {} = call.query()?;
    call.account(&path.account_id).await?;
    body::must_be(
        call.headers(),
        &["application/json", "application/merge-patch+json"],
    )?;
    let body = call.body().await?;
    let (changes, sent) = read_patch(&body)?;
    let seen = IfMatch::of(call.headers());
    let id = path.account_id.as_str();
    let event = call.event("updateAccount", Some(id), paths::account(id), sent);
    let account_id = path.account_id.clone();
    let id = path.account_id;
    let row = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(update(transaction, id, changes, seen, event))
        })
        .await?;
    call.state.known.forget_account(account_id.as_str()).await;
    Ok(account_answer(HttpResponse::Ok(), &row, &Manner::default()))
}

/// The patch, and the document it came in.
fn read_patch(body: &[u8]) -> Result<(AccountPatch, Value), Problem> {
    let mut sent = decode::json_tree(body).map_err(body::malformed)?;
    for field in ["accountId", "externalId"] {
        if sent.get(field).is_some() {
            let message = format!("{field} can't be changed: register another account instead");
            let mut problem = Problem::new(ErrorCode::ImmutableField, message.as_str());
            problem.errors = vec![Invalid::new(format!("/{field}"), message)];
            return Err(problem);
        }
    }
    let kept = sent.clone();
    // Merge patch: null removes. Only these can be without a value.
    for (field, none) in [
        ("podExecutionRoleARN", json!("")),
        ("permissionsBoundaryARN", json!("")),
        ("clusterAdminARNs", json!([])),
        ("labels", json!({})),
    ] {
        if let Some(null) = sent.get_mut(field).filter(|value| value.is_null()) {
            *null = none;
        }
    }
    if let Some((name, _)) = sent
        .as_object()
        .into_iter()
        .flatten()
        .find(|(_, v)| v.is_null())
    {
        let message = "can't be removed: leave it out, or give it a value";
        return Err(Problem::invalid_field(format!("/{name}"), message));
    }
    Ok((decode::typed(sent)?, kept))
}

async fn update(
    transaction: &mut PgTransaction<'_>,
    account_id: AccountId,
    patch: AccountPatch,
    seen: IfMatch,
    event: AuditEvent,
) -> Result<Row, Problem> {
    let id = account_id.as_str();
    let row = account_changes::find_for_change(&mut **transaction, id).await?;
    let row = row.ok_or_else(|| no_account(id))?;
    seen.check(row.version)?;
    let settings = merged(&account_id, row, patch)?;
    account_changes::update(&mut **transaction, id, &settings).await?;
    audit::record(&mut **transaction, &event).await?;
    let row = accounts::find(&mut **transaction, id).await?;
    row.ok_or_else(|| no_account(id))
}

fn merged(account_id: &AccountId, row: Row, patch: AccountPatch) -> Result<Settings, Problem> {
    let pod_role = match patch.pod_execution_role_arn {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text),
        None => row.pod_execution_role_arn,
    };
    let pod_role = pod_role.map(RoleArn::parse).transpose();
    let pod_role = pod_role.map_err(|e| Problem::unparsable("/podExecutionRoleARN", &e))?;
    let role = match patch.role_arn {
        Some(role) => role,
        None => RoleArn::parse(row.role_arn).map_err(|e| Problem::unparsable("/roleArn", &e))?,
    };
    let regions: Result<Vec<Region>, _> = match patch.regions {
        Some(regions) => Ok(regions),
        None => row.regions.into_iter().map(Region::parse).collect(),
    };
    let regions = regions.map_err(|error| Problem::unparsable("/regions", &error))?;
    let labels = patch.labels.unwrap_or(row.labels.0);
    let admins: Result<Vec<PrincipalArn>, _> = match patch.cluster_admin_arns {
        Some(admins) => Ok(admins),
        None => row
            .cluster_admin_arns
            .into_iter()
            .map(PrincipalArn::parse)
            .collect(),
    };
    let admins = admins.map_err(|error| Problem::unparsable("/clusterAdminARNs", &error))?;
    let boundary = patch
        .permissions_boundary_arn
        .or(row.permissions_boundary_arn);
    let boundary = boundary.filter(|arn| !arn.is_empty());
    checks::check(&Fields {
        account_id,
        regions: &regions,
        labels: &labels,
        role_arn: Some(&role),
        pod_execution_role_arn: pod_role.as_ref(),
        cluster_admins: &admins,
        permissions_boundary: boundary.as_deref(),
    })?;
    Ok(Settings {
        name: patch.name.map_or(row.name, String::from),
        role_arn: role.into(),
        pod_execution_role_arn: pod_role.map(String::from),
        cluster_admin_arns: admins.into_iter().map(String::from).collect(),
        permissions_boundary_arn: boundary,
        regions: regions.into_iter().map(String::from).collect(),
        labels,
        state: settable(patch.state)?,
    })
}

fn settable(state: Option<AccountState>) -> Result<Option<&'static str>, Problem> {
    if state == Some(AccountState::Parked) {
        let message = "parked is what the service finds out by itself: set active or disabled";
        return Err(Problem::invalid_field("/state", message));
    }
    Ok(state.map(AccountState::as_str))
}
