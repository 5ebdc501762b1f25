//! The rules that tags have to keep.

use std::collections::BTreeMap;

/// Most tags that a resource may carry.
const MOST_TAGS: usize = 50;

/// Checks tags that are to be put beside those which are there; the error is a sentence.
pub(super) fn check(
    there: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Result<(), String> {
    for (key, value) in new {
        if !(1..=128).contains(&key.chars().count()) {
            return Err(format!("Tag key must have 1 to 128 characters: {key:?}"));
        }
        if value.chars().count() > 256 {
            return Err(format!(
                "Tag value of {key:?} must have at most 256 characters"
            ));
        }
        if let Some(text) = [key, value].into_iter().find(|text| !is_allowed(text)) {
            return Err(format!(
                "Tags can have letters, digits, spaces and the characters _.:/=+-@ alone: {text:?}"
            ));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(format!(
                "Tag keys that start with aws: are reserved: {key:?}"
            ));
        }
    }
    let count = there.len() + new.keys().filter(|key| !there.contains_key(*key)).count();
    if count > MOST_TAGS {
        return Err(format!(
            "A resource can have at most {MOST_TAGS} tags, not {count}"
        ));
    }
    Ok(())
}

fn is_allowed(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn keys_and_values_have_their_lengths() {
        let none = BTreeMap::new();
        assert!(
            check(
                &none,
                &tags(&[("k", ""), (&"k".repeat(128), &"v".repeat(256))])
            )
            .is_ok()
        );
        assert!(check(&none, &tags(&[("", "v")])).is_err());
        assert!(check(&none, &tags(&[(&"k".repeat(129), "v")])).is_err());
        assert!(check(&none, &tags(&[("k", &"v".repeat(257))])).is_err());
        assert!(check(&none, &tags(&[("AWS:x", "v")])).is_err());
        assert!(check(&none, &tags(&[("Größe 1", "a/b+c=d@e:f_g-h.i")])).is_ok());
        for wrong in ["a;b", "a,b", "a\tb", "{a}", "a*"] {
            assert!(check(&none, &tags(&[(wrong, "v")])).is_err(), "{wrong}");
            assert!(check(&none, &tags(&[("k", wrong)])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fifty_tags_are_the_most_and_replacing_one_adds_none() {
        let fifty: BTreeMap<String, String> =
            (0..50).map(|i| (i.to_string(), String::new())).collect();
        assert!(check(&fifty, &tags(&[("0", "new")])).is_ok());
        assert!(check(&fifty, &tags(&[("other", "")])).is_err());
    }
}
