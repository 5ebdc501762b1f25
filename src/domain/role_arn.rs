//! Role ARNs, and what can be read out of one.

use super::iam_name::is_named;
use super::ids::{AccountId, Partition, Region};
use super::macros::text_newtype;

/// The role that the fleet assumes in an account unless the account names another.
const FLEET_ROLE: &str = "fargate-fleet";
/// The longest name of a role.
const MAX_NAME: usize = 64;

text_newtype! {
    /// The ARN of an IAM role.
    RoleArn {
        what: "role ARN",
        expected: "arn:<partition>:iam::<12 digits>:role/<name>, at most 2048 characters",
        max_length: 2048,
        pattern: "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::[0-9]{12}:role/([!-)+-.0-9;->@-~]*[!-)+,\\-0-9;->@-~][!-)+-.0-9;->@-~]*/)*[A-Za-z0-9_+=,.@-]{1,64}$",
        example: "arn:aws:iam::111111111111:role/fargate-pod-execution",
    }
}

impl RoleArn {
    fn check(text: &str) -> bool {
        text.len() <= Self::MAX_LENGTH && RoleArnParts::of(text).is_some()
    }

    /// The account the role lives in.
    #[must_use]
    pub fn account(&self) -> AccountId {
        let parts = RoleArnParts::of(&self.0);
        parts.map_or_else(AccountId::zero, |parts| parts.account)
    }

    /// The partition the role lives in.
    #[must_use]
    pub fn partition(&self) -> Partition {
        RoleArnParts::of(&self.0).map_or(Partition::Aws, |parts| parts.partition)
    }

    /// The role's name, without its path.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the role has a path other than `/`, which a pod execution role must not have.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.0.matches('/').count() > 1
    }
}

struct RoleArnParts {
    partition: Partition,
    account: AccountId,
}

impl RoleArnParts {
    fn of(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(":iam::")?;
        let (account, role) = rest.split_once(":role/")?;
        let partition = Partition::of_arn(partition)?;
        let account = AccountId::parse(account).ok()?;
        let fine = is_named(role, MAX_NAME);
        fine.then_some(Self { partition, account })
    }
}

/// The role that the fleet assumes in an account which names none: `fargate-fleet`, in the
/// partition of the account's regions.
#[must_use]
pub fn role_arn_default(account: &AccountId, region: &Region) -> RoleArn {
    let partition = region.partition();
    RoleArn(format!("arn:{partition}:iam::{account}:role/{FLEET_ROLE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_gives_its_parts() {
        let arn = RoleArn::parse("arn:aws-cn:iam::123456789012:role/team/x/pods").unwrap();
        assert_eq!(arn.account().as_str(), "123456789012");
        assert_eq!(arn.partition(), Partition::AwsCn);
        assert_eq!(arn.role_name(), "pods");
        assert!(arn.has_path());
        assert!(
            !RoleArn::parse("arn:aws:iam::123456789012:role/pods")
                .unwrap()
                .has_path()
        );
    }

    #[test]
    fn what_is_not_a_role_is_refused() {
        for bad in [
            "",
            "pods",
            "arn:aws:iam::123:role/pods",
            "arn:aws:iam::123456789012:user/pods",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role//pods",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/../x",
            "arn:aws:iam::123456789012:role/a:role/b",
            "arn:mars:iam::123456789012:role/pods",
            "arn:aws:eks:eu-central-1:123456789012:cluster/x",
        ] {
            assert!(RoleArn::parse(bad).is_err(), "{bad}");
        }
        let long = format!("arn:aws:iam::123456789012:role/{}x", "p/".repeat(1100));
        assert!(RoleArn::parse(long).is_err());
    }

    #[test]
    fn the_default_role_is_in_the_partition_of_the_region() {
        let account = AccountId::parse("111111111111").unwrap();
        for (region, arn) in [
            (
                "eu-central-1",
                "arn:aws:iam::111111111111:role/fargate-fleet",
            ),
            (
                "cn-north-1",
                "arn:aws-cn:iam::111111111111:role/fargate-fleet",
            ),
            (
                "us-gov-west-1",
                "arn:aws-us-gov:iam::111111111111:role/fargate-fleet",
            ),
            (
                "eusc-de-east-1",
                "arn:aws-eusc:iam::111111111111:role/fargate-fleet",
            ),
            (
                "us-isob-east-1",
                "arn:aws-iso-b:iam::111111111111:role/fargate-fleet",
            ),
        ] {
            let region = Region::parse(region).unwrap();
            assert_eq!(role_arn_default(&account, &region).as_str(), arn);
            assert!(RoleArn::parse(arn).is_ok());
        }
    }
}
