//! The role of nodes: one that is made, with policies for what runs on them.

use super::draft::{Draft, attribute_of, sub};
use super::iam::{ROLE, arns_of_policies, bounded, trust};
use crate::domain::cluster::spec::{NodegroupKind, NodegroupSpec};
use crate::domain::eksctl::nodegroup::NodeGroupIamAddonPolicies;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ID: &str = "NodeInstanceRole";
/// Policies for what runs on nodes, by the logical ids that eksctl gives them.
const POLICIES: &str = include_str!("node_policies.json");

/// The role's ARN: of the one that exists, or of one that is added.
pub(super) fn add(draft: &mut Draft, nodegroup: &NodegroupSpec) -> Value {
    if let Some(arn) = &nodegroup.role.instance_role_arn {
        return json!(without_path(arn));
    }
    let mut role = json!({
        "AssumeRolePolicyDocument": trust("EC2", &["sts:AssumeRole"], None),
        "ManagedPolicyArns": managed(nodegroup),
        "Path": "/",
    });
    if let Some(name) = &nodegroup.role.instance_role_name {
        role["RoleName"] = json!(name);
    }
    bounded(&mut role, nodegroup.role_permissions_boundary.as_deref());
    let reference = draft.add_tagged(ID, ROLE, role);
    add_policies(draft, nodegroup, &reference);
    attribute_of(ID, "Arn")
}

/// The name by which nodes are known leaves out the path of their role.
pub(super) fn without_path(arn: &str) -> String {
    match (arn.split_once('/'), arn.rsplit_once('/')) {
        (Some((before, _)), Some((_, name))) => format!("{before}/{name}"),
        _ => arn.to_owned(),
    }
}

/// The caller's policies, and after them AWS's by name. The CNI's policy is always among those that
/// nodes need, whether vpc-cni has a role of its own or not.
fn managed(nodegroup: &NodegroupSpec) -> Value {
    let role = &nodegroup.role;
    let managed = nodegroup.kind == NodegroupKind::Managed;
    let addons = role.with_addon_policies.clone().unwrap_or_default();
    let asked = |flag: Option<bool>| flag.unwrap_or_default();
    let mut names = BTreeSet::new();
    if role.attach_policy_arns.is_empty() {
        names.extend([
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonSSMManagedInstanceCore",
        ]);
        if managed {
            names.insert("AmazonEC2ContainerRegistryPullOnly");
        }
    }
    if asked(addons.image_builder) {
        names.insert("AmazonEC2ContainerRegistryPowerUser");
    } else if !managed {
        names.insert("AmazonEC2ContainerRegistryPullOnly");
    }
    if asked(addons.cloud_watch) {
        names.insert("CloudWatchAgentServerPolicy");
    }
    if asked(addons.ebs) {
        names.insert("service-role/AmazonEBSCSIDriverPolicy");
    }
    for arn in &role.attach_policy_arns {
        let path = arn.split_once(":policy/").map_or("", |(_, path)| path);
        names.remove(path);
    }
    let names: Vec<&str> = names.into_iter().collect();
    let own = role.attach_policy_arns.iter().map(|arn| json!(arn));
    let Value::Array(aws) = arns_of_policies(&names) else {
        return own.collect();
    };
    own.chain(aws).collect()
}

fn add_policies(draft: &mut Draft, nodegroup: &NodegroupSpec, role: &Value) {
    let mut add = |id: &str, document: Value| {
        let policy = json!({
            "PolicyDocument": document,
            "PolicyName": sub(&format!("${{AWS::StackName}}-{id}")),
            "Roles": [role],
        });
        draft.add(id, "AWS::IAM::Policy", policy);
    };
    if let Some(document) = &nodegroup.role.attach_policy {
        add("Policy1", Value::Object(document.clone()));
    }
    let Some(addons) = &nodegroup.role.with_addon_policies else {
        return;
    };
    let all: Map<String, Value> = serde_json::from_str(POLICIES).unwrap_or_default();
    for id in asked(addons) {
        let statements = all.get(id).cloned().unwrap_or_default();
        add(
            id,
            json!({"Statement": statements, "Version": "2012-10-17"}),
        );
    }
}

/// The policies that are asked for, by id.
fn asked(addons: &NodeGroupIamAddonPolicies) -> BTreeSet<&'static str> {
    let of = |key: &str| -> &'static [&'static str] {
        match key {
            "autoScaler" => &["PolicyAutoScaling"],
            "certManager" => &[
                "PolicyCertManagerChangeSet",
                "PolicyCertManagerGetChange",
                "PolicyCertManagerHostedZones",
            ],
            "externalDNS" => &["PolicyExternalDNSChangeSet", "PolicyExternalDNSHostedZones"],
            "appMesh" => &["PolicyAppMesh"],
            "appMeshPreview" => &["PolicyAppMeshPreview"],
            "fsx" => &["PolicyFSX", "PolicyServiceLinkRole"],
            "efs" => &["PolicyEFS", "PolicyEFSEC2"],
            "awsLoadBalancerController" | "albIngress" => &["PolicyAWSLoadBalancerController"],
            "xRay" => &["PolicyXRay"],
            _ => &[],
        }
    };
    let all = addons.all().into_iter();
    all.filter(|(_, asked)| *asked)
        .flat_map(|(key, _)| of(key).iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_that_can_be_asked_for_is_written_down_and_no_other() {
        let all: Map<String, Value> = serde_json::from_str(POLICIES).unwrap();
        let every = serde_json::json!({
            "imageBuilder": true, "autoScaler": true, "externalDNS": true, "certManager": true,
            "appMesh": true, "appMeshPreview": true, "ebs": true, "fsx": true, "efs": true,
            "awsLoadBalancerController": true, "albIngress": true, "xRay": true, "cloudWatch": true,
        });
        let every: NodeGroupIamAddonPolicies = serde_json::from_value(every).unwrap();
        let ids: BTreeSet<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(asked(&every), ids);
        for (id, statements) in &all {
            for statement in statements.as_array().unwrap() {
                assert_eq!(statement["Effect"], "Allow", "{id}");
                let actions = statement["Action"].as_array().unwrap();
                let named = |action: &Value| action.as_str().unwrap().contains(':');
                assert!(!actions.is_empty() && actions.iter().all(named), "{id}");
                assert!(!statement["Resource"].is_null(), "{id}");
            }
        }
    }

    #[test]
    fn a_path_is_left_out() {
        let arn = without_path("arn:aws:iam::1:role/team/a/nodes");
        assert_eq!(arn, "arn:aws:iam::1:role/nodes");
        assert_eq!(without_path(&arn), arn);
    }
}
