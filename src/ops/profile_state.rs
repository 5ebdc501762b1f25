//! The state in which a profile is met: who asked for it, as far as known, and the way out of it.

use super::asked_by::{Change, asked_by};
use super::context::Context;
use super::failures::{failure, not_stabilized, with_health};
use crate::domain::{Difference, ErrorCode, FargateProfile};
use crate::queue::{Failure, Verdict};

/// A state of a profile that keeps a job from what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuck {
    /// AWS could not create it: it takes no pods.
    CreateFailed,
    /// AWS could not delete it.
    DeleteFailed,
}

impl Stuck {
    /// None: AWS is at work on the profile, or done with it.
    pub(super) fn of(profile: &FargateProfile) -> Option<Self> {
        match profile.status.as_deref() {
            Some("CREATE_FAILED") => Some(Self::CreateFailed),
            Some("DELETE_FAILED") => Some(Self::DeleteFailed),
            _ => None,
        }
    }
}

/// "Fargate profile x is in status DELETING, asked for by ...".
pub(super) async fn told(
    context: &Context<'_>,
    profile: &FargateProfile,
) -> Result<String, Verdict> {
    let (name, status) = (&profile.name, status(profile));
    let change = match status {
        "DELETING" | "DELETE_FAILED" => Change::Deletion,
        "CREATING" | "CREATE_FAILED" => Change::Creation,
        _ => return Ok(format!("Fargate profile {name} is in status {status}")),
    };
    let who = asked_by(context, Some(name), change).await?;
    Ok(format!(
        "Fargate profile {name} is in status {status}, {who}"
    ))
}

/// A profile that is to be created is there, and AWS has given it up. `same`: as it was asked for.
pub(super) async fn stuck(
    context: &Context<'_>,
    (profile, stuck, same): (&FargateProfile, Stuck, bool),
) -> Result<Failure, Verdict> {
    let told = told(context, profile).await?;
    Ok(match stuck {
        Stuck::CreateFailed if same => not_stabilized(
            &format!("AWS could not create it: {told}"),
            profile,
            "it takes no pods; mend the cause, delete the profile, then ask for it again",
        ),
        Stuck::CreateFailed => with_health(
            failure(
                ErrorCode::Conflict,
                format!(
                    "{told}, and differs from what is asked for; it takes no pods: delete it, then ask \
                     again, or choose another name"
                ),
            ),
            profile,
        ),
        Stuck::DeleteFailed => with_health(
            failure(
                ErrorCode::Conflict,
                format!(
                    "{told}: AWS could not delete it ({}); mend the cause, delete it again until it is \
                     gone, then ask again, or choose another name",
                    reasons(profile)
                ),
            ),
            profile,
        ),
    })
}

/// A profile of the name is there, and is another one.
pub(super) async fn different(
    context: &Context<'_>,
    profile: &FargateProfile,
    differences: &[Difference],
) -> Result<Failure, Verdict> {
    let told = told(context, profile).await?;
    let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let ends = match status(profile) {
        "CREATING" => "",
        _ => ", which ends its pods",
    };
    Ok(failure(
        ErrorCode::Conflict,
        format!(
            "{told}, and is different ({}); AWS changes nothing but the tags of a profile: choose \
             another name, or delete this one first{ends}",
            list.join("; ")
        ),
    ))
}

/// A profile that this job creates is being deleted, or was to be.
pub(super) async fn taken_away(
    context: &Context<'_>,
    profile: &FargateProfile,
) -> Result<Failure, Verdict> {
    let told = told(context, profile).await?;
    let failure = failure(
        ErrorCode::Conflict,
        format!("while it was created, {told}; when it is gone, retry the job"),
    );
    Ok(with_health(failure, profile))
}

/// What AWS says is wrong with it.
pub(super) fn reasons(profile: &FargateProfile) -> String {
    let issues = profile.health_issues.iter();
    let reasons: Vec<String> = issues
        .map(|issue| format!("{}: {}", issue.code, issue.message))
        .collect();
    if reasons.is_empty() {
        "AWS gave no reason".to_owned()
    } else {
        reasons.join("; ")
    }
}

fn status(profile: &FargateProfile) -> &str {
    profile.status.as_deref().unwrap_or("UNKNOWN")
}
