//! What each service says to a request that breaks its model: its own code, its own sentence.

use super::super::error::AwsError;
use super::super::query::Service;
use super::check::{Broken, Rule};

/// The answer of a service of the Query protocol, or of EC2.
pub(super) fn refusal(service: Service, broken: &[Broken]) -> AwsError {
    match broken.first() {
        Some(first) if service == Service::Ec2 => of_ec2(first),
        _ => AwsError::new(400, "ValidationError", sentence(broken, camel)),
    }
}

/// EKS names members as its requests do. Its tagging actions have a code of their own.
pub(super) fn of_eks(code: &str, broken: &[Broken]) -> AwsError {
    AwsError::new(400, code, sentence(broken, str::to_owned))
}

/// A field that can't be read as what it should be.
pub(super) fn unreadable(service: Service, at: &str, text: &str) -> AwsError {
    let text: String = text.chars().take(100).collect();
    if service == Service::Ec2 {
        let at = camel(at);
        return invalid_value(format!("Value ({text}) for parameter {at} is invalid."));
    }
    malformed(format!("Could not read '{text}' at {at}"))
}

/// Fields below one that has a value of its own.
pub(super) fn nested(service: Service, at: &str) -> AwsError {
    if service == Service::Ec2 {
        let why = format!("The parameter {at} may only be specified once.");
        return AwsError::new(400, "InvalidParameterCombination", why);
    }
    malformed("Start of structure or map found where not expected.".to_owned())
}

fn malformed(why: String) -> AwsError {
    AwsError::new(400, "MalformedInput", why)
}

fn invalid_value(why: String) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", why)
}

fn sentence(broken: &[Broken], name: impl Fn(&str) -> String) -> String {
    let each: Vec<String> = broken
        .iter()
        .map(|one| {
            let path: Vec<String> = one.path.split('.').map(&name).collect();
            let (path, rule) = (path.join("."), &one.rule);
            match &one.value {
                Some(value) => {
                    format!("Value '{value}' at '{path}' failed to satisfy constraint: {rule}")
                }
                None => format!("Value null at '{path}' failed to satisfy constraint: {rule}"),
            }
        })
        .collect();
    let (count, errors) = match each.len() {
        1 => (1, "error"),
        count => (count, "errors"),
    };
    format!("{count} validation {errors} detected: {}", each.join("; "))
}

/// EC2 tells the first thing alone.
fn of_ec2(broken: &Broken) -> AwsError {
    let member: Vec<String> = broken.path.split('.').map(camel).collect();
    let member = member.join(".");
    let value = broken.value.as_deref().unwrap_or_default();
    match broken.kind {
        Rule::Required => {
            let why = format!("The request must contain the parameter {member}");
            AwsError::new(400, "MissingParameter", why)
        }
        Rule::AtLeast(min) => invalid_value(format!(
            "Value ( {value} ) for parameter {member} is invalid. Expecting a value greater than or equal to {min}."
        )),
        Rule::AtMost(max) => invalid_value(format!(
            "Value ( {value} ) for parameter {member} is invalid. Expecting a value less than or equal to {max}."
        )),
        Rule::Other => invalid_value(format!(
            "Value ({value}) for parameter {member} is invalid."
        )),
    }
}

/// `RoleSessionName` is `roleSessionName` in sentences.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}
