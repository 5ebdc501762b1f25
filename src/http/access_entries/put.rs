//! PUT base/{principalArn}: an access entry as it shall be.

use actix_web::{HttpResponse, put};
use serde_json::json;

use super::EntryPath;
use crate::db::accounts::Account;
use crate::domain::access_entry::AccessEntryInput;
use crate::domain::job_input::{self, PutAccessEntryInput};
use crate::domain::{AccessEntrySpec, JobKind};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ChangeQuery;
use crate::http::fargate_profiles::create::to_json;
use crate::http::problem::Problem;
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::queue::enqueue::NewJob;

/// Let an IAM principal into a cluster, or change what it may do there.
///
/// The entry becomes exactly what is sent: groups, name, access policies and tags that are left out
/// are taken away. Its `type` can't be changed: delete the entry first. The entry of the fleet's own
/// role is left alone. `principalArn` is percent-encoded in the path.
#[utoipa::path(
    operation_id = "putAccessEntry",
    tag = "clusters",
    params(ChangeQuery),
    request_body(content = AccessEntryInput, content_type = "application/json"),
    responses(
        (status = 200, description = "The job has ended within the wait, well or not.", body = Job),
        (status = 202, description = "The job is durable.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[put(
    "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/access-entries/{principalArn:.+}"
)]
pub(in crate::http) async fn put_access_entry(
    call: Call<Operator>,
) -> Result<HttpResponse, Problem> {
    let path: EntryPath = call.path()?;
    let query: ChangeQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    body::must_be(call.headers(), &["application/json"])?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    let work = async |account: &Account| work(&call, account, &path, &body);
    let made = call.once(key, &path.account_id, work).await?;
    // Others may send theirs while this caller waits.
    drop(body);
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

fn work(
    call: &Call<Operator>,
    account: &Account,
    path: &EntryPath,
    body: &[u8],
) -> Result<Work, Problem> {
    submit::check_place(account, &path.region, "/path/region")?;
    path.not_of_the_fleet(account)?;
    let entry = wanted(path, body)?;
    let (cluster, region) = (&path.cluster_name, &path.region);
    let job_id = call.state.clock.uuid();
    let detail = json!({"accessEntry": entry});
    let message = format!(
        "Queued: let {} into cluster {cluster} ({region}).",
        path.principal_arn
    );
    let job = NewJob {
        job_id,
        kind: JobKind::PutAccessEntry.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: None,
        retry_of: None,
        lane: Some(job_input::lane(region, cluster)),
        input: to_json(&PutAccessEntryInput { entry })?,
        message,
        warnings: json!([]),
        deadline_after: MUTATION_DEADLINE,
    };
    Ok(Work {
        account_id: account.account_id.clone(),
        subject_id: job_id,
        audit: Some(("putAccessEntry", path.resource(), detail)),
        operation: None,
        jobs: vec![job],
    })
}

/// The entry that is asked for, or all that is wrong with it.
fn wanted(path: &EntryPath, body: &[u8]) -> Result<AccessEntrySpec, Problem> {
    let input: AccessEntryInput = body::json(body)?;
    let entry = input.validate(Some(&path.principal_arn))?;
    let wrong = entry.misplaced(path.account_id.as_str(), path.region.partition());
    if wrong.is_empty() {
        Ok(entry)
    } else {
        Err(Problem::invalid(wrong))
    }
}
