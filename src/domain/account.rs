//! What an account's record may hold: its name, labels, regions and state.

use super::access_entry::{MAX_CLUSTER_ADMINS, PrincipalArn};
use super::eksctl::checks::wrong_policy_arn;
use super::ids::{ExternalId, Partition, Region};
use super::invalid::{Invalid, pointer_token};
use super::macros::{open_enum, text_newtype};
use std::collections::BTreeMap;

/// The most labels on an account.
pub const MAX_LABELS: usize = 50;
/// The longest label key, in characters.
pub const MAX_LABEL_KEY: usize = 63;
/// The longest label value, in characters.
pub const MAX_LABEL_VALUE: usize = 256;
/// The most regions of an account.
pub const MAX_REGIONS: usize = 50;

text_newtype! {
    /// What people call an account.
    AccountName {
        what: "account name",
        expected: "1 to 100 printable characters, not only spaces",
        max_length: 100,
        pattern: "^[^\\x00-\\x1F\\x7F-\\x9F]*[^\\s\\x00-\\x1F\\x7F-\\x9F][^\\x00-\\x1F\\x7F-\\x9F]*$",
        example: "payments-production",
    }
}

impl AccountName {
    fn check(text: &str) -> bool {
        (1..=Self::MAX_LENGTH).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && !text.trim().is_empty()
    }
}

open_enum! {
    /// Whether the fleet works in an account.
    AccountState as "account state" {
        /// Jobs run.
        Active => "active",
        /// The role can't be assumed; jobs wait until it can.
        Parked => "parked",
        /// An administrator stopped all work.
        Disabled => "disabled",
    }
}

/// A new external id: `fleet-` and 160 random bits in hexadecimal.
#[must_use]
pub fn minted_external_id(random: [u8; 20]) -> ExternalId {
    let hex = random
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    ExternalId::minted(&hex)
}

