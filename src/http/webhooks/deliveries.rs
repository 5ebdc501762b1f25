//! GET /v1/webhooks/{webhookId}/deliveries, and one of them.

use actix_web::{HttpResponse, HttpResponseBuilder, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::WebhookPath;
use crate::db::walk::{Looked, WINDOW};
use crate::db::webhook_deliveries::{self as db, Delivery, DeliveryFilter};
use crate::domain::DeliveryState;
use crate::http::accounts::NoQuery;
use crate::http::answer::{self, Manner};
use crate::http::auth::Admin;
use crate::http::extract::Call;
use crate::http::pages::Page;
use crate::http::problem::Problem;
use crate::http::query::{PageWish, list, text};
use crate::http::wire::paths;
use crate::http::wire::webhook::{WebhookDelivery, WebhookDeliveryList};

/// The delivery in a path.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryPath {
    pub webhook_id: Uuid,
    pub delivery_id: Uuid,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ListDeliveriesQuery {
    /// Only deliveries in one of these states; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 256, example = "pending,failed")]
    state: Vec<DeliveryState>,
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List what a webhook was told in the last 30 days, newest first.
#[utoipa::path(
    operation_id = "listWebhookDeliveries",
    tag = "webhooks",
    params(ListDeliveriesQuery),
    responses((status = 200, description = "One page of deliveries.", body = WebhookDeliveryList)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/webhooks/{webhookId}/deliveries")]
pub(in crate::http) async fn list_webhook_deliveries(
    call: Call<Admin>,
) -> Result<HttpResponse, Problem> {
    let path: WebhookPath = call.path()?;
    call.webhook(path.webhook_id).await?;
    let query: ListDeliveriesQuery = call.query()?;
    let page = Page::<Uuid>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let states: Vec<String> = query.state.iter().map(ToString::to_string).collect();
    let filter = DeliveryFilter {
        webhook_id: path.webhook_id,
        states: (!states.is_empty()).then_some(states),
        before: page.after,
        from: None,
        limit: page.limit(),
    };
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move {
            let (webhook_id, before) = (path.webhook_id, filter.before);
            let reached = db::reach(&mut *list, webhook_id, before, WINDOW).await?;
            let filter = DeliveryFilter {
                from: reached,
                ..filter
            };
            let items = db::list(list, &filter).await?;
            Ok(Looked { items, reached })
        })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |row| row.delivery_id.to_string());
    let items = rows.into_iter().map(WebhookDelivery::from).collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &WebhookDeliveryList {
            items,
            next_page_token,
        },
    ))
}

/// Read a delivery.
#[utoipa::path(
    operation_id = "getWebhookDelivery",
    tag = "webhooks",
    responses((status = 200, description = "The delivery.", body = WebhookDelivery)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/webhooks/{webhookId}/deliveries/{deliveryId}")]
pub(in crate::http) async fn get_webhook_delivery(
    call: Call<Admin>,
) -> Result<HttpResponse, Problem> {
    let path: DeliveryPath = call.path()?;
    let NoQuery {} = call.query()?;
    call.webhook(path.webhook_id).await?;
    let found = call.state.read(&call.caller, move |connection| {
        Box::pin(async move {
            let found = db::find(connection, path.webhook_id, path.delivery_id).await?;
            found.ok_or_else(|| no_delivery(path.delivery_id))
        })
    });
    let manner = Manner::default();
    Ok(delivery_answer(HttpResponse::Ok(), found.await?, &manner))
}

pub(super) fn delivery_answer(
    mut answer: HttpResponseBuilder,
    row: Delivery,
    manner: &Manner,
) -> HttpResponse {
    answer::mannered(&mut answer, manner);
    answer::json(answer, &WebhookDelivery::from(row))
}

/// `202` with a delivery that is on its way.
pub(super) fn accepted(row: Delivery, replayed: bool) -> HttpResponse {
    let location = paths::delivery(row.webhook_id, row.delivery_id);
    let mut answer = HttpResponse::Accepted();
    answer.insert_header(("Location", location.as_str()));
    answer.insert_header(("Operation-Location", location.as_str()));
    answer.insert_header(("Retry-After", "1"));
    let manner = Manner {
        replayed,
        ..Manner::default()
    };
    delivery_answer(answer, row, &manner)
}

pub(super) fn no_delivery(delivery_id: Uuid) -> Problem {
    let detail = format!(
        "The webhook has no delivery {delivery_id}: they are kept for 30 days, check the id."
    );
    Problem::not_found("delivery", detail)
}
