//! Which keys a `NewClusterConfig` may hold, and where.
//!
//! Looked at before the types are, so that every wrong key is told at once and none of eksctl's
//! many others is passed over in silence.

use crate::domain::invalid::{Invalid, pointer_token, quoted};
use serde_json::Value;

enum Shape {
    /// A text, a number, a truth value: the types look at it.
    Leaf,
    /// An object with these keys.
    Fields(&'static [(&'static str, Shape)]),
    /// An object with keys of the caller's own.
    Map(&'static Shape),
    List(&'static Shape),
    /// A key of eksctl's that nobody here acts on, and why.
    Refused(&'static str),
}

use Shape::{Fields, Leaf, List, Map, Refused};

const TEXTS: Shape = List(&Leaf);
const TEXT_MAP: Shape = Map(&Leaf);

const CONFIG: Shape = Fields(&[
    ("accessConfig", ACCESS),
    ("addons", List(&ADDON)),
    ("addonsConfig", ADDONS_CONFIG),
    ("apiVersion", Leaf),
    ("availabilityZones", TEXTS),
    ("cloudWatch", Fields(&[("clusterLogging", LOGGING)])),
    ("fargateProfiles", List(&PROFILE)),
    ("iam", IAM),
    ("kind", Leaf),
    ("managedNodeGroups", List(&NODEGROUP)),
    ("metadata", METADATA),
    ("nodeGroups", List(&NODEGROUP)),
    ("vpc", VPC),
]);

const METADATA: Shape = Fields(&[
    ("name", Leaf),
    ("region", Leaf),
    ("tags", TEXT_MAP),
    ("version", Leaf),
]);

const IAM: Shape = Fields(&[
    ("fargatePodExecutionRoleARN", Leaf),
    ("fargatePodExecutionRolePermissionsBoundary", Leaf),
    ("serviceRoleARN", Leaf),
    ("serviceRolePermissionsBoundary", Leaf),
    ("withOIDC", Leaf),
]);

const VPC: Shape = Fields(&[
    ("cidr", Leaf),
    (
        "clusterEndpoints",
        Fields(&[("privateAccess", Leaf), ("publicAccess", Leaf)]),
    ),
    ("id", Leaf),
    ("nat", Fields(&[("gateway", Leaf)])),
    ("publicAccessCIDRs", TEXTS),
    (
        "subnets",
        Fields(&[("private", Map(&SUBNET)), ("public", Map(&SUBNET))]),
    ),
]);

const SUBNET: Shape = Fields(&[("az", Leaf), ("cidr", Leaf), ("id", Leaf)]);

const LOGGING: Shape = Fields(&[("enableTypes", TEXTS), ("logRetentionInDays", RETENTION)]);

const RETENTION: Shape = Refused(
    "\"logRetentionInDays\" is not supported here, because the fleet's role in an account has no \
     right to change log groups: remove it, and set how long the logs are kept with aws logs \
     put-retention-policy --log-group-name /aws/eks/<cluster>/cluster --retention-in-days <days>",
);

const ADDONS_CONFIG: Shape = Fields(&[
    ("autoApplyPodIdentityAssociations", POD_IDENTITY),
    ("disableDefaultAddons", Leaf),
]);

const POD_IDENTITY: Shape = Refused(
    "\"autoApplyPodIdentityAssociations\" is not supported here, because roles of add-ons are not \
     made here: remove it, and give an add-on its role by serviceAccountRoleARN",
);

const ACCESS: Shape = Fields(&[
    ("accessEntries", List(&ACCESS_ENTRY)),
    ("authenticationMode", Leaf),
    ("bootstrapClusterCreatorAdminPermissions", Leaf),
]);

const ACCESS_ENTRY: Shape = Fields(&[
    (
        "accessPolicies",
        List(&Fields(&[
            (
                "accessScope",
                Fields(&[("namespaces", TEXTS), ("type", Leaf)]),
            ),
            ("policyARN", Leaf),
        ])),
    ),
    ("kubernetesGroups", TEXTS),
    ("kubernetesUsername", Leaf),
    ("principalARN", Leaf),
    ("tags", TEXT_MAP),
    ("type", Leaf),
]);

const ADDON: Shape = Fields(&[
    ("configurationValues", Leaf),
    ("name", Leaf),
    ("resolveConflicts", Leaf),
    ("serviceAccountRoleARN", Leaf),
    ("tags", TEXT_MAP),
    ("version", Leaf),
]);

const PROFILE: Shape = Fields(&[
    ("name", Leaf),
    ("podExecutionRoleARN", Leaf),
    (
        "selectors",
        List(&Fields(&[("labels", TEXT_MAP), ("namespace", Leaf)])),
    ),
    ("subnets", TEXTS),
    ("tags", TEXT_MAP),
]);

const NODEGROUP: Shape = Fields(&[
    ("desiredCapacity", Leaf),
    ("iam", Fields(&[("instanceRolePermissionsBoundary", Leaf)])),
    ("instanceType", Leaf),
    ("labels", TEXT_MAP),
    ("maxSize", Leaf),
    ("minSize", Leaf),
    ("name", Leaf),
    ("privateNetworking", Leaf),
    ("tags", TEXT_MAP),
    ("volumeSize", Leaf),
]);

/// The most wrong keys that are told.
const MAX_TOLD: usize = 100;

/// Takes a key with nothing after it for an absent one, as YAML readers do.
pub(super) fn drop_nulls(tree: &mut Value) {
    match tree {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Every key that has no business where it stands, and every list in place of an object.
pub(super) fn wrong_keys(tree: &Value) -> Vec<Invalid> {
    if !tree.is_object() {
        let message =
            "expected a ClusterConfig: an object with metadata and what else is asked for";
        return vec![Invalid::new("", message)];
    }
    let mut wrong = Vec::new();
    look(&CONFIG, tree, "", &mut wrong);
    wrong.truncate(MAX_TOLD);
    wrong
}

fn look(shape: &Shape, value: &Value, at: &str, wrong: &mut Vec<Invalid>) {
    match (shape, value) {
        (Leaf, _) => {}
        (Fields(known), Value::Object(fields)) => {
            for (key, inner) in fields {
                let here = format!("{at}/{}", pointer_token(key));
                match known.iter().find(|(name, _)| name == key) {
                    Some((_, shape)) => look(shape, inner, &here, wrong),
                    None => wrong.push(Invalid::new(here, not_supported(key, known))),
                }
            }
        }
        (Map(shape), Value::Object(fields)) => {
            for (key, inner) in fields {
                look(shape, inner, &format!("{at}/{}", pointer_token(key)), wrong);
            }
        }
        (List(shape), Value::Array(elements)) => {
            for (i, inner) in elements.iter().enumerate() {
                look(shape, inner, &format!("{at}/{i}"), wrong);
            }
        }
        (Refused(why), _) => wrong.push(Invalid::new(at, *why)),
        (List(_), _) => wrong.push(Invalid::new(at, "expected a list")),
        (Fields(_) | Map(_), _) => {
            wrong.push(Invalid::new(at, "expected an object with named fields"));
        }
    }
}

fn not_supported(key: &str, known: &[(&str, Shape)]) -> String {
    let known = known
        .iter()
        .filter(|(_, shape)| !matches!(shape, Refused(_)));
    let known: Vec<&str> = known.map(|(name, _)| *name).collect();
    format!(
        "{} is not supported here when a cluster is created: remove it; known here: {}",
        quoted(key),
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_wrong_key_is_told_at_once_with_its_place() {
        let tree = json!({
            "metadata": {"name": "c", "region": "eu-central-1", "annotations": {}},
            "privateCluster": {"enabled": true},
            "iam": {"serviceAccounts": []},
            "nodeGroups": [{"name": "a"}, {"name": "b", "ssh": {"allow": true}}],
            "vpc": {"subnets": {"private": {"a/b": {"idd": "x"}}}},
            "fargateProfiles": [{"name": "p", "selectors": [{"namspace": "x"}]}]
        });
        let pointers: Vec<String> = wrong_keys(&tree).into_iter().map(|w| w.pointer).collect();
        assert_eq!(
            pointers,
            [
                "/fargateProfiles/0/selectors/0/namspace",
                "/iam/serviceAccounts",
                "/metadata/annotations",
                "/nodeGroups/1/ssh",
                "/privateCluster",
                "/vpc/subnets/private/a~1b/idd",
            ]
        );
        let message = &wrong_keys(&json!({"vpc": {"ipFamily": 4}}))[0].message;
        assert!(
            message.starts_with("\"ipFamily\" is not supported here") && message.contains("nat"),
            "{message}"
        );
    }

    #[test]
    fn a_list_never_stands_for_an_object() {
        for tree in [
            json!({"vpc": []}),
            json!({"nodeGroups": [["ng"]]}),
            json!({"metadata": {"tags": ["a"]}}),
        ] {
            let message = &wrong_keys(&tree)[0].message;
            assert_eq!(message, "expected an object with named fields", "{tree}");
        }
        assert_eq!(
            wrong_keys(&json!({"addons": {}}))[0].message,
            "expected a list"
        );
        assert_eq!(wrong_keys(&json!([]))[0].pointer, "");
    }

    #[test]
    fn a_key_that_nobody_acts_on_is_refused_with_the_reason() {
        let wrong = wrong_keys(&json!({
            "cloudWatch": {"clusterLogging": {"logRetentionInDays": 30, "logRetention": 1}}
        }));
        let pointers: Vec<&str> = wrong.iter().map(|w| w.pointer.as_str()).collect();
        let at = "/cloudWatch/clusterLogging/logRetention";
        assert_eq!(pointers, [at.to_owned(), format!("{at}InDays")]);
        assert!(!wrong[0].message.contains("InDays"), "{}", wrong[0].message);
        assert!(
            wrong[1].message.contains("put-retention-policy"),
            "{}",
            wrong[1].message
        );
    }

    #[test]
    fn a_key_with_nothing_after_it_is_absent() {
        let mut tree = json!({"iam": null, "vpc": {"nat": null}, "addons": [{"tags": null}]});
        drop_nulls(&mut tree);
        assert_eq!(tree, json!({"vpc": {}, "addons": [{}]}));
    }
}
