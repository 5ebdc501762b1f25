//! What an account's record may hold: its name, labels, regions and state.

use super::ids::{ExternalId, Region};
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
}
