//! From AWS's refusals to verdicts, for everything that means the same to every operation.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::context::Context;
use super::database_trouble;
use super::failures::{failure, from_refusal, not_found};
use super::profile_state;
use crate::aws::{Class, Refusal};
use crate::db::breaker;
use crate::db::jobs::Place;
use crate::domain::ErrorCode;
use crate::queue::backoff::Backoff;
use crate::queue::{Failure, Verdict, Wait};

/// How long a busy cluster is waited for. E5 was seen to last over ten minutes.
const LONGEST_BUSY: Duration = Duration::from_mins(30);
const BUSY: Backoff = Backoff::millis(&[5_000, 10_000, 15_000, 20_000, 30_000]);
/// How long IAM may take to spread a new role.
const LONGEST_PROPAGATION: Duration = Duration::from_mins(2);
const PROPAGATION: Backoff = Backoff::millis(&[3_000, 5_000, 10_000]);
/// Before an account's role is tried again, by our own clock: STS is not asked more often.
const ROLE_REFUSED: Duration = Duration::from_secs(1);

/// A wait that began once and has its own bound; kept in the step's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Since {
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<DateTime<Utc>>,
    /// The last time: after a long gap it is another wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<DateTime<Utc>>,
    times: u32,
}

impl Since {
    /// Counts one more; `None` when it has lasted longer than `longest`.
    fn again(self, now: DateTime<Utc>, longest: Duration) -> Option<Self> {
        let passed = |from: DateTime<Utc>| (now - from).to_std().unwrap_or_default();
        let interrupted = self.last.is_some_and(|last| passed(last) > longest / 3);
        let so_far = if interrupted { Self::default() } else { self };
        let begun = so_far.begun.unwrap_or(now);
        (passed(begun) < longest).then_some(Self {
            begun: Some(begun),
            last: Some(now),
            times: so_far.times + 1,
        })
    }
}

/// What a refusal means wherever it comes from.
pub(super) async fn verdict(context: &Context<'_>, refusal: Refusal) -> Verdict {
    let refusal = told_apart(context, refusal).await;
    match refusal.class {
        Class::AssumeRoleFailed => {
            count_failure(context, &refusal).await;
            role_refused(context, &refusal)
        }
        Class::AssumeRoleFailedLately => role_refused(context, &refusal),
        Class::Throttled => again(
            context,
            Duration::ZERO,
            Wait::Throttled,
            "AWS asks for fewer calls in this account; the job goes on by itself.",
        ),
        Class::OverBudget(wait) => again(
            context,
            context.unscaled(wait),
            Wait::OverBudget,
            "The account's budget of AWS calls is used up for the moment; the job goes on by itself.",
        ),
        class if class.is_trouble() => trouble(context, &refusal),
        Class::ClusterNotFound => Verdict::Fail(not_found(
            "cluster",
            format!(
                "there is no cluster {} in {}",
                context.cluster, context.job.region
            ),
        )),
        Class::ProfileNotFound => Verdict::Fail(not_found(
            "profile",
            format!(
                "there is no Fargate profile {} on cluster {}",
                context.job.profile_name.as_deref().unwrap_or_default(),
                context.cluster
            ),
        )),
        class => Verdict::Fail(from_refusal(error_code(class), &refusal)),
    }
}

/// "Not found" without saying what, of a call about a part of the cluster: the cluster itself is
/// looked at. What other services don't find stays as it is.
pub(super) async fn told_apart(context: &Context<'_>, refusal: Refusal) -> Refusal {
    const PARTS: [&str; 6] = [
        "FargateProfile",
        "Nodegroup",
        "Addon",
        "AccessEntr",
        "PodIdentity",
        "IdentityProviderConfig",
    ];
    let of_cluster = PARTS.iter().any(|part| refusal.action.contains(part));
    if refusal.class != Class::NotFound || !of_cluster {
        return refusal;
    }
    match context.eks.cluster_status().await {
        Ok(_) if refusal.action.contains("FargateProfile") => Refusal {
            class: Class::ProfileNotFound,
            ..refusal
        },
        Ok(_) => refusal,
        Err(gone) if matches!(gone.class, Class::NotFound | Class::ClusterNotFound) => Refusal {
            class: Class::ClusterNotFound,
            ..gone
        },
        Err(other) => other,
    }
}

