//! The 3.0.3 document, derived from the 3.1 one.
//!
//! Besides the notation, it says less where 3.0's tools break: one media type a request body (JSON
//! where there is one), and one body among an operation's good answers.

use serde_json::{Map, Value, json};

use super::flat::walk;
use super::webhooks;

pub(super) fn convert(document: &Value) -> Value {
    let mut document = document.clone();
    document["openapi"] = json!("3.0.3");
    webhooks::withdraw(&mut document);
    if let Some(info) = document["info"].as_object_mut() {
        info.remove("summary");
        info.insert(
            "license".to_owned(),
            json!({"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}),
        );
    }
    walk(&mut document, &mut |object| {
        one_example(object);
        one_request_body(object);
        one_good_body(object);
    });
    document
}

/// `examples: [x]` of a schema becomes `example: x`.
fn one_example(object: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = object.get("examples") {
        let first = examples.first().cloned();
        object.remove("examples");
        if let Some(first) = first {
            object.insert("example".to_owned(), first);
        }
    }
}

fn one_request_body(object: &mut Map<String, Value>) {
    let content = object
        .get_mut("requestBody")
        .and_then(|body| body.get_mut("content"));
    let content = content.and_then(Value::as_object_mut);
    if let Some(content) = content.filter(|content| content.contains_key("application/json")) {
        content.retain(|media_type, _| media_type == "application/json");
    }
}

/// Where 200 and 202 differ in their body, only 200 is told; its description names the other.
fn one_good_body(object: &mut Map<String, Value>) {
    let Some(responses) = object.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let schema = |status: &str| {
        let response = responses.get(status)?;
        Some(
            response
                .pointer("/content/application~1json/schema")?
                .clone(),
        )
    };
    let (Some(now), Some(later)) = (schema("200"), schema("202")) else {
        return;
    };
    if now != later {
        responses.remove("202");
        let about = responses["200"]["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let about = format!("{about} When time runs out the answer is 202 with a Job instead.");
        responses["200"]["description"] = json!(about);
    }
}
