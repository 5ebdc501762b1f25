//! Every file and every example under docs/portals is read, and held against the published document.

use std::path::{Path, PathBuf};

use fargate_fleet::http;
use serde_json::Value;

/// The host that stands for the service.
pub const HOST: &str = "https://fleet.example.com";
/// Where Backstage's proxy has it, below [`super::proxy::PREFIX`].
pub const ROUTE: &str = "/fargate-fleet";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/portals")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap()
}

/// The YAML documents of a file of Backstage's.
pub fn backstage(name: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(&format!("backstage/{name}"))).unwrap()
}

fn one(name: &str) -> Value {
    let mut documents = backstage(name);
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

fn published() -> Value {
    serde_json::from_str(&http::openapi_json()).unwrap()
}

/// A value, or what it refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

/// The operation of a request, all of whose parameters it takes.
fn assert_published(document: &Value, method: &str, target: &str) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let fits = |known: &str| {
        let (known, path): (Vec<_>, Vec<_>) =
            (known.split('/').collect(), path.split('/').collect());
        let each = known.iter().zip(&path);
        known.len() == path.len()
            && each
                .into_iter()
                .all(|(known, part)| known == part || known.starts_with('{') && !part.is_empty())
    };
    let paths = document["paths"].as_object().unwrap();
    let found = paths.iter().find(|(known, _)| fits(known));
    let (_, item) = found.unwrap_or_else(|| panic!("no route for {target}"));
    let operation = &item[method.to_ascii_lowercase()];
    assert!(operation.is_object(), "{target} has no {method}");
    let parameters = operation["parameters"].as_array().unwrap();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap();
        let known = parameters.iter().any(|parameter| {
            let parameter = resolved(document, parameter);
            parameter["in"] == "query" && parameter["name"] == name
        });
        assert!(known, "{method} {target} takes no {name}");
    }
    operation.clone()
}

/// Fails unless the body has only fields that the operation knows, and all that it needs.
fn assert_body(document: &Value, operation: &Value, body: &Value) {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_fields(document, resolved(document, schema), body);
}

fn assert_fields(document: &Value, schema: &Value, value: &Value) {
    if let Some(items) = value.as_array() {
        let of = resolved(document, &schema["items"]);
        for item in items {
            assert_fields(document, of, item);
        }
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for (name, inner) in fields {
        let field = &schema["properties"][name];
        assert!(field.is_object(), "no field {name} in {schema}");
        assert_fields(document, resolved(document, field), inner);
    }
    for needed in schema["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(needed.as_str().unwrap()),
            "{needed} lacks in {value}"
        );
    }
}

fn is_entity_name(value: &Value) -> bool {
    let name = value.as_str().unwrap_or_default();
    let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=63).contains(&name.len()) && ends && name.chars().all(inner)
}

fn assert_entity(entity: &Value, api_version: &str, needs: &[&str]) {
    assert_eq!(entity["apiVersion"], api_version);
    assert!(is_entity_name(&entity["metadata"]["name"]), "{entity}");
    for need in needs {
        assert!(!entity["spec"][need].is_null(), "{need} lacks in {entity}");
    }
}

#[test]
fn the_catalog_has_the_service_and_its_api() {
    let entities = backstage("catalog-info.yaml");
    let [component, api] = entities.as_slice() else {
        panic!("{entities:?}");
    };
    assert_eq!(
        (&component["kind"], &api["kind"]),
        (&"Component".into(), &"API".into())
    );
    let version = "backstage.io/v1alpha1";
    assert_entity(component, version, &["type", "lifecycle", "owner"]);
    assert_entity(api, version, &["type", "lifecycle", "owner", "definition"]);
    assert_eq!(
        component["spec"]["providesApis"][0],
        api["metadata"]["name"]
    );
    assert_eq!(api["spec"]["type"], "openapi");
    let definition = api["spec"]["definition"]["$text"].as_str().unwrap();
    assert_eq!(definition, format!("{HOST}/openapi.json"));
    let reading = one("app-config.yaml")["backend"]["reading"]["allow"][0].clone();
    assert_eq!(
        format!("https://{}", reading["host"].as_str().unwrap()),
        HOST
    );
    assert_eq!(reading["paths"][0], "/openapi.json");
}

#[test]
fn the_proxy_adds_the_token_and_lets_no_header_more_through() {
    let config = one("app-config.yaml");
    let endpoint = &config["proxy"]["endpoints"][ROUTE];
    assert_eq!(endpoint["target"], HOST);
    assert_eq!(endpoint["credentials"], "require");
    assert_eq!(
        endpoint["headers"]["Authorization"],
        "Bearer ${FARGATE_FLEET_TOKEN}"
    );
    assert!(endpoint.get("allowedHeaders").is_none());
}

