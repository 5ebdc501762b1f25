//! POST base: create one profile.

use actix_web::{HttpResponse, post};
use serde_json::json;
use uuid::Uuid;

use super::{ChangeQuery, ClusterPath};
use crate::db::accounts::Account;
use crate::domain::account::wrong_boundary;
use crate::domain::job_input::{self, CreateProfileInput};
use crate::domain::{
    ClusterName, JobKind, Naming, ProfileInput, ProfileSpec, Region, RoleArn, Warning,
    generated_name, profile_warnings,
};
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::problem::Problem;
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::job::Job;
use crate::http::wire::paths;
use crate::queue::enqueue::NewJob;

/// Create a Fargate profile.
///
/// The job succeeds when the profile is ACTIVE. Without a name the profile gets one, `fp-` and
/// eight of `[a-f0-9]`. Without a role it gets the account's default; without that, the role that the
/// cluster's stacks of eksctl's form have, or a new one in stack `eksctl-<cluster>-fargate`, within
/// `permissionsBoundary` or the account's.
#[utoipa::path(
    operation_id = "createFargateProfile",
    tag = "fargate-profiles",
    params(ChangeQuery),
    request_body(content = ProfileInput, content_type = "application/json"),
    responses(
        (status = 200, description = "The job has ended within the wait, well or not.", body = Job),
        (status = 202, description = "The job is durable.", body = Job),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[post("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles")]
pub(in crate::http) async fn create_fargate_profile(
    call: Call<Operator>,
) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
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
    path: &ClusterPath,
    body: &[u8],
) -> Result<Work, Problem> {
    submit::check_place(account, &path.region, "/path/region")?;
    let input: ProfileInput = body::json(body)?;
    let boundary = input.permissions_boundary.clone();
    let spec = input.validate(Naming::Optional)?;
    let role = usable_role(&spec, None, account, &path.region)
        .map_err(|message| Problem::invalid_field("/podExecutionRoleARN", message))?;
    let job_id = call.state.clock.uuid();
    let place = (&path.region, &path.cluster_name);
    let role = bounded(role, boundary.as_deref(), account, &path.region)?;
    let unused = boundary.is_some() && role.arn.is_some();
    let mut job = new_job(job_id, place, spec, role)?;
    if let Some(warnings) = job.warnings.as_array_mut().filter(|_| unused) {
        let message = "permissionsBoundary is not used, as no role has to be created: the account's \
                       podExecutionRoleARN is the profile's";
        warnings.push(json!(Warning::new("boundary_not_used", message)));
    }
    let name = job.profile_name.clone().unwrap_or_default();
    let resource = paths::profile(&path.base(), &name);
    Ok(Work {
        account_id: account.account_id.clone(),
        subject_id: job_id,
        audit: Some((
            "createFargateProfile",
            resource,
            json!({"profile": job.input["profile"]}),
        )),
        operation: None,
        jobs: vec![job],
    })
}

/// The role, or the boundary of the one that has to be made: the request's, or the account's.
fn bounded(
    role: Option<RoleArn>,
    boundary: Option<&str>,
    account: &Account,
    region: &Region,
) -> Result<PodRole, Problem> {
    let (at, id) = ("/permissionsBoundary", account.account_id.as_str());
    let partition = region.partition();
    let wrong = boundary.and_then(|arn| wrong_boundary(at, arn, id, partition));
    if let Some(wrong) = wrong {
        return Err(Problem::invalid(vec![wrong]));
    }
    let boundary = boundary.or(account.permissions_boundary_arn.as_deref());
    Ok(PodRole::of(role, boundary))
}

/// The role of a new profile, as far as the request says.
pub(in crate::http) struct PodRole {
    arn: Option<RoleArn>,
    permissions_boundary: Option<String>,
}

impl PodRole {
    /// The boundary is that of a role that has to be made.
    pub(in crate::http) fn of(arn: Option<RoleArn>, boundary: Option<&str>) -> Self {
        let boundary = boundary.filter(|_| arn.is_none());
        Self {
            permissions_boundary: boundary.map(str::to_owned),
            arn,
        }
    }
}

/// The job that creates a profile.
pub(in crate::http) fn new_job(
    job_id: Uuid,
    (region, cluster): (&Region, &ClusterName),
    spec: ProfileSpec,
    role: PodRole,
) -> Result<NewJob, Problem> {
    let warnings = profile_warnings(&spec, &[]);
    let name = spec
        .name
        .clone()
        .unwrap_or_else(|| generated_name(job_id.as_bytes(), 0));
    let input = CreateProfileInput {
        name_generated: spec.name.is_none(),
        profile: spec,
        pod_execution_role_arn: role.arn,
        role_permissions_boundary: role.permissions_boundary,
    };
    Ok(NewJob {
        job_id,
        kind: JobKind::CreateFargateProfile.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        message: format!("Queued: create Fargate profile {name} in cluster {cluster} ({region})."),
        profile_name: Some(name.to_string()),
        retry_of: None,
        lane: Some(job_input::lane(region, cluster)),
        input: to_json(&input)?,
        warnings: to_json(&warnings)?,
        deadline_after: MUTATION_DEADLINE,
    })
}

/// A value as it is stored.
pub(in crate::http) fn to_json(
    value: &impl serde::Serialize,
) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(%error, "writing a job's input");
        Problem::new(
            crate::domain::ErrorCode::Internal,
            "This is a fault of the service.",
        )
    })
}

/// The role for a profile: its own, the file's, the account's; none is the worker's to find. Or why
/// it can't be used.
pub(in crate::http) fn usable_role(
    spec: &ProfileSpec,
    of_file: Option<&RoleArn>,
    account: &Account,
    region: &Region,
) -> Result<Option<RoleArn>, String> {
    let id = &account.account_id;
    let of_account = account.pod_execution_role_arn.as_ref();
    let of_account = of_account
        .map(|arn| RoleArn::parse(arn.as_str()))
        .transpose();
    let of_account = of_account.map_err(|error| error.to_string())?;
    let own = spec.pod_execution_role_arn.as_ref();
    let Some(role) = own.or(of_file).cloned().or(of_account) else {
        return Ok(None);
    };
    if role.account().as_str() != id {
        return Err(format!(
            "the role {role} is of account {}, not of {id}",
            role.account()
        ));
    }
    if role.partition() != region.partition() {
        return Err(format!(
            "the role {role} is in partition {}, and region {region} in {}",
            role.partition(),
            region.partition()
        ));
    }
    Ok(Some(role))
}
