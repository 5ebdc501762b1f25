//! Deletes one Fargate profile and follows it until it is gone.
//!
//! Steps:
//! - `start`: the profile is there; one that is being deleted already is adopted.
//! - `delete`: notes that AWS is being asked, then asks. From here on, "not found" means done.
//! - `follow`: looks until the profile is gone or `DELETE_FAILED`; left out with `wait=false`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::database_trouble;
use super::failures::{failure, not_stabilized};
use super::following::{DELETION, Followed, is_another, look_again};
use super::refused::{self, Since};
use crate::aws::{Class, Refusal};
use crate::db::jobs;
use crate::domain::job_input::{DeleteProfileInput, JobResult};
use crate::domain::{ErrorCode, FargateProfile};
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// What `delete` has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asking {
    arn: Option<String>,
    busy: Since,
}

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    match context.job.step.as_str() {
        "start" => start(context).await,
        "delete" => resume(context).await,
        "follow" => follow(context).await,
        other => Err(Verdict::Fail(failure(
            ErrorCode::Internal,
            format!("a deletion has no step {other}"),
        ))),
    }
}

async fn start(context: &Context<'_>) -> Result<Verdict, Verdict> {
    if context.job.cancel_requested {
        return Err(Verdict::Canceled);
    }
    let profile = match context.eks.profile(name(context)).await {
        Ok(profile) => profile,
        Err(refusal) => return not_there(context, refusal).await,
    };
    if is_being_deleted(&profile) {
        return accepted(context, &profile);
    }
    ask(
        context,
        Asking {
            arn: profile.arn,
            ..Asking::default()
        },
    )
    .await
}

/// Nothing to delete at the first look: no error when another job did it while this one waited.
async fn not_there(context: &Context<'_>, refusal: Refusal) -> Result<Verdict, Verdict> {
    let refusal = refused::told_apart(context, refusal).await;
    if refusal.class == Class::ProfileNotFound {
        let job = context.job;
        match jobs::deleted_meanwhile(context.pool, &job.account_id, job.job_id).await {
            Ok(true) => {
                let name = name(context);
                return Ok(done(format!(
                    "Fargate profile {name} was deleted by another job while this one waited."
                )));
            }
            Ok(false) => {}
            Err(error) => return Err(database_trouble(context.lease, &error)),
        }
    }
    Err(refused::verdict(context, refusal).await)
}

/// `delete` was noted, and perhaps AWS was asked, before the worker died or the cluster was busy.
async fn resume(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let asking: Asking = context.data()?;
    if context.job.cancel_requested {
        return cancel(context).await;
    }
    ask(context, asking).await
}

/// A cancel, after AWS may have been asked: what it has begun is followed, else nothing was done.
async fn cancel(context: &Context<'_>) -> Result<Verdict, Verdict> {
    match context.eks.profile(name(context)).await {
        Ok(profile) if is_being_deleted(&profile) => accepted(context, &profile),
        Ok(_) => Err(Verdict::Canceled),
        Err(refusal) => gone_or(context, refusal).await,
    }
}

async fn ask(context: &Context<'_>, asking: Asking) -> Result<Verdict, Verdict> {
    if let Some(words) = refused::still_deleting(context).await? {
        return Ok(wait_for_cluster(context, &asking, &words));
    }
    let name = name(context);
    let message = format!("Asking AWS to delete Fargate profile {name}.");
    let note = Note {
        message,
        ..Note::default()
    };
    if !context.note_asking("delete", &asking, note).await? {
        return cancel(context).await;
    }
    let refusal = match context.eks.delete_profile(name).await {
        Ok(()) => {
            let arn = asking.arn.clone();
            return accepted(
                context,
                &FargateProfile {
                    arn,
                    ..FargateProfile::default()
                },
            );
        }
        Err(refusal) => refusal,
    };
    match refusal.class {
        Class::ClusterBusy => Ok(wait_for_cluster(context, &asking, &refusal.message)),
        Class::NotActive => match context.eks.profile(name).await {
            Ok(profile) if is_being_deleted(&profile) => accepted(context, &profile),
            Ok(_) => Ok(wait_for_cluster(context, &asking, &refusal.message)),
            Err(refusal) => gone_or(context, refusal).await,
        },
        _ => gone_or(context, refusal).await,
    }
}

fn wait_for_cluster(context: &Context<'_>, asking: &Asking, words: &str) -> Verdict {
    refused::busy(context, asking.busy, words, |busy| {
        (
            "delete",
            json!(Asking {
                busy,
                ..asking.clone()
            }),
        )
    })
}

/// Followed to its end, unless the caller does not care for it.
fn accepted(context: &Context<'_>, profile: &FargateProfile) -> Result<Verdict, Verdict> {
    let DeleteProfileInput { wait } = context.input()?;
    let name = name(context);
    let message = format!("AWS is deleting Fargate profile {name}.");
    if !wait {
        return Ok(done(message));
    }
    let followed = Followed::from_now(context, profile.arn.clone());
    Ok(look_again(context, &DELETION, followed, message))
}

async fn follow(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let followed: Followed = context.data()?;
    let name = name(context);
    let profile = match context.eks.profile(name).await {
        Ok(profile) => profile,
        Err(refusal) => return gone_or(context, refusal).await,
    };
    if profile.status.as_deref() == Some("DELETE_FAILED") {
        let what = format!("AWS could not delete Fargate profile {name}");
        return Err(Verdict::Fail(not_stabilized(&what, &profile)));
    }
    if is_another(&profile, &followed) {
        return Ok(done(format!(
            "Fargate profile {name} is gone; someone else has made a new one of that name."
        )));
    }
    let message = format!("AWS is deleting Fargate profile {name}.");
    Ok(look_again(context, &DELETION, followed, message))
}

/// Once we asked, a profile that is not there is what we wanted, whoever deleted it; a cluster
/// that is not there has taken it along, since AWS deletes no cluster that has profiles.
async fn gone_or(context: &Context<'_>, refusal: Refusal) -> Result<Verdict, Verdict> {
    let refusal = refused::told_apart(context, refusal).await;
    let name = name(context);
    match refusal.class {
        Class::ProfileNotFound => Ok(done(format!("Fargate profile {name} is gone."))),
        Class::ClusterNotFound => Ok(done(format!(
            "Fargate profile {name} is gone, and so is cluster {}.",
            context.cluster
        ))),
        _ => Err(refused::verdict(context, refusal).await),
    }
}

fn done(message: String) -> Verdict {
    Verdict::Done {
        result: json!(JobResult::default()),
        message,
    }
}

fn name<'a>(context: &Context<'a>) -> &'a str {
    context.job.profile_name.as_deref().unwrap_or_default()
}

fn is_being_deleted(profile: &FargateProfile) -> bool {
    profile.status.as_deref() == Some("DELETING")
}
