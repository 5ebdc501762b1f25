//! A right that is missing: known by AWS's words, whatever the exception, and what mends it.
//!
//! EKS says it in `InvalidRequestException` when it acts for the caller, CloudFormation in the reason
//! of a resource's status, EC2 without a name of the right.

use std::fmt::Write as _;

/// Words by which AWS says that a right is missing, in lower case.
const WORDS: [&str; 16] = [
    "access denied",
    "accessdenied",
    "authorization failure",
    "does not have permission",
    "doesn't have permission",
    "do not have permission",
    "do not have sufficient permission",
    "don't have permission",
    "explicit deny",
    "insufficient permission",
    "insufficient privileges",
    "lacks permission",
    "missing permission",
    "not authorized",
    "not have the required permission",
    "unauthorizedoperation",
];

/// Which policy refuses, by AWS's words for it, and what mends it.
const POLICIES: [(&str, &str); 7] = [
    (
        "session policy",
        "the session policy that this service gives the job leaves it out (docs/accounts.md, \"What a \
         session may do\"): report it, the account's policies can't mend it",
    ),
    (
        "session policies",
        "the session policy that this service gives the job leaves it out (docs/accounts.md, \"What a \
         session may do\"): report it, the account's policies can't mend it",
    ),
    (
        "permissions boundary",
        "the permissions boundary of the account's role leaves it out: have the boundary allow it",
    ),
    (
        "service control polic",
        "a service control policy of the organization forbids it: have whoever keeps the \
         organization's policies allow it for the account's role",
    ),
    (
        "resource control polic",
        "a resource control policy of the organization forbids it: have whoever keeps the \
         organization's policies allow it for the account's role",
    ),
    (
        "vpc endpoint polic",
        "the policy of the VPC endpoint that the worker calls through leaves it out: have it allow it",
    ),
    (
        "explicit deny in a resource-based policy",
        "a policy of the resource itself forbids it: take the Deny out, or except the account's role",
    ),
];

/// Whether the words say that a right is missing.
#[must_use]
pub fn is_denial(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    WORDS.iter().any(|one| words.contains(one))
}

/// The words with what mends it. `action` is the call that was made, for words that name no right.
#[must_use]
pub fn with_remedy(words: &str, action: Option<&str>) -> String {
    let lower = words.to_ascii_lowercase();
    let mut told = words.trim_end_matches(['.', ' ']).to_owned();
    let right = right(words).or(action);
    // Writing to a text can't fail.
    let _ = match right {
        Some(right) => write!(told, ". The missing permission is {right}: "),
        None => write!(told, ". A permission is missing: "),
    };
    let policy = POLICIES.iter().find(|(policy, _)| lower.contains(policy));
    match policy {
        Some((_, remedy)) => told.push_str(remedy),
        None if lower.contains("explicit deny in an identity-based policy") => told.push_str(
            "a policy of the account's role forbids it: take the Deny out (docs/accounts.md, \"Create \
             the role there\")",
        ),
        None => told.push_str(
            "allow it in the permissions policy of the account's role (docs/accounts.md, \"Create the \
             role there\")",
        ),
    }
    if lower.contains("encoded authorization failure message") {
        told.push_str("; `aws sts decode-authorization-message` says what was asked for");
    }
    told.push('.');
    told
}

