use super::*;
use crate::domain::decode;
use serde_json::{Value, json};

const ADMINS: &str = "arn:aws:iam::111111111111:role/platform-admins";
const ADMIN_POLICY: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";

fn read(entry: &Value) -> Result<AccessEntrySpec, Vec<Invalid>> {
    decode::typed::<AccessEntryInput>(entry.clone())?.validate(None)
}

/// A sound entry with something else in it.
fn with(parts: &Value) -> Value {
    let mut entry = json!({"principalARN": ADMINS});
    let parts = parts.as_object().unwrap().clone();
    entry.as_object_mut().unwrap().extend(parts);
    entry
}

fn places(parts: &Value) -> Vec<String> {
    let told = read(&with(parts)).unwrap_err();
    told.into_iter().map(|invalid| invalid.pointer).collect()
}

fn policy(scope: &Value) -> Value {
    json!({"accessPolicies": [{"policyARN": ADMIN_POLICY, "accessScope": scope}]})
}

#[test]
fn a_full_entry_is_read_as_eksctl_has_it() {
    let entry = json!({
        "principalARN": ADMINS,
        "type": "STANDARD",
        "kubernetesGroups": ["developers"],
        "kubernetesUsername": "ci:{{SessionName}}",
        "accessPolicies": [
            {"policyARN": ADMIN_POLICY, "accessScope": {"type": "cluster"}},
            {
                "policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
                "accessScope": {"type": "namespace", "namespaces": ["dev", "team-*"]}
            },
        ],
        "tags": {"team": "blue"},
    });
    let spec = read(&entry).unwrap();
    assert!(spec.is_cluster_admin() && spec.lets_in());
    assert_eq!(serde_json::to_value(&spec).unwrap(), entry);
    assert_eq!(
        serde_json::from_value::<AccessEntrySpec>(entry).unwrap(),
        spec
    );
}

#[test]
fn a_principal_alone_is_a_standard_entry_that_lets_nobody_in() {
    for kind in [json!({}), json!({"type": ""}), json!({"type": "STANDARD"})] {
        let spec = read(&with(&kind)).unwrap();
        assert_eq!(spec.kind, AccessEntryType::Standard);
        assert!(!spec.lets_in() && !spec.is_cluster_admin());
    }
    let nodes = read(&with(&json!({"type": "EC2_LINUX"}))).unwrap();
    assert!(!nodes.lets_in());
}

#[test]
fn every_kind_of_principal_is_known_and_sessions_are_not() {
    for (arn, username) in [
        (
            ADMINS,
            Some("arn:aws:sts::111111111111:assumed-role/platform-admins/{{SessionName}}"),
        ),
        (
            "arn:aws-cn:iam::111111111111:role/aws-reserved/sso.amazonaws.com/x/Admin_1",
            Some("arn:aws-cn:sts::111111111111:assumed-role/Admin_1/{{SessionName}}"),
        ),
        (
            "arn:aws:iam::111111111111:user/a/b",
            Some("arn:aws:iam::111111111111:user/a/b"),
        ),
        ("arn:aws:iam::111111111111:root", None),
    ] {
        let parsed = PrincipalArn::parse(arn).unwrap();
        assert_eq!(parsed.username().as_deref(), username, "{arn}");
        assert_eq!(parsed.account(), "111111111111");
    }
    for bad in [
        "",
        "platform-admins",
        "arn:aws:sts::111111111111:assumed-role/platform-admins/me",
        "arn:aws:iam::1:role/x",
        "arn:aws:iam::111111111111:role/",
        "arn:aws:iam::111111111111:role//x",
        "arn:aws:iam::111111111111:group/x",
        "arn:mars:iam::111111111111:role/x",
        "arn:aws:iam::111111111111:role/a b",
    ] {
        assert!(PrincipalArn::parse(bad).is_err(), "{bad}");
        assert_eq!(
            places(&json!({"principalARN": bad})),
            ["/principalARN"],
            "{bad}"
        );
    }
    let linked = "arn:aws:iam::111111111111:role/aws-service-role/eks.amazonaws.com/AWSServiceRole";
    assert_eq!(places(&json!({"principalARN": linked})), ["/principalARN"]);
    assert_eq!(read(&json!({})).unwrap_err()[0].pointer, "/principalARN");
}

