//! What keeps pods away from nodes.

use crate::domain::invalid::quoted;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A taint of a nodegroup's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupTaint {
    /// Its key.
    #[schema(min_length = 1, max_length = 317, examples("dedicated"))]
    pub key: String,
    /// Its value.
    #[serde(default)]
    #[schema(max_length = 63, examples("gpu"))]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    #[schema(max_length = 32, examples("NoSchedule"))]
    pub effect: String,
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

impl NodeGroupTaint {
    /// What is wrong with it, by key.
    pub(in crate::domain) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let words = "at most 63 letters, digits, -, _ or ., the first and last a letter or digit";
        let (prefix, name) = match self.key.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, self.key.as_str()),
        };
        if !is_label_word(name) || !prefix.is_none_or(is_domain) {
            let message = format!(
                "invalid taint key {}: expected {words}; after a domain and / if need be",
                quoted(&self.key)
            );
            wrong.push(("key", message));
        }
        if !self.value.is_empty() && !is_label_word(&self.value) {
            let message = format!(
                "invalid taint value {}: expected {words}",
                quoted(&self.value)
            );
            wrong.push(("value", message));
        }
        if !EFFECTS.contains(&self.effect.as_str()) {
            let message = format!(
                "invalid taint effect {}: expected one of {}",
                quoted(&self.effect),
                EFFECTS.join(", ")
            );
            wrong.push(("effect", message));
        }
        wrong
    }
}

/// A list, or the map of eksctl's older files: `key: value:effect`, or `key: effect`.
pub(super) fn list_or_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<NodeGroupTaint>, D::Error> {
    deserializer.deserialize_any(Taints)
}

struct Taints;

impl<'de> Visitor<'de> for Taints {
    type Value = Vec<NodeGroupTaint>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of taints")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut taints = Vec::new();
        while let Some(taint) = list.next_element()? {
            taints.push(taint);
        }
        Ok(taints)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut taints = Vec::new();
        while let Some((key, text)) = map.next_entry::<String, String>()? {
            let (value, effect) = text.split_once(':').unwrap_or(("", &text));
            let taint = NodeGroupTaint {
                key,
                value: value.to_owned(),
                effect: effect.to_owned(),
            };
            // Later there is no telling that it stood in a map.
            if let Some((_, message)) = taint.wrong().into_iter().next() {
                return Err(A::Error::custom(message));
            }
            taints.push(taint);
        }
        if taints.is_empty() {
            return Err(A::Error::custom("expected a list of taints"));
        }
        Ok(taints)
    }
}

/// Whether a text can be the name of a label or taint, or its value.
pub(in crate::domain) fn is_label_word(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// Whether a text can be the domain before the name of a label or taint.
pub(in crate::domain) fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(part)
}
