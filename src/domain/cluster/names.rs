//! The names of `CloudFormation` stacks and of what eksctl looks for on them.

use super::spec::{ClusterSpec, NodegroupKind, NodegroupSpec};
use crate::domain::ids::ClusterName;
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;

/// The longest name of a stack that `CloudFormation` takes.
pub const MAX_STACK_NAME: usize = 128;

/// The release of eksctl whose templates these are: none of them has what came after it.
///
/// eksctl writes its own version as the tag `alpha.eksctl.io/eksctl-version` and compares it when
/// it upgrades a nodegroup: one that differs from its own makes it update the stack first. So this
/// names a release, never the version that eksctl's source has between two of them: no template of
/// that name exists.
const EKSCTL_VERSION: &str = "0.230.0";

/// The tag of a stack, and of everything in it, that names the cluster.
pub const CLUSTER_TAG: &str = "alpha.eksctl.io/cluster-name";
/// The same, as eksctl wrote it first, and still does.
const OLD_CLUSTER_TAG: &str = "eksctl.cluster.k8s.io/v1alpha1/cluster-name";
/// The tag of a nodegroup's stack that names the nodegroup.
pub const NODEGROUP_TAG: &str = "alpha.eksctl.io/nodegroup-name";
/// The same, as eksctl wrote it first, and still does.
const OLD_NODEGROUP_TAG: &str = "eksctl.io/v1alpha2/nodegroup-name";
/// The tag of a nodegroup's stack that says `managed` or `unmanaged`.
pub const NODEGROUP_TYPE_TAG: &str = "alpha.eksctl.io/nodegroup-type";

/// The tag of a capability's stack that names the capability.
pub const CAPABILITY_TAG: &str = "alpha.eksctl.io/capability-name";
/// The tag of the stack of a capability's role that names the capability.
pub const CAPABILITY_ROLE_TAG: &str = "alpha.eksctl.io/iam-role-for-capability";

/// The output of the cluster's stack, or of the Fargate role's, that names the pod execution role.
pub const POD_EXECUTION_ROLE_OUTPUT: &str = "FargatePodExecutionRoleARN";

/// The stack of the control plane and its network.
#[must_use]
pub fn cluster_stack(cluster: &ClusterName) -> String {
    format!("eksctl-{cluster}-cluster")
}

/// The stack of a pod execution role that was made after the cluster.
#[must_use]
pub fn fargate_role_stack(cluster: &ClusterName) -> String {
    format!("eksctl-{cluster}-fargate")
}

/// The stack of a nodegroup.
#[must_use]
pub fn nodegroup_stack(cluster: &ClusterName, nodegroup: &str) -> String {
    format!("{}{nodegroup}", nodegroup_stack_prefix(cluster))
}

/// What the names of the nodegroups' stacks begin with.
#[must_use]
pub fn nodegroup_stack_prefix(cluster: &ClusterName) -> String {
    format!("eksctl-{cluster}-nodegroup-")
}

/// The stack of the role of a `ServiceAccount`, by the cluster's OIDC issuer.
#[must_use]
pub fn service_account_stack(cluster: &ClusterName, namespace: &str, name: &str) -> String {
    format!("eksctl-{cluster}-addon-iamserviceaccount-{namespace}-{name}")
}

/// The stack of the role of a `ServiceAccount`, by EKS Pod Identity.
#[must_use]
pub fn pod_identity_stack(cluster: &ClusterName, namespace: &str, name: &str) -> String {
    format!("eksctl-{cluster}-podidentityrole-{namespace}-{name}")
}

/// The stack of an add-on's role, by the cluster's OIDC issuer.
#[must_use]
pub fn addon_stack(cluster: &ClusterName, addon: &str) -> String {
    format!("eksctl-{cluster}-addon-{addon}")
}

/// The stack of the role of an add-on's `ServiceAccount`, by EKS Pod Identity.
#[must_use]
pub fn addon_identity_stack(cluster: &ClusterName, addon: &str, account: &str) -> String {
    format!("eksctl-{cluster}-addon-{addon}-podidentityrole-{account}")
}

/// The stack of a capability.
#[must_use]
pub fn capability_stack(cluster: &ClusterName, capability: &str) -> String {
    format!("eksctl-{cluster}-capability-{}", hashed(capability))
}

