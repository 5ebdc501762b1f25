//! A selector of a Fargate profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which pods: those of a namespace that carry all of these labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// The namespace.
    pub namespace: String,
    /// The labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}
