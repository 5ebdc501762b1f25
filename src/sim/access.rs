//! Whether the policies of a caller's role and session let it do what it is about to do.
//!
//! A role of which nothing was said may do everything: then only a session policy narrows it.

use super::caller::Caller;
use super::error::AwsError;
use super::policy::{Decision, Request};

/// The services that a pod execution role may be said to be passed to.
const PASSED_TO: [&str; 3] = [
    "eks.amazonaws.com",
    "eks-fargate.amazonaws.com",
    "eks-fargate-pods.amazonaws.com",
];

/// What the ARNs of service-linked roles have in front of the service's name.
const SERVICE_LINKED: &str = ":role/aws-service-role/";

/// Refuses with EKS's `AccessDeniedException` what the role's or the session's policies don't allow.
pub(super) fn authorize(caller: &Caller, action: &str, resource: &str) -> Result<(), AwsError> {
    let Some(session) = &caller.session else {
        return Ok(());
    };
    let region = [caller.region.as_str()];
    let account = [caller.account.as_str()];
    let mut context: Vec<(&str, &[&str])> = vec![
        ("aws:requestedregion", &region),
        ("aws:principalaccount", &account),
    ];
    let service = service_of_linked_role(resource);
    let service = service.as_slice();
    match action {
        "iam:PassRole" => context.push(("iam:passedtoservice", &PASSED_TO)),
        "iam:CreateServiceLinkedRole" if !service.is_empty() => {
            context.push(("iam:awsservicename", service));
        }
        _ => {}
    }
    let request = Request {
        action,
        resource,
        context: &context,
    };
    let by_role = caller.role.as_ref().map(|role| role.decide(&request));
    let by_session = session.about.policy.as_ref();
    let by_session = by_session.map(|policy| policy.decide(&request));
    let why = match (by_role, by_session) {
        (Some(Decision::Denied), _) => {
            "with an explicit deny in an identity-based policy".to_owned()
        }
        (_, Some(Decision::Denied)) => "with an explicit deny in a session policy".to_owned(),
        (Some(Decision::NotAllowed), _) => {
            format!("because no identity-based policy allows the {action} action")
        }
        (_, Some(Decision::NotAllowed)) => {
            format!("because no session policy allows the {action} action")
        }
        _ => return Ok(()),
    };
    let who = caller.arn();
    Err(AwsError::new(
        403,
        "AccessDeniedException",
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}"),
    ))
}

fn service_of_linked_role(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(SERVICE_LINKED)?;
    rest.split('/').next()
}
