use super::*;
use crate::domain::decode;
use serde_json::json;

fn parsed(value: serde_json::Value) -> ProfileInput {
    decode::typed(value).unwrap()
}

fn errors(value: serde_json::Value, naming: Naming) -> Vec<(String, String)> {
    let errors = parsed(value).validate(naming).unwrap_err();
    errors
        .into_iter()
        .map(|error| (error.pointer, error.message))
        .collect()
}

fn first(value: serde_json::Value, naming: Naming) -> (String, String) {
    let mut errors = errors(value, naming);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

fn told(pointer: &str, message: &str) -> (String, String) {
    (pointer.to_owned(), message.to_owned())
}

#[test]
fn eksctls_rules_come_first_and_in_its_order() {
    use Naming::{Optional, Required};
    assert_eq!(
        first(json!({}), Required),
        told("/name", "invalid Fargate profile: empty name")
    );
    assert_eq!(
        first(json!({"name": "eks-foo"}), Required),
        told(
            "/name",
            "invalid Fargate profile \"eks-foo\": name should NOT start with \"eks-\""
        )
    );
    assert_eq!(
        first(json!({"name": "fp"}), Required),
        told(
            "/selectors",
            "invalid Fargate profile \"fp\": no profile selector"
        )
    );
    // The broken role and tag are not told: eksctl's rule comes first.
    let broken = json!({
        "name": "fp",
        "selectors": [{"namespace": "a"}, {"labels": {"k": "v"}}],
        "podExecutionRoleARN": "x",
        "tags": {"aws:x": ""}
    });
    assert_eq!(
        first(broken, Optional),
        told(
            "/selectors/1/namespace",
            "invalid Fargate profile \"fp\": invalid profile selector at index #1: empty namespace"
        )
    );
}

#[test]
fn a_name_may_be_missing_where_it_is_generated_but_not_empty() {
    let unnamed = json!({"selectors": [{"namespace": "a"}]});
    let unnamed = parsed(unnamed).validate(Naming::Optional).unwrap();
    assert_eq!(unnamed.name, None);
    assert_eq!(
        first(
            json!({"name": "", "selectors": [{"namespace": "a"}]}),
            Naming::Optional
        ),
        told("/name", "invalid Fargate profile: empty name")
    );
    assert_eq!(
        first(json!({}), Naming::Optional),
        told(
            "/selectors",
            "invalid Fargate profile \"\": no profile selector"
        )
    );
}

#[test]
fn null_is_absent() {
    let input = json!({
        "name": "fp", "podExecutionRoleARN": null, "subnets": null, "tags": null,
        "selectors": [{"namespace": "a", "labels": null}]
    });
    let spec = parsed(input).validate(Naming::Required).unwrap();
    assert_eq!(
        serde_json::to_value(spec).unwrap(),
        json!({"name": "fp", "selectors": [{"namespace": "a"}]})
    );
    assert_eq!(
        first(json!({"name": "fp", "selectors": null}), Naming::Required).0,
        "/selectors"
    );
}

#[test]
fn our_own_bounds_are_told_all_at_once_with_pointers() {
    let input = json!({
        "name": "a b",
        "podExecutionRoleARN": "arn:aws:iam::1:role/x",
        "selectors": [{"namespace": "a b", "labels": {"k/1": "v".repeat(64), "": "x"}}],
        "subnets": ["vpc-1", "subnet-1", "subnet-1"],
        "tags": {"AWS:x": "", "": "", "k": "v".repeat(257)}
    });
    let pointers: Vec<String> = errors(input, Naming::Optional)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(
        pointers,
        [
            "/name",
            "/podExecutionRoleARN",
            "/selectors/0/namespace",
            "/selectors/0/labels/",
            "/selectors/0/labels/k~11",
            "/subnets/0",
            "/subnets/2",
            "/tags/",
            "/tags/AWS:x",
            "/tags/k",
        ]
    );
}

#[test]
fn counts_are_bounded() {
    let selectors = vec![json!({"namespace": "a"}); 101];
    assert_eq!(
        first(json!({"selectors": selectors}), Naming::Optional).1,
        "at most 100 selectors"
    );
    let tags: serde_json::Map<_, _> = (0..51).map(|i| (format!("k{i}"), json!(""))).collect();
    let input = json!({"selectors": [{"namespace": "a"}], "tags": tags});
    assert_eq!(first(input, Naming::Optional).1, "at most 50 tags");
}

#[test]
fn wildcards_pass() {
    let input = json!({"selectors": [{"namespace": "team-*", "labels": {"*/tier": "front?"}}]});
    assert!(parsed(input).validate(Naming::Optional).is_ok());
}

#[test]
fn of_a_profile_that_was_read_what_aws_sets_is_ignored() {
    let issue = json!({"code": "AccessDenied", "message": "m", "resourceIds": ["r"]});
    let read = json!({
        "name": "fp", "selectors": [{"namespace": "a"}], "status": "ACTIVE", "arn": "arn",
        "clusterName": "c", "createdAt": "2026-11-01T00:00:00Z", "healthIssues": [issue]
    });
    assert!(serde_json::from_value::<crate::domain::FargateProfile>(read.clone()).is_ok());
    let spec = parsed(read).validate(Naming::Required).unwrap();
    assert_eq!(
        serde_json::to_value(spec).unwrap(),
        json!({"name": "fp", "selectors": [{"namespace": "a"}]})
    );
    let error = decode::typed::<ProfileInput>(json!({"name": "fp", "arns": "x"})).unwrap_err();
    assert_eq!(error[0].pointer, "/arns");
    assert!(
        error[0].message.starts_with("unknown field \"arns\""),
        "{error:?}"
    );
}

/// The rule of EKS, which would be told only when the cluster has been made.
#[test]
fn a_name_that_eks_refuses_is_refused_first() {
    for name in ["my.profile", "-a", "_a", "profil-\u{e9}", "a:b"] {
        let input = json!({"name": name, "selectors": [{"namespace": "a"}]});
        let (pointer, message) = first(input, Naming::Optional);
        assert_eq!(pointer, "/name");
        assert!(message.contains("EKS takes letters"), "{message}");
    }
    for name in ["a", "9", "A-b_c", &"a".repeat(100)] {
        let input = json!({"name": name, "selectors": [{"namespace": "a"}]});
        assert!(parsed(input).validate(Naming::Required).is_ok(), "{name}");
    }
}
