//! GET base, GET base/{profileName}: live reads, held until AWS has answered.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::create::to_json;
use super::output;
use super::{ClusterPath, ProfilePath};
use crate::db::accounts::Account;
use crate::db::jobs::JobRow;
use crate::domain::job_input::ReadInput;
use crate::domain::{FargateProfile, JobKind, ProfileName};
use crate::format::OutputFormat;
use crate::http::answer::{self, Manner};
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::state::State;
use crate::http::submit::{self, READ_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::{Job, read_result};
use crate::http::wire::list::FargateProfileList;
use crate::queue::enqueue::NewJob;

/// How long a live read is held unless told otherwise.
const DEFAULT_WAIT: u8 = 20;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ReadQuery {
    /// The form: `json`, `eksctl-json`, `yaml` or `table`. Wins over `Accept`.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = String, required = false, max_length = 16, pattern = "^(json|eksctl-json|yaml|table)$", example = "json")]
    output: Option<OutputFormat>,
    /// Hold the answer until AWS has answered, at most so many seconds; 20 unless told otherwise.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 20)]
    wait_seconds: Option<WaitSeconds>,
}

/// List the Fargate profiles of a cluster, as AWS has them now.
#[utoipa::path(
    operation_id = "listFargateProfiles",
    tag = "fargate-profiles",
    params(ReadQuery),
    responses(
        (status = 200, description = "All profiles.", content(
            (FargateProfileList = "application/json"),
            (String = "application/yaml"),
            (String = "text/plain"),
        )),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles")]
pub(in crate::http) async fn list_fargate_profiles(
    call: Call<Viewer>,
) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
    read(&call, path, None).await
}

/// Read one Fargate profile, as AWS has it now.
#[utoipa::path(
    operation_id = "getFargateProfile",
    tag = "fargate-profiles",
    params(ReadQuery),
    responses(
        (status = 200, description = "The profile.", content(
            (FargateProfile = "application/json"),
            (String = "application/yaml"),
            (String = "text/plain"),
        )),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get(
    "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles/{profileName}"
)]
pub(in crate::http) async fn get_fargate_profile(
    call: Call<Viewer>,
) -> Result<HttpResponse, Problem> {
    let path: ProfilePath = call.path()?;
    let name = path.profile_name.clone();
    read(&call, path.into(), Some(name)).await
}

async fn read(
    call: &Call<Viewer>,
    path: ClusterPath,
    name: Option<ProfileName>,
) -> Result<HttpResponse, Problem> {
    let query: ReadQuery = call.query()?;
    let account = call.known_account(&path.account_id).await?;
    let format = output::wanted(query.output, call.headers())?;
    if check(&call.state, &account, &path).is_err() {
        // It may have been mended a moment ago.
        check(&call.state, &*call.account(&path.account_id).await?, &path)?;
    }
    let one = name.is_some();
    let work = work(call, &path, name)?;
    let patience = Patience::of(query.wait_seconds, call.headers(), DEFAULT_WAIT);
    let made = (work.subject_id, call.submit(work, None));
    let job = call
        .state
        .new_job_within(&call.caller, made, patience.seconds)
        .await?;
    match job.state.as_str() {
        "succeeded" => Ok(output::shown(format, profiles(&job), one)),
        "failed" | "canceled" => Err(Problem::of_job(&job)),
        _ => Ok(answer::job(&call.state, job, &Manner::of(false, &patience))),
    }
}

fn profiles(job: &JobRow) -> Vec<FargateProfile> {
    let result = read_result(job.result.as_ref());
    result
        .profiles
        .unwrap_or_else(|| result.profile.into_iter().collect())
}

fn check(state: &State, account: &Account, path: &ClusterPath) -> Result<(), Problem> {
    submit::check_place(account, &path.region, "/path/region")?;
    submit::check_not_parked(account, state)
}

fn work(
    call: &Call<Viewer>,
    path: &ClusterPath,
    name: Option<ProfileName>,
) -> Result<Work, Problem> {
    let job_id = call.state.clock.uuid();
    let (cluster, region) = (&path.cluster_name, &path.region);
    let (kind, message) = match &name {
        Some(name) => (
            JobKind::GetFargateProfile,
            format!("Queued: read Fargate profile {name} of cluster {cluster} ({region})."),
        ),
        None => (
            JobKind::ListFargateProfiles,
            format!("Queued: read the Fargate profiles of cluster {cluster} ({region})."),
        ),
    };
    let job = NewJob {
        job_id,
        kind: kind.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: name.map(|name| name.to_string()),
        retry_of: None,
        lane: None,
        input: to_json(&ReadInput {})?,
        message,
        warnings: json!([]),
        deadline_after: READ_DEADLINE,
    };
    Ok(Work {
        account_id: path.account_id.to_string(),
        subject_id: job_id,
        audit: None,
        operation: None,
        jobs: vec![job],
    })
}
