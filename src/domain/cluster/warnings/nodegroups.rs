//! What is allowed of nodegroups, but likely not meant.

use crate::domain::cluster::ec2_instance::Variant;
use crate::domain::cluster::spec::nodegroup::{SshKey, SshSpec};
use crate::domain::cluster::spec::{ClusterSpec, NetworkSpec, NodegroupSpec};
use crate::domain::warnings::Warning;

pub(super) fn of(spec: &ClusterSpec) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = windows(spec).into_iter().collect();
    for nodegroup in &spec.nodegroups {
        let told = [
            no_key(nodegroup),
            no_image(spec, nodegroup),
            strange_groups(spec, nodegroup),
            no_driver(nodegroup),
        ];
        warnings.extend(told.into_iter().flatten());
    }
    warnings
}

fn told(code: &str, nodegroup: &NodegroupSpec, message: &str) -> Warning {
    Warning::new(code, format!("nodegroup {}: {message}", nodegroup.name))
}

fn no_key(nodegroup: &NodegroupSpec) -> Option<Warning> {
    let Some(SshSpec {
        key: SshKey::File(path),
        ..
    }) = &nodegroup.ssh
    else {
        return None;
    };
    let path: String = path.chars().take(200).collect();
    let message = format!(
        "the file {path} is on the machine of who writes the config, so its nodes get no SSH key and port 22 \
         stays closed: put the key into ssh.publicKey, or name a key pair in ssh.publicKeyName"
    );
    Some(told("no_ssh_key", nodegroup, &message))
}

fn no_image(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Option<Warning> {
    let missing = nodegroup.missing_image(&spec.version)?;
    Some(told("no_such_image", nodegroup, &missing))
}

/// Groups that exist are of another VPC than one that is yet to be made.
fn strange_groups(spec: &ClusterSpec, nodegroup: &NodegroupSpec) -> Option<Warning> {
    let own = matches!(spec.network, NetworkSpec::Own { .. });
    let groups = &nodegroup.groups.attach_ids;
    if !own || groups.is_empty() {
        return None;
    }
    let message = format!(
        "the security groups {} exist, so they are not of the VPC that is created, and AWS takes no instance \
         with groups of another: the creation is refused",
        groups.join(", ")
    );
    Some(told("security_groups_of_another_vpc", nodegroup, &message))
}

fn no_driver(nodegroup: &NodegroupSpec) -> Option<Warning> {
    let family = nodegroup.image.family;
    let without = family.is_windows() || family.as_str().starts_with("Ubuntu");
    let (_, variant) = nodegroup.chip();
    if !without || variant != Variant::Nvidia {
        return None;
    }
    let message = format!(
        "images of {family} have no drivers for GPUs: install them, or choose amiFamily AmazonLinux2023 or \
         Bottlerocket"
    );
    Some(told("no_gpu_drivers", nodegroup, &message))
}

/// What a cluster itself runs, it runs on Linux.
fn windows(spec: &ClusterSpec) -> Option<Warning> {
    let is_windows = |one: &&NodegroupSpec| one.image.family.is_windows();
    let first = spec.nodegroups.iter().find(is_windows)?;
    if !spec.addons.iter().any(|addon| addon.name == "vpc-cni") {
        let message = "without the add-on vpc-cni pods on Windows get no addresses, unless the ConfigMap \
                       amazon-vpc-cni in kube-system has enable-windows-ipam: \"true\"";
        return Some(told("no_windows_ipam", first, message));
    }
    let all = spec.nodegroups.iter().all(|one| is_windows(&one));
    if !all || !spec.fargate_profiles.is_empty() {
        return None;
    }
    let message =
        "a cluster needs Linux nodes or Fargate profiles for CoreDNS and the like: add some";
    Some(told("no_linux_nodes", first, message))
}
