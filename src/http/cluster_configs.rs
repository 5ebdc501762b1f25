//! POST /v1/accounts/{accountId}/fargate-profiles: eksctl's config file as one operation.

use actix_web::{HttpResponse, post};
use serde_json::{Value, json};

use super::accounts::AccountPath;
use super::answer::{self, Manner};
use super::auth::Operator;
use super::body;
use super::extract::Call;
use super::fargate_profiles::ChangeQuery;
use super::fargate_profiles::create::{PodRole, new_job, usable_role};
use super::operations;
use super::problem::Problem;
use super::submit::{self, Work};
use super::wait::Patience;
use super::wire::operation::Operation;
use super::wire::paths;
use crate::db::accounts::Account;
use crate::domain::eksctl::Part;
use crate::domain::eksctl::owners;
use crate::domain::{ClusterConfig, FargatePart, Invalid, Warning};
use crate::queue::enqueue::{NewJob, NewOperation};

/// Create the Fargate profiles of an eksctl config file.
///
/// Region and cluster come from the file's metadata. The operation holds one job a profile; they
/// run one after another, in the order of the file. The role of a profile is its own, the file's, the
/// account's; without these, the one that the cluster's stacks of eksctl's form have, or a new one in
/// stack `eksctl-<cluster>-fargate`, within the file's permissions boundary or the account's.
///
/// The file may be the one that the cluster was made from: as with `eksctl create fargateprofile -f`,
/// nothing is done with the keys that have nothing to do with Fargate profiles, and a warning on each
/// job names them.
#[utoipa::path(
    operation_id = "createFargateProfilesFromClusterConfig",
    tag = "fargate-profiles",
    params(ChangeQuery),
    request_body(content(
        (ClusterConfig = "application/json"),
        (String = "application/yaml"),
    )),
    responses(
        (status = 200, description = "All jobs have ended within the wait.", body = Operation),
        (status = 202, description = "The operation and its jobs are durable.", body = Operation),
    ),
    extensions(("x-required-role" = json!("operator"))),
)]
#[post("/v1/accounts/{accountId}/fargate-profiles")]
pub(super) async fn create_fargate_profiles_from_cluster_config(
    call: Call<Operator>,
) -> Result<HttpResponse, Problem> {
    let path: AccountPath = call.path()?;
    let query: ChangeQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    body::must_be(call.headers(), &body::DOCUMENTS)?;
    let body = call.body().await?;
    let key = call.idempotency_key(&body)?;
    let work = async |account: &Account| {
        let config = body::cluster_config(call.headers(), &body, Part::Fargate)?;
        let named = config.arns.clone();
        let part = FargatePart::of(config)?;
        let region = part.region.clone();
        let work = work(&call, account, part)?;
        let strays = owners::misplaced(&named, &account.account_id, &region);
        if strays.is_empty() {
            Ok(work)
        } else {
            Err(Problem::invalid(strays))
        }
    };
    let made = call.once(key, &path.account_id, work).await?;
    // Others may send theirs while this caller waits.
    drop(body);
    let patience = Patience::of(query.wait_seconds, call.headers(), 0);
    let seconds = patience.seconds;
    let operation = operations::within(&call.state, &call.caller, made.subject_id, seconds).await?;
    Ok(answer::operation(
        &operation,
        &Manner::of(made.replayed, &patience),
    ))
}

fn work(call: &Call<Operator>, account: &Account, config: FargatePart) -> Result<Work, Problem> {
    submit::check_place(account, &config.region, "/metadata/region")?;
    let operation_id = call.state.clock.uuid();
    let names: Vec<String> = config
        .profiles
        .iter()
        .flat_map(|p| &p.name)
        .map(ToString::to_string)
        .collect();
    let operation = NewOperation {
        action: "create_fargate_profiles",
        region: config.region.to_string(),
        cluster_name: config.cluster.to_string(),
    };
    let resource = paths::profiles(
        &account.account_id,
        config.region.as_str(),
        config.cluster.as_str(),
    );
    Ok(Work {
        account_id: account.account_id.clone(),
        subject_id: operation_id,
        audit: Some((
            "createFargateProfilesFromClusterConfig",
            resource,
            json!({"profileNames": names}),
        )),
        operation: Some(operation),
        jobs: jobs(call, account, config)?,
    })
}

/// One job a profile; all roles that can't be used are told at once.
fn jobs(
    call: &Call<Operator>,
    account: &Account,
    config: FargatePart,
) -> Result<Vec<NewJob>, Problem> {
    let mut jobs = Vec::with_capacity(config.profiles.len());
    let mut wrong = Vec::new();
    let warning = config.warning();
    for (i, spec) in config.profiles.into_iter().enumerate() {
        match usable_role(&spec, config.role.as_ref(), account, &config.region) {
            Ok(role) => {
                let place = (&config.region, &config.cluster);
                let of_account = account.permissions_boundary_arn.as_deref();
                let boundary = config.role_permissions_boundary.as_deref().or(of_account);
                let role = PodRole::of(role, boundary);
                let job = new_job(call.state.clock.uuid(), place, spec, role)?;
                jobs.push(told(job, warning.as_ref()));
            }
            Err(message) => {
                let pointer = format!("/fargateProfiles/{i}/podExecutionRoleARN");
                wrong.push(Invalid::new(pointer, message));
            }
        }
    }
    if wrong.is_empty() {
        Ok(jobs)
    } else {
        Err(Problem::invalid(wrong))
    }
}

/// The job, with a warning beside those that its profile earns.
fn told(mut job: NewJob, warning: Option<&Warning>) -> NewJob {
    if let (Some(warning), Value::Array(warnings)) = (warning, &mut job.warnings) {
        warnings.push(json!(warning));
    }
    job
}
