//! Names and paths as IAM has them, and not looser: an ARN is a text that others read rights out of.

/// The longest path with its slashes.
const MAX_PATH: usize = 512;

/// Whether it is a name, or a path and a name, as they stand in an ARN behind `role/`: `pods`,
/// `team/a/pods`. The name has at most `longest` characters.
#[must_use]
pub(in crate::domain) fn is_named(text: &str, longest: usize) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let named = (1..=longest).contains(&name.len()) && name.bytes().all(of_name);
    let at_root = !text.contains('/');
    named && (at_root || is_path(path))
}

/// Between the first and the last slash. IAM takes any visible character; what would make another ARN
/// of it, or a pattern, or a way up, is left out.
fn is_path(path: &str) -> bool {
    let of_path = |byte: u8| byte.is_ascii_graphic() && !b"*:?".contains(&byte);
    let sound =
        |segment: &str| segment.bytes().all(of_path) && segment.bytes().any(|byte| byte != b'.');
    path.len() + 2 <= MAX_PATH && path.split('/').all(sound)
}

fn of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_iams() {
        for good in [
            "pods",
            "a+b=c,d.e@f-g_h",
            "team/pods",
            "team/a!b/pods",
            "..x/pods",
        ] {
            assert!(is_named(good, 64), "{good}");
        }
        assert!(is_named(&"x".repeat(64), 64) && is_named(&format!("{}/x", "p".repeat(510)), 64));
        for bad in [
            "", "*", "a*", "../x", "a/../x", "./x", "/x", "a//x", "a/", "a:role/b", "a/b:c", "a b",
            "a b/c", "a?/c", "ä",
        ] {
            assert!(!is_named(bad, 64), "{bad}");
        }
        assert!(!is_named(&"x".repeat(65), 64));
        assert!(!is_named(&format!("{}/x", "p".repeat(511)), 64));
    }
}
