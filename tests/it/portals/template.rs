//! A template of Backstage's scaffolder, run as the scaffolder runs it: what is between `${{ }}` is
//! looked up, and each step's answer is the next one's to use.

use serde_json::{Map, Value, json};

/// Looks up everything between `${{ }}`; a text that is nothing else keeps the value's type.
pub fn rendered(value: &Value, context: &Value) -> Value {
    match value {
        Value::String(text) => text_rendered(text, context),
        Value::Array(items) => items.iter().map(|item| rendered(item, context)).collect(),
        Value::Object(object) => {
            let each = object.iter();
            let each = each.map(|(key, value)| (key.clone(), rendered(value, context)));
            Value::Object(each.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn text_rendered(text: &str, context: &Value) -> Value {
    let whole = text
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"));
    if let Some(path) = whole.filter(|path| !path.contains("}}")) {
        return looked_up(path, context);
    }
    let mut parts = text.split("${{");
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let (path, rest) = part.split_once("}}").unwrap();
        match looked_up(path, context) {
            Value::String(text) => made.push_str(&text),
            other => made.push_str(&other.to_string()),
        }
        made.push_str(rest);
    }
    json!(made)
}

fn looked_up(path: &str, context: &Value) -> Value {
    let pointer = format!("/{}", path.trim().replace('.', "/"));
    let found = context.pointer(&pointer);
    found
        .unwrap_or_else(|| panic!("no {path} in {context}"))
        .clone()
}
