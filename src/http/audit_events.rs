//! GET /v1/audit-events: who changed what. What belongs to no account is for callers of all accounts.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer;
use super::auth::Viewer;
use super::extract::Call;
use super::pages::Page;
use super::problem::Problem;
use super::query::{FilterText, PageWish, Time, list, text};
use super::wire::audit_event::{AuditEvent, AuditEventList};
use crate::db::audit_list::{self, AuditFilter};
use crate::db::walk;
use crate::domain::{AccountId, AuditOutcome};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListAuditEventsQuery {
    /// Only changes by one of these callers; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 8192, example = "payments-ci")]
    actor: Vec<FilterText>,
    /// Only changes by one of these operations; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 8192, example = "createFargateProfile")]
    action: Vec<FilterText>,
    /// Only changes of one of these accounts; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 2048, example = "111111111111")]
    account_id: Vec<AccountId>,
    /// Only changes that were done (`allowed`), or only those that were refused (`denied`); a comma
    /// means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 2048, example = "denied")]
    outcome: Vec<AuditOutcome>,
    /// Only changes made after this time.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = String, format = DateTime, required = false, max_length = 35, example = "2026-01-02T03:04:05Z")]
    created_after: Option<Time>,
    /// Only changes made before this time.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = String, format = DateTime, required = false, max_length = 35, example = "2026-01-03T03:04:05Z")]
    created_before: Option<Time>,
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List recorded changes, newest first.
///
/// Those of your accounts; those of no account, such as tokens, only with a token of all accounts.
///
/// A page looks at a bounded number of changes: one that few of them match may be short, even empty,
/// and still have `nextPageToken`.
#[utoipa::path(
    operation_id = "listAuditEvents",
    tag = "access",
    params(ListAuditEventsQuery),
    responses((status = 200, description = "One page of changes.", body = AuditEventList)),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/audit-events")]
pub(super) async fn list_audit_events(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListAuditEventsQuery = call.query()?;
    let page = Page::<i64>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let texts = |values: Vec<FilterText>| values.into_iter().map(|text| text.0).collect();
    let asked = query.account_id.into_iter().map(String::from).collect();
    let filter = AuditFilter {
        account_ids: walk::accounts(call.caller.visible(), asked),
        actors: texts(query.actor),
        actions: texts(query.action),
        denied: match query.outcome.as_slice() {
            [] => None,
            outcomes if outcomes.iter().all(|one| *one == AuditOutcome::Denied) => Some(true),
            outcomes if outcomes.iter().all(|one| *one == AuditOutcome::Allowed) => Some(false),
            _ => None,
        },
        created_after: query.created_after.map(|time| time.0),
        created_before: query.created_before.map(|time| time.0),
        before: page.after,
        limit: page.limit(),
        rows: call.state.options.limits.list_rows.into(),
    };
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move { Ok(audit_list::list(list, &filter).await?) })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |row| row.event_seq.to_string());
    let items = rows.into_iter().map(AuditEvent::from).collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &AuditEventList {
            items,
            next_page_token,
        },
    ))
}
