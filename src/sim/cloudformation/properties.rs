//! Reading a resource's properties, whose numbers and flags may be written as texts.

use std::collections::BTreeMap;

use serde_json::Value;

/// A text, a number or a flag as a text.
pub(super) fn text(properties: &Value, name: &str) -> Option<String> {
    match properties.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn flag(properties: &Value, name: &str, default: bool) -> bool {
    match text(properties, name).as_deref() {
        Some("true" | "True") => true,
        Some("false" | "False") => false,
        _ => default,
    }
}

/// The number at a JSON pointer.
pub(super) fn number(properties: &Value, pointer: &str) -> Option<i64> {
    match properties.pointer(pointer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub(super) fn strings(properties: &Value, name: &str) -> Vec<String> {
    let items = properties.get(name).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// `Tags: [{Key, Value}]`
pub(super) fn list_tags(properties: &Value) -> BTreeMap<String, String> {
    let tags = properties.get("Tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value").unwrap_or_default())))
        .collect()
}

/// `Tags: {key: value}`
pub(super) fn map_tags(properties: &Value) -> BTreeMap<String, String> {
    let tags = properties.get("Tags").and_then(Value::as_object);
    tags.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_and_numbers_may_be_texts() {
        let properties = json!({"A": "true", "B": false, "S": {"N": "3", "M": 4}});
        assert!(flag(&properties, "A", false));
        assert!(!flag(&properties, "B", true));
        assert!(flag(&properties, "C", true));
        assert_eq!(number(&properties, "/S/N"), Some(3));
        assert_eq!(number(&properties, "/S/M"), Some(4));
    }

    #[test]
    fn tags_come_as_lists_and_as_maps() {
        let list = json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}]});
        assert_eq!(list_tags(&list)["b"], "");
        assert_eq!(map_tags(&json!({"Tags": {"a": "1"}}))["a"], "1");
    }
}
