//! What CloudFormation says to templates that are wrong.

use serde_json::json;

use super::*;

fn refused(template: &Value) -> String {
    Template::parse(&template.to_string()).unwrap_err()
}

fn with(resources: &Value) -> Value {
    json!({ "Resources": resources })
}

#[test]
fn malformed_templates_are_refused_in_its_words() {
    assert!(
        Template::parse("Resources:\n  A: {}")
            .unwrap_err()
            .contains("not in YAML")
    );
    let error = Template::parse("{\"Resources\": ").unwrap_err();
    assert!(
        error.starts_with("Template format error: JSON not well-formed. (line 1"),
        "{error}"
    );
    assert_eq!(
        refused(&json!({"Outputs": {}})),
        "Template format error: At least one Resources member must be defined."
    );
    assert_eq!(
        refused(&json!({"Resource": {}})),
        "Invalid template property or properties [Resource]"
    );
    assert_eq!(
        refused(&with(&json!({"A": {"Type": "AWS::S3::Bucket"}}))),
        "Template format error: Unrecognized resource types: [AWS::S3::Bucket]"
    );
    assert_eq!(
        refused(&with(
            &json!({"A": {"Type": "AWS::EC2::VPC", "Property": {}}})
        )),
        "Invalid template resource property 'Property'"
    );
}

#[test]
fn references_must_lead_somewhere() {
    let vpc = |value: Value| json!({"Type": "AWS::EC2::VPC", "Properties": {"X": value}});
    assert_eq!(
        refused(&with(&json!({"A": vpc(json!({"Ref": "B"}))}))),
        "Template format error: Unresolved resource dependencies [B] in the Resources block of the template"
    );
    assert_eq!(
        refused(&with(&json!({"A": vpc(json!({"Fn::Sub": "${B.Arn}"}))}))),
        "Template error: instance of Fn::GetAtt references undefined resource B"
    );
    assert_eq!(
        refused(&with(
            &json!({"A": vpc(Value::Null), "B": vpc(json!({"Fn::GetAtt": "A.Arn"}))})
        )),
        "Template error: resource A does not support attribute type Arn in Fn::GetAtt"
    );
    assert_eq!(
        refused(&with(
            &json!({"A": vpc(json!({"Ref": "B"})), "B": vpc(json!({"Ref": "A"}))})
        )),
        "Circular dependency between resources: [A, B]"
    );
    assert!(refused(&with(&json!({"A": vpc(json!({"Fn::If": []}))}))).contains("Fn::If"));
}

#[test]
fn needs_come_from_references_and_from_depends_on() {
    let template = with(&json!({
        "A": {"Type": "AWS::EC2::VPC"},
        "B": {"Type": "AWS::EC2::InternetGateway", "DependsOn": "A"},
        "C": {"Type": "AWS::EC2::Subnet", "DependsOn": ["B"], "Properties": {
            "VpcId": {"Ref": "A"}, "Name": {"Fn::Sub": "${AWS::Region}-${!x}"},
        }},
    }));
    let template = Template::parse(&template.to_string()).unwrap();
    let needs: Vec<&str> = template.resources["C"]
        .needs
        .iter()
        .map(String::as_str)
        .collect();
    assert_eq!(needs, ["A", "B"]);
    assert_eq!(template.capability(), None);
}

#[test]
fn templates_have_limits() {
    let resource = json!({"Type": "AWS::CloudFormation::WaitConditionHandle"});
    let resources = |count: usize| {
        let named = (0..count).map(|number| (format!("R{number}"), resource.clone()));
        Value::Object(named.collect())
    };
    let refusal = |template: Value| Template::parse(&template.to_string()).err();
    assert_eq!(refusal(json!({"Resources": resources(500)})), None);
    let many = refusal(json!({"Resources": resources(501)})).unwrap();
    assert!(
        many.contains("Number of Resources, 501, is greater"),
        "{many}"
    );
    let version = json!({"AWSTemplateFormatVersion": "2026-01-01", "Resources": resources(1)});
    assert!(
        refusal(version)
            .unwrap()
            .contains("AWSTemplateFormatVersion")
    );
    let long = json!({"Description": "x".repeat(1025), "Resources": resources(1)});
    assert!(refusal(long).unwrap().contains("'Description' length"));
}