#[test]
fn the_principal_of_the_path_need_not_be_said_again() {
    let of_path = PrincipalArn::parse(ADMINS).unwrap();
    for body in [json!({}), json!({"principalARN": ADMINS})] {
        let input: AccessEntryInput = decode::typed(body).unwrap();
        let spec = input.validate(Some(&of_path)).unwrap();
        assert_eq!(spec.principal_arn, of_path);
    }
    let other = json!({"principalARN": "arn:aws:iam::111111111111:role/other"});
    let other: AccessEntryInput = decode::typed(other).unwrap();
    let told = other.validate(Some(&of_path)).unwrap_err();
    assert_eq!(told[0].pointer, "/principalARN");
}

#[test]
fn what_does_not_go_with_a_type_is_refused() {
    let cluster = json!({"type": "cluster"});
    for kind in [
        "EC2_LINUX",
        "EC2_WINDOWS",
        "FARGATE_LINUX",
        "HYBRID_LINUX",
        "EC2",
    ] {
        let with_kind = |mut parts: Value| {
            parts["type"] = json!(kind);
            parts
        };
        let groups = with_kind(json!({"kubernetesGroups": ["a"]}));
        assert_eq!(places(&groups), ["/kubernetesGroups"], "{kind}");
        let name = with_kind(json!({"kubernetesUsername": "a"}));
        assert_eq!(places(&name), ["/kubernetesUsername"], "{kind}");
        let policies = with_kind(policy(&cluster));
        if kind == "EC2" {
            assert!(read(&with(&policies)).is_ok());
        } else {
            assert_eq!(places(&policies), ["/accessPolicies"], "{kind}");
        }
    }
    for bad in ["HYPERPOD_LINUX", "standard", "NODE"] {
        assert_eq!(places(&json!({"type": bad})), ["/type"], "{bad}");
    }
}

#[test]
fn scopes_and_policies_are_checked_as_eksctl_checks_them() {
    let at = "/accessPolicies/0/accessScope";
    for (scope, key) in [
        (json!({"type": ""}), "type"),
        (json!({"type": "region"}), "type"),
        (
            json!({"type": "cluster", "namespaces": ["a"]}),
            "namespaces",
        ),
        (json!({"type": "namespace"}), "namespaces"),
        (
            json!({"type": "namespace", "namespaces": ["A"]}),
            "namespaces/0",
        ),
        (
            json!({"type": "namespace", "namespaces": ["a", "a"]}),
            "namespaces/1",
        ),
        (
            json!({"type": "namespace", "namespaces": [""]}),
            "namespaces/0",
        ),
    ] {
        assert_eq!(places(&policy(&scope)), [format!("{at}/{key}")], "{scope}");
    }
    let cluster = json!({"type": "cluster"});
    for arn in [
        "AmazonEKSViewPolicy",
        "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
        "arn:aws:eks:::cluster-access-policy/AmazonEKSViewPolicy",
        "arn:aws:eks::aws:cluster-access-policy/",
    ] {
        let one = json!({"accessPolicies": [{"policyARN": arn, "accessScope": cluster}]});
        assert_eq!(places(&one), ["/accessPolicies/0/policyARN"], "{arn}");
    }
    let one = json!({"policyARN": ADMIN_POLICY, "accessScope": cluster});
    let twice = json!({"accessPolicies": [one, one]});
    assert_eq!(places(&twice), ["/accessPolicies/1/policyARN"]);
    assert_eq!(
        places(&json!({"accessPolicies": [{"policyARN": ADMIN_POLICY}]})),
        ["/accessPolicies/0/accessScope"]
    );
    assert_eq!(places(&policy(&json!(["cluster"]))), [at]);
}

#[test]
fn names_that_eks_keeps_to_itself_are_refused_with_the_way_out() {
    let masters = read(&with(&json!({"kubernetesGroups": ["a", "system:masters"]}))).unwrap_err();
    assert_eq!(masters[0].pointer, "/kubernetesGroups/1");
    assert!(
        masters[0].message.contains("AmazonEKSClusterAdminPolicy"),
        "{masters:?}"
    );
    for name in [
        "",
        "eks:x",
        "aws:x",
        "amazon:x",
        "iam:x",
        "system:x",
        "a b",
        "me{{SessionName}}",
    ] {
        let named = json!({"kubernetesUsername": name});
        assert_eq!(places(&named), ["/kubernetesUsername"], "{name:?}");
    }
    assert_eq!(
        places(&json!({"kubernetesGroups": ["a", "a"]})),
        ["/kubernetesGroups/1"]
    );
    let many: Vec<String> = (0..101).map(|i| format!("g{i}")).collect();
    assert_eq!(
        places(&json!({"kubernetesGroups": many})),
        ["/kubernetesGroups"]
    );
    assert_eq!(places(&json!({"tags": {"a!": "b"}})), ["/tags/a!"]);
    assert_eq!(places(&json!({"group": "x"})), ["/group"]);
}