/// Checks an account's labels; pointers start at `/labels`.
pub fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Vec<Invalid>> {
    let mut wrong = Vec::new();
    if labels.len() > MAX_LABELS {
        wrong.push(Invalid::new(
            "/labels",
            format!("at most {MAX_LABELS} labels"),
        ));
    }
    for (key, value) in labels {
        let pointer = format!("/labels/{}", pointer_token(key));
        if key.is_empty() || key.chars().count() > MAX_LABEL_KEY || has_control(key) {
            let message = format!("a label's key has 1 to {MAX_LABEL_KEY} printable characters");
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if value.chars().count() > MAX_LABEL_VALUE || has_control(value) {
            let message =
                format!("a label's value has at most {MAX_LABEL_VALUE} printable characters");
            wrong.push(Invalid::new(pointer, message));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Checks an account's regions: 1 to 50, none twice, all in one partition (an account lives in
/// exactly one); pointers start at `/regions`.
pub fn check_regions(regions: &[Region]) -> Result<(), Vec<Invalid>> {
    let mut wrong = Vec::new();
    if regions.is_empty() || regions.len() > MAX_REGIONS {
        let message = format!("an account has 1 to {MAX_REGIONS} regions");
        return Err(vec![Invalid::new("/regions", message)]);
    }
    for (i, region) in regions.iter().enumerate() {
        let pointer = format!("/regions/{i}");
        if regions[..i].contains(region) {
            wrong.push(Invalid::new(pointer, format!("{region} is listed twice")));
        } else if region.partition() != regions[0].partition() {
            let message = format!(
                "{region} is in partition {}, {} in {}: an account has only one",
                region.partition(),
                regions[0],
                regions[0].partition()
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Checks an account's cluster admins: 20 at most, none twice, all in the account's partition;
/// pointers start at `/clusterAdminARNs`.
#[must_use]
pub fn wrong_cluster_admins(admins: &[PrincipalArn], partition: Partition) -> Vec<Invalid> {
    const AT: &str = "/clusterAdminARNs";
    if admins.len() > MAX_CLUSTER_ADMINS {
        let message = format!("an account has at most {MAX_CLUSTER_ADMINS} cluster admins");
        return vec![Invalid::new(AT, message)];
    }
    let mut wrong = Vec::new();
    for (i, admin) in admins.iter().enumerate() {
        let message = if admins[..i].contains(admin) {
            format!("{admin} is listed twice")
        } else if admin.partition() != partition.as_str() {
            format!("{admin} is not in the partition of the account, {partition}")
        } else if admin.is_service_linked() {
            format!("{admin} is a service-linked role, which can't be made an admin")
        } else {
            continue;
        };
        wrong.push(Invalid::new(format!("{AT}/{i}"), message));
    }
    wrong
}

/// What is wrong with a permissions boundary in an account: it has to be a policy of that account, or
/// one of AWS's, in its partition.
#[must_use]
pub fn wrong_boundary(
    at: &str,
    arn: &str,
    account_id: &str,
    partition: Partition,
) -> Option<Invalid> {
    let wrong = wrong_policy_arn(at, arn);
    if wrong.is_some() {
        return wrong;
    }
    let own = format!("arn:{partition}:iam::{account_id}:policy/");
    let of_aws = format!("arn:{partition}:iam::aws:policy/");
    let fits = arn.starts_with(&own) || arn.starts_with(&of_aws);
    let message = format!(
        "the policy {arn} can't bound a role of account {account_id}: one of {own}... is needed"
    );
    (!fits).then(|| Invalid::new(at, message))
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(names: &[&str]) -> Vec<Region> {
        names
            .iter()
            .map(|name| Region::parse(*name).unwrap())
            .collect()
    }

    #[test]
    fn an_account_has_regions_of_one_partition_each_once() {
        assert!(check_regions(&regions(&["eu-central-1", "us-east-1"])).is_ok());
        assert!(check_regions(&[]).is_err());
        let twice = check_regions(&regions(&["eu-central-1", "eu-central-1"])).unwrap_err();
        assert_eq!(
            twice[0],
            Invalid::new("/regions/1", "eu-central-1 is listed twice")
        );
        let mixed = check_regions(&regions(&["eu-central-1", "cn-north-1"])).unwrap_err();
        assert_eq!(mixed[0].pointer, "/regions/1");
    }

    #[test]
    fn labels_are_bounded() {
        let labels = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert!(check_labels(&labels("team", "")).is_ok());
        assert!(check_labels(&labels("", "x")).is_err());
        assert!(check_labels(&labels(&"k".repeat(64), "x")).is_err());
        assert!(
            check_labels(&labels("a/b", &"v".repeat(257))).unwrap_err()[0].pointer
                == "/labels/a~1b"
        );
        let many = (0..51).map(|i| (i.to_string(), String::new())).collect();
        assert!(check_labels(&many).is_err());
    }

    #[test]
    fn an_account_name_is_printable() {
        assert!(AccountName::parse("Payments (prod) é").is_ok());
        for bad in ["", "   ", "a\nb", &"x".repeat(101)] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }
    #[test]
    fn cluster_admins_are_bounded_and_of_the_accounts_partition() {
        let role = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
        let admins = |arns: &[String]| {
            let parsed = arns
                .iter()
                .map(|arn| PrincipalArn::parse(arn.as_str()).unwrap());
            let parsed: Vec<PrincipalArn> = parsed.collect();
            let told = wrong_cluster_admins(&parsed, Partition::Aws);
            told.into_iter().map(|one| one.pointer).collect::<Vec<_>>()
        };
        assert!(
            admins(&[
                role("a"),
                role("b"),
                "arn:aws:iam::111111111111:user/c".into()
            ])
            .is_empty()
        );
        assert_eq!(admins(&[role("a"), role("a")]), ["/clusterAdminARNs/1"]);
        let linked = role("aws-service-role/eks.amazonaws.com/x");
        let china = "arn:aws-cn:iam::222222222222:role/a".to_owned();
        assert_eq!(
            admins(&[china, linked]),
            ["/clusterAdminARNs/0", "/clusterAdminARNs/1"]
        );
        let many: Vec<String> = (0..21).map(|i| role(&format!("r{i}"))).collect();
        assert_eq!(admins(&many), ["/clusterAdminARNs"]);
    }

    #[test]
    fn a_boundary_is_a_policy_of_the_account_or_of_aws() {
        let wrong = |arn: &str| wrong_boundary("/b", arn, "111111111111", Partition::Aws).is_some();
        for fine in [
            "111111111111:policy/boundary",
            "111111111111:policy/team/b",
            "aws:policy/ReadOnlyAccess",
        ] {
            assert!(!wrong(&format!("arn:aws:iam::{fine}")), "{fine}");
        }
        for bad in [
            "boundary",
            "arn:aws:iam::222222222222:policy/boundary",
            "arn:aws-cn:iam::111111111111:policy/boundary",
            "arn:aws:iam::111111111111:role/boundary",
        ] {
            assert!(wrong(bad), "{bad}");
        }
    }
}
