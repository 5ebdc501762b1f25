//! Failures as jobs keep them.

use serde_json::json;

use super::profile_state;
use crate::aws::{Refusal, denied};
use crate::domain::{ErrorCode, FargateProfile, JobError};
use crate::queue::Failure;

/// A failure in our own words.
pub(super) fn failure(code: ErrorCode, message: impl Into<String>) -> Failure {
    from_error(&JobError::new(code, message))
}

/// Something that is not there; `resource` says what.
pub(super) fn not_found(resource: &str, message: impl Into<String>) -> Failure {
    let mut error = JobError::new(ErrorCode::NotFound, message);
    error.resource = Some(resource.to_owned());
    from_error(&error)
}

/// A failure in AWS's words.
pub(super) fn from_refusal(code: ErrorCode, refusal: &Refusal) -> Failure {
    let mut error = JobError::new(code, &refusal.message);
    error.aws_request_id.clone_from(&refusal.request_id);
    from_error(&error)
}

/// CloudFormation gave up on a stack: for a right that is missing, or for something else. `message`
/// has its reasons.
pub(super) fn stack_failed(message: &str) -> Failure {
    if denied::is_denial(message) {
        return failure(
            ErrorCode::AwsAccessDenied,
            denied::with_remedy(message, None),
        );
    }
    failure(ErrorCode::NotStabilized, message)
}

/// AWS gave up on a profile; its health issues say why. `remedy` is the way out.
pub(super) fn not_stabilized(what: &str, profile: &FargateProfile, remedy: &str) -> Failure {
    let message = format!("{what} ({}); {remedy}", profile_state::reasons(profile));
    let failure = from_error(&JobError::new(ErrorCode::NotStabilized, message));
    with_health(failure, profile)
}

/// The same failure, with the health issues of the profile that it is about.
pub(super) fn with_health(failure: Failure, profile: &FargateProfile) -> Failure {
    let mut error = failure.error;
    if let Some(error) = error.as_object_mut()
        && !profile.health_issues.is_empty()
    {
        error.insert("healthIssues".to_owned(), json!(profile.health_issues));
    }
    Failure {
        message: failure.message,
        error,
    }
}

/// The first failure, which says what the others were.
pub(super) fn together(failures: Vec<Failure>) -> Option<Failure> {
    let mut failures = failures.into_iter();
    let first = failures.next()?;
    Some(failures.fold(first, |first, other| also_said(first, &other.message)))
}

/// The same failure, which says more, as long as there is room for it.
pub(super) fn also_said(failure: Failure, more: &str) -> Failure {
    const LONGEST: usize = 4_096;
    let message = format!("{}; {more}", failure.message.trim_end_matches('.'));
    let message: String = message.chars().take(LONGEST).collect();
    let mut error = failure.error;
    if let Some(error) = error.as_object_mut() {
        error.insert("message".to_owned(), json!(message));
    }
    Failure { message, error }
}

fn from_error(error: &JobError) -> Failure {
    Failure {
        message: error.message.clone(),
        error: json!(error),
    }
}
