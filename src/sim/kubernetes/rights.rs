//! What a principal may do in a cluster: by its access entry and the policies that go with it.

use serde_json::Value;

use crate::sim::access_policies::{Association, Level};
use crate::sim::cluster::Cluster;
use crate::sim::text::glob;

use super::request::{NAMESPACES, NODES, Object, RBAC, Verb};
use super::status::Status;
use super::token::Who;

/// Refuses a stranger with 401, and what a known principal may not do with 403.
pub(super) fn authorize(
    cluster: &mut Cluster,
    who: &Who,
    verb: Verb,
    object: &Object,
) -> Result<(), Status> {
    let name = cluster.name.clone();
    let details = cluster.details();
    if details.admins.iter().any(|admin| *admin == who.principal) {
        return Ok(());
    }
    // Entries of nodes say who a kubelet is, and kubelets are no callers here.
    let entry = details.access_entries.get(&who.principal);
    let entry = entry.filter(|entry| entry["type"] == "STANDARD");
    let entry = entry.ok_or_else(Status::unauthorized)?;
    let policies = details.access_policies.get(&who.principal);
    let allowed = policies
        .into_iter()
        .flatten()
        .any(|policy| allows(policy, verb, object));
    if allowed {
        return Ok(());
    }
    tracing::debug!(
        cluster.name = name,
        principal = who.principal,
        "not allowed"
    );
    Err(Status::forbidden(
        &username(entry, who),
        verb.name(),
        object,
    ))
}

/// As the entry names its principal: a session is named in it, if it asks for that.
fn username(entry: &Value, who: &Who) -> String {
    let name = entry["username"].as_str().unwrap_or(&who.session_arn);
    let session = who.session_arn.rsplit('/').next().unwrap_or_default();
    // EKS writes `-` for `@` unless the raw name is asked for.
    name.replace("{{SessionNameRaw}}", session)
        .replace("{{SessionName}}", &session.replace('@', "-"))
}

fn allows(policy: &Association, verb: Verb, object: &Object) -> bool {
    let Some(level) = policy.level() else {
        return false;
    };
    let here = match (&policy.namespaces, &object.namespace) {
        (None, _) => true,
        (Some(patterns), Some(namespace)) => {
            patterns.iter().any(|pattern| glob(pattern, namespace))
        }
        (Some(_), None) => false,
    };
    here && by_level(level, verb, object)
}

fn by_level(level: Level, verb: Verb, object: &Object) -> bool {
    let of_nodes = *object.resource == NODES;
    let of_namespaces = *object.resource == NAMESPACES;
    let of_rbac = object.resource.group == RBAC;
    match level {
        Level::ClusterAdmin => true,
        Level::AdminView => verb.is_read(),
        Level::Admin => !of_nodes && (!of_namespaces || verb.is_read()),
        Level::Edit => !of_nodes && !of_rbac && (!of_namespaces || verb.is_read()),
        Level::View => !of_nodes && !of_rbac && verb.is_read(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::clock::wall;
    use crate::sim::kubernetes::request::{PODS, Resource, SERVICES};

    fn may(policy: &str, namespaces: Option<&[&str]>, verb: Verb, object: &Object) -> bool {
        let policy = Association {
            policy_arn: format!("arn:aws:eks::aws:cluster-access-policy/AmazonEKS{policy}Policy"),
            namespaces: namespaces.map(|all| all.iter().map(|&one| one.to_owned()).collect()),
            associated_at: wall(),
        };
        allows(&policy, verb, object)
    }

    fn object(resource: &'static Resource, namespace: Option<&str>) -> Object {
        Object {
            resource,
            namespace: namespace.map(str::to_owned),
            name: None,
            subresource: None,
        }
    }

    #[test]
    fn policies_differ_in_what_and_where() {
        let all = object(&SERVICES, None);
        let dev = object(&SERVICES, Some("dev"));
        let nodes = object(&NODES, None);
        for (policy, namespaces, verb, object, expected) in [
            ("ClusterAdmin", None, Verb::Delete, &nodes, true),
            ("ClusterAdmin", Some(&["dev"][..]), Verb::Delete, &dev, true),
            ("ClusterAdmin", Some(&["dev"][..]), Verb::List, &all, false),
            ("Admin", None, Verb::Create, &dev, true),
            ("Admin", None, Verb::List, &nodes, false),
            ("Edit", Some(&["d*"][..]), Verb::Delete, &dev, true),
            ("Edit", Some(&["prod"][..]), Verb::Get, &dev, false),
            ("View", None, Verb::List, &all, true),
            ("View", None, Verb::Delete, &dev, false),
            ("View", None, Verb::List, &nodes, false),
            ("AdminView", None, Verb::List, &nodes, true),
            ("AdminView", None, Verb::Patch, &dev, false),
            ("Made", None, Verb::Get, &dev, false),
        ] {
            let what = format!("{policy} {namespaces:?} {verb:?} {object:?}");
            assert_eq!(may(policy, namespaces, verb, object), expected, "{what}");
        }
        let pods = object(&PODS, Some("dev"));
        let words = Status::forbidden("me", "list", &pods).message;
        let expected = "pods is forbidden: User \"me\" cannot list resource \"pods\" in API group \
                        \"\" in the namespace \"dev\"";
        assert_eq!(words, expected);
    }
}