/// The stack of a capability's role.
#[must_use]
pub fn capability_role_stack(cluster: &ClusterName, capability: &str) -> String {
    format!("eksctl-{cluster}-capability-role-{}", hashed(capability))
}

/// The SHA-1 of a name in base 32, as eksctl names stacks of what has names that stacks can't have.
fn hashed(name: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = Sha1::digest(name);
    let bits = bits.iter();
    let bits: Vec<u8> = bits
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let letter = |five: &[u8]| {
        let place = five
            .iter()
            .fold(0, |place, bit| place << 1 | usize::from(*bit));
        char::from(LETTERS[place])
    };
    bits.chunks(5).map(letter).collect()
}

/// Whether `CloudFormation` takes it as the name of a stack.
#[must_use]
pub fn is_stack_name(name: &str) -> bool {
    name.len() <= MAX_STACK_NAME && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether tags are those of a cluster's stack, or of what is in one. A name does not tell: cluster
/// `a-nodegroup-b` has stacks that are named like nodegroups of `a`.
#[must_use]
pub fn are_of(tags: &BTreeMap<String, String>, cluster: &str) -> bool {
    [CLUSTER_TAG, OLD_CLUSTER_TAG]
        .iter()
        .any(|tag| tags.get(*tag).is_some_and(|named| named == cluster))
}

/// Whether tags are those of a nodegroup's stack: eksctl's oldest ones have no other.
#[must_use]
pub fn is_of_nodegroup(tags: &BTreeMap<String, String>) -> bool {
    [NODEGROUP_TAG, OLD_NODEGROUP_TAG]
        .iter()
        .any(|tag| tags.contains_key(*tag))
}

/// Whether tags are those of a capability's stack.
#[must_use]
pub fn is_of_capability(tags: &BTreeMap<String, String>) -> bool {
    tags.contains_key(CAPABILITY_TAG)
}

/// The tags that every stack of a cluster carries.
#[must_use]
pub fn stack_tags(cluster: &ClusterName) -> BTreeMap<String, String> {
    let tags = [
        (CLUSTER_TAG, cluster.as_str()),
        (OLD_CLUSTER_TAG, cluster.as_str()),
        ("alpha.eksctl.io/eksctl-version", EKSCTL_VERSION),
    ];
    owned(&tags)
}

/// The tags of the cluster's own stack.
#[must_use]
pub fn cluster_stack_tags(spec: &ClusterSpec) -> BTreeMap<String, String> {
    let oidc = if spec.with_oidc { "true" } else { "false" };
    let mut tags = spec.tags.clone();
    tags.extend(stack_tags(&spec.name));
    tags.extend(owned(&[("alpha.eksctl.io/cluster-oidc-enabled", oidc)]));
    tags
}

/// The tags of a nodegroup's stack.
#[must_use]
pub fn nodegroup_stack_tags(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
) -> BTreeMap<String, String> {
    let kind = match nodegroup.kind {
        NodegroupKind::Managed => "managed",
        NodegroupKind::SelfManaged => "unmanaged",
    };
    let mut tags = spec.tags.clone();
    tags.extend(nodegroup.tags.clone());
    tags.extend(stack_tags(&spec.name));
    tags.extend(owned(&[
        (NODEGROUP_TAG, nodegroup.name.as_str()),
        (OLD_NODEGROUP_TAG, nodegroup.name.as_str()),
        (NODEGROUP_TYPE_TAG, kind),
    ]));
    tags
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_named_as_eksctl_names_them() {
        let cluster = ClusterName::parse("prod-1").unwrap();
        assert_eq!(cluster_stack(&cluster), "eksctl-prod-1-cluster");
        assert_eq!(fargate_role_stack(&cluster), "eksctl-prod-1-fargate");
        assert_eq!(
            nodegroup_stack(&cluster, "ng-1"),
            "eksctl-prod-1-nodegroup-ng-1"
        );
        assert_eq!(stack_tags(&cluster)[CLUSTER_TAG], "prod-1");
        assert_eq!(
            capability_stack(&cluster, "ack-capability"),
            "eksctl-prod-1-capability-ZNDYAOJTIYIIFVTHEWWYSZL5IBMYDVRN"
        );
        assert_eq!(
            capability_role_stack(&cluster, "ack-capability"),
            "eksctl-prod-1-capability-role-ZNDYAOJTIYIIFVTHEWWYSZL5IBMYDVRN"
        );
    }
}
