//! AWS's schemas of resource types, and what CloudFormation says to properties that do not keep them.
//!
//! `schemas.jsonl` has a line a type; `tests/cfn/schemas` writes it. A type without a line is refused
//! by a test, so a new one takes a row in `kind.rs` and a run of that script.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::LazyLock;

use ipnet::Ipv4Net;
use regex::Regex;
use serde_json::{Map, Value};

static SCHEMAS: LazyLock<HashMap<String, Value>> = LazyLock::new(|| {
    let lines = include_str!("schemas.jsonl").lines();
    let parsed = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed
        .filter_map(|schema| Some((schema["typeName"].as_str()?.to_owned(), schema)))
        .collect()
});

/// Those of AWS's patterns that are used; none for one that is written in another dialect.
static PATTERNS: LazyLock<HashMap<String, Option<Regex>>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for schema in SCHEMAS.values() {
        patterns(schema, &mut found);
    }
    found
        .into_iter()
        .map(|pattern| (pattern.to_owned(), translated(pattern)))
        .collect()
});

/// AWS's patterns in Rust's dialect: `\Z` is `\z`, and `[` within a class needs a backslash.
fn translated(pattern: &str) -> Option<Regex> {
    let (mut text, mut in_class, mut escaped) = (String::new(), false, false);
    for c in pattern.replace("\\Z", "\\z").chars() {
        if c == '[' && in_class && !escaped {
            text.push('\\');
        }
        match c {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        text.push(c);
    }
    Regex::new(&text).ok()
}

fn patterns<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("pattern", Value::String(pattern)) => found.push(pattern),
                    ("patternProperties", Value::Object(of)) => {
                        found.extend(of.keys().map(String::as_str));
                        of.values().for_each(|one| patterns(one, found));
                    }
                    _ => patterns(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
        _ => {}
    }
}

/// What CloudFormation says to the properties of a resource, without functions.
pub(super) fn check(kind: &str, logical: &str, properties: &Value) -> Result<(), String> {
    let Some(schema) = SCHEMAS.get(kind) else {
        return Ok(());
    };
    let none = Value::Object(Map::new());
    let properties = if properties.is_null() {
        &none
    } else {
        properties
    };
    if let Some(name) = read_only(schema, properties) {
        return Err(format!("Encountered unsupported property {name}"));
    }
    let mut checker = Checker {
        root: schema,
        problems: Vec::new(),
    };
    checker.value(schema, properties, "#");
    if checker.problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Properties validation failed for resource {logical} with message:\n{}",
        checker.problems.join("\n")
    ))
}

/// A property that AWS alone sets.
fn read_only<'a>(schema: &'a Value, properties: &Value) -> Option<&'a str> {
    let listed = schema["readOnlyProperties"].as_array()?;
    let pointers = listed.iter().filter_map(Value::as_str);
    let names = pointers.filter_map(|pointer| pointer.strip_prefix("/properties/"));
    names
        .filter(|name| !name.contains('/'))
        .find(|name| properties.get(name).is_some())
}

struct Checker<'a> {
    root: &'a Value,
    problems: Vec<String>,
}

impl<'a> Checker<'a> {
    fn value(&mut self, schema: &'a Value, value: &Value, at: &str) {
        if let Some(to) = schema["$ref"].as_str() {
            let definition = to
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            if let Some(definition) = definition {
                self.value(definition, value, at);
            }
            return;
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|name| is_of(name, value)) {
            let (wanted, found) = (java_name(types[0]), found(value));
            self.problems
                .push(format!("{at}: expected type: {wanted}, found: {found}"));
            return;
        }
        match value {
            Value::Object(members) => self.object(schema, members, at),
            Value::Array(items) => self.array(schema, items, at),
            _ => self.scalar(schema, value, at),
        }
        self.alternatives(schema, value, at);
    }

