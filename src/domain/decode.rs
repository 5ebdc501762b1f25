//! From bytes to typed values, with errors that point at the field.
//!
//! JSON and YAML share one road: the text becomes a tree in which no object has a key twice, and the
//! tree becomes the type, strictly. No word of the libraries below reaches a caller.
//!
//! | file | what |
//! |---|---|
//! | `json` | JSON's text, with its errors in our words |
//! | `yaml` | YAML's text, as eksctl's reader takes it |
//! | `yaml_words` | the YAML parser's errors in our words |
//! | `scalar` | what an unquoted word of YAML means |
//! | `tree` | JSON values in which no object has a key twice |
//! | `typed` | from a tree to a type |
//! | `wrong` | what does not fit a type, in our words |
//! | `nearest` | which known word a misspelt one is nearest to |

mod json;
mod nearest;
mod scalar;
mod tree;
mod typed;
mod wrong;
mod yaml;
mod yaml_words;

pub(crate) use self::wrong::unknown_field;
pub use self::yaml::{YamlDocument, document};

use self::typed::Texts;
use super::invalid::{Invalid, pointer_token, quoted};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_path_to_error::Segment;
use std::collections::BTreeMap;
use std::fmt;

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Reads a JSON document into a type; what is wrong is said with a JSON pointer.
pub fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Vec<Invalid>> {
    typed(json_tree(text)?)
}

/// Reads a JSON document into a tree without duplicate keys.
pub fn json_tree(text: &[u8]) -> Result<Value, Vec<Invalid>> {
    check_size(text.len())?;
    json::tree(text).map_err(|wrong| vec![wrong])
}

/// Reads one YAML document into a tree without duplicate keys. Aliases, depth and size are
/// bounded, so no document can cost more than its bytes deserve.
pub fn yaml_tree(text: &str) -> Result<Value, Vec<Invalid>> {
    document(text).map(|(_, tree)| tree)
}

fn check_size(bytes: usize) -> Result<(), Vec<Invalid>> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("the document has {bytes} bytes; at most {MAX_BYTES} are read");
    Err(vec![Invalid::new("", message)])
}

/// Turns a tree into a type.
pub fn typed<T: DeserializeOwned>(tree: Value) -> Result<T, Vec<Invalid>> {
    check_texts(&tree)?;
    typed::read(tree, Texts::Strict).map_err(|wrong| vec![wrong])
}

fn check_texts(tree: &Value) -> Result<(), Vec<Invalid>> {
    let Some(at) = zero_character(tree, "") else {
        return Ok(());
    };
    let message = "a text may not hold the character U+0000";
    Err(vec![Invalid::new(at, message)])
}

/// Where a text, or the name of a field, holds what no database keeps.
fn zero_character(tree: &Value, at: &str) -> Option<String> {
    match tree {
        Value::String(text) if text.contains('\0') => Some(at.to_owned()),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .find_map(|(index, element)| zero_character(element, &format!("{at}/{index}"))),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let here = format!("{at}/{}", pointer_token(name));
            if name.contains('\0') {
                return Some(at.to_owned());
            }
            zero_character(value, &here)
        }),
        _ => None,
    }
}

/// A JSON pointer to where a path leads.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().map(token).collect()
}

fn token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", pointer_token(key)),
        Segment::Enum { variant } => format!("/{}", pointer_token(variant)),
        Segment::Unknown => String::new(),
    }
}

/// Reads null as the type's default: `labels:` with nothing after it is no labels.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a map of texts in which no key comes twice; null is an empty one.
pub(super) fn unique_text_map<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let map: Option<UniqueTextMap> = Option::deserialize(deserializer)?;
    Ok(map.unwrap_or_default().0)
}

#[derive(Default)]
struct UniqueTextMap(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for UniqueTextMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = UniqueTextMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueTextMap, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    let doubled = format!("duplicate key {}", quoted(&key));
                    if texts.insert(key, value).is_some() {
                        return Err(A::Error::custom(doubled));
                    }
                }
                Ok(UniqueTextMap(texts))
            }
        }
        deserializer.deserialize_map(Texts)
    }
}

#[cfg(test)]
mod tests;
