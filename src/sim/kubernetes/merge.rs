//! The two kinds of patches that merge.

use serde_json::Value;

/// Merges a patch into an object: members that are null go. A strategic patch also merges lists whose
/// items have names, item by item; all other lists are replaced.
pub(super) fn merge(into: &mut Value, patch: &Value, strategic: bool) {
    match patch {
        Value::Object(members) => {
            if !into.is_object() {
                *into = Value::Object(serde_json::Map::new());
            }
            for (key, value) in members {
                if value.is_null() {
                    if let Some(object) = into.as_object_mut() {
                        object.remove(key);
                    }
                } else {
                    merge(&mut into[key.as_str()], value, strategic);
                }
            }
        }
        Value::Array(items) if strategic && are_named(items) => {
            if !into.is_array() {
                *into = Value::Array(Vec::new());
            }
            if let Some(list) = into.as_array_mut() {
                merge_items(list, items);
            }
        }
        other => into.clone_from(other),
    }
}

fn are_named(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|item| item["name"].is_string())
}

fn merge_items(list: &mut Vec<Value>, items: &[Value]) {
    for item in items {
        let there = list.iter_mut().find(|one| one["name"] == item["name"]);
        match there {
            Some(there) => merge(there, item, true),
            None => list.push(item.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_merged_and_nulls_take_away() {
        let mut object = json!({"a": {"b": 1, "c": 2}, "l": [1, 2]});
        merge(
            &mut object,
            &json!({"a": {"b": null, "d": 3}, "l": [3], "e": {"f": null}}),
            false,
        );
        assert_eq!(object, json!({"a": {"c": 2, "d": 3}, "l": [3], "e": {}}));
    }

    #[test]
    fn only_a_strategic_patch_merges_lists_by_name() {
        let object = json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}]});
        let patch = json!({"containers": [{"name": "a", "tty": true}, {"name": "c"}]});
        let merged = |strategic| {
            let mut object = object.clone();
            merge(&mut object, &patch, strategic);
            object["containers"].clone()
        };
        let expected =
            json!([{"name": "a", "image": "1", "tty": true}, {"name": "b"}, {"name": "c"}]);
        assert_eq!(merged(true), expected);
        assert_eq!(merged(false), patch["containers"]);
    }
}
