//! Accounts: register, list, read, edit, delete.

pub(super) mod checks;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod register;
pub(super) mod update;

use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::answer::{self, Manner};
use super::auth::Viewer;
use super::etag;
use super::extract::Call;
use super::problem::Problem;
use super::wire::account::Account;
use crate::db::accounts as db;
use crate::domain::AccountId;

/// The account in a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountPath {
    pub account_id: AccountId,
}

/// Nothing in the query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

/// Read an account.
#[utoipa::path(
    operation_id = "getAccount",
    tag = "accounts",
    responses(
        (status = 200, description = "The account.", body = Account),
        (status = 304, description = "The account is as your `If-None-Match` has it."),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}")]
pub(super) async fn get_account(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: AccountPath = call.path()?;
    let NoQuery {} = call.query()?;
    let account = call.account(&path.account_id).await?;
    let tag = etag::of_account(&account);
    if etag::is_known(call.headers(), &tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header(("ETag", tag))
            .insert_header(("Cache-Control", answer::REVALIDATED))
            .finish());
    }
    Ok(account_answer(
        HttpResponse::Ok(),
        &account,
        &Manner::default(),
    ))
}

/// An account with its `ETag`.
pub(super) fn account_answer(
    mut answer: actix_web::HttpResponseBuilder,
    row: &db::Account,
    manner: &Manner,
) -> HttpResponse {
    answer.insert_header(("ETag", etag::of_account(row)));
    answer.insert_header(("Cache-Control", answer::REVALIDATED));
    answer::mannered(&mut answer, manner);
    answer::json(answer, &Account::from(row.clone()))
}
