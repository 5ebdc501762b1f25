//! A service's model as it is read: operations, and the shapes that their requests are made of.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ServiceModel {
    pub operations: BTreeMap<String, Operation>,
    pub shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    pub method: String,
    /// Its path, with the places of members in braces.
    pub uri: String,
    /// The name of the shape of its requests; none where it takes no members.
    pub input: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Structure,
    List,
    Map,
    String,
    Boolean,
    Integer,
    Long,
    /// Whatever else: its type is not looked at.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub members: BTreeMap<String, Member>,
    /// What a list is made of.
    pub member: Option<Member>,
    /// What the keys and values of a map are.
    pub key: Option<Member>,
    pub value: Option<Member>,
    /// Bounds of a number, or of the length of a text, list or map.
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub pattern: Option<Pattern>,
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    #[serde(default)]
    pub flattened: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Member {
    pub shape: String,
    /// Where it stands, when it is not in the body.
    pub location: Option<Location>,
    /// What it is called there.
    pub location_name: Option<String>,
    /// What EC2 calls it in requests.
    pub query_name: Option<String>,
    #[serde(default)]
    pub flattened: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Location {
    Uri,
    Querystring,
}

/// A regular expression of the model: the whole of a text must match it.
#[derive(Debug)]
pub(super) struct Pattern {
    pub text: String,
    regex: Regex,
}

impl Pattern {
    /// The models mean Java's expressions, where `\w` and `\d` are ASCII alone.
    fn new(text: String) -> Result<Self, regex::Error> {
        let ascii = text.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
        Ok(Self {
            regex: Regex::new(&format!("^(?:{ascii})$"))?,
            text,
        })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

impl ServiceModel {
    /// The shape of this name; every reference in a model leads to one.
    pub(super) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }
}
