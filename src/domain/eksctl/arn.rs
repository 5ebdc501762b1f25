//! ARNs as configs name them: looked at by their structure. Whether what they name is there, AWS tells.

use crate::domain::iam_name::is_named;
use crate::domain::ids::Partition;
use crate::domain::invalid::{Invalid, quoted};

/// The longest ARN, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// An ARN of IAM in parts.
struct OfIam<'a> {
    /// `aws` or digits.
    owner: &'a str,
    /// `role`, `user`, `policy`.
    kind: &'a str,
}

impl<'a> OfIam<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", owner, resource] = parts.as_slice() else {
            return None;
        };
        let (kind, name) = resource.split_once('/')?;
        // Braces would make CloudFormation look something up.
        let longest = if kind == "policy" { 128 } else { 64 };
        let sound = Partition::of_arn(partition).is_some()
            && text.len() <= MAX_LENGTH
            && !name.contains(['{', '}'])
            && is_named(name, longest);
        sound.then_some(Self { owner, kind })
    }

    fn is_of_an_account(&self) -> bool {
        (1..=12).contains(&self.owner.len()) && self.owner.bytes().all(|b| b.is_ascii_digit())
    }
}

/// What is wrong with the ARN of a role.
pub(in crate::domain) fn wrong_role(at: &str, arn: &str) -> Option<Invalid> {
    let role = OfIam::of(arn).filter(|arn| arn.kind == "role" && arn.is_of_an_account());
    let message = format!(
        "invalid role ARN {}: expected arn:<partition>:iam::<account>:role/<name>",
        quoted(arn)
    );
    role.is_none().then(|| Invalid::new(at, message))
}

/// What is wrong with the ARN of a role or a user.
pub(in crate::domain) fn wrong_principal(at: &str, arn: &str) -> Option<Invalid> {
    let principal =
        OfIam::of(arn).filter(|arn| matches!(arn.kind, "role" | "user") && arn.is_of_an_account());
    let message = format!(
        "invalid ARN {}: expected arn:<partition>:iam::<account>:role/<name>, or :user/<name>",
        quoted(arn)
    );
    principal.is_none().then(|| Invalid::new(at, message))
}

/// What is wrong with the ARN of a policy.
pub(in crate::domain) fn wrong_policy(at: &str, arn: &str) -> Option<Invalid> {
    let policy = OfIam::of(arn)
        .filter(|arn| arn.kind == "policy" && (arn.owner == "aws" || arn.is_of_an_account()));
    let message = format!(
        "invalid policy ARN {}: expected arn:<partition>:iam::<account or aws>:policy/<name>",
        quoted(arn)
    );
    policy.is_none().then(|| Invalid::new(at, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_known_by_their_structure() {
        for good in [
            "arn:aws:iam::123:role/already-created-role",
            "arn:aws-cn:iam::111111111111:role/team/app",
        ] {
            assert_eq!(wrong_role("", good), None, "{good}");
            assert_eq!(wrong_principal("", good), None, "{good}");
        }
        for bad in [
            "",
            "role/app",
            "arn:aws:iam::account:role/app",
            "arn:aws:iam::aws:role/app",
            "arn:aws:iam::1234567890123:role/app",
            "arn:aws:iam::1:user/app",
            "arn:aws:iam:1:role/app",
            "arn:oracle:iam::1:role/app",
            "arn:aws:iam::1:role/",
            "arn:aws:iam::1:role//app",
            "arn:aws:iam::1:role/../app",
            "arn:aws:iam::1:role/*",
            "arn:aws:iam::1:role/{{resolve:ssm:x}}",
        ] {
            assert!(wrong_role("", bad).is_some(), "{bad}");
        }
        assert_eq!(wrong_principal("", "arn:aws:iam::1:user/app"), None);
        assert!(wrong_principal("", "arn:aws:iam::1:group/app").is_some());
        for good in [
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
            "arn:aws:iam::11111:policy/entity/boundary",
            "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
        ] {
            assert_eq!(wrong_policy("", good), None, "{good}");
        }
        for bad in [
            "arn:aws:iam:11111:policy/entity/boundary",
            "arn:aws:iam::account:policy/x",
            "arn:aws:s3:::bucket",
        ] {
            assert!(wrong_policy("", bad).is_some(), "{bad}");
        }
    }
}
