//! What is wrong with something a caller sent: one text for a value, or a list of pointed-at fields.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest piece of a caller's value that an error repeats, in characters: a whole profile name.
const QUOTED_CHARS: usize = 100;

/// A text that is not what it should be. The message names the value (shortened) and what is
/// expected instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
}

impl ParseError {
    /// Says that `value` is not a valid `what`, and what would be.
    #[must_use]
    pub fn new(what: &str, value: &str, expected: &str) -> Self {
        let message = format!("invalid {what} {}: expected {expected}", quoted(value));
        Self { message }
    }

    /// The whole sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{pointer}: {message}")]
pub struct Invalid {
    /// JSON pointer (RFC 6901) to the field; empty for the whole document.
    #[schema(max_length = 4096, examples("/selectors/0/namespace"))]
    pub pointer: String,
    /// What is wrong with it.
    #[schema(max_length = 4096, examples("invalid Fargate profile: empty name"))]
    pub message: String,
}

impl Invalid {
    /// Puts a message at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }

    /// The same error seen from a document that holds the first one at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

/// One reference token of a JSON pointer, escaped as RFC 6901 asks.
#[must_use]
pub fn pointer_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A caller's value between quotes, escaped and cut to a bound, so that an error stays one line.
#[must_use]
pub fn quoted(value: &str) -> String {
    if value.chars().count() <= QUOTED_CHARS {
        return format!("{value:?}");
    }
    let head: String = value.chars().take(QUOTED_CHARS).collect();
    format!("{head:?}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parse_error_names_a_bounded_part_of_the_value() {
        let error = ParseError::new("region", &"x".repeat(10_000), "a region");
        assert!(error.message().len() < 200, "{error}");
        assert!(error.message().ends_with("\"...: expected a region"));
    }

    #[test]
    fn pointers_escape_slash_and_tilde() {
        assert_eq!(pointer_token("a/b~c"), "a~1b~0c");
        let inner = Invalid::new("/namespace", "empty");
        assert_eq!(
            inner.under("/selectors/1").pointer,
            "/selectors/1/namespace"
        );
    }
}
