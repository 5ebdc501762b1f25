//! What all objects have.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An object's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Empty for what is in none.
    pub namespace: String,
    /// Unique within kind and namespace.
    pub name: String,
    /// Tells it from others that had its name.
    pub uid: String,
    /// None when the API does not say.
    pub created_at: Option<DateTime<Utc>>,
    /// By key.
    pub labels: BTreeMap<String, String>,
    /// By key.
    pub annotations: BTreeMap<String, String>,
    /// Who has to do something before it goes.
    pub finalizers: Vec<String>,
    /// Whether its deletion was asked for.
    pub deleting: bool,
}

impl Meta {
    pub(super) fn read(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
        let created_at = metadata["creationTimestamp"].as_str();
        let created_at = created_at.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        Self {
            namespace: text("namespace"),
            name: text("name"),
            uid: text("uid"),
            created_at: created_at.map(|at| at.to_utc()),
            labels: texts(&metadata["labels"]),
            annotations: texts(&metadata["annotations"]),
            finalizers: list(&metadata["finalizers"]),
            deleting: metadata["deletionTimestamp"].is_string(),
        }
    }
}

/// A map of texts.
pub(super) fn texts(map: &Value) -> BTreeMap<String, String> {
    let members = map.as_object().into_iter().flatten();
    members
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn list(items: &Value) -> Vec<String> {
    let items = items.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// A condition of an object's status: whether it is `True`, and what the API says to it.
pub(super) fn condition(object: &Value, kind: &str) -> (bool, Option<String>) {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == kind);
    let Some(found) = found else {
        return (false, None);
    };
    let words = found["message"].as_str().or(found["reason"].as_str());
    (found["status"] == "True", words.map(str::to_owned))
}
