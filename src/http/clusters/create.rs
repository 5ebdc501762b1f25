//! POST /v1/accounts/{accountId}/clusters: create a cluster as eksctl does, or say what that would
//! do.

use actix_web::{HttpResponse, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use super::account_defaults;
use crate::db::accounts::Account;
use crate::domain::cluster::generated_name::STAND_IN;
use crate::domain::cluster::{ClusterPlan, ClusterSpec, generated_cluster_name};
use crate::domain::eksctl::Part;
use crate::domain::eksctl::owners;
use crate::domain::job_input::{self, CreateClusterInput};
use crate::domain::{ClusterConfig, Invalid, JobKind, Region, RoleArn};
use crate::http::accounts::AccountPath;
use crate::http::answer::{self, Manner};
use crate::http::auth::Operator;
use crate::http::body;
use crate::http::extract::Call;
use crate::http::fargate_profiles::create::to_json;
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::submit::{self, MUTATION_DEADLINE, Work};
use crate::http::wait::Patience;
use crate::http::wire::cluster::ClusterCreation;
use crate::http::wire::paths;
use crate::queue::enqueue::NewJob;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct CreateQuery {
    /// `true`: the cluster gets eksctl's profile `fp-default`, for the namespaces `default` and
    /// `kube-system`; `metadata` is then enough.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = bool, required = false, example = false)]
    fargate: Option<bool>,
    /// `true`: only say what would be done; nothing is touched.
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
        example = "create-prod-2"
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

/// Create a cluster, with its Fargate profiles and nodegroups.
///
/// The body is an eksctl `ClusterConfig`; with `fargate=true` its `metadata` is enough. The job goes
/// through eksctl's steps in eksctl's order, and makes the stacks that eksctl would make. With
/// `validateOnly=true` the answer is the plan: the ordered steps, the CloudFormation templates, what
/// they take for granted, and warnings. A cluster without a name gets one.
#[utoipa::path(
    operation_id = "createCluster",
    tag = "clusters",
    params(CreateQuery),
    request_body(content(
        (ClusterConfig = "application/json"),
        (String = "application/yaml"),
    )),
    responses(
        (status = 200, description = "The plan; or the job, which has ended within the wait.", body = ClusterCreation),
        (status = 202, description = "The job is durable.", body = ClusterCreation),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[post("/v1/accounts/{accountId}/clusters")]
pub(in crate::http) async fn create_cluster(call: Call<Operator>) -> Result<HttpResponse, Problem> {
    let path: AccountPath = call.path()?;
    let query: CreateQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    body::must_be(call.headers(), &body::DOCUMENTS)?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    let fargate = query.fargate.unwrap_or_default();
    let config = || body::cluster_config(call.headers(), &body, Part::Whole);
    if query.validate_only == Some(true) {
        let account = call.account(&path.account_id).await?;
        let plan = planned(config()?, fargate, &account)?;
        let mut answer = HttpResponse::Ok();
        answer.insert_header(("Cache-Control", "no-store"));
        return Ok(answer::json(answer, &plan));
    }
    let work = async |account: &Account| {
        let (job_id, mut config) = (call.state.clock.uuid(), config()?);
        // Made once: whoever repeats the request gets the same job.
        let now = call.state.clock.now().timestamp();
        config.name_if_absent(|| generated_cluster_name(job_id.as_bytes(), now));
        work(job_id, account, wanted(config, fargate, account)?.0)
    };
    let made = call.once(key, &path.account_id, work).await?;
    // Others may send theirs while this caller waits.
    drop(body);
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let manner = Manner::of(made.replayed, &patience);
    let job = call.made(made, &patience).await?;
    Ok(answer::job(&call.state, job, &manner))
}

/// What would be done.
fn planned(
    mut config: ClusterConfig,
    fargate: bool,
    account: &Account,
) -> Result<ClusterPlan, Problem> {
    let nameless = config.name_if_absent(|| STAND_IN.to_owned());
    let (_, mut plan) = wanted(config, fargate, account)?;
    if nameless {
        let said = format!(
            "the cluster's name is made when it is created, of an adjective, a noun and the seconds \
             since 1970; {STAND_IN} stands for it"
        );
        plan.assumptions.push(said);
    }
    Ok(plan)
}

/// The cluster that is asked for and how it would be made, or all that is wrong with it.
fn wanted(
    config: ClusterConfig,
    fargate: bool,
    account: &Account,
) -> Result<(ClusterSpec, ClusterPlan), Problem> {
    let named = config.arns.clone();
    let spec = ClusterSpec::of(config, fargate).map_err(Problem::invalid)?;
    submit::check_place(account, &spec.region, "/metadata/region")?;
    let of_account = account.pod_execution_role_arn.clone();
    let at = "/iam/fargatePodExecutionRoleARN";
    let of_account = of_account.map(RoleArn::parse).transpose();
    let of_account = of_account.map_err(|error| Problem::unparsable(at, &error))?;
    let spec = spec.with_default_role(of_account);
    let strays = owners::misplaced(&named, &account.account_id, &spec.region);
    let of_profiles = spec.pod_execution_role.clone();
    let region = spec.region.clone();
    let applied = account_defaults::applied(spec, account);
    let (spec, mut wrong) = match applied {
        Ok(spec) => (Some(spec), Vec::new()),
        Err(wrong) => (None, wrong),
    };
    tell(strays, &mut wrong);
    let of_profiles = of_profiles.and_then(|role| misplaced(at, &role, account, &region));
    tell(of_profiles, &mut wrong);
    let Some(spec) = spec.filter(|_| wrong.is_empty()) else {
        return Err(Problem::invalid(wrong));
    };
    let plan = ClusterPlan::assumed(&spec).map_err(Problem::invalid)?;
    Ok((spec, plan))
}

/// Adds what is not told yet.
fn tell(more: impl IntoIterator<Item = Invalid>, wrong: &mut Vec<Invalid>) {
    for one in more {
        if !wrong.iter().any(|told| told.pointer == one.pointer) {
            wrong.push(one);
        }
    }
}

/// What is wrong with a role in this place: AWS takes only those of the cluster's own account.
fn misplaced(at: &str, role: &RoleArn, account: &Account, region: &Region) -> Option<Invalid> {
    let id = &account.account_id;
    let message = if role.account().as_str() != id {
        format!(
            "the role {role} is of account {}, not of {id}",
            role.account()
        )
    } else if role.partition() != region.partition() {
        format!(
            "the role {role} is in partition {}, and region {region} in {}",
            role.partition(),
            region.partition()
        )
    } else {
        return None;
    };
    Some(Invalid::new(at, message))
}

fn work(job_id: Uuid, account: &Account, spec: ClusterSpec) -> Result<Work, Problem> {
    let (region, cluster) = (spec.region.clone(), spec.name.clone());
    let names: Vec<&str> = spec
        .fargate_profiles
        .iter()
        .filter_map(|profile| Some(profile.name.as_ref()?.as_str()))
        .collect();
    let nodegroups: Vec<&str> = spec
        .nodegroups
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let entries = spec.access.entries.iter();
    let principals: Vec<&str> = entries.map(|one| one.principal_arn.as_str()).collect();
    let detail = json!({
        "principalARNs": principals,
        "version": spec.version,
        "profileNames": names,
        "nodegroupNames": nodegroups,
    });
    let warnings = to_json(&spec.warnings())?;
    let job = NewJob {
        job_id,
        kind: JobKind::CreateCluster.as_str(),
        region: region.to_string(),
        cluster_name: Some(cluster.to_string()),
        profile_name: None,
        retry_of: None,
        lane: Some(job_input::lane(&region, &cluster)),
        input: to_json(&CreateClusterInput { spec })?,
        message: format!("Queued: create cluster {cluster} ({region})."),
        warnings,
        deadline_after: MUTATION_DEADLINE,
    };
    let resource = paths::cluster(&account.account_id, region.as_str(), cluster.as_str());
    Ok(Work {
        account_id: account.account_id.clone(),
        subject_id: job_id,
        audit: Some(("createCluster", resource, detail)),
        operation: None,
        jobs: vec![job],
    })
}
