//! How a request line becomes a verb and an object.

use crate::sim::action::Action;
use crate::sim::text::percent_decode;

/// What the paths of all simulated clusters begin with.
pub(in crate::sim) const PREFIX: &str = "/_kubernetes/";

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// As paths name it.
    pub plural: &'static str,
    pub kind: &'static str,
    /// Empty for the first API.
    pub group: &'static str,
    pub namespaced: bool,
}

pub(super) const NAMESPACES: Resource = resource("namespaces", "Namespace", "", false);
pub(super) const NODES: Resource = resource("nodes", "Node", "", false);
pub(super) const PODS: Resource = resource("pods", "Pod", "", true);
pub(super) const SERVICES: Resource = resource("services", "Service", "", true);
pub(super) const EVENTS: Resource = resource("events", "Event", "", true);
pub(super) const DEPLOYMENTS: Resource = resource("deployments", "Deployment", "apps", true);
pub(super) const INGRESSES: Resource = resource("ingresses", "Ingress", "networking.k8s.io", true);

pub(super) const SERVICE_ACCOUNTS: Resource =
    resource("serviceaccounts", "ServiceAccount", "", true);
pub(super) const CONFIG_MAPS: Resource = resource("configmaps", "ConfigMap", "", true);
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";
pub(super) const ROLES: Resource = resource("roles", "Role", RBAC, true);
pub(super) const ROLE_BINDINGS: Resource = resource("rolebindings", "RoleBinding", RBAC, true);

/// All kinds; every group has one version.
pub(super) const RESOURCES: [&Resource; 11] = [
    &NAMESPACES,
    &NODES,
    &PODS,
    &SERVICES,
    &EVENTS,
    &DEPLOYMENTS,
    &INGRESSES,
    &SERVICE_ACCOUNTS,
    &CONFIG_MAPS,
    &ROLES,
    &ROLE_BINDINGS,
];

const fn resource(
    plural: &'static str,
    kind: &'static str,
    group: &'static str,
    namespaced: bool,
) -> Resource {
    Resource {
        plural,
        kind,
        group,
        namespaced,
    }
}

impl Resource {
    /// `services`, `deployments.apps`.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            "v1".to_owned()
        } else {
            format!("{}/v1", self.group)
        }
    }
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Update,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// As rules and refusals name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Patch => "patch",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    pub(super) const fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }

    const fn action(self) -> Action {
        match self {
            Self::Get => Action::KubernetesGet,
            Self::List | Self::Watch => Action::KubernetesList,
            Self::Create => Action::KubernetesCreate,
            Self::Patch => Action::KubernetesPatch,
            Self::Update => Action::KubernetesUpdate,
            Self::Delete | Self::DeleteCollection => Action::KubernetesDelete,
        }
    }
}

/// One object, or all of a kind and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Object {
    pub(super) resource: &'static Resource,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// `status`, `log`...
    pub(super) subresource: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) enum What {
    /// Something about an object.
    Object(Verb, Object),
    /// What the API is and has: the path within the cluster's API.
    Discovery(String),
    Unknown,
}

/// A request to a cluster's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Target {
    pub account: String,
    pub region: String,
    pub cluster: String,
    pub(super) what: What,
}

impl Target {
    /// `None` when the path is not one of a cluster's API.
    pub(in crate::sim) fn parse(
        method: &str,
        path: &str,
        query: &[(String, String)],
    ) -> Option<Self> {
        let segments: Vec<String> = path
            .strip_prefix(PREFIX)?
            .split('/')
            .filter(|part| !part.is_empty())
            .map(percent_decode)
            .collect::<Option<_>>()?;
        let (place, rest) = segments.split_at_checked(3)?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let [account, region, cluster] = place else {
            return None;
        };
        Some(Self {
            account: account.clone(),
            region: region.clone(),
            cluster: cluster.clone(),
            what: what(method, &rest, query),
        })
    }

    /// The record's name of it.
    pub(in crate::sim) fn action(&self) -> Action {
        match &self.what {
            What::Object(verb, _) => verb.action(),
            What::Discovery(_) | What::Unknown => Action::Kubernetes,
        }
    }

