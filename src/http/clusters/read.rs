//! GET base, GET base/{clusterName}: live reads, held until AWS has answered.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::RegionPath;
use crate::db::jobs::JobRow;
use crate::domain::{ClusterView, JobKind};
use crate::http::answer;
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ClusterPath;
use crate::http::live::{self, Outcome, Read};
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::wire::cluster::ClusterList;
use crate::http::wire::job::{Job, result_of};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct ReadQuery {
    /// Hold the answer until AWS has answered, at most so many seconds; 20 unless told otherwise.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 20)]
    pub wait_seconds: Option<WaitSeconds>,
}

/// List the clusters of an account in a region, as AWS has them now.
#[utoipa::path(
    operation_id = "listClusters",
    tag = "clusters",
    params(ReadQuery),
    responses(
        (status = 200, description = "All clusters.", body = ClusterList),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}/regions/{region}/clusters")]
pub(in crate::http) async fn list_clusters(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: RegionPath = call.path()?;
    let query: ReadQuery = call.query()?;
    let account = call.known_account(&path.account_id).await?;
    let read = Read {
        kind: JobKind::ListClusters,
        account_id: &path.account_id,
        region: &path.region,
        cluster_name: None,
        profile_name: None,
        what: format!("the clusters of {} in {}", path.account_id, path.region),
    };
    let job = match live::read(&call, &account, read, query.wait_seconds).await? {
        Outcome::Done(job) => job,
        Outcome::Later(answer) => return Ok(answer),
    };
    let items = result_of(&job).clusters.unwrap_or_default();
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer::json(answer, &ClusterList { items }))
}

/// Read one cluster, as AWS has it now.
#[utoipa::path(
    operation_id = "getCluster",
    tag = "clusters",
    params(ReadQuery),
    responses(
        (status = 200, description = "The cluster.", body = ClusterView),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}")]
pub(in crate::http) async fn get_cluster(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
    let query: ReadQuery = call.query()?;
    match one(&call, &path, query.wait_seconds).await? {
        Outcome::Done(job) => {
            let mut answer = HttpResponse::Ok();
            answer.insert_header(("Cache-Control", "no-store"));
            Ok(answer::json(answer, &cluster(&job)))
        }
        Outcome::Later(answer) => Ok(answer),
    }
}

/// Reads one cluster.
pub(super) async fn one(
    call: &Call<Viewer>,
    path: &ClusterPath,
    wait: Option<WaitSeconds>,
) -> Result<Outcome, Problem> {
    let account = call.known_account(&path.account_id).await?;
    let read = Read {
        kind: JobKind::GetCluster,
        account_id: &path.account_id,
        region: &path.region,
        cluster_name: Some(&path.cluster_name),
        profile_name: None,
        what: format!("cluster {} ({})", path.cluster_name, path.region),
    };
    live::read(call, &account, read, wait).await
}

/// What such a job has read.
pub(super) fn cluster(job: &JobRow) -> ClusterView {
    result_of(job).cluster.unwrap_or_default()
}
