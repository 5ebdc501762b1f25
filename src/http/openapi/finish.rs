//! What all operations have in common: who publishes the document, security, the parameters in
//! paths and headers, the problems, the headers of answers.

use serde_json::{Map, Value, json};

use super::common;
use crate::http::body::MAX_BODY;

/// The longest text that an answer is, in characters: far beyond any cluster's profiles.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// Operations that compare `If-Match`.
const MATCHING: [&str; 4] = [
    "updateAccount",
    "deleteAccount",
    "updateWebhook",
    "deleteWebhook",
];

/// Operations whose good answers carry an `ETag`.
const TAGGED: [&str; 8] = [
    "getAccount",
    "updateAccount",
    "registerAccount",
    "getJob",
    "createWebhook",
    "getWebhook",
    "updateWebhook",
    "rotateWebhookSecret",
];

pub(super) fn finish(document: &mut Value) {
    document["openapi"] = json!("3.1.0");
    document["info"] = common::info();
    document["servers"] = json!([{"url": "/", "description": "Where this document came from."}]);
    document["tags"] = common::tags();
    document["security"] = json!([{"bearer": []}]);
    document["components"]["securitySchemes"] = common::security_schemes();
    document["components"]["parameters"] = common::parameters();
    document["components"]["headers"] = common::headers();
    document["components"]["responses"] = common::responses();
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                complete(path, method, operation);
            }
        }
    }
}

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let facts = Facts::of(path, method, operation);
    if let Some(body) = operation.get_mut("requestBody") {
        bound_texts(body, MAX_BODY);
    }
    if let Some(summary) = operation.get("summary").cloned() {
        operation.entry("description").or_insert(summary);
    }
    if facts.is(Is::Open) {
        operation.insert("security".to_owned(), json!([]));
    }
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(reference)
        .collect();
    parameters.extend(taken_list(operation, "parameters"));
    parameters.extend(facts.common_parameters().into_iter().map(reference));
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), json!(parameters));
    }
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        bound_texts(response, MAX_TEXT);
        let headers = facts.response_headers(status);
        response["headers"] = headers
            .into_iter()
            .map(|name| {
                (
                    name.to_owned(),
                    json!({"$ref": format!("#/components/headers/{name}")}),
                )
            })
            .collect::<Map<_, _>>()
            .into();
    }
    for status in facts.problems() {
        let name = common::response_name(status);
        let response = json!({"$ref": format!("#/components/responses/{name}")});
        responses.insert(status.to_string(), response);
    }
}

/// Bodies that are text as a whole.
fn bound_texts(body: &mut Value, max_length: usize) {
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    for media in content.into_iter().flat_map(serde_json::Map::values_mut) {
        if media["schema"]["type"] == "string" {
            media["schema"]["maxLength"] = json!(max_length);
        }
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

fn taken_list(operation: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match operation.remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// What an operation is, as far as the rules below go by it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Open,
    Changing,
    Scoped,
    WithBody,
    Waiting,
    Repeatable,
}

struct Facts {
    id: String,
    all: Vec<Is>,
}

impl Facts {
    fn of(path: &str, method: &str, operation: &Map<String, Value>) -> Self {
        let text = |key: &str| {
            operation
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let mut parameters = parameters.into_iter().flatten();
        let role = text("x-required-role");
        let candidates = [
            (Is::Open, role == "none"),
            (Is::Changing, method != "get"),
            (Is::Scoped, path.contains('{')),
            (Is::WithBody, operation.contains_key("requestBody")),
            (
                Is::Waiting,
                parameters.any(|parameter| parameter["name"] == "waitSeconds"),
            ),
            (Is::Repeatable, matches!(method, "post" | "put" | "delete")),
        ];
        let all = candidates
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(is, _)| is)
            .collect();
        Self {
            id: text("operationId").to_owned(),
            all,
        }
    }

    fn is(&self, what: Is) -> bool {
        self.all.contains(&what)
    }

    fn is_live_read(&self) -> bool {
        matches!(
            self.id.as_str(),
            "getFargateProfile"
                | "listFargateProfiles"
                | "getCluster"
                | "listClusters"
                | "getKubeconfig"
        )
    }

    /// Answers in the form that is asked for.
    fn has_forms(&self) -> bool {
        matches!(
            self.id.as_str(),
            "getFargateProfile" | "listFargateProfiles" | "getKubeconfig"
        )
    }

    fn common_parameters(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if !self.is(Is::Open) {
            names.extend(["X-On-Behalf-Of", "onBehalfOf"]);
        }
        if self.is(Is::Repeatable) {
            names.push("Idempotency-Key");
        }
        if self.is(Is::Waiting) {
            names.push("Prefer");
        }
        match self.id.as_str() {
            id if MATCHING.contains(&id) => names.push("If-Match"),
            "getAccount" | "getJob" | "getWebhook" => names.push("If-None-Match"),
            "streamJobEvents" => names.push("Last-Event-ID"),
            _ => {}
        }
        names
    }

    fn response_headers(&self, status: &str) -> Vec<&'static str> {
        let mut names = vec!["X-Request-Id"];
        if !self.is(Is::Open) {
            names.extend(["RateLimit", "RateLimit-Policy"]);
        }
        if self.is(Is::Repeatable) {
            names.push("Idempotent-Replayed");
        }
        if self.is(Is::Waiting) {
            names.push("Preference-Applied");
        }
        if status == "202" {
            names.extend(["Location", "Operation-Location", "Retry-After"]);
        }
        if status == "201" {
            names.push("Location");
        }
        if TAGGED.contains(&self.id.as_str()) {
            names.push("ETag");
        }
        names
    }

    fn problems(&self) -> Vec<u16> {
        if self.is(Is::Open) {
            return vec![414, 431, 500, 503];
        }
        // 403: also for whoever names a person and may not.
        let mut statuses = vec![400, 401, 403, 414, 422, 429, 431, 500, 503];
        let mut add = |when: bool, more: &[u16]| {
            if when {
                statuses.extend(more);
            }
        };
        add(self.is(Is::Scoped), &[404]);
        add(self.is(Is::Changing), &[408, 409, 413]);
        add(self.is(Is::WithBody), &[415]);
        add(MATCHING.contains(&self.id.as_str()), &[412]);
        add(self.is_live_read(), &[409, 502, 504]);
        add(self.has_forms(), &[406]);
        statuses
    }
}
