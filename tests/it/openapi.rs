//! The published documents: committed as generated, and flat.

use std::path::Path;

use fargate_fleet::http;
use serde_json::Value;

fn committed_is_generated(name: &str, generated: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = std::fs::read_to_string(root.join("openapi").join(name)).unwrap_or_default();
    if committed != generated {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&fresh, generated).unwrap();
        panic!(
            "openapi/{name} is not what the code says: cp {} openapi/",
            fresh.display()
        );
    }
}

#[test]
fn the_committed_3_1_document_is_the_generated_one() {
    committed_is_generated("openapi.json", &http::openapi_json());
}

#[test]
fn the_committed_3_0_document_is_the_generated_one() {
    committed_is_generated("openapi-3.0.json", &http::openapi_3_0_json());
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Calls `look` with every object and the place it is at.
fn each_object(value: &Value, at: &str, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            look(at, value);
            for (key, inner) in object {
                each_object(inner, &format!("{at}/{key}"), look);
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                each_object(inner, &format!("{at}/{i}"), look);
            }
        }
        _ => {}
    }
}

fn is_example(at: &str) -> bool {
    at.contains("/example")
}

#[test]
fn every_schema_is_flat_and_bounded() {
    for text in [http::openapi_json(), http::openapi_3_0_json()] {
        let document = document(&text);
        let mut wrong = Vec::new();
        each_object(&document, "", &mut |at, object| {
            if is_example(at) {
                return;
            }
            for key in [
                "oneOf",
                "anyOf",
                "allOf",
                "not",
                "nullable",
                "discriminator",
            ] {
                if object.get(key).is_some() && !at.ends_with("/properties") {
                    wrong.push(format!("{at} has {key}"));
                }
            }
            if object.get("$ref").is_some() && object.as_object().unwrap().len() > 1 {
                wrong.push(format!("{at} has something beside its $ref"));
            }
            let bounds: &[&str] = match object["type"].as_str() {
                Some("string") => &["maxLength"],
                Some("integer") => &["minimum", "maximum"],
                Some("array") => &["maxItems", "items"],
                Some("object") if object.get("properties").is_none() => &["maxProperties"],
                _ => &[],
            };
            let missing = bounds.iter().filter(|bound| object.get(**bound).is_none());
            wrong.extend(missing.map(|bound| format!("{at} has no {bound}")));
            if object["type"].is_array() || object["type"] == "null" {
                wrong.push(format!("{at} may be null"));
            }
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn operations_are_named_tagged_and_say_who_may() {
    let document = document(&http::openapi_json());
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{name}: {id} is taken");
            assert!(
                id.bytes().all(|b| b.is_ascii_alphanumeric()),
                "{name}: {id}"
            );
            assert!(id.as_bytes()[0].is_ascii_lowercase(), "{name}: {id}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
            let role = operation["x-required-role"].as_str().unwrap_or_default();
            assert!(
                ["none", "viewer", "operator", "admin"].contains(&role),
                "{name}: {role}"
            );
            assert_eq!(role == "none", operation["security"].is_array(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().all(|status| status.parse::<u16>().is_ok()),
                "{name}"
            );
            assert_eq!(role != "none", responses.contains_key("401"), "{name}");
            for body in operation["requestBody"]["content"]
                .as_object()
                .into_iter()
                .flatten()
            {
                let plain = body.1["schema"]["type"] == "string";
                assert!(plain || body.1["schema"]["$ref"].is_string(), "{name}");
            }
        }
    }
    let twin = document["paths"]["/v1/jobs/{jobId}"]["get"]["parameters"].to_string();
    assert!(
        twin.contains("waitSeconds") && twin.contains("parameters/Prefer"),
        "{twin}"
    );
}

#[test]
fn the_table_of_routes_is_the_documents() {
    let table = include_str!("../../src/http/routes.rs");
    let base = "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles";
    let clusters = "/v1/accounts/{accountId}/regions/{region}/clusters";
    let document = document(&http::openapi_json());
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let row = format!(
                "//! | {} {} | {} | {} |",
                method.to_uppercase(),
                path.replace(base, "{base}").replace(clusters, "{clusters}"),
                operation["operationId"].as_str().unwrap(),
                operation["x-required-role"].as_str().unwrap(),
            );
            assert!(table.contains(&row), "src/http/routes.rs lacks: {row}");
            routes += 1;
        }
    }
    let rows = table
        .lines()
        .filter(|line| line.starts_with("//! | "))
        .count();
    assert_eq!(rows, routes + 1);
}

#[test]
fn the_document_reads_back_as_utoipas_own_type() {
    let typed = serde_json::to_value(http::openapi()).unwrap();
    let document = document(&http::openapi_json());
    assert_eq!(
        typed["paths"].as_object().unwrap().len(),
        document["paths"].as_object().unwrap().len()
    );
    assert_eq!(typed["info"]["license"]["identifier"], "Apache-2.0");
}

/// The schema of every parameter, and every schema that a body of a request reaches.
fn each_request_schema(document: &Value, look: &mut impl FnMut(&str, &Value)) {
    let mut bodies = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            each_object(&operation["parameters"], &at, look);
            each_object(&operation["requestBody"], &at, &mut |_, object| {
                bodies.extend(object["$ref"].as_str().map(str::to_owned));
            });
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(reference) = bodies.pop() {
        let schema = document.pointer(&reference[1..]).unwrap();
        if seen.insert(reference.clone()) {
            each_object(schema, &reference, &mut |at, object| {
                bodies.extend(object["$ref"].as_str().map(str::to_owned));
                look(at, object);
            });
        }
    }
}

#[test]
fn every_text_of_a_request_says_which_characters_it_may_have() {
    let document = document(&http::openapi_json());
    let mut texts = 0;
    each_request_schema(&document, &mut |at, object| {
        if object["type"] == "string" && !is_example(at) {
            texts += 1;
            let says = ["pattern", "format", "x-extensible-enum"];
            assert!(says.iter().any(|key| object.get(key).is_some()), "{at}");
        }
    });
    assert!(texts > 50, "{texts}");
}