const fn error_code(class: Class) -> ErrorCode {
    match class {
        Class::LimitExceeded => ErrorCode::LimitExceeded,
        Class::NotPrivateSubnet => ErrorCode::NotPrivateSubnet,
        Class::UnsupportedZone => ErrorCode::UnsupportedZone,
        Class::RoleNotUsable => ErrorCode::RoleNotUsable,
        Class::AccessDenied => ErrorCode::AwsAccessDenied,
        Class::AssumeRoleFailed | Class::AssumeRoleFailedLately | Class::RegionDisabled => {
            ErrorCode::AwsAssumeRoleFailed
        }
        Class::OurFault => ErrorCode::Internal,
        Class::AlreadyExists => ErrorCode::AlreadyExists,
        Class::Protected => ErrorCode::Protected,
        Class::ClusterBusy | Class::NotActive | Class::NotEmpty => ErrorCode::Conflict,
        Class::Throttled | Class::OverBudget(_) => ErrorCode::Throttled,
        Class::ProfileNotFound | Class::ClusterNotFound | Class::NotFound => ErrorCode::NotFound,
        Class::InvalidParameter => ErrorCode::InvalidParameter,
        Class::SessionExpired
        | Class::Unavailable
        | Class::CircuitOpen(_)
        | Class::WorkerCredentials => ErrorCode::AwsUnavailable,
    }
}

/// Whether it may pass without anybody changing the account or the request.
pub(super) const fn passes(class: Class) -> bool {
    class.is_trouble()
        || matches!(
            class,
            Class::Throttled
                | Class::OverBudget(_)
                | Class::AssumeRoleFailed
                | Class::AssumeRoleFailedLately
        )
}

/// Trouble that is not of the job's making: the step again, with pauses that grow to minutes, until
/// the job's deadline.
fn trouble(context: &Context<'_>, refusal: &Refusal) -> Verdict {
    let cause = refusal.message.trim_end_matches('.');
    if context.job.last_look {
        return Verdict::Fail(out_of_time(context, refusal, cause));
    }
    let asked = context.job.accepted || context.lease.progress().asked;
    let message = match refusal.class {
        Class::SessionExpired => "Waits for a new session in the account.".to_owned(),
        _ if asked => format!(
            "AWS was asked for the change, but does not say what came of it: {cause}. The job looks \
             again by itself."
        ),
        _ => format!("Waits, because {cause}. The job goes on by itself."),
    };
    // A little after the probe's time: who comes too early is only sent away again.
    let after = match refusal.class {
        Class::CircuitOpen(wait) => context.unscaled(wait).mul_f64(1.25),
        _ => Duration::ZERO,
    };
    again(context, after, Wait::Trouble(cause.to_owned()), &message)
}

/// A read says what kept it; of a change the caller has to know that it was given up.
fn out_of_time(context: &Context<'_>, refusal: &Refusal, cause: &str) -> Failure {
    if !context.kind.is_mutation() {
        return from_refusal(ErrorCode::AwsUnavailable, refusal);
    }
    failure(
        ErrorCode::DeadlineExceeded,
        format!("the job's deadline passed while it waited: {cause}; retry the job"),
    )
}

/// The same step again; nothing was changed.
fn again(context: &Context<'_>, after: Duration, wait: Wait, message: &str) -> Verdict {
    let progress = context.lease.progress();
    Context::wait(after, (&progress.step, progress.step_data), wait, message)
}

