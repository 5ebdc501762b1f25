//! JSON's text, with errors that say where and what to do.

use super::tree::{DOUBLED, Tree};
use crate::domain::invalid::Invalid;
use serde::Deserialize as _;
use serde_json::Value;
use serde_json::error::Category;

/// What the reader's library says of a text, and what we say. The first that fits counts.
const WORDS: [(&str, &str); 19] = [
    (
        "EOF while parsing a list",
        "a list is not closed: a ] is missing at its end",
    ),
    (
        "EOF while parsing an object",
        "an object is not closed: a } is missing at its end",
    ),
    (
        "EOF while parsing a string",
        "a text is not closed: a \" is missing at its end",
    ),
    (
        "EOF while parsing a value",
        "the document ends where a value should stand; send all of it",
    ),
    ("expected `:`", "after the name of a field comes a colon"),
    (
        "expected `,` or `]`",
        "between the elements of a list comes a comma, after the last one a ]",
    ),
    (
        "expected `,` or `}`",
        "between the fields of an object comes a comma, after the last one a }",
    ),
    (
        "expected ident",
        "a word is misspelt: besides texts in double quotes JSON has only true, false and null",
    ),
    (
        "expected value",
        "a value should stand here: a text in double quotes, a number, true, false, null, a list or an object",
    ),
    ("expected `\"`", "a text in double quotes should stand here"),
    (
        "invalid escape",
        "a backslash stands before a character that needs none; write \\\\ for the backslash itself",
    ),
    (
        "invalid number",
        "the number is not complete; put it in double quotes if text is meant",
    ),
    (
        "number out of range",
        "the number is too large; put it in double quotes if text is meant",
    ),
    (
        "invalid unicode code point",
        "the text holds bytes or an escape that are no character; save the document as UTF-8",
    ),
    (
        "control character",
        "a text holds a line break or a tab as such; write it as \\n, \\t or \\u00XX",
    ),
    (
        "key must be a string",
        "the name of a field has to be a text in double quotes",
    ),
    (
        "trailing comma",
        "after the last element or field comes no comma: remove it",
    ),
    (
        "trailing characters",
        "something stands after the end of the document: remove it, or send one document a request",
    ),
    (
        "recursion limit exceeded",
        "the document is nested too deep",
    ),
];

/// The same for escapes of characters.
const ESCAPES: [&str; 4] = [
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
    "invalid value",
    "expected a numeric key",
];

/// Reads a tree in which no object has a key twice.
pub(super) fn tree(text: &[u8]) -> Result<Value, Invalid> {
    match serde_json::from_slice::<Tree>(text) {
        Ok(tree) => Ok(tree.0),
        Err(error) => {
            let said = sentence(&error);
            let (line, column) = (error.line(), error.column().max(1));
            let message = format!("not valid JSON at line {line}, column {column}: {said}");
            Err(Invalid::new(pointer(text), message))
        }
    }
}

/// Where it goes wrong; known by reading the text once more.
fn pointer(text: &[u8]) -> String {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    match Tree::deserialize(tracked) {
        Ok(_) => String::new(),
        Err(_) => super::pointer(&track.path()),
    }
}

fn sentence(error: &serde_json::Error) -> String {
    let said = error.to_string();
    if let Some(rest) = said.strip_prefix(DOUBLED) {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let key = rest.strip_suffix(&place).unwrap_or(rest);
        return format!("the field {key} stands twice in one object: keep one");
    }
    if let Some((_, ours)) = WORDS.iter().find(|(theirs, _)| said.starts_with(theirs)) {
        return (*ours).to_owned();
    }
    let ours = if ESCAPES.iter().any(|theirs| said.starts_with(theirs)) {
        "an escape such as \\u00e9 is not complete: four hexadecimal digits follow \\u, and a second escape \
         the first half of a pair"
    } else if error.classify() == Category::Eof {
        "the document ends too early; send all of it"
    } else {
        "the text can't be read as JSON from here on"
    };
    ours.to_owned()
}
