//! DELETE base/{profileName}: delete one profile.

use actix_web::{HttpResponse, delete};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::create::to_json;
use super::{ClusterPath, ProfilePath};
use crate::db::accounts::Account;
use crate::domain::JobKind;
use crate::domain::job_input::{self, DeleteProfileInput};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::extract::Call;
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::http::wire::paths;
use crate::queue::enqueue::NewJob;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct DeleteQuery {
    /// `true`: the job succeeds when the profile is gone; `false`: when AWS has accepted.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = true)]
    wait: Option<bool>,
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
        example = "delete-fp-dev-1"
    )]
    #[expect(
        dead_code,
        reason = "read by http::idempotency; declared so that it is known"
    )]
    request_id: Option<String>,
    /// A webhook of a portal: it is told when the job, or the operation, has ended. Goes with
    /// `callbackRun`.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        value_type = Option<String>,
        max_length = 36,
        pattern = "^[0-9a-fA-F-]{36}$",
    )]
    #[expect(
        dead_code,
        reason = "read by http::callback; declared so that it is known"
    )]
    callback: Option<String>,
    /// The portal's run that is told: the id of a run of Port's actions, or the URL of a callback of
    /// Cortex's workflows.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 2048,
        pattern = "^[!-~]+$"
    )]
    #[expect(
        dead_code,
        reason = "read by http::callback; declared so that it is known"
    )]
    callback_run: Option<String>,
}

/// Delete a Fargate profile.
///
/// Its pods are deleted with it; they run again only where another profile matches them. With
/// `wait=true` (the default) the job succeeds when the profile is gone, with `wait=false` when AWS
/// has accepted, as eksctl without `--wait`. Stack `eksctl-<cluster>-fargate` is deleted with the last
/// profile that has its role.
#[utoipa::path(
    operation_id = "deleteFargateProfile",
    tag = "fargate-profiles",
    params(DeleteQuery),
    responses(
        (status = 200, description = "The job has ended within the wait, well or not.", body = Job),
        (status = 202, description = "The job is durable.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[delete(
    "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles/{profileName}"
)]
pub(in crate::http) async fn delete_fargate_profile(
    call: Call<Operator>,
) -> Result<HttpResponse, Problem> {
    let path: ProfilePath = call.path()?;
    let query: DeleteQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    let key = call.idempotency_key(&[])?;
    let account_id = path.account_id.clone();
    let work = async |account: &Account| {
        submit::check_place(account, &path.region, "/path/region")?;
        work(&call, path.clone(), query.wait.unwrap_or(true))
    };
    let made = call.once(key, &account_id, work).await?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

fn work(call: &Call<Operator>, path: ProfilePath, wait: bool) -> Result<Work, Problem> {
    let job_id = call.state.clock.uuid();
    let name = path.profile_name.clone();
    let place = ClusterPath::from(path);
    let (cluster, region) = (&place.cluster_name, &place.region);
    let job = NewJob {
        job_id,
        kind: JobKind::DeleteFargateProfile.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: Some(name.to_string()),
        retry_of: None,
        lane: Some(job_input::lane(region, cluster)),
        input: to_json(&DeleteProfileInput { wait })?,
        message: format!("Queued: delete Fargate profile {name} of cluster {cluster} ({region})."),
        warnings: json!([]),
        deadline_after: MUTATION_DEADLINE,
    };
    let resource = paths::profile(&place.base(), name.as_str());
    Ok(Work {
        account_id: place.account_id.to_string(),
        subject_id: job_id,
        audit: Some(("deleteFargateProfile", resource, json!({"wait": wait}))),
        operation: None,
        jobs: vec![job],
    })
}
