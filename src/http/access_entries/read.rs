//! GET base, GET base/{principalArn}: live reads, held until AWS has answered.

use actix_web::{HttpResponse, get};

use super::EntryPath;
use crate::domain::job_input::PrincipalInput;
use crate::domain::{AccessEntry, JobKind};
use crate::http::answer;
use crate::http::auth::Viewer;
use crate::http::clusters::read::ReadQuery;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ClusterPath;
use crate::http::fargate_profiles::create::to_json;
use crate::http::live::{self, Outcome, Read};
use crate::http::problem::Problem;
use crate::http::wire::access_entry::AccessEntryList;
use crate::http::wire::job::{Job, result_of};

/// List the access entries of a cluster, as AWS has them now.
#[utoipa::path(
    operation_id = "listAccessEntries",
    tag = "clusters",
    params(ReadQuery),
    responses(
        (status = 200, description = "All access entries.", body = AccessEntryList),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/access-entries")]
pub(in crate::http) async fn list_access_entries(
    call: Call<Viewer>,
) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
    let query: ReadQuery = call.query()?;
    let account = call.known_account(&path.account_id).await?;
    let read = Read {
        kind: JobKind::ListAccessEntries,
        account_id: &path.account_id,
        region: &path.region,
        cluster_name: Some(&path.cluster_name),
        profile_name: None,
        what: format!(
            "the access entries of cluster {} ({})",
            path.cluster_name, path.region
        ),
    };
    let job = match live::read(&call, &account, read, query.wait_seconds).await? {
        Outcome::Done(job) => job,
        Outcome::Later(answer) => return Ok(answer),
    };
    let items = result_of(&job).access_entries.unwrap_or_default();
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer::json(answer, &AccessEntryList { items }))
}

/// Read one access entry, as AWS has it now.
///
/// `principalArn` is percent-encoded in the path.
#[utoipa::path(
    operation_id = "getAccessEntry",
    tag = "clusters",
    params(ReadQuery),
    responses(
        (status = 200, description = "The access entry.", body = AccessEntry),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get(
    "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/access-entries/{principalArn:.+}"
)]
pub(in crate::http) async fn get_access_entry(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: EntryPath = call.path()?;
    let query: ReadQuery = call.query()?;
    let account = call.known_account(&path.account_id).await?;
    let read = Read {
        kind: JobKind::GetAccessEntry,
        account_id: &path.account_id,
        region: &path.region,
        cluster_name: Some(&path.cluster_name),
        profile_name: None,
        what: format!(
            "the access entry of {} on cluster {} ({})",
            path.principal_arn, path.cluster_name, path.region
        ),
    };
    let principal_arn = path.principal_arn.clone();
    let input = to_json(&PrincipalInput { principal_arn })?;
    let how = (input, query.wait_seconds);
    let job = match live::read_with(&call, &account, read, how).await? {
        Outcome::Done(job) => job,
        Outcome::Later(answer) => return Ok(answer),
    };
    let entry = result_of(&job).access_entry.unwrap_or_default();
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer::json(answer, &entry))
}
