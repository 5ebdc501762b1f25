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
fn public_and_malformed_subnets_are_refused() {
    let (code, message) = refused("subnets", json!(["subnet-1", "subnet-public-0a"]));
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(
        message,
        "Subnet subnet-public-0a provided in Fargate Profile is not a private subnet"
    );
    let (_, message) = refused("subnets", json!(["subnet-badzone-1"]));
    assert_eq!(
        message,
        "Fargate Profile creation for the Availability Zone eu-central-1e for Subnet \
         subnet-badzone-1 is not supported"
    );
    assert_eq!(
        refused("subnets", json!(["vpc-1"])).0,
        "InvalidParameterException"
    );
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
