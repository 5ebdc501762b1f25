//! Operations: list and read.

use std::time::Duration;

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::answer::{self, Manner};
use super::auth::{Caller, Viewer};
use super::extract::Call;
use super::jobs::WaitQuery;
use super::pages::Page;
use super::problem::Problem;
use super::query::{PageWish, list, text};
use super::state::State;
use super::tenure::Tenure;
use super::wait::Patience;
use super::wire::job::Job;
use super::wire::list::OperationList;
use super::wire::operation::Operation;
use crate::db::jobs;
use crate::db::operations::{self, OperationFilter};
use crate::db::walk;
use crate::domain::AccountId;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperationPath {
    operation_id: Uuid,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListOperationsQuery {
    /// Only operations in one of these accounts; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 2048, example = "111111111111")]
    account_id: Vec<AccountId>,
    /// Items on one page; 50 unless told otherwise, larger wishes than 1000 are lowered.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 50)]
    page_size: Option<PageWish>,
    /// Go on where the page with this `nextPageToken` ended.
    #[serde(default)]
    #[param(required = false, nullable = false, max_length = 1024)]
    page_token: Option<String>,
}

/// List operations, newest first.
///
/// A page ends early, with `nextPageToken`, where its operations hold many jobs.
#[utoipa::path(
    operation_id = "listOperations",
    tag = "operations",
    params(ListOperationsQuery),
    responses((status = 200, description = "One page of operations.", body = OperationList)),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/operations")]
pub(super) async fn list_operations(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListOperationsQuery = call.query()?;
    let page = Page::<Uuid>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let asked: Vec<String> = query.account_id.iter().map(ToString::to_string).collect();
    let filter = OperationFilter {
        account_ids: walk::accounts(call.caller.visible(), asked),
        before: page.after,
        limit: page.limit(),
        rows: call.state.options.limits.list_rows.into(),
    };
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move { Ok(operations::list(list, &filter).await?) })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |row| row.operation_id.to_string());
    let items = rows
        .into_iter()
        .map(|row| Operation::of(row, None))
        .collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &OperationList {
            items,
            next_page_token,
        },
    ))
}

/// Read an operation: how many of its jobs are in which state, and the jobs themselves.
#[utoipa::path(
    operation_id = "getOperation",
    tag = "operations",
    params(WaitQuery),
    responses(
        (status = 200, description = "The operation, ended or not.", body = Operation),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/operations/{operationId}")]
pub(super) async fn get_operation(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: OperationPath = call.path()?;
    let query: WaitQuery = call.query()?;
    call.allowed()?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let seconds = patience.seconds;
    let operation = within(&call.state, &call.caller, path.operation_id, seconds).await?;
    Ok(answer::operation(&operation, &Manner::of_read(&patience)))
}

/// Reads an operation until all its jobs have ended, `seconds` have passed or the caller's token ends.
pub(super) async fn within(
    state: &State,
    caller: &Caller,
    operation_id: Uuid,
    seconds: u8,
) -> Result<Operation, Problem> {
    let until = tokio::time::Instant::now() + Duration::from_secs(seconds.into());
    let mut tenure = Tenure::of(state, caller);
    loop {
        let operation = read(state, caller, operation_id).await?;
        let now = tokio::time::Instant::now();
        let finished = operation.retry_after_seconds.is_none();
        let over = now >= until || state.draining.is_cancelled();
        if finished || over || tenure.is_over().await {
            return Ok(operation);
        }
        // Any of its jobs may be the last: looking each second is simpler than watching them all.
        tokio::select! {
            () = tokio::time::sleep_until(until.min(now + Duration::from_secs(1))) => {}
            () = state.draining.cancelled() => {}
        }
    }
}

async fn read(state: &State, caller: &Caller, id: Uuid) -> Result<Operation, Problem> {
    let visible = caller.visible();
    let time_scale = state.options.time_scale;
    let found = state.read(caller, move |connection| {
        Box::pin(async move {
            let visible = visible.as_deref();
            let Some(row) = operations::find(&mut *connection, visible, id).await? else {
                return Ok(None);
            };
            let ids = operations::job_ids(&mut *connection, id).await?;
            let jobs = jobs::load(connection, visible, &ids).await?;
            Ok(Some((row, ids, jobs)))
        })
    });
    let found = found.await?.map(|(row, ids, mut jobs)| {
        jobs.sort_by_key(|job| ids.iter().position(|id| *id == job.job_id));
        let jobs = jobs
            .into_iter()
            .map(|job| Job::of(job, time_scale))
            .collect();
        Operation::of(row, Some(jobs))
    });
    found.ok_or_else(|| {
        let detail = format!("There is no operation {id} that you may see: check the id.");
        Problem::not_found("operation", detail)
    })
}