#[test]
fn the_templates_requests_are_those_of_the_document() {
    let (template, document) = (one("template.yaml"), published());
    assert_eq!(template["kind"], "Template");
    assert_entity(
        &template,
        "scaffolder.backstage.io/v1beta3",
        &["type", "owner", "steps"],
    );
    for page in template["spec"]["parameters"].as_array().unwrap() {
        for needed in page["required"].as_array().unwrap() {
            assert!(
                page["properties"][needed.as_str().unwrap()].is_object(),
                "{page}"
            );
        }
    }
    let allowed = &one("app-config.yaml")["proxy"]["endpoints"][ROUTE]["allowedMethods"];
    let steps = template["spec"]["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        assert_eq!(step["action"], "http:backstage:request", "{step}");
        let input = &step["input"];
        assert!(
            allowed.as_array().unwrap().contains(&input["method"]),
            "{step}"
        );
        let path = input["path"].as_str().unwrap();
        let path = path.strip_prefix(&format!("/proxy{ROUTE}")).unwrap();
        // Links of a job, wherever they lead.
        let path = path
            .replace("${{ steps.create.output.body.links.self }}", "/v1/jobs/x")
            .replace(
                "${{ steps.job.output.body.links.target }}",
                "/v1/accounts/x/regions/x/clusters/x/fargate-profiles/x",
            );
        let names = input["params"].as_object().into_iter().flatten();
        let names: Vec<_> = names.map(|(name, _)| format!("{name}=x")).collect();
        let target = format!("{}?{}", path.replace(' ', ""), names.join("&"));
        let operation = assert_published(&document, input["method"].as_str().unwrap(), &target);
        if let Some(body) = input.get("body") {
            assert_body(&document, &operation, body);
        }
    }
}

/// The code blocks of a page, of this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = text(page);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(of) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if of == language {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

#[test]
fn the_examples_of_port_are_those_of_the_document() {
    let document = published();
    let mut actions = 0;
    for block in blocks("port.md", "json") {
        let example: Value = serde_json::from_str(&block).unwrap();
        let invocation = &example["invocationMethod"];
        if invocation.is_null() {
            assert_webhook(&document, &example, "port");
            continue;
        }
        actions += 1;
        assert_eq!(invocation["type"], "WEBHOOK");
        assert_eq!(invocation["synchronized"], false);
        let url = invocation["url"].as_str().unwrap().replace(' ', "");
        let target = url.strip_prefix(HOST).unwrap();
        for needed in [
            "requestId={{.run.id}}",
            "callback=",
            "callbackRun={{.run.id}}",
        ] {
            assert!(target.contains(needed), "{url}");
        }
        let method = invocation["method"].as_str().unwrap();
        let operation = assert_published(&document, method, target);
        match invocation.get("body") {
            Some(body) => assert_body(&document, &operation, body),
            None => assert!(operation.get("requestBody").is_none(), "{url}"),
        }
        let inputs = &example["trigger"]["userInputs"];
        for needed in inputs["required"].as_array().unwrap() {
            let name = needed.as_str().unwrap();
            assert!(inputs["properties"][name].is_object(), "{name}");
            assert!(
                block.contains(&format!("{{{{ .inputs.{name} }}}}")),
                "{name} is not used"
            );
        }
    }
    assert_eq!(actions, 2);
}

#[test]
fn the_examples_of_cortex_are_those_of_the_document() {
    let document = published();
    let blocks_of_json = blocks("cortex.md", "json");
    let [webhook, payload] = blocks_of_json.as_slice() else {
        panic!("{blocks_of_json:?}");
    };
    assert_webhook(&document, &serde_json::from_str(webhook).unwrap(), "cortex");
    let requests = blocks("cortex.md", "");
    let (method, url) = requests[0].split_once(' ').unwrap();
    let operation = assert_published(&document, method, url.strip_prefix(HOST).unwrap());
    assert_body(
        &document,
        &operation,
        &serde_json::from_str(payload).unwrap(),
    );
}

fn assert_webhook(document: &Value, example: &Value, format: &str) {
    assert_eq!(example["format"], format);
    let operation = assert_published(document, "POST", "/v1/webhooks");
    assert_body(document, &operation, example);
}

#[test]
fn no_file_of_the_directory_goes_unread() {
    let mut names = Vec::new();
    for folder in [directory(), directory().join("backstage")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                names.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    names.sort();
    let read = [
        "README.md",
        "app-config.yaml",
        "backstage.md",
        "catalog-info.yaml",
        "cortex.md",
        "port.md",
        "template.yaml",
    ];
    assert_eq!(names, read);
    assert!(blocks("README.md", "json").is_empty() && blocks("backstage.md", "json").is_empty());
}
