//! Kubernetes' own word for a failure: an object of kind `Status`.

use serde_json::{Value, json};

use super::request::{Object, Resource};

/// What a refused call is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Status {
    pub code: u16,
    reason: &'static str,
    pub message: String,
    /// Kind, group and name of what it is about.
    details: Option<(String, String, String)>,
}

impl Status {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// No such path.
    pub(super) fn no_route() -> Self {
        let why = "the server could not find the requested resource";
        Self::new(404, "NotFound", why)
    }

    pub(super) fn not_allowed() -> Self {
        let why = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", why)
    }

    pub(super) fn unsupported_media(content_type: &str) -> Self {
        let why = format!(
            "the body of the request was in an unknown format - accepted media types include: \
             application/merge-patch+json, application/strategic-merge-patch+json, not {content_type}"
        );
        Self::new(415, "UnsupportedMediaType", why)
    }

    pub(super) fn forbidden(user: &str, verb: &str, object: &Object) -> Self {
        let resource = object.resource;
        let place = object.namespace.as_ref().map_or_else(
            || "at the cluster scope".to_owned(),
            |namespace| format!("in the namespace \"{namespace}\""),
        );
        let name = object
            .name
            .as_ref()
            .map(|name| format!(" \"{name}\""))
            .unwrap_or_default();
        let why = format!(
            "{}{name} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \
             \"{}\" {place}",
            resource.qualified(),
            resource.plural,
            resource.group,
        );
        Self::new(403, "Forbidden", why).about(resource, object.name.as_deref().unwrap_or_default())
    }

    pub(super) fn not_found(resource: &Resource, name: &str) -> Self {
        let why = format!("{} \"{name}\" not found", resource.qualified());
        Self::new(404, "NotFound", why).about(resource, name)
    }

    pub(super) fn exists(resource: &Resource, name: &str) -> Self {
        let why = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(409, "AlreadyExists", why).about(resource, name)
    }

    pub(super) fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let why = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified()
        );
        Self::new(409, "Conflict", why).about(resource, name)
    }

    pub(super) fn invalid(resource: &Resource, name: &str, why: &str) -> Self {
        let group = if resource.group.is_empty() {
            String::new()
        } else {
            format!(".{}", resource.group)
        };
        let why = format!("{}{group} \"{name}\" is invalid: {why}", resource.kind);
        Self::new(422, "Invalid", why).about(resource, name)
    }

    /// What a fault asks for.
    pub(in crate::sim) fn injected(code: u16, message: &str) -> Self {
        let reason = match code {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            422 => "Invalid",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            500..=599 => "InternalError",
            _ => "BadRequest",
        };
        Self::new(code, reason, message)
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        let kind = resource.plural.to_owned();
        self.details = Some((kind, resource.group.to_owned(), name.to_owned()));
        self
    }

    pub(in crate::sim) fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if let Some((kind, group, name)) = &self.details {
            let mut details = json!({ "kind": kind });
            for (key, value) in [("group", group), ("name", name)] {
                if !value.is_empty() {
                    details[key] = json!(value);
                }
            }
            body["details"] = details;
        }
        body
    }
}
