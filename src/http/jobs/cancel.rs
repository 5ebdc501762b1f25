//! POST /v1/jobs/{jobId}/cancel: the honest cancel.

use actix_web::{HttpResponse, post};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgTransaction;
use utoipa::IntoParams;
use uuid::Uuid;

use super::JobPath;
use crate::db::audit::{self, AuditEvent};
use crate::db::jobs::JobRow;
use crate::domain::ErrorCode;
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::extract::Call;
use crate::http::idempotency::{Key, Taken};
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::http::wire::paths;
use crate::queue::cancel::{self, Canceled};

/// A cancel makes no job, so nobody can be told of its end.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct CancelQuery {
    /// Hold the answer until the job has ended, at most so many seconds.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 30)]
    wait_seconds: Option<WaitSeconds>,
    /// The twin of the header `Idempotency-Key`; wins over it.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "cancel-fp-dev-1"
    )]
    #[expect(
        dead_code,
        reason = "read by http::idempotency; declared so that it is known"
    )]
    request_id: Option<String>,
}

/// Cancel a job.
///
/// Before AWS has accepted anything the job ends `canceled`. After that it is followed to its end,
/// because what AWS has begun can't be taken back; a warning on the job says so.
#[utoipa::path(
    operation_id = "cancelJob",
    tag = "jobs",
    params(CancelQuery),
    responses(
        (status = 200, description = "The job has ended.", body = Job),
        (status = 202, description = "The job ends, or is followed to its end.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[post("/v1/jobs/{jobId}/cancel")]
pub(in crate::http) async fn cancel_job(call: Call<Operator>) -> Result<HttpResponse, Problem> {
    let path: JobPath = call.path()?;
    let query: CancelQuery = call.query()?;
    let job = call.job(path.job_id).await?;
    let key = call.idempotency_key(&call.body().await?)?;
    let event = event(&call, &job);
    let taken = call
        .state
        .change(&call.caller, move |transaction| {
            Box::pin(cancel(transaction, job, key, event))
        })
        .await?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let job = call
        .state
        .job_within(&call.caller, path.job_id, patience.seconds)
        .await?;
    let manner = Manner::of(taken != Taken::Fresh, &patience);
    Ok(answer::job(&call.state, job, &manner))
}

fn event(call: &Call<Operator>, job: &JobRow) -> AuditEvent {
    let account = Some(job.account_id.as_str());
    let detail = json!({"state": job.state});
    AuditEvent {
        subject_id: Some(job.job_id),
        ..call.event("cancelJob", account, paths::job(job.job_id), detail)
    }
}

async fn cancel(
    transaction: &mut PgTransaction<'_>,
    job: JobRow,
    key: Option<Key>,
    event: AuditEvent,
) -> Result<Taken, Problem> {
    let taken = Key::take(key.as_ref(), transaction, &job.job_id.to_string()).await?;
    if taken != Taken::Fresh {
        return Ok(taken);
    }
    match cancel::cancel(transaction, &job.account_id, job.job_id).await? {
        Canceled::Now | Canceled::Requested | Canceled::TooLate => {}
        Canceled::AlreadyFinished => return Err(already_finished(transaction, &job).await?),
        Canceled::Unknown => return Err(gone(job.job_id)),
    }
    audit::record(&mut **transaction, &event).await?;
    Ok(taken)
}

async fn already_finished(
    transaction: &mut PgTransaction<'_>,
    job: &JobRow,
) -> Result<Problem, Problem> {
    let now = crate::db::jobs::find(&mut **transaction, None, job.job_id).await?;
    let state = now.map_or_else(|| job.state.clone(), |job| job.state);
    let detail = format!(
        "The job {} has already ended, in state {state}: there is nothing to cancel.",
        job.job_id
    );
    Ok(Problem::new(ErrorCode::Conflict, detail))
}

fn gone(job_id: Uuid) -> Problem {
    Problem::not_found("job", format!("The job {job_id} is gone."))
}
