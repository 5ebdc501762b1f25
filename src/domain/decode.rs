//! From bytes to typed values, with errors that point at the field.
//!
//! JSON and YAML share one road: the text becomes a tree in which duplicate keys are errors, and
//! the tree becomes the type, strictly.

use super::invalid::{Invalid, pointer_token, quoted};
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use std::collections::BTreeMap;
use std::fmt;

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// The largest whole number of which a float tells all smaller ones apart.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a JSON document into a type; what is wrong is said with a JSON pointer.
pub fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Vec<Invalid>> {
    typed(json_tree(text)?)
}

/// Reads a JSON document into a tree without duplicate keys.
pub fn json_tree(text: &[u8]) -> Result<Value, Vec<Invalid>> {
    check_size(text.len())?;
    let tree: Tree = serde_json::from_slice(text)
        .map_err(|error| vec![Invalid::new("", format!("not valid JSON: {error}"))])?;
    Ok(tree.0)
}

/// Reads one YAML document into a tree without duplicate keys. Aliases, depth and size are
/// bounded, so no document can cost more than its bytes deserve.
pub fn yaml_tree(text: &str) -> Result<Value, Vec<Invalid>> {
    check_size(text.len())?;
    let options = serde_saphyr::options! {
        budget: yaml_budget(),
        with_snippet: false,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
    };
    let tree: Tree = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| {
            format!(" at line {}, column {}", at.line(), at.column())
        });
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        vec![Invalid::new("", format!("not valid YAML{place}: {reason}"))]
    })?;
    Ok(tree.0)
}

fn yaml_budget() -> Option<serde_saphyr::Budget> {
    serde_saphyr::budget! {
        max_events: 50_000,
        max_nodes: 25_000,
        max_aliases: 500,
        max_anchors: 100,
        max_depth: 32,
        max_documents: 2,
        max_total_scalar_bytes: MAX_BYTES,
    }
}

fn check_size(bytes: usize) -> Result<(), Vec<Invalid>> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("the document has {bytes} bytes; at most {MAX_BYTES} are read");
    Err(vec![Invalid::new("", message)])
}

/// Turns a tree into a type, which must be an object.
pub fn typed<T: DeserializeOwned>(tree: Value) -> Result<T, Vec<Invalid>> {
    if let Some(at) = zero_character(&tree, "") {
        let message = "a text may not hold the character U+0000";
        return Err(vec![Invalid::new(at, message)]);
    }
    if let Some(at) = list_for_object(&tree, "") {
        let message = "expected an object with named fields";
        return Err(vec![Invalid::new(at, message)]);
    }
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let mut pointer: String = error.path().iter().map(token).collect();
        let message = error.into_inner().to_string();
        if let Some(field) = message.strip_prefix("missing field `") {
            pointer.push('/');
            pointer.push_str(&pointer_token(field.trim_end_matches('`')));
        }
        let message = reworded(&message);
        vec![Invalid::new(pointer, message)]
    })
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

/// Fields that hold an object wherever they occur in a document of ours.
const OBJECTS: [&str; 5] = ["metadata", "iam", "labels", "tags", "accessScope"];

/// Where a list (or nothing at all) stands in place of an object: Serde would take its elements
/// for the fields, by position.
fn list_for_object(tree: &Value, at: &str) -> Option<String> {
    match tree {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let here = format!("{at}/{}", pointer_token(name));
            match value {
                Value::Array(_) if OBJECTS.contains(&name.as_str()) => Some(here),
                Value::Array(elements) => list_of_lists(elements, &here),
                Value::Object(_) => list_for_object(value, &here),
                _ => None,
            }
        }),
        _ => Some(at.to_owned()),
    }
}

fn list_of_lists(elements: &[Value], at: &str) -> Option<String> {
    elements.iter().enumerate().find_map(|(index, element)| {
        let here = format!("{at}/{index}");
        match element {
            Value::Array(_) => Some(here),
            Value::Object(_) => list_for_object(element, &here),
            _ => None,
        }
    })
}

fn token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", pointer_token(key)),
        Segment::Enum { variant } => format!("/{}", pointer_token(variant)),
        Segment::Unknown => String::new(),
    }
}

/// Serde's words, made ours where users meet them most.
fn reworded(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((field, known)) = rest.split_once('`')
    {
        let known = known.strip_prefix(", expected ").unwrap_or_default();
        let known = known
            .strip_prefix("one of ")
            .unwrap_or(known)
            .replace('`', "");
        return format!("unknown field {}; known here: {known}", quoted(field));
    }
    if let Some(field) = message.strip_prefix("missing field `") {
        return format!("the field {} is missing", field.trim_end_matches('`'));
    }
    if message.starts_with("invalid type: ") && message.ends_with(", expected a string") {
        return format!("{message}; put it in quotes if text is meant");
    }
    message.to_owned()
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

/// A JSON value in which no object has a key twice.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number that an i64 holds exactly"
    )]
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Value, E> {
        // JSON has one kind of number, and some writers put a point into all of them.
        if v.fract() == 0.0 && v.abs() <= MAX_EXACT {
            return Ok((v as i64).into());
        }
        let number = serde_json::Number::from_f64(v);
        number
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Tree(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key {}", quoted(&key))));
            }
            let Tree(value) = map.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
