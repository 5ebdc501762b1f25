//! Which creations are well formed.

use serde_json::{Value, json};

use super::*;

fn caller() -> Caller {
    Caller {
        account: "111111111111".into(),
        region: "eu-central-1".into(),
        service: "eks".into(),
        session: None,
        role: None,
    }
}

fn request() -> Value {
    json!({
        "fargateProfileName": "web",
        "podExecutionRoleArn": "arn:aws:iam::111111111111:role/fargate-pod-execution",
        "selectors": [{"namespace": "default"}],
    })
}

fn check(request: &Value) -> Result<NewProfile, AwsError> {
    let body = serde_json::to_vec(request).unwrap();
    CreateRequest::parse(&body)?.check(&caller(), &SimOptions::default())
}

fn refused(member: &str, value: Value) -> (String, String) {
    let mut request = request();
    request[member] = value;
    let error = check(&request).unwrap_err();
    (error.code, error.message)
}

#[test]
fn a_plain_creation_passes() {
    let new = check(&request()).unwrap();
    assert_eq!(
        (new.name.as_str(), new.subnets.len(), new.origin),
        ("web", 0, None)
    );
}

#[test]
fn names_are_checked() {
    for name in ["", "eks-web", "-web", "web.1", "a b", &"a".repeat(101)] {
        assert_eq!(
            refused("fargateProfileName", json!(name)).0,
            "InvalidParameterException",
            "{name}"
        );
    }
}

#[test]
fn roles_are_of_the_account_and_have_no_path() {
    for (role, code) in [
        ("fargate-pod-execution", "InvalidParameterException"),
        (
            "arn:aws-cn:iam::111111111111:role/a",
            "InvalidParameterException",
        ),
        (
            "arn:aws:iam::111111111111:user/a",
            "InvalidParameterException",
        ),
        (
            "arn:aws:iam::111111111111:role/path/a",
            "InvalidParameterException",
        ),
        ("arn:aws:iam::222222222222:role/a", "AccessDeniedException"),
    ] {
        assert_eq!(
            refused("podExecutionRoleArn", json!(role)).0,
            code,
            "{role}"
        );
    }
}

#[test]
fn malformed_subnets_are_refused() {
    let (code, message) = refused("subnets", json!(["vpc-1"]));
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(message, "The subnet ID 'vpc-1' is malformed");
}

#[test]
fn namespaces_are_dns_labels_or_patterns_of_them() {
    for namespace in ["dev", "team-*", "*", "a?c", "0", &"a".repeat(63)] {
        let mut request = request();
        request["selectors"] = json!([{ "namespace": namespace }]);
        assert!(check(&request).is_ok(), "{namespace}");
    }
    for namespace in ["Dev", "-a", "a-", "a.b", "a_b", "a b", &"a".repeat(64)] {
        let refused = refused("selectors", json!([{ "namespace": namespace }]));
        assert_eq!(refused.0, "InvalidParameterException", "{namespace}");
    }
}

#[test]
fn labels_have_their_lengths() {
    let selector = |key: usize, value: usize| json!([{"namespace": "a", "labels": {"k".repeat(key): "v".repeat(value)}}]);
    let mut request = request();
    request["selectors"] = selector(127, 255);
    assert!(check(&request).is_ok());
    for (key, value) in [(0, 1), (128, 1), (1, 256)] {
        let refused = refused("selectors", selector(key, value));
        assert_eq!(refused.0, "InvalidParameterException", "{key} {value}");
    }
}

#[test]
fn selectors_have_a_namespace_and_quotas() {
    let labels: BTreeMap<String, String> = (0..6).map(|i| (i.to_string(), String::new())).collect();
    for (selectors, code) in [
        (json!([]), "InvalidParameterException"),
        (json!([{"labels": {"a": "b"}}]), "InvalidParameterException"),
        (json!([{"namespace": ""}]), "InvalidParameterException"),
        (
            json!(vec![json!({"namespace": "a"}); 6]),
            "ResourceLimitExceededException",
        ),
        (
            json!([{"namespace": "a", "labels": labels}]),
            "ResourceLimitExceededException",
        ),
    ] {
        assert_eq!(
            refused("selectors", selectors.clone()).0,
            code,
            "{selectors}"
        );
    }
}

#[test]
fn bodies_of_another_shape_are_a_serialization_error() {
    assert_eq!(
        refused("selectors", json!("default")).0,
        "SerializationException"
    );
    assert_eq!(
        CreateRequest::parse(b"{").unwrap_err().code,
        "SerializationException"
    );
}

#[test]
fn the_origin_tells_the_same_creation_from_another() {
    let origin = |request: &Value| check(request).unwrap().origin.unwrap();
    let mut one = request();
    one["clientRequestToken"] = json!("t");
    let mut same = one.clone();
    assert_eq!(origin(&one), origin(&same));
    same["tags"] = json!({"a": "b"});
    assert_ne!(origin(&one), origin(&same));
}
