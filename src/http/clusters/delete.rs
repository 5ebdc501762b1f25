//! DELETE base/{clusterName}: delete a cluster with all that was made for it.

use actix_web::{HttpResponse, delete};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::db::accounts::Account;
use crate::domain::job_input::{self, DeleteClusterInput};
use crate::domain::{ClusterName, JobKind};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::extract::Call;
use crate::http::fargate_profiles::ClusterPath;
use crate::http::fargate_profiles::create::to_json;
use crate::http::live::{self, Outcome, Read};
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::cluster::ClusterDeletion;
use crate::http::wire::job::result_of;
use crate::http::wire::paths;
use crate::queue::enqueue::NewJob;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct DeleteQuery {
    /// The cluster's name once more.
    #[serde(default)]
    #[param(value_type = ClusterName, required = true, example = "prod-2")]
    confirm: Option<String>,
    /// `true`: also a cluster that neither eksctl nor this service has made. Then only its Fargate
    /// profiles, its managed nodegroups and its control plane are deleted.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = false)]
    unowned: Option<bool>,
    /// `true`: turn EKS's own deletion protection off first, if it is on. Without it a protected cluster
    /// is refused, before anything is deleted. CloudFormation's termination protection of the
    /// cluster's stacks is lifted in any case.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = false)]
    lift_protection: Option<bool>,
    /// `true`: only say what would be deleted, in which order, and what stands in its way. AWS is read,
    /// nothing is changed; the answer is held up to 20 seconds unless `waitSeconds` says otherwise.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = true)]
    validate_only: Option<bool>,
    /// Hold the answer until the job has ended, at most so many seconds.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 0)]
    wait_seconds: Option<WaitSeconds>,
    /// The twin of the header `Idempotency-Key`; wins over it.
    #[serde(default)]
    #[param(
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "delete-prod-2"
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

/// Delete a cluster, with its Fargate profiles, its nodegroups and its stacks.
///
/// Everything that runs in it ends. The job succeeds when all is gone. Before the first change it
/// reads everything that can refuse: a cluster that has no stack of eksctl's form is refused unless
/// `unowned=true`, one with EKS's deletion protection unless `liftProtection=true`. With
/// `validateOnly=true` the answer is the plan: the ordered steps, obstacles and warnings.
#[utoipa::path(
    operation_id = "deleteCluster",
    tag = "clusters",
    params(DeleteQuery),
    responses(
        (status = 200, description = "The plan; or the job, which has ended within the wait, well or not.", body = ClusterDeletion),
        (status = 202, description = "The job is durable.", body = ClusterDeletion),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[delete("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}")]
pub(in crate::http) async fn delete_cluster(call: Call<Operator>) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
    let query: DeleteQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    confirmed(query.confirm.as_deref(), &path.cluster_name)?;
    let input = DeleteClusterInput {
        unowned: query.unowned.unwrap_or_default(),
        lift_protection: query.lift_protection.unwrap_or_default(),
    };
    if query.validate_only == Some(true) {
        return plan(&call, &path, input, query.wait_seconds).await;
    }
    let key = call.idempotency_key(&[])?;
    let work = async |account: &Account| {
        submit::check_place(account, &path.region, "/path/region")?;
        work(&call, &path, input)
    };
    let made = call.once(key, &path.account_id, work).await?;
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

/// What deleting it would do: a live read.
async fn plan(
    call: &Call<Operator>,
    path: &ClusterPath,
    input: DeleteClusterInput,
    wait: Option<WaitSeconds>,
) -> Result<HttpResponse, Problem> {
    let account = call.known_account(&path.account_id).await?;
    let read = Read {
        kind: JobKind::PlanClusterDeletion,
        account_id: &path.account_id,
        region: &path.region,
        cluster_name: Some(&path.cluster_name),
        profile_name: None,
        what: format!(
            "what deleting cluster {} ({}) would do",
            path.cluster_name, path.region
        ),
    };
    let job = match live::read_with(call, &account, read, (to_json(&input)?, wait)).await? {
        Outcome::Done(job) => job,
        Outcome::Later(answer) => return Ok(answer),
    };
    let plan = result_of(&job).deletion_plan.unwrap_or_default();
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer::json(answer, &plan))
}

fn confirmed(said: Option<&str>, cluster: &ClusterName) -> Result<(), Problem> {
    let message = match said {
        Some(said) if said == cluster.as_str() => return Ok(()),
        Some(_) => format!("not the name of the cluster in the path: send confirm={cluster}"),
        None => format!(
            "a cluster is deleted with everything in it, so its name is asked for twice: send \
             confirm={cluster}"
        ),
    };
    Err(Problem::invalid_field("/query/confirm", message))
}

fn work(
    call: &Call<Operator>,
    path: &ClusterPath,
    input: DeleteClusterInput,
) -> Result<Work, Problem> {
    let job_id = call.state.clock.uuid();
    let (cluster, region) = (&path.cluster_name, &path.region);
    let job = NewJob {
        job_id,
        kind: JobKind::DeleteCluster.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: None,
        retry_of: None,
        lane: Some(job_input::lane(region, cluster)),
        input: to_json(&input)?,
        message: format!("Queued: delete cluster {cluster} ({region})."),
        warnings: json!([]),
        deadline_after: MUTATION_DEADLINE,
    };
    let account_id = path.account_id.as_str();
    let resource = paths::cluster(account_id, region.as_str(), cluster.as_str());
    Ok(Work {
        account_id: account_id.to_owned(),
        subject_id: job_id,
        audit: Some(("deleteCluster", resource, to_json(&input)?)),
        operation: None,
        jobs: vec![job],
    })
}
