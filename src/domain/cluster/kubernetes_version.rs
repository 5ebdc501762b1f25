//! Which Kubernetes version a cluster gets: checked, and `latest` resolved, by what EKS offers.

use crate::domain::invalid::{Invalid, quoted};
use crate::domain::warnings::Warning;
use std::cmp::Ordering;

/// The version of those who name none, or `auto`: eksctl's default.
pub const DEFAULT: &str = "1.34";
/// The newest that EKS offers, whichever that is.
pub const LATEST: &str = "latest";
/// eksctl's word for its default.
pub const AUTO: &str = "auto";

/// The versions that EKS made clusters of when this was written, oldest and newest, by their second
/// number. A plan knows no better; a creation asks EKS.
const OFFERED: (u32, u32) = (31, 35);

const POINTER: &str = "/metadata/version";

/// A version that EKS knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedVersion {
    /// Such as `1.34`.
    pub version: String,
    /// Whether clusters of it are still made: in standard or extended support.
    pub supported: bool,
}

/// Whether a text is a version: 1 and two digits.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let minor = text.strip_prefix("1.").unwrap_or_default();
    minor.len() == 2 && minor.bytes().all(|b| b.is_ascii_digit()) && !minor.starts_with('0')
}

/// Whether a version is 1 and `minor`, or a later one; `latest` is.
pub(super) fn at_least(version: &str, minor: u32) -> bool {
    let given = version.strip_prefix("1.").unwrap_or_default();
    given.parse::<u32>().map_or(true, |given| given >= minor)
}

/// The version that a config asks for, as far as it is known without AWS.
pub(super) fn asked(input: Option<String>) -> Result<String, Invalid> {
    let asked = input.unwrap_or_else(|| AUTO.to_owned());
    match asked.as_str() {
        AUTO => Ok(DEFAULT.to_owned()),
        text if text == LATEST || is_version(text) => Ok(asked),
        text => {
            let message = format!(
                "invalid Kubernetes version {}: expected 1 and two digits, in quotes, such as \
                 \"{DEFAULT}\"; or {LATEST}, or {AUTO} for {DEFAULT}",
                quoted(text)
            );
            Err(Invalid::new(POINTER, message))
        }
    }
}

/// What to say of a version that EKS is not known to offer. It decides itself, before anything is made.
pub(super) fn warning(asked: &str) -> Option<Warning> {
    let minor = asked.strip_prefix("1.")?.parse::<u32>().ok()?;
    let (oldest, newest) = OFFERED;
    let what = if minor < oldest {
        "EKS makes no clusters of it any more"
    } else if minor > newest {
        "it is not known here"
    } else {
        return None;
    };
    let message = format!(
        "Kubernetes {asked}: {what}; known are 1.{oldest} to 1.{newest}. A creation asks EKS before \
         anything is made, and ends there if EKS does not offer it"
    );
    Some(Warning::new("version_not_offered", message))
}

/// The version to create, of those that EKS offers.
pub fn resolve(asked: &str, offered: &[OfferedVersion]) -> Result<String, Invalid> {
    let mut supported: Vec<&str> = offered
        .iter()
        .filter(|one| one.supported)
        .map(|one| one.version.as_str())
        .collect();
    supported.sort_by(|a, b| compare(b, a));
    supported.dedup();
    if asked == LATEST {
        let newest = supported.first().map(|newest| (*newest).to_owned());
        let message = "EKS says of no Kubernetes version that it is supported: name one";
        return newest.ok_or_else(|| Invalid::new(POINTER, message));
    }
    if supported.contains(&asked) {
        return Ok(asked.to_owned());
    }
    let what = if offered.iter().any(|one| one.version == asked) {
        "no longer supported by EKS"
    } else {
        "not offered by EKS"
    };
    let message = format!(
        "Kubernetes version {asked} is {what} here: choose one of {}",
        supported.join(", ")
    );
    Err(Invalid::new(POINTER, message))
}

fn compare(a: &str, b: &str) -> Ordering {
    let minor = |text: &str| -> u32 {
        let minor = text.split('.').nth(1).and_then(|minor| minor.parse().ok());
        minor.unwrap_or_default()
    };
    minor(a).cmp(&minor(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<OfferedVersion> {
        [
            ("1.9", false),
            ("1.31", true),
            ("1.35", true),
            ("1.34", true),
            ("1.29", false),
        ]
        .map(|(version, supported)| OfferedVersion {
            version: version.to_owned(),
            supported,
        })
        .into()
    }

    #[test]
    fn latest_is_the_newest_and_auto_is_eksctls_default() {
        assert_eq!(resolve("latest", &offered()), Ok("1.35".to_owned()));
        assert_eq!(resolve("1.31", &offered()), Ok("1.31".to_owned()));
        assert!(resolve("latest", &[]).is_err());
        for (input, expected) in [
            (None, Some(DEFAULT)),
            (Some("auto"), Some(DEFAULT)),
            (Some("latest"), Some("latest")),
            (Some("1.33"), Some("1.33")),
            (Some("default"), None),
            (Some("1.3"), None),
            (Some(""), None),
        ] {
            let version = asked(input.map(str::to_owned)).ok();
            assert_eq!(version.as_deref(), expected, "{input:?}");
        }
    }

    #[test]
    fn a_version_that_eks_is_not_known_to_offer_is_a_warning() {
        for (version, told) in [
            ("1.14", Some("any more")),
            ("1.30", Some("any more")),
            ("1.31", None),
            (DEFAULT, None),
            ("1.35", None),
            ("1.99", Some("not known here")),
            (LATEST, None),
        ] {
            let warning = warning(version);
            let message = warning.as_ref().map(|one| one.message.as_str());
            match told {
                Some(told) => assert!(
                    message.is_some_and(|message| message.contains(told)),
                    "{version}"
                ),
                None => assert_eq!(message, None, "{version}"),
            }
        }
    }

    #[test]
    fn what_eks_does_not_make_is_refused_with_the_list() {
        for (version, what) in [("1.29", "no longer supported"), ("1.99", "not offered")] {
            let wrong = resolve(version, &offered()).unwrap_err();
            assert_eq!(wrong.pointer, "/metadata/version");
            assert!(wrong.message.contains(what), "{}", wrong.message);
            assert!(wrong.message.ends_with("choose one of 1.35, 1.34, 1.31"));
        }
    }
}
