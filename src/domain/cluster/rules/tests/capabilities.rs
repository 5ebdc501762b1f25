//! EKS capabilities, and how long logs are kept.

use super::{ClusterSpec, places, read, sound, told, with};
use serde_json::{Value, json};

const ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-1234567890abcdef";

/// What is said of a config with these parts.
fn said(parts: Value) -> Vec<String> {
    let told = told(&with(parts), false);
    told.into_iter().map(|invalid| invalid.message).collect()
}

fn wrong(capabilities: &Value) -> Vec<String> {
    let told = places(json!({"capabilities": capabilities}));
    let mut below: Vec<String> = told
        .into_iter()
        .map(|one| one.replacen("/capabilities/", "", 1))
        .collect();
    below.sort_unstable();
    below
}

#[test]
fn what_is_wrong_with_capabilities_is_told_at_once() {
    let wrong_everywhere = json!([
        {},
        {"name": "a b", "type": "FLUX", "deletePropagationPolicy": "DELETE",
         "attachPolicyARNs": ["ReadOnlyAccess"], "attachPolicy": {}, "permissionsBoundary": "b",
         "tags": {"aws:x": "y"},
         "accessPolicies": [{"policyARN": "x", "accessScope": {"type": "all"}}]},
        {"name": "given", "type": "KRO", "roleArn": "arn:aws:iam::111111111111:role/team/x",
         "attachPolicyARNs": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
         "configuration": {"argocd": {"awsIdc": {"idcInstanceArn": INSTANCE}}},
         "accessPolicies": [{"policyARN": ADMIN.replace("arn:aws:", "arn:aws-cn:"),
                             "accessScope": {"type": "cluster"}}]},
        {"name": "given", "type": "KRO"},
    ]);
    assert_eq!(
        wrong(&wrong_everywhere),
        [
            "0/name",
            "0/type",
            "1/accessPolicies/0/accessScope/type",
            "1/accessPolicies/0/policyARN",
            "1/accessPolicies/0/policyARN",
            "1/attachPolicy",
            "1/attachPolicyARNs/0",
            "1/deletePropagationPolicy",
            "1/name",
            "1/permissionsBoundary",
            "1/tags/aws:x",
            "1/type",
            "2/accessPolicies/0/policyARN",
            "2/configuration",
            "2/roleArn",
            "2/roleArn",
            "3/name",
            "3/type",
        ]
    );
}

#[test]
fn argo_cd_has_its_settings() {
    let argo = |configuration: Value| {
        let one = json!({"name": "a", "type": "ARGOCD", "configuration": configuration});
        said(json!({"capabilities": [one]}))
    };
    for (configuration, words) in [
        (
            Value::Null,
            "configuration is required for ARGOCD capability",
        ),
        (
            json!({}),
            "argocd configuration is required for ARGOCD capability",
        ),
        (
            json!({"argocd": {}}),
            "awsIdc configuration is required for ARGOCD capability",
        ),
    ] {
        assert_eq!(argo(configuration), [words]);
    }
    let told = wrong(
        &json!([{"name": "a", "type": "ARGOCD", "configuration": {"argocd": {
            "namespace": "A",
            "networkAccess": {"vpceIds": ["vpc-1"]},
            "awsIdc": {"idcInstanceArn": "instance", "idcRegion": "Mars"},
            "rbacRoleMappings": [
                {"role": "OWNER", "identities": []},
                {"role": "VIEWER", "identities": [{"id": "a b", "type": "USER"}]},
            ],
        }}}]),
    );
    let at = "0/configuration/argocd";
    assert_eq!(
        told,
        [
            "awsIdc/idcInstanceArn",
            "awsIdc/idcRegion",
            "namespace",
            "networkAccess/vpceIds/0",
            "rbacRoleMappings/0/identities",
            "rbacRoleMappings/0/role",
            "rbacRoleMappings/1/identities/0/id",
            "rbacRoleMappings/1/identities/0/type",
        ]
        .map(|key| format!("{at}/{key}"))
    );
}

#[test]
fn capabilities_need_access_entries_and_stacks_of_short_names() {
    let one = json!([{"name": "kro", "type": "KRO"}]);
    let config = json!({
        "capabilities": one, "accessConfig": {"authenticationMode": "CONFIG_MAP"},
    });
    assert_eq!(places(config), ["/accessConfig/authenticationMode"]);
    let mut config = with(json!({"capabilities": one}));
    config["metadata"]["name"] = json!("c".repeat(75));
    let told = ClusterSpec::of(read(&config).unwrap(), false).unwrap_err();
    let told: Vec<&str> = told.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(told, ["/capabilities/0"]);
    let boundary = "arn:aws:iam::111111111111:policy/b";
    let spec = sound(json!({"capabilities": one})).with_default_boundary(Some(boundary));
    let stack = spec.capability_role_stack(&spec.capabilities[0]).unwrap();
    assert_eq!(stack.role.permissions_boundary.as_deref(), Some(boundary));
}

#[test]
fn logs_are_kept_as_long_as_cloudwatch_can() {
    let logging = |parts: Value| json!({"cloudWatch": {"clusterLogging": parts}});
    let at = "/cloudWatch/clusterLogging/logRetentionInDays";
    for (days, fine) in [
        (0, true),
        (1, true),
        (1096, true),
        (3653, true),
        (42, false),
    ] {
        let parts = logging(json!({"enableTypes": ["audit"], "logRetentionInDays": days}));
        if fine {
            let kept = sound(parts).logging.retention_days;
            assert_eq!(kept, (days != 0).then_some(days));
        } else {
            assert_eq!(places(parts), [at], "{days}");
        }
    }
    let words =
        "cannot set cloudWatch.clusterLogging.logRetentionInDays without enabling log types";
    assert_eq!(said(logging(json!({"logRetentionInDays": 30}))), [words]);
}
