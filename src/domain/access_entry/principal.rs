//! The ARN of an IAM principal, and what can be read out of one.

use crate::domain::iam_name::is_named;
use crate::domain::macros::text_newtype;

/// The longest name of a role or a user.
const MAX_NAME: usize = 64;

text_newtype! {
    /// The ARN of an IAM principal: a role, a user, or the root of an account.
    PrincipalArn {
        what: "principal ARN",
        expected: "the ARN of an IAM role or user, such as arn:aws:iam::<12 digits>:role/<name> (a role itself, not a session of it), at most 2048 characters",
        max_length: 2048,
        pattern: "^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/([!-)+-.0-9;->@-~]*[!-)+,\\-0-9;->@-~][!-)+-.0-9;->@-~]*/)*[A-Za-z0-9_+=,.@-]{1,64})$",
        example: "arn:aws:iam::111111111111:role/platform-admins",
    }
}

impl PrincipalArn {
    fn check(text: &str) -> bool {
        text.len() <= Self::MAX_LENGTH && Parts::of(text).is_some()
    }

    /// The partition, as ARNs spell it.
    #[must_use]
    pub fn partition(&self) -> &str {
        Parts::of(&self.0).map_or("", |parts| parts.partition)
    }

    /// The account it is of.
    #[must_use]
    pub fn account(&self) -> &str {
        Parts::of(&self.0).map_or("", |parts| parts.account)
    }

    /// Whether it is a role.
    #[must_use]
    pub fn is_role(&self) -> bool {
        Parts::of(&self.0).is_some_and(|parts| parts.resource.starts_with("role/"))
    }

    /// Whether it is a role that belongs to a service of AWS.
    #[must_use]
    pub fn is_service_linked(&self) -> bool {
        let service = |parts: Parts<'_>| parts.resource.starts_with("role/aws-service-role/");
        Parts::of(&self.0).is_some_and(service)
    }

    /// The name that EKS gives a principal of type `STANDARD` in Kubernetes; none where that is not
    /// known.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        let parts = Parts::of(&self.0)?;
        let (partition, account) = (parts.partition, parts.account);
        let (kind, path) = parts.resource.split_once('/')?;
        let name = path.rsplit('/').next()?;
        Some(match kind {
            "role" => {
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
            }
            _ => self.0.clone(),
        })
    }
}

struct Parts<'a> {
    partition: &'a str,
    account: &'a str,
    /// `root`, `role/path/name` or `user/path/name`.
    resource: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(":iam::")?;
        let (account, resource) = rest.split_once(':')?;
        let known = partition.starts_with("aws")
            && partition
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-');
        let owned = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (known && owned && is_principal(resource)).then_some(Self {
            partition,
            account,
            resource,
        })
    }
}

fn is_principal(resource: &str) -> bool {
    if resource == "root" {
        return true;
    }
    let Some(("role" | "user", path)) = resource.split_once('/') else {
        return false;
    };
    is_named(path, MAX_NAME)
}
