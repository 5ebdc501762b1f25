//! Each function, on values that come from everywhere.

use serde_json::json;

use super::*;

fn evaluated(value: &Value) -> Result<Value, String> {
    let attributes = BTreeMap::from([("Arn".to_owned(), "arn:x".to_owned())]);
    let mappings = json!({"Map": {"aws": {"EKS": "eks.amazonaws.com"}}});
    let scope = Scope {
        account: "111111111111",
        region: "eu-central-1",
        stack_name: "s",
        stack_id: "arn:s",
        mappings: &mappings,
        parameters: BTreeMap::from([("P", "p1")]),
        resources: BTreeMap::from([("R", ("r-1", &attributes))]),
        zones: vec!["eu-central-1a".into(), "eu-central-1b".into()],
        exports: BTreeMap::from([("other::Subnets".to_owned(), "a,b".to_owned())]),
        imported: RefCell::default(),
    };
    scope.value(value)
}

#[test]
fn functions_come_to_values() {
    for (call, value) in [
        (json!({"Ref": "R"}), json!("r-1")),
        (json!({"Ref": "P"}), json!("p1")),
        (json!({"Ref": "AWS::Partition"}), json!("aws")),
        (json!({"Fn::GetAtt": ["R", "Arn"]}), json!("arn:x")),
        (
            json!({"Fn::Join": ["-", ["a", {"Ref": "R"}]]}),
            json!("a-r-1"),
        ),
        (
            json!({"Fn::Sub": ["${AWS::StackName}/${R}/${R.Arn}/${V}/${!P}", {"V": {"Ref": "P"}}]}),
            json!("s/r-1/arn:x/p1/${P}"),
        ),
        (
            json!({"Fn::Split": [",", {"Fn::ImportValue": "other::Subnets"}]}),
            json!(["a", "b"]),
        ),
        (
            json!({"Fn::Select": [1, {"Fn::GetAZs": ""}]}),
            json!("eu-central-1b"),
        ),
        (
            json!({"Fn::FindInMap": ["Map", {"Ref": "AWS::Partition"}, "EKS"]}),
            json!("eks.amazonaws.com"),
        ),
        (
            json!({"A": {"Ref": "AWS::NoValue"}, "B": [1, {"Ref": "AWS::NoValue"}]}),
            json!({"B": [1]}),
        ),
    ] {
        assert_eq!(evaluated(&call), Ok(value), "{call}");
    }
}

#[test]
fn images_come_from_the_parameter_store() {
    let image = evaluated(&json!("{{resolve:ssm:/aws/service/eks/optimized-ami/x}}")).unwrap();
    assert!(image.as_str().unwrap().starts_with("ami-0"));
    assert!(evaluated(&json!("{{resolve:ssm:/mine}}")).is_err());
}

#[test]
fn what_is_not_there_is_said() {
    let error = evaluated(&json!({"Fn::ImportValue": "none"})).unwrap_err();
    assert_eq!(error, "No export named none found.");
    assert!(evaluated(&json!({"Fn::Select": [5, ["a"]]})).is_err());
    assert!(evaluated(&json!({"Fn::Join": ["a"]})).is_err());
}
