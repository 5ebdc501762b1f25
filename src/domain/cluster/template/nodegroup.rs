//! The stack of a self-managed nodegroup: an autoscaling group whose nodes join by an access
//! entry.

use super::draft::{Draft, attribute_of, reference, tag};
use super::launch::{self, of_cluster};
use super::{ClusterFacts, node_role, scaling, user_data};
use crate::domain::cluster::spec::{ClusterSpec, NodegroupKind, NodegroupSpec};
use serde_json::{Value, json};

pub(super) const LAUNCH_TEMPLATE: &str = "NodeGroupLaunchTemplate";
const PROFILE: &str = "NodeInstanceProfile";

pub(super) fn template(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    let mut draft = Draft::default();
    let (private, family) = (nodegroup.private_networking, nodegroup.image.family);
    let (shared, local) = (is_in_shared(nodegroup), has_local(nodegroup));
    draft.output("FeaturePrivateNetworking", &json!(private.to_string()));
    draft.output("FeatureSharedSecurityGroup", &json!(shared.to_string()));
    draft.output("FeatureLocalSecurityGroup", &json!(local.to_string()));
    let profile = add_roles(&mut draft, spec, nodegroup);
    let groups = add_groups(&mut draft, spec, nodegroup, facts);
    add_launch_template(&mut draft, (spec, nodegroup, facts), &profile, &groups);
    scaling::add(&mut draft, spec, nodegroup, facts);
    let open = nodegroup.login().is_some_and(|ssh| ssh.allow);
    draft.finish(&format!(
        "EKS nodes (AMI family: {family}, SSH access: {open}, private networking: {private})"
    ))
}

fn is_in_shared(nodegroup: &NodegroupSpec) -> bool {
    nodegroup.groups.with_shared.unwrap_or(true)
}

fn has_local(nodegroup: &NodegroupSpec) -> bool {
    nodegroup.groups.with_local.unwrap_or(true)
}

