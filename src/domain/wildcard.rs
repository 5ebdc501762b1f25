//! EKS's wildcards: `*` stands for any number of characters, `?` for exactly one.
//!
//! No regular expressions and no recursion: matching is bounded by pattern times text, whatever
//! the pattern.

/// Whether `pattern` matches all of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    walk(pattern, text, |wanted, found| {
        wanted == '?' || wanted == found
    })
}

/// Whether every text that `inner` matches is matched by `outer` too. May say no where the truth
/// is yes (`*` twice against a `?` between), never the other way round.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    // `inner` is walked as a text whose own `*` only a `*` can take, and `?` only `?` or `*`.
    walk(outer, inner, |wanted, found| match (wanted, found) {
        (_, '*') => false,
        ('?', _) => true,
        _ => wanted == found,
    })
}

/// Whether some text is matched by both patterns.
pub(super) fn overlap(left: &str, right: &str) -> bool {
    let right: Vec<char> = right.chars().collect();
    // reach[j]: the part of `left` read so far and right[..j] can be the same text.
    let mut reach = vec![false; right.len() + 1];
    reach[0] = true;
    for (j, r) in right.iter().enumerate() {
        reach[j + 1] = reach[j] && *r == '*';
    }
    for l in left.chars() {
        let before = reach.clone();
        reach[0] = before[0] && l == '*';
        for (j, r) in right.iter().enumerate() {
            // A `*` on either side takes the other side's character, or nothing at all.
            reach[j + 1] = if l == '*' || *r == '*' {
                before[j + 1] || reach[j]
            } else {
                before[j] && (l == *r || l == '?' || *r == '?')
            };
        }
    }
    reach[right.len()]
}

/// The greedy walk: on a mismatch, let the last `*` take one character more.
fn walk(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|wanted| same(*wanted, text[t])) {
            p += 1;
            t += 1;
        } else if let Some((star, taken)) = last_star {
            last_star = Some((star, taken + 1));
            p = star + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word; exponential, so only for short patterns.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => naive(rest, text),
            (Some(('*', rest)), Some((_, tail))) => naive(rest, text) || naive(pattern, tail),
            (Some((p, rest)), Some((t, tail))) => (*p == '?' || p == t) && naive(rest, tail),
            _ => false,
        }
    }

    /// All texts over `ab` of up to five characters.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let to = all.len();
            for i in from..to {
                all.push(format!("{}a", all[i]));
                all.push(format!("{}b", all[i]));
            }
            from = to;
        }
        all
    }

    #[test]
    fn star_takes_any_number_and_question_mark_exactly_one() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("prod-*", "prod-", true),
            ("prod-*", "prod-eu-1", true),
            ("prod-*", "xprod-1", false),
            ("*-?-prod", "a-1-prod", true),
            ("*-?-prod", "a-12-prod", false),
            ("a*b*c", "a-b-b-c", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn two_hundred_stars_are_as_quick_as_one() {
        let pattern = format!("{}z", "*a".repeat(200));
        assert!(!matches(&pattern, &"a".repeat(5_000)));
        assert!(matches(&"*".repeat(200), &"a".repeat(5_000)));
        assert!(overlap(&"*".repeat(200), &"*".repeat(200)));
        assert!(!covers(&pattern, &"a*".repeat(200)));
    }

    proptest! {
        #[test]
        fn the_walk_agrees_with_the_definition(pattern in "[ab?*]{0,6}", text in "[ab]{0,6}") {
            let p: Vec<char> = pattern.chars().collect();
            let t: Vec<char> = text.chars().collect();
            prop_assert_eq!(matches(&pattern, &text), naive(&p, &t));
        }

        #[test]
        fn what_covers_matches_all_that_the_other_matches(
            outer in "[ab?*]{0,4}",
            inner in "[ab?*]{0,4}",
        ) {
            if covers(&outer, &inner) {
                for text in texts() {
                    prop_assert!(!matches(&inner, &text) || matches(&outer, &text));
                }
            }
        }

        #[test]
        fn patterns_overlap_exactly_when_some_text_fits_both(
            left in "[ab?*]{0,3}",
            right in "[ab?*]{0,2}",
        ) {
            // A shared text, if there is one, needs at most as many characters as both patterns.
            let shared = texts().iter().any(|text| matches(&left, text) && matches(&right, text));
            prop_assert_eq!(overlap(&left, &right), shared);
        }
    }
}
