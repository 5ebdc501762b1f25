//! AWS's schemas are there for every type, and properties that break them are refused in AWS's words.

use serde_json::json;

use super::super::kind::KINDS;
use super::*;

fn problems(kind: &str, properties: &Value) -> Vec<String> {
    let Err(why) = check(kind, "Thing", properties) else {
        return Vec::new();
    };
    let begin = "Properties validation failed for resource Thing with message:\n";
    let listed = why.strip_prefix(begin).unwrap_or(&why);
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn every_type_has_a_schema_and_every_pattern_is_understood() {
    for kind in KINDS {
        assert!(
            SCHEMAS.contains_key(kind.name),
            "{} has no schema: run tests/cfn/schemas",
            kind.name
        );
    }
    for (pattern, translated) in PATTERNS.iter() {
        assert!(translated.is_some(), "{pattern}");
    }
}

#[test]
fn what_stacks_of_clusters_hold_passes() {
    for (kind, properties) in [
        (
            "AWS::EC2::VPC",
            json!({"CidrBlock": "192.168.0.0/16", "EnableDnsSupport": "true", "Tags": [{"Key": "Name", "Value": "x"}]}),
        ),
        (
            "AWS::EKS::Nodegroup",
            json!({
                "ClusterName": "c", "NodeRole": "arn:aws:iam::111111111111:role/n", "Subnets": ["subnet-1"],
                "ScalingConfig": {"MinSize": "1", "MaxSize": 2}, "Labels": {"a/b": "c"},
            }),
        ),
        (
            "AWS::IAM::Role",
            json!({"AssumeRolePolicyDocument": {"Statement": []}, "Path": "/", "RoleName": "a+b=c"}),
        ),
        ("AWS::CloudFormation::WaitConditionHandle", Value::Null),
    ] {
        assert_eq!(problems(kind, &properties), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn what_aws_refuses_is_refused_in_its_words() {
    for (kind, properties, why) in [
        (
            "AWS::EC2::Subnet",
            json!({"CidrBlock": "10.0.0.0/24"}),
            "#: required key [VpcId] not found",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "Zone": "a"}),
            "#: extraneous key [Zone] is not permitted",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "vpc-1"}),
            "#: #: no subschema matched out of the total 4 subschemas",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": ["vpc-1"], "CidrBlock": "10.0.0.0/24"}),
            "#/VpcId: expected type: String, found: JSONArray",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "MapPublicIpOnLaunch": "yes"}),
            "#/MapPublicIpOnLaunch: expected type: Boolean, found: String",
        ),
        (
            "AWS::EC2::VPC",
            json!({"CidrBlock": "10.0.0.0/40"}),
            "#/CidrBlock: failed validation constraint for keyword [format]",
        ),
        (
            "AWS::EKS::Cluster",
            json!({
                "ResourcesVpcConfig": {"SubnetIds": ["a", "b"]}, "RoleArn": "arn:aws:iam::111111111111:role/c",
                "AccessConfig": {"AuthenticationMode": "NONE"},
            }),
            "#/AccessConfig/AuthenticationMode: failed validation constraint for keyword [enum]",
        ),
        (
            "AWS::IAM::Role",
            json!({"AssumeRolePolicyDocument": {}, "Tags": [{"Key": "a;b", "Value": ""}]}),
            "#/Tags/0/Key: failed validation constraint for keyword [pattern]",
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"GroupDescription": "x", "SecurityGroupEgress": []}),
            "#: property [VpcId] is required",
        ),
        (
            "AWS::EKS::Cluster",
            json!({"Arn": "x"}),
            "Encountered unsupported property Arn",
        ),
    ] {
        assert_eq!(problems(kind, &properties), [why], "{kind} {properties}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = json!({"CidrBlock": {}, "Name": "x"});
    assert_eq!(problems("AWS::EC2::Subnet", &wrong).len(), 3);
}
