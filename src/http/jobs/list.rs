//! GET /v1/jobs: filters and pages.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::db::job_list::{self, Column, JobFilter};
use crate::db::jobs;
use crate::db::walk;
use crate::domain::{AccountId, ClusterName, JobKind, JobState, ProfileName, Region};
use crate::http::answer;
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::pages::Page;
use crate::http::problem::Problem;
use crate::http::query::{FilterText, PageWish, Time, list, text};
use crate::http::wire::job::Job;
use crate::http::wire::list::JobList;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ListJobsQuery {
    /// Only jobs in one of these states; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 1024, example = "failed,canceled")]
    state: Vec<JobState>,
    /// Only jobs of one of these kinds; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 1024, example = "create_fargate_profile")]
    kind: Vec<JobKind>,
    /// Only jobs of one of these accounts; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 2048, example = "111111111111")]
    account_id: Vec<AccountId>,
    /// Only jobs in one of these regions; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 2048, example = "eu-central-1")]
    region: Vec<Region>,
    /// Only jobs of one of these clusters; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 8192, example = "prod-1")]
    cluster_name: Vec<ClusterName>,
    /// Only jobs of one of these profiles; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 8192, example = "fp-dev")]
    profile_name: Vec<ProfileName>,
    /// Only jobs of one of these operations; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 4096, example = "0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f")]
    operation_id: Vec<Uuid>,
    /// Only jobs that one of these callers asked for; a comma means or.
    #[serde(default, deserialize_with = "list")]
    #[param(value_type = String, required = false, max_length = 8192, example = "payments-ci")]
    requested_by: Vec<FilterText>,
    /// Only jobs made after this time.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = String, format = DateTime, required = false, max_length = 35, example = "2026-01-02T03:04:05Z")]
    created_after: Option<Time>,
    /// Only jobs made before this time.
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

/// List jobs, newest first.
///
/// A page looks at a bounded number of jobs of your accounts, and holds about 4 MiB at most: one that
/// few jobs match, or large ones, may be short, even empty, and still have `nextPageToken`.
#[utoipa::path(
    operation_id = "listJobs",
    tag = "jobs",
    params(ListJobsQuery),
    responses((status = 200, description = "One page of jobs.", body = JobList)),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/jobs")]
pub(in crate::http) async fn list_jobs(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let query: ListJobsQuery = call.query()?;
    let page = Page::<Uuid>::of(&call, query.page_size, query.page_token.as_deref()).await?;
    let filter = JobFilter {
        rows: call.state.options.limits.list_rows.into(),
        ..filter(query, call.caller.visible(), &page)
    };
    let visible = call.caller.visible();
    let found = call.state.list(&call.caller, move |list| {
        Box::pin(async move {
            let found = job_list::list_ids(list, &filter).await?;
            Ok(jobs::load_page(list, visible.as_deref(), found).await?)
        })
    });
    let (rows, next_page_token) = page.cut_looked(found.await?, |job| job.job_id.to_string());
    let time_scale = call.state.options.time_scale;
    let items = rows
        .into_iter()
        .map(|row| Job::of(row, time_scale))
        .collect();
    Ok(answer::json(
        HttpResponse::Ok(),
        &JobList {
            items,
            next_page_token,
        },
    ))
}

fn filter(query: ListJobsQuery, visible: Option<Vec<String>>, page: &Page<Uuid>) -> JobFilter {
    fn texts<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }
    let requested_by = query.requested_by.into_iter().map(|name| name.0).collect();
    let mut any_of = vec![
        (Column::Kind, texts(&query.kind)),
        (Column::Region, texts(&query.region)),
        (Column::ClusterName, texts(&query.cluster_name)),
        (Column::ProfileName, texts(&query.profile_name)),
        (Column::RequestedBy, requested_by),
    ];
    any_of.retain(|(_, values)| !values.is_empty());
    JobFilter {
        account_ids: walk::accounts(visible, texts(&query.account_id)),
        states: texts(&query.state),
        any_of,
        operation_ids: query.operation_id,
        created_after: query.created_after.map(|time| time.0),
        created_before: query.created_before.map(|time| time.0),
        before: page.after,
        limit: page.limit(),
        ..JobFilter::default()
    }
}
