//! Creates one Fargate profile and follows it to ACTIVE.
//!
//! Steps:
//! - `start`: the cluster takes changes; the name is free, or the profile there is the one asked
//!   for (adopted), or the job fails; warnings.
//! - `create`: notes that AWS is being asked, then asks, with a token made from the job's id.
//! - `follow`: looks until ACTIVE or `CREATE_FAILED`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::failures::{failure, not_found, not_stabilized};
use super::following::{CREATION, Followed, is_another, look_again};
use super::list_fargate_profiles::describe;
use super::refused::{self, Since};
use crate::aws::{Class, NewProfile, Refusal};
use crate::domain::job_input::{CreateProfileInput, JobResult};
use crate::domain::{ErrorCode, FargateProfile, generated_name, profile_warnings};
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// What `create` has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asking {
    name: String,
    busy: Since,
    spreading: Since,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    match context.job.step.as_str() {
        "start" => start(context).await,
        "create" => resume(context).await,
        "follow" => follow(context).await,
        other => Err(Verdict::Fail(failure(
            ErrorCode::Internal,
            format!("a creation has no step {other}"),
        ))),
    }
}

async fn start(context: &Context<'_>) -> Result<Verdict, Verdict> {
    if context.job.cancel_requested {
        return Err(Verdict::Canceled);
    }
    let input: CreateProfileInput = context.input()?;
    let asking: Asking = context.data()?;
    if let Some(words) = refused::still_deleting(context).await? {
        return Ok(wait_for_cluster(context, &asking, &words));
    }
    cluster_takes_changes(context).await?;
    let names = match context.eks.profile_names().await {
        Ok(names) => names,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let name = free_name(context, &input, &names)?;
    if names.contains(&name) {
        match context.eks.profile(&name).await {
            Ok(existing) => return Ok(compare(context, &input, existing, &asking)),
            Err(refusal) => match refused::told_apart(context, refusal).await {
                gone if gone.class == Class::ProfileNotFound => {}
                refusal => return Err(refused::verdict(context, refusal).await),
            },
        }
    }
    let warnings = warnings(context, &input, names).await?;
    let asking = Asking {
        name: name.clone(),
        ..asking
    };
    let note = Note {
        message: format!("Asking AWS to create Fargate profile {name}."),
        profile_name: Some(name),
        warnings,
    };
    if !context.note_asking("create", &asking, note).await? {
        return Err(Verdict::Canceled);
    }
    Ok(create(context, input, asking).await)
}

/// eksctl's rule: UPDATING and ACTIVE pass.
async fn cluster_takes_changes(context: &Context<'_>) -> Result<(), Verdict> {
    match context.eks.cluster_status().await {
        Ok(status) if ["CREATING", "DELETING", "FAILED"].contains(&status.as_str()) => {
            Err(Verdict::Fail(failure(
                ErrorCode::Conflict,
                format!(
                    "cluster {} is {status}, and takes no Fargate profiles in that state",
                    context.cluster
                ),
            )))
        }
        Ok(_) => Ok(()),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// The name asked for; or the first of the job's generated names that nobody has.
fn free_name(
    context: &Context<'_>,
    input: &CreateProfileInput,
    taken: &[String],
) -> Result<String, Verdict> {
    const TRIES: u32 = 100;
    if let Some(name) = input
        .profile
        .name
        .as_ref()
        .filter(|_| !input.name_generated)
    {
        return Ok(name.to_string());
    }
    (0..TRIES)
        .map(|n| generated_name(context.job.job_id.as_bytes(), n).to_string())
        .find(|name| !taken.contains(name))
        .ok_or_else(|| {
            Verdict::Fail(failure(
                ErrorCode::Conflict,
                "no generated name is free on the cluster",
            ))
        })
}

/// What the caller should know about the profile beside those that are there.
async fn warnings(
    context: &Context<'_>,
    input: &CreateProfileInput,
    names: Vec<String>,
) -> Result<Vec<serde_json::Value>, Verdict> {
    let existing = match describe(context, names).await {
        Ok(existing) => existing,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let alone = profile_warnings(&input.profile, &[]);
    // Those that the profile earns by itself were told when the job was made.
    Ok(profile_warnings(&input.profile, &existing)
        .into_iter()
        .filter(|warning| !alone.contains(warning))
        .map(|warning| json!(warning))
        .collect())
}

/// `create` was noted, and perhaps AWS was asked, before the worker died or the cluster was busy.
async fn resume(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let input: CreateProfileInput = context.input()?;
    let asking: Asking = context.data()?;
    if context.job.cancel_requested {
        return cancel(context, &input, &asking).await;
    }
    if let Some(words) = refused::still_deleting(context).await? {
        return Ok(wait_for_cluster(context, &asking, &words));
    }
    let note = Note {
        message: format!("Asking AWS to create Fargate profile {}.", asking.name),
        ..Note::default()
    };
    if !context.note_asking("create", &asking, note).await? {
        return cancel(context, &input, &asking).await;
    }
    Ok(create(context, input, asking).await)
}

/// A cancel, after AWS may have been asked: what it has begun is followed, else nothing was done.
async fn cancel(
    context: &Context<'_>,
    input: &CreateProfileInput,
    asking: &Asking,
) -> Result<Verdict, Verdict> {
    match context.eks.profile(&asking.name).await {
        Ok(existing) if is_wanted(input, &existing) => Ok(judge(context, existing, None)),
        Ok(_) => Err(Verdict::Canceled),
        Err(refusal) => match refused::told_apart(context, refusal).await {
            gone if gone.class == Class::ProfileNotFound => Err(Verdict::Canceled),
            refusal => Err(refused::verdict(context, refusal).await),
        },
    }
}

/// The profile that this job asks for, and not on its way out.
fn is_wanted(input: &CreateProfileInput, existing: &FargateProfile) -> bool {
    let going = matches!(
        existing.status.as_deref(),
        Some("DELETING" | "DELETE_FAILED")
    );
    let role = &input.pod_execution_role_arn;
    !going && input.profile.same_as(existing, role).is_empty()
}

async fn create(context: &Context<'_>, input: CreateProfileInput, asking: Asking) -> Verdict {
    let new = NewProfile {
        name: asking.name.clone(),
        pod_execution_role_arn: input.pod_execution_role_arn.to_string(),
        selectors: input.profile.selectors.clone(),
        subnets: input.profile.subnets.clone(),
        tags: input.profile.tags.clone(),
        client_request_token: context.job.job_id.to_string(),
    };
    match context.eks.create_profile(new).await {
        Ok(profile) => judge(context, profile, None),
        Err(refusal) => match refusal.class {
            Class::AlreadyExists => exists(context, &input, &asking).await,
            Class::ClusterBusy => wait_for_cluster(context, &asking, &refusal.message),
            Class::RoleNotUsable => {
                refused::role_not_usable(context, asking.spreading, &refusal, |spreading| {
                    (
                        "create",
                        json!(Asking {
                            spreading,
                            ..asking
                        }),
                    )
                })
            }
            _ => refused::verdict(context, refusal).await,
        },
    }
}

async fn exists(context: &Context<'_>, input: &CreateProfileInput, asking: &Asking) -> Verdict {
    match context.eks.profile(&asking.name).await {
        Ok(existing) => compare(context, input, existing, asking),
        Err(refusal) => match refused::told_apart(context, refusal).await {
            gone if gone.class == Class::ProfileNotFound => {
                let words = format!("Fargate profile {} has just gone", asking.name);
                wait_for_cluster(context, asking, &words)
            }
            refusal => refused::verdict(context, refusal).await,
        },
    }
}

fn wait_for_cluster(context: &Context<'_>, asking: &Asking, words: &str) -> Verdict {
    refused::busy(context, asking.busy, words, |busy| {
        // Nothing was asked yet when the name was found taken at the very first look.
        let step = if asking.name.is_empty() {
            "start"
        } else {
            "create"
        };
        (
            step,
            json!(Asking {
                busy,
                ..asking.clone()
            }),
        )
    })
}

/// The same profile is adopted, a different one is a conflict.
fn compare(
    context: &Context<'_>,
    input: &CreateProfileInput,
    existing: FargateProfile,
    asking: &Asking,
) -> Verdict {
    let name = existing.name.clone();
    if existing.status.as_deref() == Some("DELETING") {
        let words = format!("Fargate profile {name} is in status DELETING");
        return wait_for_cluster(context, asking, &words);
    }
    let differences = input
        .profile
        .same_as(&existing, &input.pod_execution_role_arn);
    if differences.is_empty() {
        return judge(context, existing, None);
    }
    let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Verdict::Fail(failure(
        ErrorCode::Conflict,
        format!(
            "Fargate profile {name} exists and is different ({}); choose another name, or delete it first",
            list.join("; ")
        ),
    ))
}

async fn follow(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let followed: Followed = context.data()?;
    let name = context.job.profile_name.as_deref().unwrap_or_default();
    match context.eks.profile(name).await {
        Ok(profile) if is_another(&profile, &followed) => {
            let input: CreateProfileInput = context.input()?;
            let asking = Asking {
                name: name.to_owned(),
                ..Asking::default()
            };
            Ok(compare(context, &input, profile, &asking))
        }
        Ok(profile) => Ok(judge(context, profile, Some(followed))),
        Err(refusal) => Err(vanished(context, refusal, name).await),
    }
}

async fn vanished(context: &Context<'_>, refusal: Refusal, name: &str) -> Verdict {
    let refusal = refused::told_apart(context, refusal).await;
    if refusal.class == Class::ProfileNotFound {
        return Verdict::Fail(not_found(
            "profile",
            format!("Fargate profile {name} was deleted by someone else while it was created"),
        ));
    }
    refused::verdict(context, refusal).await
}

/// Where the profile stands. Without `followed` it is adopted or accepted just now.
fn judge(context: &Context<'_>, profile: FargateProfile, followed: Option<Followed>) -> Verdict {
    let name = profile.name.clone();
    match profile.status.as_deref() {
        Some("ACTIVE") => Verdict::Done {
            result: json!(JobResult {
                profile: Some(profile),
                ..JobResult::default()
            }),
            message: format!("Fargate profile {name} is ACTIVE."),
        },
        Some("CREATE_FAILED") => Verdict::Fail(not_stabilized(
            &format!("AWS could not create Fargate profile {name}; delete it before trying again"),
            &profile,
        )),
        Some("DELETING" | "DELETE_FAILED") => Verdict::Fail(failure(
            ErrorCode::Conflict,
            format!("Fargate profile {name} is being deleted by someone else"),
        )),
        _ => {
            let followed =
                followed.unwrap_or_else(|| Followed::from_now(context, profile.arn.clone()));
            let message = format!("AWS is creating Fargate profile {name}.");
            look_again(context, &CREATION, followed, message)
        }
    }
}
