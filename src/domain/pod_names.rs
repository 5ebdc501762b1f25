//! What a pod's namespace and labels can be called, by Kubernetes' rules: a selector that asks for
//! anything else never gets a pod, and AWS may refuse it.
//!
//! `*` stands for any number of characters, `?` for exactly one; each says only whether some name can
//! fit.

use super::selector::Selector;
use super::warnings::Warning;

/// The longest name of a namespace, of a label without its prefix, and of a label's value.
const MAX_NAME: usize = 63;
/// The longest prefix of a label.
const MAX_PREFIX: usize = 253;

/// Warnings of selectors that no pod can fit.
pub(super) fn warnings(selectors: &[Selector]) -> Vec<Warning> {
    let all = selectors.iter().enumerate();
    all.flat_map(|(i, selector)| of_selector(i, selector))
        .collect()
}

fn of_selector(i: usize, selector: &Selector) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !namespace_fits(&selector.namespace) {
        let message = format!(
            "no pod is in a namespace {:?} (selector #{i}), and AWS may refuse it: names of namespaces have \
             up to {MAX_NAME} lower-case letters, digits and -, with a letter or digit at both ends",
            selector.namespace
        );
        warnings.push(Warning::new("namespace_never_matches", message));
    }
    for (key, value) in &selector.labels {
        if !key_fits(key) || !value_fits(value) {
            let message = format!(
                "no pod has a label {key:?} with the value {value:?} (selector #{i}), and AWS may refuse it: \
                 both have up to {MAX_NAME} letters, digits, -, _ and ., with a letter or digit at both ends; \
                 a key may have a domain and / before"
            );
            warnings.push(Warning::new("label_never_matches", message));
        }
    }
    warnings
}

fn namespace_fits(pattern: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    fits(pattern, MAX_NAME, allowed)
}

fn key_fits(pattern: &str) -> bool {
    let (prefix, name) = match pattern.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, pattern),
    };
    // A `*` may stand for the end of the prefix with the slash.
    let longest = if name.contains('*') && prefix.is_none() {
        MAX_PREFIX + 1 + MAX_NAME
    } else {
        MAX_NAME
    };
    fits(name, longest, is_name_character) && prefix.is_none_or(prefix_fits)
}

fn prefix_fits(prefix: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    fits(prefix, MAX_PREFIX, allowed) && !prefix.contains("..")
}

fn value_fits(pattern: &str) -> bool {
    pattern.is_empty() || fits(pattern, MAX_NAME, is_name_character)
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Whether some name of allowed characters, with a letter or digit at both ends, fits the pattern.
fn fits(pattern: &str, longest: usize, allowed: impl Fn(char) -> bool) -> bool {
    let is_wild = |c: char| matches!(c, '*' | '?');
    let is_end = |c: Option<char>| c.is_some_and(|c| is_wild(c) || c.is_ascii_alphanumeric());
    let fixed = pattern.chars().filter(|c| *c != '*').count();
    fixed <= longest
        && pattern.chars().all(|c| is_wild(c) || allowed(c))
        && is_end(pattern.chars().next())
        && is_end(pattern.chars().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_dns_labels_or_patterns_of_them() {
        let long = "a".repeat(63);
        for sound in [
            "dev",
            "kube-system",
            "0",
            "*",
            "team-*",
            "?",
            "*-?-prod",
            &long,
        ] {
            assert!(namespace_fits(sound), "{sound}");
        }
        let longer = format!("{long}*?");
        for wrong in ["Dev", "my_ns", "a.b", "-a", "a-", "*-", "ä", "a/b", &longer] {
            assert!(!namespace_fits(wrong), "{wrong}");
        }
    }

    #[test]
    fn labels_are_what_pods_can_carry_or_patterns_of_that() {
        let prefix = format!("{}/x", "a".repeat(253));
        for sound in [
            "app",
            "app.kubernetes.io/name",
            "*",
            "*/tier",
            "a*/b?",
            "A_b.c-D",
            &prefix,
        ] {
            assert!(key_fits(sound), "{sound}");
        }
        let longer = format!("a{prefix}");
        for wrong in [
            "", "/a", "a/", "A/b", "a..b/c", "a/b/c", "-a", "a b", "é", &longer,
        ] {
            assert!(!key_fits(wrong), "{wrong}");
        }
        for sound in ["", "true", "v1.2", "*", "front?"] {
            assert!(value_fits(sound), "{sound}");
        }
        for wrong in ["a/b", "-x", "x.", "a:b", &"x".repeat(64)] {
            assert!(!value_fits(wrong), "{wrong}");
        }
    }

    #[test]
    fn every_selector_that_gets_no_pod_is_named() {
        let selector = |namespace: &str, labels: &[(&str, &str)]| Selector {
            namespace: namespace.to_owned(),
            labels: labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let told = warnings(&[
            selector("dev", &[("app", "web")]),
            selector("Dev", &[("app", "a b"), ("tier", "x")]),
        ]);
        let codes: Vec<&str> = told.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["namespace_never_matches", "label_never_matches"]);
        assert!(
            told.iter().all(|one| one.message.contains("selector #1")),
            "{told:?}"
        );
    }
}
