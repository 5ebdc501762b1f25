//! Ids and ARNs of what exists in an account: their form alone, since only AWS knows the rest.

use crate::domain::ids::Partition;
use crate::domain::invalid::{Invalid, quoted};

const MAX_ID: usize = 64;
const MAX_ARN: usize = 2048;

/// Whether a text is an id with this prefix. AWS's have 8 or 17 hexadecimal digits; examples and
/// simulators have others.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    let id = text.strip_prefix(prefix).unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !id.is_empty() && text.len() <= MAX_ID && id.bytes().all(allowed)
}

/// Tells an id that is none.
pub(super) fn check_id(text: &str, prefix: &str, at: &str, wrong: &mut Vec<Invalid>) {
    if !is_id(text, prefix) {
        let message = format!(
            "invalid id {}: expected one such as {prefix}0a1b2c3d4e5f60718",
            quoted(text)
        );
        wrong.push(Invalid::new(at, message));
    }
}

/// The parts of an ARN that are looked at.
pub(super) struct Arn<'a> {
    pub(super) region: &'a str,
    pub(super) resource: &'a str,
}

/// An ARN of a service, with an account of up to twelve digits and a resource of letters, digits and
/// punctuation that no template looks into.
pub(super) fn arn<'a>(text: &'a str, service: &str) -> Option<Arn<'a>> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, of, region, account, resource] = parts.as_slice() else {
        return None;
    };
    let digits = (1..=12).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_digit());
    let owner = digits || (*account == "aws" && service == "iam");
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@/-:".contains(&b);
    let fine = Partition::of_arn(partition).is_some()
        && *of == service
        && owner
        && text.len() <= MAX_ARN
        && !resource.is_empty()
        && resource.bytes().all(allowed);
    fine.then_some(Arn { region, resource })
}

/// Tells an ARN that is not of an IAM role or policy, as `kind` says.
pub(super) fn check_iam_arn(text: &str, kind: &str, at: &str, wrong: &mut Vec<Invalid>) {
    let found = arn(text, "iam").filter(|arn| arn.region.is_empty());
    let named = found.and_then(|arn| arn.resource.strip_prefix(kind)?.strip_prefix('/'));
    if named.is_none_or(str::is_empty) {
        let message = format!(
            "invalid ARN {}: expected arn:<partition>:iam::<account>:{kind}/<name>",
            quoted(text)
        );
        wrong.push(Invalid::new(at, message));
    }
}
