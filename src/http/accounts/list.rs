//! GET /v1/accounts.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::db::accounts::{self, AccountFilter};
use crate::db::walk::Looked;
use crate::domain::{AccountId, AccountState};
use crate::http::answer;
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::pages::Page;
use crate::http::problem::Problem;
use crate::http::query::{PageWish, list, text};
use crate::http::wire::account::Account;
use crate::http::wire::list::AccountList;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ListAccountsQuery {
    /// Only accounts in one of these states; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 256, example = "active,parked")]
    state: Vec<AccountState>,
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List accounts, in the order of their ids.
#[utoipa::path(
    operation_id = "listAccounts",
    tag = "accounts",
    params(ListAccountsQuery),
    responses((status = 200, description = "One page of accounts.", body = AccountList)),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts")]
pub(in crate::http) async fn list_accounts(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListAccountsQuery = call.query()?;
    let page = Page::<AccountId>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let states: Vec<String> = query.state.iter().map(ToString::to_string).collect();
    let filter = AccountFilter {
        visible: call.caller.visible(),
        states: (!states.is_empty()).then_some(states),
        after: page.after.as_ref().map(ToString::to_string),
        to: None,
        limit: page.limit(),
    };
    let rows = call.state.options.limits.list_rows;
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move {
            let after = filter.after.as_deref();
            let to = accounts::reach(&mut *list, after, rows.into()).await?;
            let reached = to.as_deref().and_then(|id| id.parse().ok());
            let items = accounts::list(list, &AccountFilter { to, ..filter }).await?;
            Ok(Looked { items, reached })
        })
    });
    let (rows, next) = page.cut_looked(found.await?, |account| account.account_id.clone());
    let items = rows.into_iter().map(Account::from).collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &AccountList {
            items,
            next_page_token: next,
        },
    ))
}
