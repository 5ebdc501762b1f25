//! POST /v1/jobs/{jobId}/retry: the same again, as a new job that names the old one.

use actix_web::{HttpResponse, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::JobPath;
use crate::db::accounts::Account;
use crate::db::jobs::JobRow;
use crate::domain::job_input::{self, CreateClusterInput, CreateProfileInput};
use crate::domain::{
    AccountId, ClusterName, ErrorCode, JobKind, ProfileName, Region, generated_name,
    profile_warnings,
};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ChangeQuery;
use crate::http::problem::Problem;
use crate::http::submit::{self, MUTATION_DEADLINE, READ_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::http::wire::paths;
use crate::queue::enqueue::NewJob;

/// Retry a job that has failed or was canceled.
///
/// Makes a new job with the same input, at the end of its cluster's queue; `retryOf` names the old
/// one.
#[utoipa::path(
    operation_id = "retryJob",
    tag = "jobs",
    params(ChangeQuery),
    responses(
        (status = 200, description = "The new job has ended already.", body = Job),
        (status = 202, description = "The new job is durable.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[post("/v1/jobs/{jobId}/retry")]
pub(in crate::http) async fn retry_job(call: Call<Operator>) -> Result<HttpResponse, Problem> {
    let path: JobPath = call.path()?;
    let query: ChangeQuery = call.query()?;
    // The old job's input may be as large as a body.
    let leave = call.state.body(&call.caller, body::MAX_BODY).await?;
    let old = call.job(path.job_id).await?;
    let key = call.idempotency_key(&call.body().await?)?;
    let account_id = AccountId::parse(old.account_id.as_str()).map_err(unreadable)?;
    let work = async |account: &Account| work(&call, account, old.clone());
    let made = call.once(key, &account_id, work).await?;
    drop((old, leave));
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

fn unreadable<E>(_: E) -> Problem {
    Problem::new(ErrorCode::Internal, "The old job could not be read back.")
}

fn work(call: &Call<Operator>, account: &Account, old: JobRow) -> Result<Work, Problem> {
    if !matches!(old.state.as_str(), "failed" | "canceled") {
        let detail = format!(
            "The job {} is {}: only a failed or canceled job can be retried.",
            old.job_id, old.state
        );
        return Err(Problem::new(ErrorCode::Conflict, detail));
    }
    let region = Region::parse(old.region.as_str()).map_err(unreadable)?;
    let kind: JobKind = old.kind.parse().map_err(unreadable)?;
    submit::check_place(account, &region, "/region")?;
    let job_id = call.state.clock.uuid();
    let cluster = old.cluster_name.clone().map(ClusterName::parse).transpose();
    let cluster = cluster.map_err(unreadable)?.filter(|_| kind.is_mutation());
    let detail = json!({"retryOf": old.job_id});
    let warnings = warnings(kind, &old)?;
    let (profile_name, input) = named(&old, job_id)?;
    let job = NewJob {
        job_id,
        kind: kind.as_str(),
        message: format!("Queued: a retry of job {}.", old.job_id),
        lane: cluster.map(|cluster| job_input::lane(&region, &cluster)),
        retry_of: Some(old.job_id),
        warnings,
        deadline_after: if kind.is_mutation() {
            MUTATION_DEADLINE
        } else {
            READ_DEADLINE
        },
        region: old.region,
        cluster_name: old.cluster_name,
        profile_name,
        input,
    };
    Ok(Work {
        account_id: old.account_id,
        subject_id: job_id,
        audit: Some(("retryJob", paths::job(old.job_id), detail)),
        operation: None,
        jobs: vec![job],
    })
}

/// A name of our choice: the old job's, if that may have made a profile of it, else a new one.
fn named(old: &JobRow, job_id: Uuid) -> Result<(Option<String>, Value), Problem> {
    let Ok(mut input) = serde_json::from_value::<CreateProfileInput>(old.input.clone()) else {
        return Ok((old.profile_name.clone(), old.input.clone()));
    };
    if !input.name_generated {
        return Ok((old.profile_name.clone(), old.input.clone()));
    }
    if old.step == "start" {
        let name = generated_name(job_id.as_bytes(), 0);
        return Ok((Some(name.into()), old.input.clone()));
    }
    let unreadable = |_| Problem::new(ErrorCode::Internal, "The old job could not be read back.");
    let name = old.profile_name.clone().map(ProfileName::parse).transpose();
    input.profile.name = name.map_err(unreadable)?;
    input.name_generated = false;
    Ok((old.profile_name.clone(), json!(input)))
}

/// Those of the input; what the old job met on its way is not the new one's.
fn warnings(kind: JobKind, old: &JobRow) -> Result<serde_json::Value, Problem> {
    let warnings = match kind {
        JobKind::CreateFargateProfile => {
            profile_warnings(&input_of::<CreateProfileInput>(old)?.profile, &[])
        }
        JobKind::CreateCluster => input_of::<CreateClusterInput>(old)?.spec.warnings(),
        _ => Vec::new(),
    };
    crate::http::fargate_profiles::create::to_json(&warnings)
}

fn input_of<T: DeserializeOwned>(old: &JobRow) -> Result<T, Problem> {
    serde_json::from_value(old.input.clone()).map_err(|error| {
        tracing::error!(%error, job.id = %old.job_id, "reading a job's input");
        Problem::new(ErrorCode::Internal, "The old job could not be read back.")
    })
}
