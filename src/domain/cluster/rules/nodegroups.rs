//! Nodegroups of both kinds.

use super::tags;
use crate::domain::cluster::ec2_instance::is_type;
use crate::domain::cluster::names;
use crate::domain::cluster::spec::{NodegroupKind, NodegroupSpec};
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::checks::wrong_policy_arn;
use crate::domain::eksctl::nodegroup::MAX_NODES;
use crate::domain::ids::ClusterName;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use std::collections::{BTreeMap, BTreeSet};

const MAX_NODEGROUPS: usize = 50;
const MAX_LABELS: usize = 50;
const DEFAULT_TYPE: &str = "m5.large";
const DEFAULT_NODES: u32 = 2;
const DEFAULT_VOLUME_GIB: u32 = 80;
/// The image of Amazon Linux 2023 is no smaller.
const MIN_VOLUME_GIB: u32 = 20;
const MAX_VOLUME_GIB: u32 = 16_384;

/// All nodegroups, those of the first kind first.
pub(super) fn of(
    kinds: [(NodegroupKind, Vec<NodeGroup>); 2],
    cluster: Option<&ClusterName>,
    cluster_tags: &BTreeMap<String, String>,
    wrong: &mut Vec<Invalid>,
) -> Vec<NodegroupSpec> {
    let mut taken = BTreeSet::new();
    let mut nodegroups = Vec::new();
    for (kind, inputs) in kinds {
        let list = match kind {
            NodegroupKind::SelfManaged => "/nodeGroups",
            NodegroupKind::Managed => "/managedNodeGroups",
        };
        if inputs.len() > MAX_NODEGROUPS {
            let message = format!("at most {MAX_NODEGROUPS} nodegroups");
            wrong.push(Invalid::new(list, message));
            continue;
        }
        for (i, input) in inputs.into_iter().enumerate() {
            let at = format!("{list}/{i}");
            check_name(&input.name, cluster, &at, wrong);
            if !taken.insert(input.name.clone()) {
                let message = format!("another nodegroup is named {} too", quoted(&input.name));
                wrong.push(Invalid::new(format!("{at}/name"), message));
            }
            nodegroups.push(one(kind, input, cluster_tags, &at, wrong));
        }
    }
    nodegroups
}

fn one(
    kind: NodegroupKind,
    input: NodeGroup,
    cluster_tags: &BTreeMap<String, String>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) -> NodegroupSpec {
    let (min, max) = sizes(&input, at, wrong);
    let instance_type = input
        .instance_type
        .unwrap_or_else(|| DEFAULT_TYPE.to_owned());
    if !is_type(&instance_type) {
        let message = format!(
            "invalid instance type {}: expected one such as {DEFAULT_TYPE}",
            quoted(&instance_type)
        );
        wrong.push(Invalid::new(format!("{at}/instanceType"), message));
    }
    let volume_gib = input.volume_size.unwrap_or(DEFAULT_VOLUME_GIB);
    if !(MIN_VOLUME_GIB..=MAX_VOLUME_GIB).contains(&volume_gib) {
        let message = format!("a node's disk has {MIN_VOLUME_GIB} to {MAX_VOLUME_GIB} GiB");
        wrong.push(Invalid::new(format!("{at}/volumeSize"), message));
    }
    let boundary = input
        .iam
        .unwrap_or_default()
        .instance_role_permissions_boundary;
    let boundary_at = format!("{at}/iam/instanceRolePermissionsBoundary");
    let given = boundary.as_deref();
    wrong.extend(given.and_then(|arn| wrong_policy_arn(&boundary_at, arn)));
    check_labels(&input.labels, at, wrong);
    tags::check(&input.tags, at, wrong);
    check_all_tags(&input.tags, cluster_tags, at, wrong);
    NodegroupSpec {
        kind,
        name: input.name,
        instance_type,
        desired: input.desired_capacity,
        min,
        max,
        volume_gib,
        private_networking: input.private_networking.unwrap_or_default(),
        role_permissions_boundary: boundary,
        labels: input.labels,
        tags: input.tags,
    }
}

/// The tags of the nodegroup together with those of the cluster, which it gets too.
fn check_all_tags(
    own: &BTreeMap<String, String>,
    cluster_tags: &BTreeMap<String, String>,
    at: &str,
    wrong: &mut Vec<Invalid>,
) {
    let inherited = || {
        cluster_tags
            .iter()
            .filter(|(key, _)| !own.contains_key(*key))
    };
    let (count, size) = (own.len(), tags::bytes(own.iter()));
    let too_many = count <= tags::MAX_TAGS && count + inherited().count() > tags::MAX_TAGS;
    let too_long = size <= tags::MAX_BYTES && size + tags::bytes(inherited()) > tags::MAX_BYTES;
    if too_many || too_long {
        let message = format!(
            "together with metadata.tags there may be at most {} tags, of {} bytes together",
            tags::MAX_TAGS,
            tags::MAX_BYTES
        );
        wrong.push(Invalid::new(format!("{at}/tags"), message));
    }
}

