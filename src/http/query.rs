//! Parameters in paths and queries, parsed into types that cannot be wrong.
//!
//! A parameter is text; the types here are read from text. An unknown name is refused, or a typo
//! in a filter would show everything.

use std::str::FromStr;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};

use super::on_behalf;
use super::problem::Problem;
use crate::domain::decode;
use crate::domain::invalid::quoted;
use crate::domain::{Invalid, PageSize};

/// All but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

pub(super) fn path<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    // The router replaces bytes that are not UTF-8, so this looks at what was sent.
    if percent_decode_str(request.uri().path())
        .decode_utf8()
        .is_err()
    {
        return Err(Problem::invalid_field(
            "/path",
            "not UTF-8 after percent-decoding",
        ));
    }
    let mut tree = Map::new();
    for (name, value) in request.match_info().iter() {
        // The router leaves these encoded: % / +
        let text = percent_decode_str(value).decode_utf8_lossy();
        tree.insert(name.to_owned(), Value::String(text.into_owned()));
    }
    parsed(tree, "/path")
}

pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut tree = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        // Every request may have it; it was looked at with the token.
        if name == on_behalf::PARAMETER {
            continue;
        }
        let pointer = format!("/query/{}", crate::domain::invalid::pointer_token(&name));
        if tree
            .insert(name.into_owned(), Value::String(value.into_owned()))
            .is_some()
        {
            let message = "given twice; put several values into one, with commas";
            return Err(Problem::invalid_field(pointer, message));
        }
    }
    parsed(tree, "/query")
}

fn parsed<T: DeserializeOwned>(tree: Map<String, Value>, at: &str) -> Result<T, Problem> {
    decode::typed(Value::Object(tree)).map_err(|errors| {
        let errors: Vec<Invalid> = errors.into_iter().map(|error| error.under(at)).collect();
        Problem::invalid(errors)
    })
}

/// Reads a parameter through its own `FromStr`.
pub(super) fn text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let text = String::deserialize(deserializer)?;
    parse(&text).map(Some).map_err(D::Error::custom)
}

/// What a type of a library says of a wrong text is said in our words.
fn parse<T>(text: &str) -> Result<T, String>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        let expected = match std::any::type_name::<T>() {
            "bool" => "true or false",
            name if name.ends_with("::Uuid") => {
                "an id, such as 019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
            }
            _ => return error.to_string(),
        };
        format!("expected {expected}, not {}", quoted(text))
    })
}

/// Reads `a,b,c`; every part through its own `FromStr`.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    const MOST: usize = 100;
    let text = String::deserialize(deserializer)?;
    let parts: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() || parts.len() > MOST {
        return Err(D::Error::custom(format!(
            "expected 1 to {MOST} values with commas between"
        )));
    }
    parts
        .into_iter()
        .map(|part| parse(part).map_err(D::Error::custom))
        .collect()
}

/// Seconds to wait: 0 to 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitSeconds(pub u8);

impl FromStr for WaitSeconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seconds @ 0..=60) => Ok(Self(seconds)),
            _ => Err(format!(
                "invalid wait {}: expected 0 to 60 seconds",
                quoted(text)
            )),
        }
    }
}

/// A wish for a page's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageWish(pub PageSize);

impl FromStr for PageWish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wish = text.parse::<i64>().map_err(|_| {
            format!(
                "invalid page size {}: expected a whole number of at least 1",
                quoted(text)
            )
        })?;
        PageSize::parse(Some(wish))
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// A time in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub DateTime<Utc>);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = DateTime::parse_from_rfc3339(text);
        parsed
            .map(|time| Self(time.with_timezone(&Utc)))
            .map_err(|_| {
                let example = "2026-01-02T03:04:05Z";
                format!(
                    "invalid time {}: expected RFC 3339, such as {example}",
                    quoted(text)
                )
            })
    }
}

/// A filter's text: at most 256 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilterText(pub String);

impl FromStr for FilterText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.chars().count() > 256 || text.chars().any(char::is_control) {
            return Err(format!(
                "invalid text {}: at most 256 printable characters",
                quoted(text)
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Sample {
        #[serde(default, deserialize_with = "text")]
        wait_seconds: Option<WaitSeconds>,
        #[serde(default, deserialize_with = "list")]
        state: Vec<crate::domain::JobState>,
    }

    fn pointer(text: &str) -> String {
        query::<Sample>(text).unwrap_err().errors[0].pointer.clone()
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let sample: Sample = query("waitSeconds=60&state=failed,%20queued").unwrap();
        assert_eq!(
            (sample.wait_seconds, sample.state.len()),
            (Some(WaitSeconds(60)), 2)
        );
        for (text, at) in [
            ("waitSeconds=61", "/query/waitSeconds"),
            ("waitSeconds=-1", "/query/waitSeconds"),
            ("state=done", "/query/state"),
            ("state=", "/query/state"),
            ("stat=failed", "/query/stat"),
            ("state=failed&state=queued", "/query/state"),
        ] {
            assert_eq!(pointer(text), at, "{text}");
        }
    }

    #[test]
    fn a_segment_keeps_only_what_is_unreserved() {
        assert_eq!(segment("fp_a-b.c~1"), "fp_a-b.c~1");
        assert_eq!(segment("a b/ä?"), "a%20b%2F%C3%A4%3F");
    }
}