/// The first `service:Action` in a text.
fn right(words: &str) -> Option<&str> {
    let outside = |c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-';
    words.split(outside).find(|word| {
        word.split_once(':').is_some_and(|(service, action)| {
            let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            !service.is_empty()
                && service.bytes().all(lower)
                && action.starts_with(|first: char| first.is_ascii_uppercase())
                && action.len() > 2
                && action.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "arn:aws:sts::111111111111:assumed-role/fargate-fleet/job-1";

    /// What AWS was seen to say, the right it is about, and a part of what mends it.
    const SEEN: &[(&str, &str, &str)] = &[
        (
            "Failed to validate if SLR: AWSServiceRoleForAmazonEKSForFargate already exists due to \
             missing permissions for 'iam:GetRole'",
            "iam:GetRole",
            "permissions policy of the account's role",
        ),
        (
            "Missing permissions for `ec2:DescribeSubnets`",
            "ec2:DescribeSubnets",
            "permissions policy of the account's role",
        ),
        (
            "You are not authorized to perform this operation.",
            "DescribeSubnets",
            "permissions policy of the account's role",
        ),
        (
            "You are not authorized to perform this operation. User: {who} is not authorized to \
             perform: ec2:DescribeSubnets because no identity-based policy allows the \
             ec2:DescribeSubnets action",
            "ec2:DescribeSubnets",
            "permissions policy of the account's role",
        ),
        (
            "You are not authorized to perform this operation. Encoded authorization failure \
             message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdef",
            "DescribeSubnets",
            "decode-authorization-message",
        ),
        (
            "User: {who} is not authorized to perform: iam:CreateRole on resource: \
             arn:aws:iam::111111111111:role/eksctl-x because no session policy allows the \
             iam:CreateRole action",
            "iam:CreateRole",
            "session policy that this service gives",
        ),
        (
            "User: {who} is not authorized to perform: eks:CreateCluster on resource: \
             arn:aws:eks:eu-west-1:111111111111:cluster/x with an explicit deny in a service control \
             policy",
            "eks:CreateCluster",
            "service control policy of the organization",
        ),
        (
            "User: {who} is not authorized to perform: eks:CreateCluster on resource: \
             arn:aws:eks:eu-west-1:111111111111:cluster/x because no service control policy allows \
             the eks:CreateCluster action",
            "eks:CreateCluster",
            "service control policy of the organization",
        ),
        (
            "User: {who} is not authorized to perform: iam:PassRole on resource: \
             arn:aws:iam::111111111111:role/pods because no permissions boundary allows the \
             iam:PassRole action",
            "iam:PassRole",
            "permissions boundary of the account's role",
        ),
        (
            "User: {who} is not authorized to perform: kms:Decrypt on resource: x with an explicit \
             deny in a resource control policy",
            "kms:Decrypt",
            "resource control policy of the organization",
        ),
        (
            "User: {who} is not authorized to perform: eks:DescribeCluster on resource: x because no \
             VPC endpoint policy allows the eks:DescribeCluster action",
            "eks:DescribeCluster",
            "VPC endpoint",
        ),
        (
            "User: {who} is not authorized to perform: eks:DeleteCluster on resource: x with an \
             explicit deny in an identity-based policy",
            "eks:DeleteCluster",
            "take the Deny out",
        ),
        (
            "Resource handler returned message: \"User: {who} is not authorized to perform: \
             iam:CreateRole on resource: arn:aws:iam::111111111111:role/eksctl-x because no \
             identity-based policy allows the iam:CreateRole action (Service: Iam, Status Code: 403, \
             Request ID: 1-2)\" (RequestToken: 3-4, HandlerErrorCode: AccessDenied)",
            "iam:CreateRole",
            "permissions policy of the account's role",
        ),
        (
            "API: ec2:allocateAddress You are not authorized to perform this operation.",
            "AllocateAddress",
            "permissions policy of the account's role",
        ),
        (
            "API: iam:CreateRole Access denied for operation.",
            "iam:CreateRole",
            "permissions policy of the account's role",
        ),
        (
            "You do not have permissions to access the resource",
            "DescribeSubnets",
            "permissions policy of the account's role",
        ),
        (
            "Insufficient permissions to describe Launch Template",
            "DescribeSubnets",
            "permissions policy of the account's role",
        ),
    ];

    #[test]
    fn every_way_of_saying_no_is_known_with_its_right_and_its_remedy() {
        for (words, right_of_it, remedy) in SEEN {
            let words = words.replace("{who}", WHO);
            assert!(is_denial(&words), "{words}");
            let action = if right_of_it.contains(':') {
                "Other"
            } else {
                right_of_it
            };
            let told = with_remedy(&words, Some(action));
            assert!(told.starts_with(words.trim_end_matches('.')), "{told}");
            let missing = format!("The missing permission is {right_of_it}: ");
            assert!(told.contains(&missing), "{told}");
            assert!(told.contains(remedy), "{told}");
        }
    }

    #[test]
    fn other_refusals_are_none() {
        for words in [
            "Subnet subnet-1 provided in Fargate Profile is not a private subnet",
            "Misconfigured PodExecutionRole Trust Policy; Please add the \
             eks-fargate-pods.amazonaws.com Service Principal",
            "Stack with id x does not exist",
            "The policy arn:aws:iam::aws:policy/X does not exist or is not attachable.",
            "No Fargate Profile found with name: authorized",
        ] {
            assert!(!is_denial(words), "{words}");
        }
    }

    #[test]
    fn arns_are_no_rights() {
        assert_eq!(right("arn:aws:iam::111111111111:role/Admin is Bad"), None);
        assert_eq!(
            right("User: x to perform: eks:TagResource."),
            Some("eks:TagResource")
        );
        assert_eq!(right("HTTP:404, port 80:443"), None);
    }
}
