//! Roles.

use super::draft::{Draft, attribute_of, service, sub};
use crate::domain::cluster::spec::ClusterSpec;
use crate::domain::ids::Partition;
use serde_json::{Value, json};

pub(super) const ROLE: &str = "AWS::IAM::Role";

/// What EKS may do on behalf of Auto Mode.
const AUTO_MODE_POLICIES: [&str; 4] = [
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
];

/// The role that the control plane acts under, unless there is one; a reference to it.
pub(super) fn add_service_role(draft: &mut Draft, spec: &ClusterSpec) -> Value {
    if let Some(role) = &spec.service_role {
        let arn = json!(role);
        draft.export("ServiceRoleARN", &arn);
        return arn;
    }
    let mut attached = vec!["AmazonEKSClusterPolicy"];
    if !spec.without_pod_security_groups {
        attached.push("AmazonEKSVPCResourceController");
    }
    if spec.control_plane.auto_mode.is_some() {
        attached.extend(AUTO_MODE_POLICIES);
    }
    let mut role = json!({
        "AssumeRolePolicyDocument": trust("EKS", &["sts:AssumeRole", "sts:TagSession"], None),
        "ManagedPolicyArns": arns_of_policies(&attached),
    });
    let boundary = spec.service_role_permissions_boundary.as_deref();
    bounded(&mut role, boundary);
    draft.add_tagged("ServiceRole", ROLE, role);
    let arn = attribute_of("ServiceRole", "Arn");
    draft.export("ServiceRoleARN", &arn);
    arn
}

pub(super) fn bounded(role: &mut Value, permissions_boundary: Option<&str>) {
    if let Some(arn) = permissions_boundary {
        role["PermissionsBoundary"] = json!(arn);
    }
}

/// The role that the kubelets of pods on Fargate run under. Only profiles of this one cluster may
/// make use of it.
pub(super) fn add_pod_execution_role(
    draft: &mut Draft,
    cluster: &str,
    permissions_boundary: Option<&str>,
) -> Value {
    let profiles = format!(
        "arn:${{AWS::Partition}}:eks:${{AWS::Region}}:${{AWS::AccountId}}:fargateprofile/{cluster}/*"
    );
    let condition = json!({"ArnLike": {"aws:SourceArn": sub(&profiles)}});
    let mut role = json!({
        "AssumeRolePolicyDocument": trust("EKSFargatePods", &["sts:AssumeRole"], Some(condition)),
        "ManagedPolicyArns": arns_of_policies(&["AmazonEKSFargatePodExecutionRolePolicy"]),
    });
    bounded(&mut role, permissions_boundary);
    draft.add_tagged("FargatePodExecutionRole", ROLE, role);
    attribute_of("FargatePodExecutionRole", "Arn")
}

/// The role of the nodes that Auto Mode starts. Images of ECR's public registry are in AWS's own
/// partition alone.
pub(super) fn add_auto_mode_role(
    draft: &mut Draft,
    partition: Partition,
    permissions_boundary: Option<&str>,
) -> Value {
    const ID: &str = "AutoModeNodeRole";
    let public =
        (partition == Partition::Aws).then_some("AmazonElasticContainerRegistryPublicReadOnly");
    let attached: Vec<&str> = ["AmazonEC2ContainerRegistryPullOnly"]
        .into_iter()
        .chain(public)
        .chain(["AmazonEKSWorkerNodeMinimalPolicy"])
        .collect();
    let mut role = json!({
        "AssumeRolePolicyDocument": trust("EC2", &["sts:AssumeRole"], None),
        "ManagedPolicyArns": arns_of_policies(&attached),
    });
    bounded(&mut role, permissions_boundary);
    draft.add_tagged(ID, ROLE, role);
    let arn = attribute_of(ID, "Arn");
    draft.export_as("AutoModeNodeRoleARN", "NodeRoleArn", &arn);
    arn
}

/// The role of hybrid nodes, whose credentials come from Systems Manager.
pub(super) fn add_hybrid_role(draft: &mut Draft, id: &str, permissions_boundary: Option<&str>) {
    let policy = |name: &str, actions: &[&str]| {
        let statement = json!({"Action": actions, "Effect": "Allow", "Resource": "*"});
        json!({
            "PolicyDocument": {"Statement": [statement], "Version": "2012-10-17"},
            "PolicyName": name,
        })
    };
    let of_ssm = [
        "ssm:DeregisterManagedInstance",
        "ssm:DescribeInstanceInformation",
    ];
    let mut role = json!({
        "AssumeRolePolicyDocument": trust("SSM", &["sts:AssumeRole"], None),
        "ManagedPolicyArns": arns_of_policies(&[
            "AmazonSSMManagedInstanceCore",
            "AmazonEC2ContainerRegistryPullOnly",
        ]),
        "Policies": [
            policy("SSMRolePolicy", &of_ssm),
            policy("EKSDescribeCluster", &["eks:DescribeCluster"]),
        ],
    });
    bounded(&mut role, permissions_boundary);
    draft.add_tagged(id, ROLE, role);
}

pub(super) fn trust(name: &str, actions: &[&str], condition: Option<Value>) -> Value {
    let mut statement = json!({
        "Action": actions,
        "Effect": "Allow",
        "Principal": {"Service": [service(name)]},
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({"Statement": [statement], "Version": "2012-10-17"})
}

pub(super) fn arns_of_policies(names: &[&str]) -> Value {
    let arn = |name: &&str| sub(&format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}"));
    names.iter().map(arn).collect()
}
