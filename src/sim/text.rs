//! Small readings and writings of text: percent-encoding, XML, hex, AWS's wildcards.

use std::fmt::Write as _;

/// Decodes `%41`; `None` when it isn't well formed or not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Escapes a text for XML. What XML can't hold becomes a replacement character.
pub(super) fn xml(text: &str) -> String {
    let held = |c: char| c >= ' ' || matches!(c, '\t' | '\n' | '\r');
    text.replace(|c| !held(c), "\u{fffd}")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Whether `text` matches a pattern of IAM: `*` is any run of characters, `?` exactly one.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else {
                    return false;
                };
                p = star_p + 1;
                t = star_t + 1;
                star = Some((star_p, t));
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether every character is a letter, a digit, `_` or one of `more`, and the length fits.
pub(super) fn is_word(text: &str, more: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.chars().count())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(
            percent_decode("arn%3Aaws%2fx%20y").as_deref(),
            Some("arn:aws/x y")
        );
        assert_eq!(percent_decode("a+b").as_deref(), Some("a+b"));
        for bad in ["%", "%4", "%zz", "%ff", "%é"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn globs_match_as_in_iam() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("eks:*", "eks:ListClusters", true),
            ("eks:Describe*", "eks:DescribeCluster", true),
            ("eks:Describe*", "eks:ListClusters", false),
            (
                "*:fargateprofile/prod-1/*",
                "arn:aws:eks:r:1:fargateprofile/prod-1/a/b",
                true,
            ),
            (
                "*:fargateprofile/prod-1/*",
                "arn:aws:eks:r:1:fargateprofile/prod-10/a/b",
                false,
            ),
            ("prod-?", "prod-1", true),
            ("prod-?", "prod-", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn xml_is_escaped() {
        assert_eq!(xml(r#"<a b="c">&"#), "&lt;a b=&quot;c&quot;&gt;&amp;");
        assert_eq!(xml("a\u{1}\n"), "a\u{fffd}\n");
    }
}
