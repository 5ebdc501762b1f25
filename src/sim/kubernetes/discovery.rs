//! What the API is and has. It takes no token, as with EKS.

use serde_json::{Value, json};

use super::Reply;
use super::request::{RBAC, RESOURCES};
use super::status::Status;

/// The answer to a path below the cluster's address.
pub(super) fn answer(path: &str) -> Reply {
    let body = match path {
        "version" => json!({
            "major": "1",
            "minor": "34",
            "gitVersion": "v1.34.1-eks-sim",
            "platform": "linux/amd64",
        }),
        "api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        "apis" => {
            let groups: Vec<Value> = ["apps", "networking.k8s.io", RBAC].map(group).into();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        "api/v1" => resources(""),
        "apis/apps" => group("apps"),
        "apis/networking.k8s.io" => group("networking.k8s.io"),
        "apis/rbac.authorization.k8s.io" => group(RBAC),
        "apis/rbac.authorization.k8s.io/v1" => resources(RBAC),
        "apis/apps/v1" => resources("apps"),
        "apis/networking.k8s.io/v1" => resources("networking.k8s.io"),
        _ => return Err(Status::no_route()),
    };
    Ok((200, body))
}

fn group(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [version],
        "preferredVersion": version,
    })
}

fn resources(group: &str) -> Value {
    let of_group = RESOURCES.into_iter().filter(|one| one.group == group);
    let list: Vec<Value> = of_group
        .map(|one| {
            json!({
                "name": one.plural,
                "singularName": one.kind.to_lowercase(),
                "namespaced": one.namespaced,
                "kind": one.kind,
                "verbs": ["create", "delete", "get", "list", "patch", "update"],
            })
        })
        .collect();
    let version = if group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{group}/v1")
    };
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version,
        "resources": list,
    })
}
