//! POST /v1/accounts: take an account into the fleet.

use actix_web::{HttpResponse, post};
use serde_json::json;
use sqlx::PgTransaction;

use super::account_answer;
use super::checks::{self, Fields};
use crate::db::account_changes::{self, NewAccount};
use crate::db::accounts::{self, Account as Row};
use crate::db::audit::{self, AuditEvent};
use crate::domain::account::minted_external_id;
use crate::domain::{ErrorCode, role_arn_default};
use crate::http::answer::Manner;
use crate::http::auth::Admin;
use crate::http::body;
use crate::http::extract::{Call, no_account};
use crate::http::idempotency::{Key, Taken};
use crate::http::jobs::KeyQuery;
use crate::http::problem::Problem;
use crate::http::wire::account::{Account, AccountInput};
use crate::http::wire::paths;

/// Register an account.
///
/// The service mints the external id that the role's trust policy must demand.
#[utoipa::path(
    operation_id = "registerAccount",
    tag = "accounts",
    params(KeyQuery),
    request_body(content = AccountInput, content_type = "application/json"),
    responses((status = 201, description = "The account is registered.", body = Account)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[post("/v1/accounts")]
pub(in crate::http) async fn register_account(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let _: KeyQuery = call.query()?;
    body::must_be(call.headers(), &["application/json"])?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    let new = new_account(&call, body::json(&body)?)?;
    let location = paths::account(&new.account_id);
    let event = event(&call, &new);
    let (row, taken) = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(register(transaction, new, key, event))
        })
        .await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header(("Location", location));
    let manner = Manner {
        replayed: taken != Taken::Fresh,
        ..Manner::default()
    };
    Ok(account_answer(answer, &row, &manner))
}

fn new_account(call: &Call<Admin>, input: AccountInput) -> Result<NewAccount, Problem> {
    checks::check(&Fields {
        account_id: &input.account_id,
        regions: &input.regions,
        labels: &input.labels,
        role_arn: input.role_arn.as_ref(),
        pod_execution_role_arn: input.pod_execution_role_arn.as_ref(),
        cluster_admins: &input.cluster_admin_arns,
        permissions_boundary: input.permissions_boundary_arn.as_deref(),
    })?;
    if !call.caller.sees(input.account_id.as_str()) {
        let detail = format!(
            "Your token is not for account {}: ask an administrator of all accounts.",
            input.account_id
        );
        return Err(Problem::new(ErrorCode::PermissionDenied, detail));
    }
    let default = input
        .regions
        .first()
        .map(|region| role_arn_default(&input.account_id, region));
    let role_arn = input.role_arn.or(default);
    Ok(NewAccount {
        account_id: input.account_id.into(),
        name: input.name.into(),
        role_arn: role_arn.map(String::from).unwrap_or_default(),
        external_id: minted_external_id(call.state.rng.bytes()).into(),
        pod_execution_role_arn: input.pod_execution_role_arn.map(String::from),
        cluster_admin_arns: input
            .cluster_admin_arns
            .into_iter()
            .map(String::from)
            .collect(),
        permissions_boundary_arn: input.permissions_boundary_arn,
        regions: input.regions.into_iter().map(String::from).collect(),
        labels: input.labels,
    })
}

fn event(call: &Call<Admin>, new: &NewAccount) -> AuditEvent {
    let mut detail = json!({"name": new.name, "roleArn": new.role_arn, "regions": new.regions});
    if !new.cluster_admin_arns.is_empty() {
        detail["clusterAdminARNs"] = json!(new.cluster_admin_arns);
    }
    if let Some(arn) = &new.permissions_boundary_arn {
        detail["permissionsBoundaryARN"] = json!(arn);
    }
    call.event(
        "registerAccount",
        Some(&new.account_id),
        paths::account(&new.account_id),
        detail,
    )
}

async fn register(
    transaction: &mut PgTransaction<'_>,
    new: NewAccount,
    key: Option<Key>,
    event: AuditEvent,
) -> Result<(Row, Taken), Problem> {
    // The account before the key, as in an enqueue. When it comes to nothing, both are undone.
    let inserted = account_changes::insert(&mut **transaction, &new).await?;
    let taken = Key::take(key.as_ref(), transaction, &new.account_id).await?;
    match (inserted, &taken) {
        (true, Taken::Fresh) => audit::record(&mut **transaction, &event).await?,
        (false, Taken::Fresh) => return Err(already_exists(&new.account_id)),
        // It was deleted since.
        (true, Taken::Replay(_)) => return Err(no_account(&new.account_id)),
        (false, Taken::Replay(_)) => {}
    }
    let row = accounts::find(&mut **transaction, &new.account_id).await?;
    let row = row.ok_or_else(|| no_account(&new.account_id))?;
    Ok((row, taken))
}

fn already_exists(account_id: &str) -> Problem {
    let detail = format!(
        "Account {account_id} is registered already: change it with PATCH /v1/accounts/{account_id}."
    );
    Problem::new(ErrorCode::AlreadyExists, detail)
}
