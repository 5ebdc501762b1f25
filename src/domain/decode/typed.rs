//! From a tree to a type, with errors in our own words that point at the field.
//!
//! Strict for JSON. For YAML, a number or a flag is a text where a text is wanted, as eksctl's reader has
//! it; unless it would become another text than what is written.

use super::wrong::Wrong;
use crate::domain::invalid::{Invalid, pointer_token};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Whether numbers and flags may stand for texts.
#[derive(Clone, Copy)]
pub(super) enum Texts<'a> {
    /// Only texts are texts.
    Strict,
    /// They may, but for these numbers: by their pointers, as they are written.
    Lenient(&'a BTreeMap<String, String>),
}

/// Turns a tree into a type.
pub(super) fn read<T: DeserializeOwned>(tree: Value, texts: Texts<'_>) -> Result<T, Invalid> {
    let path = Path::ROOT;
    let node = Node {
        value: tree,
        path: &path,
        texts,
    };
    T::deserialize(node).map_err(|wrong: Wrong| wrong.at(String::new).invalid())
}

/// The way to a value, from the inside out.
#[derive(Clone, Copy)]
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Path<'_> {
    const ROOT: Path<'static> = Path {
        parent: None,
        segment: Segment::Root,
    };

    fn pointer(&self) -> String {
        let mut pointer = self.parent.map(Path::pointer).unwrap_or_default();
        match self.segment {
            Segment::Root => {}
            Segment::Key(key) => {
                pointer.push('/');
                pointer.push_str(&pointer_token(key));
            }
            Segment::Index(index) => {
                let _ = write!(pointer, "/{index}");
            }
        }
        pointer
    }
}

struct Node<'a> {
    value: Value,
    path: &'a Path<'a>,
    texts: Texts<'a>,
}

impl Node<'_> {
    fn wrong(&self, expected: &dyn de::Expected) -> Wrong {
        Wrong::invalid_type(unexpected(&self.value), expected).at(|| self.path.pointer())
    }

    /// The text, if this may stand for one.
    fn text(self) -> Result<String, Self> {
        let lenient = match self.texts {
            Texts::Strict => None,
            Texts::Lenient(odd) => Some(odd),
        };
        match (self.value, lenient) {
            (Value::String(text), _) => Ok(text),
            (Value::Bool(flag), Some(_)) => Ok(flag.to_string()),
            (Value::Number(number), Some(odd))
                if odd.is_empty() || !odd.contains_key(&self.path.pointer()) =>
            {
                Ok(number.to_string())
            }
            (value, _) => Err(Self {
                value,
                path: self.path,
                texts: self.texts,
            }),
        }
    }

    fn no_text(self, expected: &dyn de::Expected) -> Wrong {
        let Texts::Lenient(odd) = self.texts else {
            return self.wrong(expected);
        };
        match (odd.get(&self.path.pointer()), &self.value) {
            (Some(written), Value::Number(number)) => {
                let words = format!(
                    "{written} without quotes is the number {number}: put it in quotes, \"{written}\""
                );
                Wrong::custom(words).at(|| self.path.pointer())
            }
            _ => self.wrong(expected),
        }
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(n), ..) => Unexpected::Unsigned(n),
            (_, Some(n), _) => Unexpected::Signed(n),
            (_, _, n) => Unexpected::Float(n.unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let path = self.path;
        let read = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(n), ..) => visitor.visit_u64(n),
                (_, Some(n), _) => visitor.visit_i64(n),
                (_, _, n) => visitor.visit_f64(n.unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items {
                left: items.into_iter(),
                next: 0,
                path,
                texts: self.texts,
            }),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields, path, self.texts)),
        };
        read.map_err(|wrong: Wrong| wrong.at(|| path.pointer()))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let path = self.path;
        match self.text() {
            Ok(text) => visitor
                .visit_string(text)
                .map_err(|wrong: Wrong| wrong.at(|| path.pointer())),
            Err(node) => Err(node.no_text(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(self.wrong(&visitor)),
        }
    }

    // A list is never taken for the fields of an object, by position.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let path = self.path;
        match self.text() {
            Ok(text) => visitor
                .visit_enum(Variant(text))
                .map_err(|wrong: Wrong| wrong.at(|| path.pointer())),
            Err(node) => Err(node.no_text(&"a string")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq
        tuple tuple_struct identifier
    }
}

struct Items<'a> {
    left: std::vec::IntoIter<Value>,
    next: usize,
    path: &'a Path<'a>,
    texts: Texts<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(value) = self.left.next() else {
            return Ok(None);
        };
        let path = Path {
            parent: Some(self.path),
            segment: Segment::Index(self.next),
        };
        self.next += 1;
        let node = Node {
            value,
            path: &path,
            texts: self.texts,
        };
        let read = seed.deserialize(node);
        read.map(Some)
            .map_err(|wrong: Wrong| wrong.at(|| path.pointer()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

struct Fields<'a> {
    left: serde_json::map::IntoIter,
    /// The field whose name was read.
    at: Option<(String, Value)>,
    path: &'a Path<'a>,
    texts: Texts<'a>,
}

impl<'a> Fields<'a> {
    fn new(fields: Map<String, Value>, path: &'a Path<'a>, texts: Texts<'a>) -> Self {
        Self {
            left: fields.into_iter(),
            at: None,
            path,
            texts,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.left.next() else {
            return Ok(None);
        };
        let path = Path {
            parent: Some(self.path),
            segment: Segment::Key(&key),
        };
        let read = seed.deserialize(key.as_str().into_deserializer());
        let read = read.map_err(|wrong: Wrong| wrong.at(|| path.pointer()))?;
        self.at = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (key, value) = self.at.take().unwrap_or_default();
        let path = Path {
            parent: Some(self.path),
            segment: Segment::Key(&key),
        };
        let node = Node {
            value,
            path: &path,
            texts: self.texts,
        };
        seed.deserialize(node)
            .map_err(|wrong: Wrong| wrong.at(|| path.pointer()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// A choice, by its name alone.
struct Variant(String);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let read = seed.deserialize(self.0.as_str().into_deserializer());
        read.map(|read| (read, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Wrong> {
        Err(self.holds_more())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Wrong> {
        Err(self.holds_more())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Wrong> {
        Err(self.holds_more())
    }
}

impl Variant {
    fn holds_more(&self) -> Wrong {
        let name = crate::domain::invalid::quoted(&self.0);
        Wrong::custom(format!("{name} needs more than its name"))
    }
}
