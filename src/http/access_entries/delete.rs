//! DELETE base/{principalArn}: shut an IAM principal out of a cluster.

use actix_web::{HttpResponse, delete};
use serde_json::json;

use super::EntryPath;
use crate::db::accounts::Account;
use crate::domain::JobKind;
use crate::domain::job_input::{self, PrincipalInput};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ChangeQuery;
use crate::http::fargate_profiles::create::to_json;
use crate::http::problem::Problem;
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::queue::enqueue::NewJob;

/// Shut an IAM principal out of a cluster.
///
/// Its access entry is deleted, with its access policies. The entry of the fleet's own role is left
/// alone. `principalArn` is percent-encoded in the path.
#[utoipa::path(
    operation_id = "deleteAccessEntry",
    tag = "clusters",
    params(ChangeQuery),
    responses(
        (status = 200, description = "The job has ended within the wait, well or not.", body = Job),
        (status = 202, description = "The job is durable.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[delete(
    "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/access-entries/{principalArn:.+}"
)]
pub(in crate::http) async fn delete_access_entry(
    call: Call<Operator>,
) -> Result<HttpResponse, Problem> {
    let path: EntryPath = call.path()?;
    let query: ChangeQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    let key = call.idempotency_key(&[])?;
    let work = async |account: &Account| {
        submit::check_place(account, &path.region, "/path/region")?;
        path.not_of_the_fleet(account)?;
        work(&call, &path)
    };
    let made = call.once(key, &path.account_id, work).await?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

fn work(call: &Call<Operator>, path: &EntryPath) -> Result<Work, Problem> {
    let job_id = call.state.clock.uuid();
    let (cluster, region) = (&path.cluster_name, &path.region);
    let principal_arn = path.principal_arn.clone();
    let message = format!("Queued: shut {principal_arn} out of cluster {cluster} ({region}).");
    let job = NewJob {
        job_id,
        kind: JobKind::DeleteAccessEntry.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: None,
        retry_of: None,
        lane: Some(job_input::lane(region, cluster)),
        input: to_json(&PrincipalInput { principal_arn })?,
        message,
        warnings: json!([]),
        deadline_after: MUTATION_DEADLINE,
    };
    Ok(Work {
        account_id: path.account_id.to_string(),
        subject_id: job_id,
        audit: Some(("deleteAccessEntry", path.resource(), json!({}))),
        operation: None,
        jobs: vec![job],
    })
}