    fn object(&mut self, schema: &'a Value, members: &Map<String, Value>, at: &str) {
        for name in names(&schema["required"]) {
            if !members.contains_key(name) {
                self.problems
                    .push(format!("{at}: required key [{name}] not found"));
            }
        }
        for (name, needed) in schema["dependentRequired"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let lacking = names(needed).find(|needed| !members.contains_key(*needed));
            if let Some(lacking) = lacking.filter(|_| members.contains_key(name)) {
                self.problems
                    .push(format!("{at}: property [{lacking}] is required"));
            }
        }
        let given = |list: &'a Value| {
            names(list)
                .filter(|name| members.contains_key(*name))
                .count()
        };
        let either = given(&schema["requiredXor"]);
        if schema["requiredXor"].is_array() && either != 1 {
            self.problems.push(format!(
                "{at}: #: {either} subschemas matched instead of one"
            ));
        }
        if let Some(listed) = schema["requiredOr"].as_array()
            && given(&schema["requiredOr"]) == 0
        {
            let total = listed.len();
            self.problems.push(format!(
                "{at}: #: no subschema matched out of the total {total} subschemas"
            ));
        }
        for (name, member) in members {
            match member_of(schema, name) {
                Some(known) => self.value(known, member, &format!("{at}/{name}")),
                None if schema["additionalProperties"] == Value::Bool(false) => self
                    .problems
                    .push(format!("{at}: extraneous key [{name}] is not permitted")),
                None => {}
            }
        }
    }

    fn array(&mut self, schema: &'a Value, items: &[Value], at: &str) {
        let count = items.len() as u64;
        let unique = schema["uniqueItems"] == Value::Bool(true);
        let twice = || (1..items.len()).any(|end| items[..end].contains(&items[end]));
        let broken = [
            (
                "minItems",
                schema["minItems"].as_u64().is_some_and(|min| count < min),
            ),
            (
                "maxItems",
                schema["maxItems"].as_u64().is_some_and(|max| count > max),
            ),
            ("uniqueItems", unique && twice()),
        ];
        self.keywords(broken, at);
        if schema["items"].is_object() {
            for (index, item) in items.iter().enumerate() {
                self.value(&schema["items"], item, &format!("{at}/{index}"));
            }
        }
    }

    fn scalar(&mut self, schema: &'a Value, value: &Value, at: &str) {
        let text = text(value);
        let length = text.chars().count() as u64;
        let number = text.parse::<f64>().ok();
        let is_text = types(schema).contains(&"string");
        let allowed = |text: &str, list: &str| {
            let listed = schema[list].as_array();
            listed.is_none_or(|listed| listed.iter().any(|one| self::text(one) == text))
        };
        let any_case = schema["enumCaseInsensitive"].is_array()
            && !allowed(&text.to_ascii_lowercase(), "enumCaseInsensitive");
        let broken = [
            ("enum", !allowed(&text, "enum") || any_case),
            (
                "minLength",
                is_text && schema["minLength"].as_u64().is_some_and(|min| length < min),
            ),
            (
                "maxLength",
                is_text && schema["maxLength"].as_u64().is_some_and(|max| length > max),
            ),
            (
                "minimum",
                schema["minimum"]
                    .as_f64()
                    .is_some_and(|min| number.is_some_and(|n| n < min)),
            ),
            (
                "maximum",
                schema["maximum"]
                    .as_f64()
                    .is_some_and(|max| number.is_some_and(|n| n > max)),
            ),
            (
                "pattern",
                schema["pattern"]
                    .as_str()
                    .is_some_and(|pattern| !fits(pattern, &text)),
            ),
            ("format", !has_format(schema["format"].as_str(), &text)),
        ];
        self.keywords(broken, at);
    }

    /// AWS keeps values out of these messages.
    fn keywords<const N: usize>(&mut self, broken: [(&str, bool); N], at: &str) {
        for (keyword, _) in broken.into_iter().filter(|(_, broken)| *broken) {
            self.problems.push(format!(
                "{at}: failed validation constraint for keyword [{keyword}]"
            ));
        }
    }

    fn alternatives(&mut self, schema: &'a Value, value: &Value, at: &str) {
        let matching = |list: &str| {
            let listed = schema[list].as_array()?;
            let fits = |one: &&'a Value| {
                let mut checker = Checker {
                    root: self.root,
                    problems: Vec::new(),
                };
                checker.value(one, value, at);
                checker.problems.is_empty()
            };
            Some((listed.iter().filter(fits).count(), listed.len()))
        };
        let (any, one) = (matching("anyOf"), matching("oneOf"));
        if let Some((0, total)) = any {
            self.problems.push(format!(
                "{at}: #: no subschema matched out of the total {total} subschemas"
            ));
        }
        if let Some((count, _)) = one.filter(|(count, _)| *count != 1) {
            self.problems.push(format!(
                "{at}: #: {count} subschemas matched instead of one"
            ));
        }
    }
}

/// The schema of a member; none where nothing is said of it.
fn member_of<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let patterned = || {
        let patterns = schema["patternProperties"].as_object()?;
        let mut patterns = patterns.iter();
        patterns.find(|(pattern, _)| fits(pattern, name))
    };
    let known = schema["properties"].get(name);
    known
        .or_else(|| patterned().map(|(_, schema)| schema))
        .or_else(|| Some(&schema["additionalProperties"]).filter(|more| more.is_object()))
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    let listed = list.as_array().into_iter().flatten();
    listed.filter_map(Value::as_str)
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        several => names(several).collect(),
    }
}

/// Numbers and flags may be written as texts, and texts as numbers and flags.
fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => matches!(text(value).to_ascii_lowercase().as_str(), "true" | "false"),
        "integer" => text(value).parse::<i64>().is_ok(),
        "number" => text(value).parse::<f64>().is_ok(),
        _ => !value.is_object() && !value.is_array(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

fn java_name(name: &str) -> &str {
    match name {
        "object" => "JSONObject",
        "array" => "JSONArray",
        "boolean" => "Boolean",
        "integer" => "Integer",
        "number" => "Number",
        _ => "String",
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "JSONObject",
        Value::Array(_) => "JSONArray",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Null => "Null",
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let known = PATTERNS.get(pattern).and_then(Option::as_ref);
    known.is_none_or(|pattern| pattern.is_match(text))
}

fn has_format(format: Option<&str>, text: &str) -> bool {
    match format {
        Some("ipv4-network") => text.parse::<Ipv4Net>().is_ok(),
        Some("ipv6-network") => text.split_once('/').is_some_and(|(address, length)| {
            let length = length.parse::<u8>();
            address.parse::<Ipv6Addr>().is_ok() && length.is_ok_and(|length| length <= 128)
        }),
        _ => true,
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
