//! What does not fit a type, in our own words.

use super::nearest::nearest;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use serde::de::{self, Expected, Unexpected};
use std::fmt;

/// A value that does not fit, and where it stands as far as that is known by now.
#[derive(Debug)]
pub(super) struct Wrong {
    pointer: Option<String>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// The pointer is that of the object.
    Missing(String),
    Other(String),
}

impl Wrong {
    fn new(words: String) -> Self {
        Self {
            pointer: None,
            problem: Problem::Other(words),
        }
    }

    /// Says where; the first, innermost place counts.
    pub(super) fn at(mut self, pointer: impl FnOnce() -> String) -> Self {
        if self.pointer.is_none() {
            self.pointer = Some(pointer());
        }
        self
    }

    pub(super) fn invalid(self) -> Invalid {
        let pointer = self.pointer.unwrap_or_default();
        match self.problem {
            Problem::Other(words) => Invalid::new(pointer, words),
            Problem::Missing(field) => {
                let pointer = format!("{pointer}/{}", pointer_token(&field));
                Invalid::new(pointer, format!("the field {field} is missing"))
            }
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Missing(field) => write!(f, "the field {field} is missing"),
            Problem::Other(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(words.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = wanted(&expected.to_string());
        Self::new(match wanted.as_str() {
            // Whatever it is instead.
            OBJECT => wanted,
            _ => format!(
                "expected {wanted}, not {}{}",
                told(found),
                remedy(found, &wanted)
            ),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = wanted(&expected.to_string());
        Self::new(format!("expected {wanted}, not {}", told(found)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let wanted = wanted(&expected.to_string());
        Self::new(format!("expected {wanted}, not {length} elements"))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let meant =
            nearest(variant, known).map_or_else(String::new, |one| format!("did you mean {one}? "));
        let known = known.join(", ");
        Self::new(format!(
            "{} is not known here; {meant}known here: {known}",
            quoted(variant)
        ))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(unknown_field(field, known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            pointer: None,
            problem: Problem::Missing(field.to_owned()),
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the field {field} stands twice: keep one"))
    }
}

/// That a field is not known, with the one that may be meant.
pub(crate) fn unknown_field(field: &str, known: &[&str]) -> String {
    let meant =
        nearest(field, known).map_or_else(String::new, |one| format!("did you mean {one}? "));
    format!(
        "unknown field {}; {meant}known here: {}",
        quoted(field),
        known.join(", ")
    )
}

const OBJECT: &str = "expected an object with named fields";

/// Serde's words for what a type wants, made ours. What our own types say stays.
fn wanted(expected: &str) -> String {
    let whole = |from: i128, to: i128| format!("a whole number from {from} to {to}");
    match expected {
        "a string" | "str" | "string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "unit" => "nothing".to_owned(),
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i8" => whole(i8::MIN.into(), i8::MAX.into()),
        "i16" => whole(i16::MIN.into(), i16::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a character" => "one character".to_owned(),
        other if other.starts_with("struct ") || other.starts_with("a map") => OBJECT.to_owned(),
        other if other.starts_with("enum ") => "one of the known words".to_owned(),
        other => other.to_owned(),
    }
}

fn told(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(flag) => flag.to_string(),
        Unexpected::Unsigned(n) => format!("the number {n}"),
        Unexpected::Signed(n) => format!("the number {n}"),
        Unexpected::Float(n) => format!("the number {n}"),
        Unexpected::Char(c) => format!("the text {}", quoted(&c.to_string())),
        Unexpected::Str(text) => format!("the text {}", quoted(text)),
        Unexpected::Unit | Unexpected::Option => "nothing (null)".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Other(words) => words.to_owned(),
        _ => "something else".to_owned(),
    }
}

fn remedy(found: Unexpected<'_>, wanted: &str) -> &'static str {
    match (found, wanted) {
        (
            Unexpected::Bool(_)
            | Unexpected::Unsigned(_)
            | Unexpected::Signed(_)
            | Unexpected::Float(_),
            "text",
        ) => "; put it in quotes if text is meant",
        (Unexpected::Str(text), "true or false") if ["true", "false"].contains(&text) => {
            "; write it without quotes"
        }
        (Unexpected::Str(text), wanted)
            if wanted.contains("number") && text.parse::<f64>().is_ok() =>
        {
            "; write it without quotes"
        }
        (Unexpected::Str(_) | Unexpected::Map, "a list") => {
            "; a list has its elements in [ ], or each after a -"
        }
        _ => "",
    }
}
