//! GET /v1/webhooks.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::db::walk::Looked;
use crate::db::webhooks;
use crate::http::answer;
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::pages::Page;
use crate::http::problem::Problem;
use crate::http::query::{PageWish, text};
use crate::http::wire::webhook::{Webhook, WebhookList};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ListWebhooksQuery {
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List webhooks, newest first.
#[utoipa::path(
    operation_id = "listWebhooks",
    tag = "webhooks",
    params(ListWebhooksQuery),
    responses((status = 200, description = "One page of webhooks.", body = WebhookList)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/webhooks")]
pub(in crate::http) async fn list_webhooks(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListWebhooksQuery = call.query()?;
    let page = Page::<Uuid>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let visible = call.caller.visible();
    let (before, limit) = (page.after, page.limit());
    let rows = call.state.options.limits.list_rows;
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move {
            let reached = webhooks::reach(&mut *list, before, rows.into()).await?;
            let range = (before, reached);
            let items = webhooks::list(list, visible.as_deref(), range, limit).await?;
            Ok(Looked { items, reached })
        })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |row| row.webhook_id.to_string());
    let items = rows.into_iter().map(|row| Webhook::of(row, None)).collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &WebhookList {
            items,
            next_page_token,
        },
    ))
}