fn check_name(name: &str, cluster: Option<&ClusterName>, at: &str, wrong: &mut Vec<Invalid>) {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let begins = name
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    if !begins || name.len() > 63 || !name.bytes().all(allowed) {
        let message = format!(
            "invalid nodegroup name {}: expected 1 to 63 letters, digits or -, starting with a \
             letter or digit",
            quoted(name)
        );
        wrong.push(Invalid::new(format!("{at}/name"), message));
        return;
    }
    let Some(cluster) = cluster else { return };
    let stack = names::nodegroup_stack(cluster, name);
    if stack.len() > names::MAX_STACK_NAME {
        let message = format!(
            "its stack would be named {stack}, which is longer than the {} characters that \
             CloudFormation takes: choose a shorter name for the nodegroup or the cluster",
            names::MAX_STACK_NAME
        );
        wrong.push(Invalid::new(format!("{at}/name"), message));
    }
}

fn sizes(input: &NodeGroup, at: &str, wrong: &mut Vec<Invalid>) -> (u32, u32) {
    let desired = input.desired_capacity;
    let given = [
        ("desiredCapacity", desired, 0),
        ("minSize", input.min_size, 0),
        ("maxSize", input.max_size, 1),
    ];
    for (key, value, least) in given {
        if value.is_some_and(|value| !(least..=MAX_NODES).contains(&value)) {
            let message = format!("expected {least} to {MAX_NODES}");
            wrong.push(Invalid::new(format!("{at}/{key}"), message));
        }
    }
    // With a maximum alone, the default gives way to it.
    let default = DEFAULT_NODES.min(input.max_size.unwrap_or(DEFAULT_NODES));
    let min = input.min_size.or(desired).unwrap_or(default);
    let max = input.max_size.or(desired).unwrap_or(min).max(1);
    if min > max {
        let key = if input.min_size.is_some() {
            "minSize"
        } else {
            "maxSize"
        };
        let message = format!("the fewest nodes ({min}) are more than the most ({max})");
        wrong.push(Invalid::new(format!("{at}/{key}"), message));
    }
    if desired.is_some_and(|desired| min <= max && !(min..=max).contains(&desired)) {
        let message = format!("expected a number from minSize ({min}) to maxSize ({max})");
        wrong.push(Invalid::new(format!("{at}/desiredCapacity"), message));
    }
    (min, max)
}

fn check_labels(labels: &BTreeMap<String, String>, at: &str, wrong: &mut Vec<Invalid>) {
    if labels.len() > MAX_LABELS {
        let message = format!("at most {MAX_LABELS} labels");
        wrong.push(Invalid::new(format!("{at}/labels"), message));
        return;
    }
    if tags::bytes(labels.iter()) > tags::MAX_BYTES {
        let message = format!(
            "at most {} bytes of keys and values together, as nodes get no more user data",
            tags::MAX_BYTES
        );
        wrong.push(Invalid::new(format!("{at}/labels"), message));
    }
    for (key, value) in labels {
        let pointer = format!("{at}/labels/{}", pointer_token(key));
        if let Some(message) = wrong_key(key) {
            wrong.push(Invalid::new(pointer.as_str(), message));
        }
        if !value.is_empty() && !is_label_word(value) {
            let message = format!(
                "invalid label value {}: expected at most 63 letters, digits, -, _ or ., the first \
                 and last a letter or digit",
                quoted(value)
            );
            wrong.push(Invalid::new(pointer, message));
        }
    }
}

fn wrong_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if !is_label_word(name) || prefix.is_some_and(|prefix| !is_domain(prefix)) {
        return Some(format!(
            "invalid label key {}: expected at most 63 letters, digits, -, _ or ., after a domain \
             and / if need be",
            quoted(key)
        ));
    }
    let prefix = prefix.unwrap_or_default();
    let under = |domain: &str| {
        prefix == domain
            || prefix
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let kubernetes = under("kubernetes.io") || under("k8s.io");
    let allowed = under("kubelet.kubernetes.io") || under("node.kubernetes.io");
    if kubernetes && !allowed {
        return Some(format!(
            "nodes may not label themselves with {}: under kubernetes.io and k8s.io only \
             node.kubernetes.io/ and kubelet.kubernetes.io/ are allowed",
            quoted(key)
        ));
    }
    under("alpha.eksctl.io").then(|| "this label is set by the creation itself".to_owned())
}

fn is_label_word(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(part)
}
