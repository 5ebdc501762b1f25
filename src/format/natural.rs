//! The order in which go-yaml writes the keys of a map: numbers inside by value, letters last.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A map's pairs in that order.
///
/// The order is not a total one (`08` < `0b` < `1,` < `08`), on which the library's sort may
/// panic; inserting one by one always ends. For such keys go-yaml's own output varies.
pub(super) fn sorted(map: &BTreeMap<String, String>) -> Vec<(&String, &String)> {
    let mut pairs: Vec<(&String, &String)> = Vec::with_capacity(map.len());
    for pair in map {
        let after = pairs
            .iter()
            .rposition(|other| compare(other.0, pair.0).is_le());
        pairs.insert(after.map_or(0, |i| i + 1), pair);
    }
    pairs
}

/// Compares two keys as go-yaml v2 does: `a2` before `a10`, and at the first difference a letter
/// comes after anything else.
fn compare(left: &str, right: &str) -> Ordering {
    let l: Vec<char> = left.chars().collect();
    let r: Vec<char> = right.chars().collect();
    let Some(i) = l.iter().zip(&r).position(|(a, b)| a != b) else {
        return l.len().cmp(&r.len());
    };
    match (l[i].is_alphabetic(), r[i].is_alphabetic()) {
        (true, true) => return l[i].cmp(&r[i]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A differing 0 inside a longer number is a digit of it, not a leading zero.
    let zero_differs = l[i] == '0' || r[i] == '0';
    let mut digits_before = l[..i].iter().rev().take_while(|c| c.is_ascii_digit());
    let start = i64::from(zero_differs && digits_before.any(|c| *c != '0'));
    let (l_number, l_end) = number(&l, i, start);
    let (r_number, r_end) = number(&r, i, start);
    l_number
        .cmp(&r_number)
        .then(l_end.cmp(&r_end))
        .then(l[i].cmp(&r[i]))
}

/// The number that begins at `from`, with `start` before its digits, and where it ends.
fn number(text: &[char], from: usize, start: i64) -> (i64, usize) {
    let digits = text[from..].iter().map_while(|c| c.to_digit(10));
    // Go's arithmetic wraps, and so must ours to give its order.
    digits.fold((start, from), |(number, end), digit| {
        (
            number.wrapping_mul(10).wrapping_add(i64::from(digit)),
            end + 1,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_by_value_and_letters_last() {
        let sorted = [
            "", "1", "2", "10", "A", "a", "a/b", "a-2", "a1", "a2", "a10", "a100", "ab", "b",
        ];
        for pair in sorted.windows(2) {
            let natural = compare(pair[0], pair[1]);
            let expected = if pair == ["a/b", "a-2"] {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            assert_eq!(natural, expected, "{pair:?}");
        }
    }

    #[test]
    fn keys_that_beat_each_other_in_a_circle_are_all_written() {
        let keys = ["08", "0b", "1,", "017", "1}"].map(|key| (key.to_owned(), String::new()));
        assert_eq!(sorted(&BTreeMap::from(keys)).len(), 5);
    }

    #[test]
    fn numbers_too_large_for_a_word_do_not_fail() {
        let nines = "9".repeat(60);
        assert_ne!(compare(&format!("a{nines}"), "a1"), Ordering::Equal);
    }
}