/// The breaker counts what STS was asked.
async fn count_failure(context: &Context<'_>, refusal: &Refusal) {
    let account = &context.job.account_id;
    let counted = async {
        let mut connection = context.share.connection().await?;
        let (message, scale) = (&refusal.message, context.time_scale);
        breaker::role_failed(&mut *connection, account, message, scale).await
    };
    match counted.await {
        Ok(failed) if failed.parked => tracing::warn!(%refusal, "the account is parked"),
        Ok(_) => tracing::info!(%refusal, "the account's role could not be assumed"),
        Err(error) => tracing::warn!(%error, "counting a failure of the account's role"),
    }
}

/// A change keeps its place and waits, a read can't wait for a person.
fn role_refused(context: &Context<'_>, refusal: &Refusal) -> Verdict {
    if !context.kind.is_mutation() {
        let told = Refusal {
            message: format!(
                "the account's role could not be assumed; check that it exists and that its trust \
                 policy names the worker and the external id. AWS says: {}",
                refusal.message
            ),
            ..refusal.clone()
        };
        return Verdict::Fail(from_refusal(ErrorCode::AwsAssumeRoleFailed, &told));
    }
    let message = format!(
        "The account's role could not be assumed: {}. The job goes on when the role is mended.",
        refusal.message.trim_end_matches('.')
    );
    again(
        context,
        context.unscaled(ROLE_REFUSED),
        Wait::AccountParked,
        &message,
    )
}

/// A busy cluster: wait, for free, up to half an hour.
pub(super) fn busy(
    context: &Context<'_>,
    busy: Since,
    words: &str,
    resume: impl FnOnce(Since) -> (&'static str, serde_json::Value),
) -> Verdict {
    busy_for(context, (busy, LONGEST_BUSY), words, resume)
}

/// The same, up to another time of AWS's clock.
pub(super) fn busy_for(
    context: &Context<'_>,
    (busy, longest): (Since, Duration),
    words: &str,
    resume: impl FnOnce(Since) -> (&'static str, serde_json::Value),
) -> Verdict {
    let Some(next) = busy.again(context.job.claimed_at, context.scaled(longest)) else {
        let minutes = longest.as_secs() / 60;
        return Verdict::Fail(failure(
            ErrorCode::DeadlineExceeded,
            format!("the cluster has been busy for {minutes} minutes: {words}"),
        ));
    };
    let message = format!("Waits for the cluster, which is busy: {words}");
    Context::wait(
        BUSY.delay(busy.times),
        resume(next),
        Wait::ClusterBusy(words.to_owned()),
        message,
    )
}

/// What AWS is still at because a job of ours, with `wait=false`, did not follow it: asking for
/// another change meanwhile would only be refused.
pub(super) async fn still_deleting(context: &Context<'_>) -> Result<Option<String>, Verdict> {
    let job = context.job;
    let place = Place {
        account_id: job.account_id.clone(),
        region: job.region.clone(),
        cluster_name: context.cluster.to_owned(),
    };
    let left = context
        .reads
        .unfollowed_deletion(place)
        .await
        .map_err(|error| database_trouble(context.lease, &error))?;
    // The job's own profile is looked at anyway.
    let Some(name) = left.filter(|name| job.profile_name.as_ref() != Some(name)) else {
        return Ok(None);
    };
    match context.eks.profile(&name).await {
        Ok(profile) if profile.status.as_deref() == Some("DELETING") => {
            profile_state::told(context, &profile).await.map(Some)
        }
        // Whatever else may be wrong, the change itself will tell.
        _ => Ok(None),
    }
}

/// A role that EKS does not trust yet: IAM may still be spreading it.
pub(super) fn role_not_usable(
    context: &Context<'_>,
    spreading: Since,
    refusal: &Refusal,
    resume: impl FnOnce(Since) -> (&'static str, serde_json::Value),
) -> Verdict {
    let longest = context.scaled(LONGEST_PROPAGATION);
    let Some(next) = spreading.again(context.job.claimed_at, longest) else {
        return Verdict::Fail(from_refusal(ErrorCode::RoleNotUsable, refusal));
    };
    Context::wait(
        PROPAGATION.delay(spreading.times),
        resume(next),
        Wait::Retry,
        format!(
            "EKS can't use the pod execution role yet: {}",
            refusal.message
        ),
    )
}