    /// `deployments/kube-system/coredns`, `services`, `nodes/ip-10-0-0-1`.
    pub(in crate::sim) fn resource(&self) -> Option<String> {
        let What::Object(_, object) = &self.what else {
            return None;
        };
        let parts = [&object.namespace, &object.name, &object.subresource];
        let mut text = object.resource.plural.to_owned();
        for part in parts.into_iter().flatten() {
            text.push('/');
            text.push_str(part);
        }
        Some(text)
    }
}

fn what(method: &str, path: &[&str], query: &[(String, String)]) -> What {
    let (group, rest) = match path {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, "v1", rest @ ..] => (*group, rest),
        _ => return What::Discovery(path.join("/")),
    };
    let (namespace, rest) = match rest {
        [] => return What::Discovery(path.join("/")),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, sub] => (*plural, Some(*name), Some(*sub)),
        _ => return What::Unknown,
    };
    let known = RESOURCES
        .into_iter()
        .find(|one| one.plural == plural && one.group == group);
    let fits = |one: &&Resource| {
        if one.namespaced {
            namespace.is_some() || name.is_none()
        } else {
            namespace.is_none()
        }
    };
    let Some(resource) = known.filter(fits) else {
        return What::Unknown;
    };
    let watch = query
        .iter()
        .any(|(key, value)| key == "watch" && matches!(value.as_str(), "1" | "true"));
    let verb = match (method, name) {
        ("GET", Some(_)) => Verb::Get,
        ("GET", None) if watch => Verb::Watch,
        ("GET", None) => Verb::List,
        ("POST", None) => Verb::Create,
        ("PATCH", Some(_)) => Verb::Patch,
        ("PUT", Some(_)) => Verb::Update,
        ("DELETE", Some(_)) => Verb::Delete,
        ("DELETE", None) => Verb::DeleteCollection,
        _ => return What::Unknown,
    };
    let owned = |part: Option<&str>| part.map(str::to_owned);
    What::Object(
        verb,
        Object {
            resource,
            namespace: owned(namespace),
            name: owned(name),
            subresource: owned(subresource),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, path: &str) -> Option<(String, String)> {
        let path = format!("/_kubernetes/111111111111/eu-central-1/prod-1/{path}");
        let target = Target::parse(method, &path, &[])?;
        let action = target.action().name().to_owned();
        Some((action, target.resource().unwrap_or_default()))
    }

    #[test]
    fn paths_are_those_of_kubernetes() {
        for (method, path, action, resource) in [
            ("GET", "api/v1/nodes", "KubernetesList", "nodes"),
            ("GET", "api/v1/nodes/a", "KubernetesGet", "nodes/a"),
            ("GET", "api/v1/services", "KubernetesList", "services"),
            (
                "GET",
                "api/v1/namespaces/x",
                "KubernetesGet",
                "namespaces/x",
            ),
            (
                "POST",
                "api/v1/namespaces/x/services",
                "KubernetesCreate",
                "services/x",
            ),
            (
                "DELETE",
                "apis/networking.k8s.io/v1/namespaces/x/ingresses/y",
                "KubernetesDelete",
                "ingresses/x/y",
            ),
            (
                "PATCH",
                "apis/apps/v1/namespaces/kube-system/deployments/coredns",
                "KubernetesPatch",
                "deployments/kube-system/coredns",
            ),
            ("GET", "version", "Kubernetes", ""),
            ("GET", "api/v1/services/x", "Kubernetes", ""),
            ("GET", "api/v1/namespaces/x/nodes", "Kubernetes", ""),
            ("GET", "api/v1/secrets", "Kubernetes", ""),
        ] {
            let expected = Some((action.to_owned(), resource.to_owned()));
            assert_eq!(parse(method, path), expected, "{method} {path}");
        }
        assert_eq!(Target::parse("GET", "/_kubernetes/1/2", &[]), None);
        assert_eq!(Target::parse("GET", "/clusters", &[]), None);
    }
}
