//! The names things go by: accounts, regions, clusters, profiles, roles.
//!
//! Each is its own type over a private string, so a value in hand has been checked.

use super::macros::text_newtype;
use serde::{Deserialize, Serialize};

text_newtype! {
    /// An AWS account: twelve digits.
    AccountId {
        what: "AWS account id",
        expected: "exactly 12 digits",
        max_length: 12,
        pattern: "^[0-9]{12}$",
        example: "111111111111",
    }
}

impl AccountId {
    fn check(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    }

    /// A stand-in that names no account; for code that must not fail on an invariant.
    pub(super) fn zero() -> Self {
        Self("000000000000".to_owned())
    }
}

text_newtype! {
    /// An AWS region, such as `eu-central-1`.
    Region {
        what: "AWS region",
        expected: "a region such as eu-central-1",
        max_length: 32,
        pattern: "^[a-z]{2,4}(-[a-z]+)+-[0-9]+$",
        example: "eu-central-1",
    }
}

impl Region {
    fn check(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        let [first, words @ .., number] = parts.as_slice() else {
            return false;
        };
        let lower = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        text.len() <= Self::MAX_LENGTH
            && (2..=4).contains(&first.len())
            && lower(first)
            && !words.is_empty()
            && words.iter().all(|word| lower(word))
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    }

    /// The partition the region belongs to.
    #[must_use]
    pub fn partition(&self) -> Partition {
        const BY_BEGINNING: [(&str, Partition); 7] = [
            ("cn-", Partition::AwsCn),
            ("us-gov-", Partition::AwsUsGov),
            ("eusc-", Partition::AwsEusc),
            ("us-iso-", Partition::AwsIso),
            ("us-isob-", Partition::AwsIsoB),
            ("eu-isoe-", Partition::AwsIsoE),
            ("us-isof-", Partition::AwsIsoF),
        ];
        BY_BEGINNING
            .into_iter()
            .find(|(beginning, _)| self.0.starts_with(beginning))
            .map_or(Partition::Aws, |(_, partition)| partition)
    }

    /// Whether an account has to enable the region before anybody can work in it. AWS has made all
    /// its newer regions so.
    #[must_use]
    pub fn is_opt_in(&self) -> bool {
        const ALWAYS_ENABLED: [&str; 17] = [
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-southeast-1",
            "ap-southeast-2",
            "ca-central-1",
            "eu-central-1",
            "eu-north-1",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ];
        self.partition() == Partition::Aws && !ALWAYS_ENABLED.contains(&self.as_str())
    }
}

/// One of AWS's separate worlds. ARNs, and so roles, never cross from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// The commercial regions.
    #[serde(rename = "aws")]
    Aws,
    /// The regions in China.
    #[serde(rename = "aws-cn")]
    AwsCn,
    /// AWS `GovCloud` (US).
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    /// The European Sovereign Cloud.
    #[serde(rename = "aws-eusc")]
    AwsEusc,
    /// Isolated regions.
    #[serde(rename = "aws-iso")]
    AwsIso,
    /// Isolated regions.
    #[serde(rename = "aws-iso-b")]
    AwsIsoB,
    /// Isolated regions.
    #[serde(rename = "aws-iso-e")]
    AwsIsoE,
    /// Isolated regions.
    #[serde(rename = "aws-iso-f")]
    AwsIsoF,
}

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
    ];

    /// The partition as ARNs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
        }
    }

    /// The partition that ARNs spell so.
    #[must_use]
    pub fn of_arn(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

text_newtype! {
    /// An EKS cluster's name.
    ClusterName {
        what: "cluster name",
        expected: "1 to 100 letters, digits, - or _, starting with a letter or digit",
        max_length: 100,
        pattern: "^[0-9A-Za-z][A-Za-z0-9_-]*$",
        example: "prod-1",
    }
}

impl ClusterName {
    fn check(text: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.as_bytes()[0].is_ascii_alphanumeric()
            && text.bytes().all(allowed)
    }
}

text_newtype! {
    /// A Fargate profile's name. EKS's model bounds only the length; we also refuse what cannot
    /// stand in a path or a table. The prefix `eks-` is refused only for profiles we create,
    /// since clusters may hold such profiles already.
    ProfileName {
        what: "Fargate profile name",
        expected: "1 to 100 characters without whitespace, control characters or /",
        max_length: 100,
        pattern: "^[^\\s/\\x00-\\x1F\\x7F-\\x9F]+$",
        example: "fp-default",
    }
}

impl ProfileName {
    fn check(text: &str) -> bool {
        let allowed = |c: char| !c.is_control() && !c.is_whitespace() && c != '/';
        // `.` and `..` vanish from URLs before a server sees them.
        (1..=Self::MAX_LENGTH).contains(&text.chars().count())
            && text.chars().all(allowed)
            && text != "."
            && text != ".."
    }

    /// A name that this crate made itself.
    pub(super) fn trusted(text: String) -> Self {
        debug_assert!(Self::check(&text), "{text}");
        Self(text)
    }
}

text_newtype! {
    /// The secret half of the trust in an account's role; both sides must know it.
    ExternalId {
        what: "external id",
        expected: "2 to 1224 letters, digits or any of _+=,.@:/-",
        max_length: 1224,
        pattern: "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
        example: "fleet-0197f6e2a1b07c3d",
    }
}

impl ExternalId {
    /// One that this crate made itself, of characters that any external id may have.
    pub(super) fn minted(hex: &str) -> Self {
        let text = format!("fleet-{hex}");
        debug_assert!(Self::check(&text), "{text}");
        Self(text)
    }

    fn check(text: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
        (2..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed)
    }
}

#[cfg(test)]
mod tests;
