//! Names of things in Kubernetes, and what hangs on them.

use crate::domain::invalid::{Invalid, pointer_token, quoted};
use std::collections::BTreeMap;

const MAX_PAIRS: usize = 50;
const MAX_ANNOTATION: usize = 4096;

/// What is wrong with the name of a namespace.
pub(super) fn wrong_namespace(at: &str, name: &str) -> Option<Invalid> {
    let fine = name.len() <= 63 && is_dns_label(name);
    let message = format!(
        "invalid namespace {}: expected at most 63 lower-case letters, digits or -, the first and \
         last a letter or digit",
        quoted(name)
    );
    (!fine).then(|| Invalid::new(at, message))
}

/// What is wrong with the name of a `ServiceAccount`.
pub(super) fn wrong_service_account(at: &str, name: &str) -> Option<Invalid> {
    let message = format!(
        "invalid name of a ServiceAccount {}: expected at most 253 lower-case letters, digits, - or \
         ., the first and last a letter or digit",
        quoted(name)
    );
    (!is_dns_name(name)).then(|| Invalid::new(at, message))
}

pub(super) fn check_labels(labels: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    for (key, value) in pairs(labels, (at, "labels"), wrong) {
        let pointer = format!("{at}/{}", pointer_token(key));
        wrong.extend(wrong_key(&pointer, key));
        if !value.is_empty() && !is_word(value) {
            let message = format!(
                "invalid label value {}: expected at most 63 letters, digits, -, _ or ., the first \
                 and last a letter or digit",
                quoted(value)
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

pub(super) fn check_annotations(
    annotations: &BTreeMap<String, String>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) {
    for (key, value) in pairs(annotations, (at, "annotations"), wrong) {
        let pointer = format!("{at}/{}", pointer_token(key));
        wrong.extend(wrong_key(&pointer, key));
        if value.len() > MAX_ANNOTATION {
            let message = format!("at most {MAX_ANNOTATION} bytes");
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

/// The pairs, unless there are too many of them.
fn pairs<'a>(
    all: &'a BTreeMap<String, String>,
    (at, what): (&str, &str),
    wrong: &mut Vec<Invalid>,
) -> impl Iterator<Item = (&'a String, &'a String)> + use<'a> {
    let many = all.len() > MAX_PAIRS;
    if many {
        wrong.push(Invalid::new(at, format!("at most {MAX_PAIRS} {what}")));
    }
    all.iter().filter(move |_| !many)
}

fn wrong_key(at: &str, key: &str) -> Option<Invalid> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let fine = is_word(name) && prefix.is_none_or(is_dns_name);
    let message = format!(
        "invalid key {}: expected at most 63 letters, digits, -, _ or ., after a domain and / if \
         need be",
        quoted(key)
    );
    (!fine).then(|| Invalid::new(at, message))
}

fn is_word(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let edge = |b: Option<&u8>| b.is_some_and(|b| plain(*b));
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|b| plain(*b) || *b == b'-')
}
