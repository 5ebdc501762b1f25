//! GET base, GET base/{profileName}: live reads, held until AWS has answered.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::output;
use super::{ClusterPath, ProfilePath};
use crate::db::jobs::JobRow;
use crate::domain::{FargateProfile, JobKind, ProfileName};
use crate::format::OutputFormat;
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::live::{self, Outcome, Read};
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::wire::job::{Job, result_of};
use crate::http::wire::list::FargateProfileList;

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
    let (cluster, region) = (&path.cluster_name, &path.region);
    let (kind, what) = match &name {
        Some(name) => (
            JobKind::GetFargateProfile,
            format!("Fargate profile {name} of cluster {cluster} ({region})"),
        ),
        None => (
            JobKind::ListFargateProfiles,
            format!("the Fargate profiles of cluster {cluster} ({region})"),
        ),
    };
    let read = Read {
        kind,
        account_id: &path.account_id,
        region,
        cluster_name: Some(cluster),
        profile_name: name.as_ref(),
        what,
    };
    match live::read(call, &account, read, query.wait_seconds).await? {
        Outcome::Done(job) => Ok(output::shown(format, profiles(&job), name.is_some())),
        Outcome::Later(answer) => Ok(answer),
    }
}

fn profiles(job: &JobRow) -> Vec<FargateProfile> {
    let result = result_of(job);
    result
        .profiles
        .unwrap_or_else(|| result.profile.into_iter().collect())
}