/// The role, its access entry and its instance profile, of which the ARN is given back.
fn add_roles(draft: &mut Draft, spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Value {
    let role = node_role::add(draft, nodegroup);
    let given = nodegroup.role.instance_profile_arn.as_ref();
    let profile = given.map_or_else(|| add_profile(draft, nodegroup), |arn| json!(arn));
    draft.export("InstanceProfileARN", &profile);
    draft.export("InstanceRoleARN", &role);
    if makes_entry(spec, nodegroup) {
        let kind = if nodegroup.image.family.is_windows() {
            "EC2_WINDOWS"
        } else {
            "EC2_LINUX"
        };
        let entry = json!({"ClusterName": spec.name, "PrincipalArn": role, "Type": kind});
        draft.add_tagged("AccessEntry", "AWS::EKS::AccessEntry", entry);
    }
    draft.output("NodeGroupUsesAccessEntry", &json!("true"));
    profile
}

fn add_profile(draft: &mut Draft, nodegroup: &NodegroupSpec) -> Value {
    let given = nodegroup.role.instance_role_arn.as_deref();
    let role = given.map_or_else(
        || reference("NodeInstanceRole"),
        |arn| json!(arn.rsplit('/').next()),
    );
    let profile = json!({"Path": "/", "Roles": [role]});
    draft.add(PROFILE, "AWS::IAM::InstanceProfile", profile);
    attribute_of(PROFILE, "Arn")
}

/// A role has one access entry: the first nodegroup with it makes it, or EKS does for a managed one,
/// or the config has it.
pub(super) fn makes_entry(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> bool {
    let Some(arn) = &nodegroup.role.instance_role_arn else {
        return true;
    };
    let role = node_role::without_path(arn);
    let same = |other: &&NodegroupSpec| {
        let other = other.role.instance_role_arn.as_deref();
        other.is_some_and(|other| node_role::without_path(other) == role)
    };
    let with_role: Vec<&NodegroupSpec> = spec.nodegroups.iter().filter(same).collect();
    let managed = with_role
        .iter()
        .any(|other| other.kind == NodegroupKind::Managed);
    let first = with_role
        .first()
        .is_none_or(|first| first.name == nodegroup.name);
    let mut entries = spec.access.entries.iter();
    !managed && first && !entries.any(|entry| entry.principal_arn.as_str() == role)
}

/// A way through between control plane and nodes: what for, and which ports.
struct Way {
    name: &'static str,
    ports: (u16, u16),
    purpose: &'static str,
}

const WAYS: [Way; 2] = [
    Way {
        name: "InterCluster",
        ports: (1025, 65535),
        purpose: "kubelet and workload TCP ports",
    },
    Way {
        name: "InterClusterAPI",
        ports: (443, 443),
        purpose: "workloads using HTTPS port, commonly used with extension API servers",
    },
];

/// The groups of the nodes: the caller's, the shared one, their own, and that of their adapters.
fn add_groups(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Vec<Value> {
    let mut groups: Vec<Value> = nodegroup
        .groups
        .attach_ids
        .iter()
        .map(|id| json!(id))
        .collect();
    if is_in_shared(nodegroup) {
        groups.push(of_cluster(spec, "SharedNodeSecurityGroup"));
    }
    if has_local(nodegroup) {
        groups.push(add_security_group(draft, spec, nodegroup, facts));
        if nodegroup.hardware.efa.is_some() {
            groups.push(launch::add_efa_group(draft, spec, &nodegroup.name));
        }
    }
    groups
}

fn add_security_group(
    draft: &mut Draft,
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Value {
    let nodes = format!("worker nodes in group {}", nodegroup.name);
    let control_plane = of_cluster(spec, "SecurityGroup");
    let mut ingress: Vec<Value> = Vec::new();
    ingress.extend(WAYS.iter().map(|way| {
        let (name, purpose) = (way.name, way.purpose);
        let about =
            format!("[Ingress{name}] Allow {nodes} to communicate with control plane ({purpose})");
        let mut rule = rule(&about, way.ports);
        rule["SourceSecurityGroupId"] = control_plane.clone();
        rule
    }));
    ingress.extend(launch::ssh_rules(nodegroup, facts, &nodes));
    let group = json!({
        "GroupDescription": format!("Communication between the control plane and {nodes}"),
        "SecurityGroupIngress": ingress,
        "Tags": [tag(&format!("kubernetes.io/cluster/{}", spec.name), &json!("owned"))],
        "VpcId": of_cluster(spec, "VPC"),
    });
    let group = draft.add_tagged("SG", "AWS::EC2::SecurityGroup", group);
    for way in &WAYS {
        let about = format!(
            "Allow control plane to communicate with {nodes} ({})",
            way.purpose
        );
        let mut rule = rule(&about, way.ports);
        rule["GroupId"] = control_plane.clone();
        rule["DestinationSecurityGroupId"] = group.clone();
        let id = format!("Egress{}", way.name);
        draft.add(&id, "AWS::EC2::SecurityGroupEgress", rule);
    }
    let about = format!("Allow control plane to receive API requests from {nodes}");
    let mut rule = rule(&about, (443, 443));
    rule["GroupId"] = control_plane;
    rule["SourceSecurityGroupId"] = group.clone();
    draft.add(
        "IngressInterClusterCP",
        "AWS::EC2::SecurityGroupIngress",
        rule,
    );
    group
}

fn rule(about: &str, (from, to): (u16, u16)) -> Value {
    json!({"Description": about, "FromPort": from, "IpProtocol": "tcp", "ToPort": to})
}

fn add_launch_template(
    draft: &mut Draft,
    (spec, nodegroup, facts): (&ClusterSpec, &NodegroupSpec, &ClusterFacts),
    profile: &Value,
    groups: &[Value],
) {
    let mut data = launch::data(draft, spec, nodegroup);
    data["IamInstanceProfile"] = json!({"Arn": profile});
    data["ImageId"] = json!(launch::image(spec, nodegroup));
    let first = nodegroup.types().first().map(|one| (*one).to_owned());
    data["InstanceType"] = json!(first.unwrap_or_else(|| "TYPE-OF-THE-SELECTOR".to_owned()));
    data["NetworkInterfaces"] = launch::interfaces(nodegroup, groups);
    data["UserData"] = json!(user_data::own(spec, nodegroup, facts));
    if let Some(enclaves) = nodegroup.hardware.enclaves {
        data["EnclaveOptions"] = json!({"Enabled": enclaves});
    }
    if let Some(credits) = &nodegroup.hardware.cpu_credits {
        data["CreditSpecification"] = json!({"CpuCredits": credits});
    }
    launch::add_template(draft, LAUNCH_TEMPLATE, &data);
}
