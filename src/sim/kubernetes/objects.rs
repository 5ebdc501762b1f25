//! Objects that callers make: what is refused of them, and what they get.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::clock::{fresh_id, wall};

use super::request::{
    CONFIG_MAPS, DEPLOYMENTS, INGRESSES, NAMESPACES, Object, RBAC, ROLE_BINDINGS, ROLES, Resource,
    SERVICE_ACCOUNTS, SERVICES,
};
use super::status::Status;
use super::workload::{address, time};

/// The object of a namespace.
pub(super) fn namespace(name: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": fresh_id().to_string(),
            "creationTimestamp": time(created_at),
            "resourceVersion": "1",
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// The object of a creation, as it is kept.
pub(super) fn new(about: &Object, body: &[u8]) -> Result<Value, Status> {
    let resource = about.resource;
    let mut object = parse(body)?;
    let kind = object["kind"].as_str().unwrap_or(resource.kind);
    let api_version = object["apiVersion"].as_str();
    if kind != resource.kind || api_version.is_some_and(|one| one != resource.api_version()) {
        let why = format!(
            "the object provided is unrecognized (must be of type {}): {} {kind}",
            resource.kind,
            api_version.unwrap_or_default()
        );
        return Err(Status::bad_request(why));
    }
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if name.is_empty() {
        let why = "metadata.name: Required value: name or generateName is required";
        return Err(Status::invalid(resource, "", why));
    }
    let dotted = [SERVICE_ACCOUNTS, CONFIG_MAPS, ROLES, ROLE_BINDINGS].contains(resource);
    let named = if dotted {
        name.len() <= 253 && name.split('.').all(is_label)
    } else {
        is_label(&name)
    };
    if !named {
        let why = format!(
            "metadata.name: Invalid value: {name:?}: a lowercase RFC 1123 label must consist of lower \
             case alphanumeric characters or '-'"
        );
        return Err(Status::invalid(resource, &name, &why));
    }
    let within = object["metadata"]["namespace"].as_str();
    if within.is_some_and(|within| Some(within) != about.namespace.as_deref()) {
        let why =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(why));
    }
    if *resource == NAMESPACES {
        return Ok(namespace(&name, wall()));
    }
    check(resource, &name, &object)?;
    let metadata = &mut object["metadata"];
    metadata["namespace"] = json!(about.namespace);
    metadata["uid"] = json!(fresh_id().to_string());
    metadata["creationTimestamp"] = json!(time(wall()));
    object["kind"] = json!(resource.kind);
    object["apiVersion"] = json!(resource.api_version());
    if *resource == SERVICES {
        default_to(&mut object["spec"], "type", json!("ClusterIP"));
        let address = address(&name).replacen("192.168", "10.100", 1);
        default_to(&mut object["spec"], "clusterIP", json!(address));
    }
    if *resource == DEPLOYMENTS {
        default_to(&mut object["spec"], "replicas", json!(1));
    }
    Ok(object)
}

/// A patched object, which has to be as good as a new one.
pub(super) fn check(resource: &Resource, name: &str, object: &Value) -> Result<(), Status> {
    let required = |pointer: &str| {
        let why = format!(
            "{}: Required value",
            pointer.trim_start_matches('/').replace('/', ".")
        );
        Status::invalid(resource, name, &why)
    };
    let is_empty = |pointer: &str| match object.pointer(pointer) {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
        None => true,
    };
    if *resource == SERVICES {
        const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        let kind = object["spec"]["type"].as_str().unwrap_or("ClusterIP");
        if !TYPES.contains(&kind) {
            let why = format!(
                "spec.type: Unsupported value: {kind:?}: supported values: \"ClusterIP\", \
                 \"ExternalName\", \"LoadBalancer\", \"NodePort\""
            );
            return Err(Status::invalid(resource, name, &why));
        }
        if kind != "ExternalName" && is_empty("/spec/ports") {
            return Err(required("/spec/ports"));
        }
    }
    if *resource == CONFIG_MAPS || *resource == SERVICE_ACCOUNTS {
        check_texts(resource, name, object)?;
    }
    if *resource == ROLE_BINDINGS && object["roleRef"]["apiGroup"] != RBAC {
        return Err(required("/roleRef/apiGroup"));
    }
    if *resource == INGRESSES && is_empty("/spec/rules") && is_empty("/spec/defaultBackend") {
        let why = "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified";
        return Err(Status::invalid(resource, name, why));
    }
    if *resource == DEPLOYMENTS {
        if is_empty("/spec/selector/matchLabels") {
            return Err(required("/spec/selector"));
        }
        if is_empty("/spec/template/spec/containers") {
            return Err(required("/spec/template/spec/containers"));
        }
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        let wanted = object["spec"]["selector"]["matchLabels"].as_object();
        let fits = wanted
            .into_iter()
            .flatten()
            .all(|(key, value)| labels[key] == *value);
        if !fits {
            let why = "spec.template.metadata.labels: Invalid value: `selector` does not match \
                       template `labels`";
            return Err(Status::invalid(resource, name, why));
        }
    }
    Ok(())
}

/// Labels, annotations and data are texts.
fn check_texts(resource: &Resource, name: &str, object: &Value) -> Result<(), Status> {
    for pointer in ["/data", "/metadata/labels", "/metadata/annotations"] {
        let texts = object.pointer(pointer).and_then(Value::as_object);
        let wrong = texts
            .into_iter()
            .flatten()
            .find(|(_, value)| !value.is_string());
        if let Some((key, _)) = wrong {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            let why = format!("{field}[{key}]: Invalid value: must be a string");
            return Err(Status::invalid(resource, name, &why));
        }
    }
    Ok(())
}

pub(super) fn parse(body: &[u8]) -> Result<Value, Status> {
    let object: Option<Value> = serde_json::from_slice(body).ok();
    object
        .filter(Value::is_object)
        .ok_or_else(|| Status::bad_request("the body of the request is no JSON object"))
}

fn default_to(spec: &mut Value, member: &str, value: Value) {
    if spec[member].is_null() {
        spec[member] = value;
    }
}

fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    name.len() <= 63
        && name.chars().all(inner)
        && edge(name.chars().next())
        && edge(name.chars().last())
}
