//! A template as it grows, and the functions of `CloudFormation`'s language.

use serde_json::{Map, Value, json};

/// What every description ends with.
const MADE_BY: &str = "[created by fargate-fleet in the form of eksctl]";

/// A template that is being made.
#[derive(Default)]
pub(super) struct Draft {
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl Draft {
    /// Adds a resource and gives a reference to it.
    pub(super) fn add(&mut self, id: &str, kind: &str, properties: Value) -> Value {
        let mut resource = json!({"Type": kind});
        resource["Properties"] = properties;
        self.resources.insert(id.to_owned(), resource);
        reference(id)
    }

    /// Adds a resource named `<stack>/<id>` by its tags, after those it has.
    pub(super) fn add_tagged(&mut self, id: &str, kind: &str, mut properties: Value) -> Value {
        let name = tag("Name", &sub(&format!("${{AWS::StackName}}/{id}")));
        match properties.get_mut("Tags").and_then(Value::as_array_mut) {
            Some(tags) => tags.push(name),
            None => properties["Tags"] = json!([name]),
        }
        self.add(id, kind, properties)
    }

    /// Sets a field beside a resource's properties.
    pub(super) fn attribute(&mut self, id: &str, name: &str, value: Value) {
        if let Some(resource) = self.resources.get_mut(id) {
            resource[name] = value;
        }
    }

    /// Adds an output of the stack.
    pub(super) fn output(&mut self, name: &str, value: &Value) {
        self.outputs
            .insert(name.to_owned(), json!({"Value": value}));
    }

    /// Adds an output that other stacks import.
    pub(super) fn export(&mut self, name: &str, value: &Value) {
        let export = sub(&format!("${{AWS::StackName}}::{name}"));
        let output = json!({"Value": value, "Export": {"Name": export}});
        self.outputs.insert(name.to_owned(), output);
    }

    /// Adds an output that is exported by another name than its own.
    pub(super) fn export_as(&mut self, name: &str, export: &str, value: &Value) {
        let export = sub(&format!("${{AWS::StackName}}-{export}"));
        let output = json!({"Value": value, "Export": {"Name": export}});
        self.outputs.insert(name.to_owned(), output);
    }

    /// The finished template, of a stack that names no service by its partition.
    pub(super) fn finish_alone(self, description: &str) -> Value {
        let mut template = self.finish(description);
        if let Some(template) = template.as_object_mut() {
            template.remove("Mappings");
            if template["Outputs"].as_object().is_some_and(Map::is_empty) {
                template.remove("Outputs");
            }
        }
        template
    }

    /// The finished template.
    pub(super) fn finish(self, description: &str) -> Value {
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("{description} {MADE_BY}"),
            "Mappings": {"ServicePrincipalPartitionMap": service_principals()},
            "Resources": self.resources,
            "Outputs": self.outputs,
        })
    }
}

/// The names of AWS's services where they differ from one partition to another.
fn service_principals() -> Value {
    let of = |ec2: &str| {
        json!({
            "EC2": ec2,
            "EKS": "eks.amazonaws.com",
            "EKSFargatePods": "eks-fargate-pods.amazonaws.com",
            "SSM": "ssm.amazonaws.com",
        })
    };
    json!({
        "aws": of("ec2.amazonaws.com"),
        "aws-cn": of("ec2.amazonaws.com.cn"),
        "aws-us-gov": of("ec2.amazonaws.com"),
        "aws-eusc": of("ec2.amazonaws.com"),
        "aws-iso": of("ec2.c2s.ic.gov"),
        "aws-iso-b": of("ec2.sc2s.sgov.gov"),
        "aws-iso-e": of("ec2.amazonaws.com"),
        "aws-iso-f": of("ec2.amazonaws.com"),
    })
}

/// The name of a service in the partition of the stack.
pub(super) fn service(name: &str) -> Value {
    json!({"Fn::FindInMap": ["ServicePrincipalPartitionMap", {"Ref": "AWS::Partition"}, name]})
}

pub(super) fn reference(id: &str) -> Value {
    json!({"Ref": id})
}

pub(super) fn attribute_of(id: &str, attribute: &str) -> Value {
    json!({"Fn::GetAtt": [id, attribute]})
}

pub(super) fn sub(text: &str) -> Value {
    json!({"Fn::Sub": text})
}

/// What another stack exports.
pub(super) fn import(stack: &str, output: &str) -> Value {
    json!({"Fn::ImportValue": format!("{stack}::{output}")})
}

pub(super) fn joined(values: &[Value]) -> Value {
    json!({"Fn::Join": [",", values]})
}

pub(super) fn tag(key: &str, value: &Value) -> Value {
    json!({"Key": key, "Value": value})
}
