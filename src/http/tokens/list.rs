//! GET /v1/tokens: filters and pages.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::db::tokens::{self, TokenFilter};
use crate::db::walk::Looked;
use crate::http::answer;
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::pages::Page;
use crate::http::problem::Problem;
use crate::http::query::{PageWish, text};
use crate::http::wire::token::{Token, TokenList};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ListTokensQuery {
    /// List those too that were revoked.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = true)]
    include_revoked: Option<bool>,
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List tokens, newest first; those that have ended are among them, revoked ones only when asked for.
#[utoipa::path(
    operation_id = "listTokens",
    tag = "access",
    params(ListTokensQuery),
    responses((status = 200, description = "One page of tokens.", body = TokenList)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/tokens")]
pub(in crate::http) async fn list_tokens(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListTokensQuery = call.query()?;
    let page = Page::<Uuid>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let filter = TokenFilter {
        visible: call.caller.visible(),
        revoked_too: query.include_revoked.unwrap_or(false),
        before: page.after,
        limit: page.limit(),
        ..TokenFilter::default()
    };
    let rows = call.state.options.limits.list_rows;
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move {
            let reached = tokens::reach(&mut *list, filter.before, rows.into()).await?;
            let filter = TokenFilter {
                from: reached,
                ..filter
            };
            let items = tokens::list(list, &filter).await?;
            Ok(Looked { items, reached })
        })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |row| row.token_id.to_string());
    let items = rows.into_iter().map(|row| Token::of(row, None)).collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &TokenList {
            items,
            next_page_token,
        },
    ))
}
