//! What utoipa writes, made plain: texts and numbers stand where they are used, with their bounds,
//! and a reference stands alone.
//!
//! A named schema for a mere text makes generators invent wrapper types, and a description beside a
//! `$ref` makes some of them invent an `allOf`.

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// The largest whole number that JSON readers everywhere keep exactly.
const MAX_SAFE: i64 = 9_007_199_254_740_991;

pub(super) fn flatten(document: &mut Value) {
    let named = document["components"]["schemas"].clone();
    let scalars: Map<String, Value> = named
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| is_scalar(schema))
        .map(|(name, schema)| (format!("{SCHEMAS}{name}"), schema.clone()))
        .collect();
    walk(document, &mut |object| {
        inline(object, &scalars);
        bound(object);
        // An absent field is absent, and not null.
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
    });
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| !scalars.contains_key(&format!("{SCHEMAS}{name}")));
    }
}

fn is_scalar(schema: &Value) -> bool {
    matches!(
        schema["type"].as_str(),
        Some("string" | "integer" | "boolean" | "number")
    )
}

/// Calls `change` on every object, the outer before the inner.
pub(super) fn walk(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|inner| walk(inner, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| walk(inner, change)),
        _ => {}
    }
}

fn inline(object: &mut Map<String, Value>, scalars: &Map<String, Value>) {
    let Some(name) = object
        .get("$ref")
        .and_then(Value::as_str)
        .map(str::to_owned)
    else {
        return;
    };
    if let Some(scalar) = scalars.get(&name).and_then(Value::as_object) {
        object.remove("$ref");
        let own = object.get("description").cloned();
        object.extend(scalar.clone());
        if let Some(own) = own {
            // What it means here, then what it is.
            let what = scalar
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let own = own.as_str().unwrap_or_default();
            object.insert(
                "description".to_owned(),
                json!(format!("{own} {}.", sentence(what))),
            );
        }
    } else if name.starts_with(SCHEMAS) {
        object.retain(|key, _| key == "$ref");
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Bounds that follow from the format.
fn bound(object: &mut Map<String, Value>) {
    let text = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, format) = (text("type"), text("format"));
    let mut at_least = |key: &str, value: Value| {
        object.entry(key.to_owned()).or_insert(value);
    };
    match (kind.as_str(), format.as_str()) {
        ("string", "date-time") => {
            at_least("maxLength", json!(35));
            at_least("examples", json!(["2026-01-02T03:04:05Z"]));
        }
        ("string", "uuid") => {
            at_least("maxLength", json!(36));
            at_least("examples", json!(["0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f"]));
        }
        ("integer", "int32") => {
            at_least("minimum", json!(0));
            at_least("maximum", json!(i32::MAX));
        }
        ("integer", _) => {
            at_least("minimum", json!(0));
            at_least("maximum", json!(MAX_SAFE));
        }
        _ => {}
    }
}
