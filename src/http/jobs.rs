//! Jobs: list, read, cancel, retry.

pub(super) mod cancel;
pub(super) mod list;
pub(super) mod retry;

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::answer::{self, Manner};
use super::auth::Viewer;
use super::etag;
use super::extract::Call;
use super::problem::Problem;
use super::query::{WaitSeconds, text};
use super::wait::Patience;
use super::wire::job::Job;

/// The job in a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobPath {
    pub job_id: Uuid,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct WaitQuery {
    /// Hold the answer until the job has ended, at most so many seconds.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 30)]
    pub wait_seconds: Option<WaitSeconds>,
}

/// What a request that changes something at once may say in its query.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct KeyQuery {
    /// The twin of the header `Idempotency-Key`; wins over it.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "request-1"
    )]
    #[expect(
        dead_code,
        reason = "read by http::idempotency; declared so that it is known"
    )]
    pub request_id: Option<String>,
}

/// Read a job.
///
/// With `waitSeconds` the answer is held until the job has ended or the time is over; `state` and
/// `retryAfterSeconds` say which.
#[utoipa::path(
    operation_id = "getJob",
    tag = "jobs",
    params(WaitQuery),
    responses(
        (status = 200, description = "The job, ended or not.", body = Job),
        (status = 304, description = "The job is as your `If-None-Match` has it."),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/jobs/{jobId}")]
pub(super) async fn get_job(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: JobPath = call.path()?;
    let query: WaitQuery = call.query()?;
    call.allowed()?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let job = call
        .state
        .job_within(&call.caller, path.job_id, patience.seconds)
        .await?;
    let tag = etag::of_job(&job);
    if etag::is_known(call.headers(), &tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header(("ETag", tag))
            .insert_header(("Cache-Control", answer::REVALIDATED))
            .finish());
    }
    Ok(answer::job(&call.state, job, &Manner::of_read(&patience)))
}
