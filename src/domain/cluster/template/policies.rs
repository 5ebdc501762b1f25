//! Policies that are written into templates: what AWS's documentation says that widely used programs need.

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// By the logical ids that eksctl gives them.
static STATEMENTS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let text = include_str!("policies.json");
    serde_json::from_str(text).unwrap_or_default()
});

/// The document of a policy of that list.
pub(super) fn document(name: &str) -> Value {
    let statements = STATEMENTS.get(name).cloned().unwrap_or_default();
    json!({"Statement": statements, "Version": "2012-10-17"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_of_the_list_can_be_read() {
        assert_eq!(STATEMENTS.len(), 8);
        for (name, statements) in STATEMENTS.iter() {
            let statements = statements.as_array().unwrap();
            assert!(!statements.is_empty(), "{name}");
            for statement in statements {
                assert_eq!(statement["Effect"], "Allow", "{name}");
                assert!(statement["Action"].is_array(), "{name}");
                assert!(!statement["Resource"].is_null(), "{name}");
            }
            // IAM takes 10,240 characters of policies in one role.
            assert!(document(name).to_string().len() < 6_500, "{name}");
        }
    }
}
