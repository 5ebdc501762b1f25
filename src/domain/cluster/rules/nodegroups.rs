//! Nodegroups of both kinds.
//!
//! | file | what is checked |
//! |---|---|
//! | `bootstrap` | how nodes join |
//! | `iam` | the role of the nodes |
//! | `image` | what the nodes run |
//! | `instances` | which instances, and on what terms |
//! | `labels` | labels and taints |
//! | `place` | zones, subnets and security groups |
//! | `scaling` | how nodes are renewed and repaired |
//! | `ssh` | who can log in |
//! | `volumes` | disks |

mod bootstrap;
mod iam;
mod image;
mod instances;
mod labels;
mod place;
mod scaling;
mod ssh;
mod volumes;

use super::tags;
use crate::domain::cluster::names;
use crate::domain::cluster::spec::nodegroup::MetadataSpec;
use crate::domain::cluster::spec::{ClusterSpec, NodegroupKind, NodegroupSpec};
use crate::domain::cluster::template::{self, ClusterFacts};
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::nodegroup::MAX_NODES;
use crate::domain::ids::ClusterName;
use crate::domain::invalid::{Invalid, quoted};
use std::collections::{BTreeMap, BTreeSet};

pub(super) use place::check_use as check_place;

const MAX_NODEGROUPS: usize = 50;
const MAX_LABELS: usize = 50;
const DEFAULT_NODES: u32 = 2;
/// Prefix and name, with - between them, are the value of a tag.
const MAX_INSTANCE_NAME: usize = 128;
const MAX_INSTANCE_PREFIX: usize = 64;
/// How much longer than its stand-in what EKS says of a cluster can be.
const MAX_FACTS: usize = 2_600;

/// What is wrong with one nodegroup.
struct Wrong<'a> {
    at: &'a str,
    told: &'a mut Vec<Invalid>,
}

impl Wrong<'_> {
    /// Something is wrong with a key of it.
    fn say(&mut self, key: &str, message: impl Into<String>) {
        let pointer = format!("{}/{key}", self.at);
        self.told.push(Invalid::new(pointer, message));
    }

    /// `key` is one of a few texts, or absent.
    fn one_of(&mut self, key: &str, value: Option<&str>, allowed: &[&str]) {
        let Some(value) = value else { return };
        if !allowed.contains(&value) {
            let allowed = allowed.join(", ");
            let message = format!("invalid value {}: expected one of {allowed}", quoted(value));
            self.say(key, message);
        }
    }

    /// `key` is a number of a range, or absent.
    fn within(&mut self, key: &str, value: Option<u32>, range: std::ops::RangeInclusive<u32>) {
        if value.is_some_and(|value| !range.contains(&value)) {
            self.say(
                key,
                format!("expected {} to {}", range.start(), range.end()),
            );
        }
    }

    /// `key` is a text that goes into a template as it is, or absent.
    fn plain(&mut self, key: &str, value: Option<&str>, longest: usize) {
        let Some(value) = value else { return };
        // CloudFormation would look up what stands in such braces.
        let looked_up = value.contains("{{");
        if value.is_empty()
            || value.len() > longest
            || looked_up
            || value.chars().any(char::is_control)
        {
            let message = format!(
                "invalid value {}: expected 1 to {longest} characters, without {{{{ and control characters",
                quoted(value)
            );
            self.say(key, message);
        }
    }
}

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
        let list = format!("/{}", kind.list());
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
            check_all_tags(&input.tags, cluster_tags, &at, wrong);
            let mut wrong = Wrong {
                at: &at,
                told: wrong,
            };
            nodegroups.push(one(kind, input, &mut wrong));
        }
    }
    nodegroups
}

fn one(kind: NodegroupKind, input: NodeGroup, wrong: &mut Wrong<'_>) -> NodegroupSpec {
    let (min, max) = sizes(&input, wrong.at, wrong.told);
    instances::check(kind, &input, wrong);
    let image = image::of(kind, &input, wrong);
    volumes::check(&input, image.family, wrong);
    let ssh = ssh::of(input.ssh.as_ref(), image.family, wrong);
    let bootstrap = bootstrap::of(kind, &input, (&image, ssh.as_ref()), wrong);
    iam::check(&input, wrong);
    place::check(kind, &input, wrong);
    scaling::check(&input, max, wrong);
    instances::check_template(&input, wrong);
    let (name, prefix) = (&input.instance_name, &input.instance_prefix);
    wrong.plain("instanceName", name.as_deref(), MAX_INSTANCE_NAME);
    wrong.plain("instancePrefix", prefix.as_deref(), MAX_INSTANCE_PREFIX);
    labels::check_labels(&input.labels, wrong.at, wrong.told);
    labels::check_taints(&input.taints, wrong.at, wrong.told);
    tags::check(&input.tags, wrong.at, wrong.told);
    let hardware = instances::hardware(&input, metadata(&input));
    let volume = volumes::of(&input);
    let scaling = scaling::of(&input);
    let place = place::of(&input);
    let (instance_type, instance_types) = instances::types(&input);
    let mut role = input.iam.unwrap_or_default();
    NodegroupSpec {
        kind,
        name: input.name,
        instance_type,
        instance_types,
        selector: input.instance_selector.filter(|one| !one.is_empty()),
        distribution: input.instances_distribution,
        spot: input.spot.unwrap_or_default(),
        desired: input.desired_capacity,
        min,
        max,
        image,
        launch_template: input.launch_template.map(instances::template),
        volume_gib: input.volume_size.unwrap_or(volumes::DEFAULT_GIB),
        volume,
        more_volumes: input.additional_volumes,
        private_networking: input.private_networking.unwrap_or_default(),
        place,
        groups: input.security_groups.unwrap_or_default(),
        ssh,
        role_permissions_boundary: role.instance_role_permissions_boundary.take(),
        role,
        labels: input.labels,
        taints: input.taints,
        tags: input.tags,
        instance_name: input.instance_name,
        instance_prefix: input.instance_prefix,
        bootstrap,
        hardware,
        scaling,
        update: input.update_config,
        repair: input.node_repair_config,
    }
}

fn metadata(input: &NodeGroup) -> MetadataSpec {
    let not_pods = input.disable_pod_imds.unwrap_or_default();
    MetadataSpec {
        without_token: !input.disable_imds_v1.unwrap_or(true) && !not_pods,
        not_pods,
    }
}

/// The nodegroups whose templates are longer than `CloudFormation` takes.
pub(super) fn check_templates(spec: &ClusterSpec) -> Vec<Invalid> {
    let mut places: BTreeMap<NodegroupKind, usize> = BTreeMap::new();
    let facts = ClusterFacts::placeholder();
    let mut wrong = Vec::new();
    for nodegroup in &spec.nodegroups {
        let place = places.entry(nodegroup.kind).or_default();
        let at = format!("/{}/{place}", nodegroup.kind.list());
        *place += 1;
        let bytes = template::nodegroup(spec, nodegroup, &facts)
            .to_string()
            .len();
        if bytes + MAX_FACTS > template::MAX_BYTES {
            let message = format!(
                "its CloudFormation template would have {bytes} bytes, and AWS takes {} in a request: ask \
                 for less in labels, tags, policies, commands and settings",
                template::MAX_BYTES
            );
            wrong.push(Invalid::new(at, message));
        }
    }
    wrong
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

#[cfg(test)]
mod tests;
