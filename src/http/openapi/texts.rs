//! What holds for every text in a request: it has no U+0000, which Postgres can't keep.
//!
//! Said only where nothing else is said of a text. Headers can't have it anyway, and of a body that
//! is text as a whole its own format says more.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::flat::walk;

const NO_NUL: &str = r"^[^\x00]*$";

pub(super) fn bound_texts(document: &mut Value) {
    let mut names = BTreeSet::new();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        if let Some(parameters) = operation.get_mut("parameters") {
            walk(parameters, &mut bound);
        }
        names.extend(names_in(&operation["requestBody"]));
    }
    let schemas = &mut document["components"]["schemas"];
    let mut done = BTreeSet::new();
    while let Some(name) = names.pop_first() {
        let Some(schema) = schemas.get_mut(&name).filter(|_| !done.contains(&name)) else {
            continue;
        };
        walk(schema, &mut bound);
        names.extend(names_in(schema));
        done.insert(name);
    }
}

fn names_in(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(&mut value.clone(), &mut |object| {
        let name = object.get("$ref").and_then(Value::as_str);
        names.extend(
            name.and_then(|name| name.strip_prefix("#/components/schemas/"))
                .map(str::to_owned),
        );
    });
    names
}

fn bound(schema: &mut Map<String, Value>) {
    let says_more = ["pattern", "format", "x-extensible-enum"];
    let is_text = schema.get("type").is_some_and(|kind| kind == "string");
    if is_text && !says_more.iter().any(|key| schema.contains_key(*key)) {
        schema.insert("pattern".to_owned(), json!(NO_NUL));
    }
}
