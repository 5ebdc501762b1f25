//! The language in which Bottlerocket reads its settings.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// An object as tables; nothing else stands at the top.
pub(super) fn tables(tree: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_table(tree, "", &mut text);
    text
}

/// A table's own values, and after them the tables in it.
fn write_table(table: &Map<String, Value>, path: &str, text: &mut String) {
    let (inner, own): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_object());
    if !own.is_empty() || (inner.is_empty() && !path.is_empty()) {
        text.push_str(&format_header(path));
    }
    for (key, value) in own {
        let _ = writeln!(text, "{} = {}", name(key), inline(value));
    }
    for (key, value) in inner {
        let path = if path.is_empty() {
            name(key)
        } else {
            format!("{path}.{}", name(key))
        };
        if let Value::Object(inner) = value {
            write_table(inner, &path, text);
        }
    }
}

fn format_header(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("\n[{path}]\n")
    }
}

/// A key, in quotes if a dot or something else in it would mean more.
fn name(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// JSON's quotes are the same, but for one character.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{} = {}", name(key), inline(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_with_dots_stay_whole_and_tables_come_last() {
        let tree = json!({"settings": {
            "motd": "say \"hi\"\n\u{7f}",
            "kubernetes": {"node-labels": {"example.com/a": "b"}, "max-pods": 5, "list": ["a", {"b": true}]},
            "empty": {},
        }});
        let text = tables(tree.as_object().unwrap());
        let expected = "\n[settings]\nmotd = \"say \\\"hi\\\"\\n\\u007f\"\n\n[settings.empty]\n\n\
                        [settings.kubernetes]\nlist = [\"a\", {b = true}]\nmax-pods = 5\n\n\
                        [settings.kubernetes.node-labels]\n\"example.com/a\" = \"b\"\n";
        assert_eq!(text, expected);
    }
}