#[test]
fn a_place_takes_only_what_is_of_its_partition() {
    let entry = |parts: Value| read(&with(&parts)).unwrap();
    let at = |spec: &AccessEntrySpec, partition| {
        let told = spec.misplaced("222222222222", partition);
        told.into_iter().map(|one| one.pointer).collect::<Vec<_>>()
    };
    let other_account = entry(policy(&json!({"type": "cluster"})));
    assert!(at(&other_account, Partition::Aws).is_empty());
    assert_eq!(
        at(&other_account, Partition::AwsCn),
        ["/principalARN", "/accessPolicies/0/policyARN"]
    );
    assert_eq!(
        at(&entry(json!({"type": "EC2_LINUX"})), Partition::Aws),
        ["/principalARN"]
    );
    let user = json!({"principalARN": "arn:aws:iam::222222222222:user/x", "type": "EC2_LINUX"});
    assert_eq!(at(&entry(user), Partition::Aws), ["/principalARN"]);
    let admin = PrincipalArn::parse(ADMINS).unwrap();
    let admin = AccessEntrySpec::cluster_admin(admin, Partition::AwsCn);
    assert!(admin.is_cluster_admin() && admin.lets_in());
    assert_eq!(at(&admin, Partition::AwsCn), ["/principalARN"]);
}

fn there(json: Value) -> AccessEntry {
    serde_json::from_value(json).unwrap()
}

#[test]
fn an_entry_that_is_as_it_should_be_is_left_alone() {
    let spec = AccessEntrySpec::cluster_admin(PrincipalArn::parse(ADMINS).unwrap(), Partition::Aws);
    let admin = json!({
        "principalARN": ADMINS,
        "type": "STANDARD",
        "kubernetesUsername": "arn:aws:sts::111111111111:assumed-role/platform-admins/{{SessionName}}",
        "accessPolicies": [{"policyARN": ADMIN_POLICY, "accessScope": {"type": "cluster"}}],
        "tags": {"aws:cloudformation:stack-name": "x"},
    });
    assert!(spec.is_type_of(&there(admin.clone())));
    assert_eq!(spec.changes(&there(admin)), Changes::default());
    let nodes = json!({"principalARN": ADMINS, "type": "EC2_LINUX",
        "kubernetesGroups": ["system:nodes"], "kubernetesUsername": "system:node:{{EC2PrivateDNSName}}"});
    assert!(!spec.is_type_of(&there(nodes.clone())));
    let spec = read(&with(&json!({"type": "EC2_LINUX"}))).unwrap();
    assert_eq!(spec.changes(&there(nodes)), Changes::default());
}

#[test]
fn every_difference_is_a_change_and_only_that() {
    let view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
    let edit = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy";
    let policy = |arn: &str, namespaces: &[&str]| json!({"policyARN": arn, "accessScope": {"type": "namespace", "namespaces": namespaces}});
    let spec = json!({
        "kubernetesGroups": ["a", "b"],
        "accessPolicies": [policy(view, &["x", "y"]), policy(edit, &["x"])],
        "tags": {"team": "blue", "stage": "dev"},
    });
    let spec = read(&with(&spec)).unwrap();
    let entry = there(json!({
        "principalARN": ADMINS,
        "kubernetesUsername": "old",
        "kubernetesGroups": ["b", "c"],
        "accessPolicies": [
            policy(view, &["y", "x"]),
            {"policyARN": ADMIN_POLICY, "accessScope": {"type": "cluster"}}
        ],
        "tags": {"team": "red", "old": "x"},
    }));
    let changes = spec.changes(&entry);
    let (groups, username) = changes.names.unwrap();
    assert_eq!(groups, ["a", "b"]);
    assert!(
        username
            .unwrap()
            .ends_with("/platform-admins/{{SessionName}}")
    );
    assert_eq!(changes.tag.keys().collect::<Vec<_>>(), ["stage", "team"]);
    assert_eq!(changes.untag, ["old"]);
    let associated: Vec<&str> = changes
        .associate
        .iter()
        .map(|one| one.policy_arn.as_str())
        .collect();
    assert_eq!(associated, [edit]);
    assert_eq!(changes.disassociate, [ADMIN_POLICY]);
}
