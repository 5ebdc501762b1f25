//! Which version of an add-on is meant: a whole one, the beginning of one, or `latest`.

use std::cmp::Ordering;

/// The newest that fits the cluster.
pub const LATEST: &str = "latest";

/// Whether a text may stand for a version: `latest`, or a version or its beginning, with or without
/// the `v`.
pub(super) fn is_asked(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let rest = text.strip_prefix('v').unwrap_or(text);
    text == LATEST
        || (text.len() <= 64
            && rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.bytes().all(allowed))
}

/// Whether it is a version of EKS's own in full: `v1.20.1-eksbuild.1`.
#[must_use]
pub fn is_whole(text: &str) -> bool {
    text.starts_with('v') && text.contains("-eksbuild.")
}

/// The newest of the versions that is meant; none when none is.
#[must_use]
pub fn choose<'a>(asked: &str, offered: &'a [String]) -> Option<&'a str> {
    if let Some(exact) = offered.iter().find(|version| *version == asked) {
        return Some(exact);
    }
    let meant = offered.iter().filter(|version| is_meant(asked, version));
    meant.map(String::as_str).max_by(|a, b| compare(a, b))
}

/// `1.7` is the beginning of `v1.7.5-eksbuild.1`, and not of `v1.75.0`.
fn is_meant(asked: &str, version: &str) -> bool {
    let bare = |text: &str| text.strip_prefix('v').unwrap_or(text).to_owned();
    let version = bare(version);
    asked == LATEST
        || version
            .strip_prefix(&bare(asked))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// By their numbers, in their order; letters count for nothing.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    numbers(a).cmp(&numbers(b))
}

fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_is_meant_is_chosen() {
        let offered = [
            "v1.11.4-eksbuild.2",
            "v1.11.4-eksbuild.24",
            "v1.11.3-eksbuild.9",
            "v1.1.9-eksbuild.1",
            "v1.9.3-eksbuild.17",
        ]
        .map(str::to_owned);
        for (asked, expected) in [
            ("latest", Some("v1.11.4-eksbuild.24")),
            ("v1.11", Some("v1.11.4-eksbuild.24")),
            ("1.11.4", Some("v1.11.4-eksbuild.24")),
            ("v1.11.4-eksbuild.2", Some("v1.11.4-eksbuild.2")),
            ("1.11.3", Some("v1.11.3-eksbuild.9")),
            ("v1.1", Some("v1.1.9-eksbuild.1")),
            ("v1", Some("v1.11.4-eksbuild.24")),
            ("v1.12", None),
            ("v1.11.4-eksbuild.3", None),
        ] {
            assert_eq!(choose(asked, &offered), expected, "{asked}");
        }
        assert_eq!(choose("latest", &[]), None);
    }

    #[test]
    fn texts_that_can_be_no_version_are_known() {
        for good in ["latest", "1.7.5", "v1.11", "v1.20.1-eksbuild.1", "v0.8.0"] {
            assert!(is_asked(good), "{good}");
        }
        for bad in ["", "v", "vx", "newest", "v1 2", "1.2;3", "Latest"] {
            assert!(!is_asked(bad), "{bad}");
        }
        assert!(is_whole("v1.20.1-eksbuild.1") && !is_whole("v1.20.1") && !is_whole("latest"));
    }
}
