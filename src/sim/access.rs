//! Whether a caller's session policy lets it do what it is about to do.
//!
//! The role itself may do everything: only a session policy narrows it.

use super::caller::Caller;
use super::error::AwsError;
use super::policy::{Decision, Request};

/// The services that a pod execution role may be said to be passed to.
const PASSED_TO: [&str; 3] = [
    "eks.amazonaws.com",
    "eks-fargate.amazonaws.com",
    "eks-fargate-pods.amazonaws.com",
];

/// Refuses with EKS's `AccessDeniedException` what the session policy does not allow.
pub(super) fn authorize(caller: &Caller, action: &str, resource: &str) -> Result<(), AwsError> {
    let policy = caller
        .session
        .as_ref()
        .and_then(|session| session.about.policy.as_ref());
    let Some(policy) = policy else { return Ok(()) };
    let region = [caller.region.as_str()];
    let account = [caller.account.as_str()];
    let mut context: Vec<(&str, &[&str])> = vec![
        ("aws:requestedregion", &region),
        ("aws:principalaccount", &account),
    ];
    if action == "iam:PassRole" {
        context.push(("iam:passedtoservice", &PASSED_TO));
    }
    let why = match policy.decide(&Request {
        action,
        resource,
        context: &context,
    }) {
        Decision::Allowed => return Ok(()),
        Decision::NotAllowed => format!("because no session policy allows the {action} action"),
        Decision::Denied => "with an explicit deny in a session policy".to_owned(),
    };
    let who = caller.arn();
    Err(AwsError::new(
        403,
        "AccessDeniedException",
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}"),
    ))
}
