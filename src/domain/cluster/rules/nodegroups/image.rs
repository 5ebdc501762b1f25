//! What nodes run.

use super::{Wrong, instances, place::is_id};
use crate::domain::cluster::image::ImageFamily;
use crate::domain::cluster::spec::NodegroupKind;
use crate::domain::cluster::spec::nodegroup::ImageSpec;
use crate::domain::eksctl::NodeGroup;
use crate::domain::invalid::quoted;

/// eksctl's words for the newest image of a family.
const NEWEST: [&str; 3] = ["auto", "auto-ssm", "static"];
/// Families that are no more.
const GONE: [&str; 2] = [
    "WindowsServer20H2CoreContainer",
    "WindowsServer2004CoreContainer",
];

pub(super) fn of(kind: NodegroupKind, input: &NodeGroup, wrong: &mut Wrong<'_>) -> ImageSpec {
    let family = family(input, wrong);
    let id = input
        .ami
        .clone()
        .filter(|ami| !NEWEST.contains(&ami.as_str()));
    if let Some(id) = &id {
        check_own(kind, input, (id, family), wrong);
    } else {
        check_chip(kind, input, family, wrong);
    }
    let release = input.release_version.as_deref();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
    if release.is_some_and(|text| text.is_empty() || text.len() > 64 || !text.bytes().all(allowed))
    {
        let message = "expected the release of an image, such as 1.34.1-20260107";
        wrong.say("releaseVersion", message);
    } else if release.is_some() && family.is_ubuntu() {
        let message =
            "only images of EKS's have such a release: remove it, or choose another amiFamily";
        wrong.say("releaseVersion", message);
    }
    ImageSpec {
        family,
        id,
        root_device: None,
        release: input.release_version.clone(),
    }
}

fn family(input: &NodeGroup, wrong: &mut Wrong<'_>) -> ImageFamily {
    let Some(text) = &input.ami_family else {
        return ImageFamily::default();
    };
    ImageFamily::read(text).unwrap_or_else(|| {
        let all: Vec<&str> = ImageFamily::ALL
            .iter()
            .map(|family| family.as_str())
            .collect();
        let what = if GONE.contains(&text.as_str()) {
            "AWS has no images any longer of"
        } else {
            "unknown AMI family"
        };
        let message = format!(
            "{what} {}: expected one of {}",
            quoted(text),
            all.join(", ")
        );
        wrong.say("amiFamily", message);
        ImageFamily::default()
    })
}

/// An image of the caller's own.
fn check_own(
    kind: NodegroupKind,
    input: &NodeGroup,
    (id, family): (&str, ImageFamily),
    wrong: &mut Wrong<'_>,
) {
    if !is_id(id, "ami-") {
        let message = format!(
            "invalid image {}: expected an id such as ami-0a1b2c3d4e5f60718",
            quoted(id)
        );
        wrong.say("ami", message);
    }
    if input.ami_family.is_none() {
        let message = "with an image of your own, say of which family it is";
        wrong.say("amiFamily", message);
    }
    if kind == NodegroupKind::SelfManaged {
        return;
    }
    if family.is_windows() {
        let message = "EKS takes no images of one's own of Windows: remove ami, or use nodeGroups";
        wrong.say("ami", message);
    }
    let message = "it can't be set with an image of your own: remove it, or ami";
    if input.max_pods_per_node.is_some_and(|most| most > 0) {
        wrong.say("maxPodsPerNode", message);
    }
    if input.release_version.is_some() {
        wrong.say("releaseVersion", message);
    }
}

/// Whether there are images for the instances that are asked for.
fn check_chip(kind: NodegroupKind, input: &NodeGroup, family: ImageFamily, wrong: &mut Wrong<'_>) {
    if kind == NodegroupKind::Managed && input.launch_template.is_some() {
        return;
    }
    let (own, many) = instances::types(input);
    let named = many.iter().chain(Some(&own)).filter(|one| !one.is_empty());
    for one in named {
        let chip = crate::domain::cluster::ec2_instance::of(one);
        if !family.runs_on(chip) {
            let message = format!(
                "there are no images of {family} for instances of type {one}: choose another amiFamily, or \
                 other instances"
            );
            wrong.say("amiFamily", message);
            return;
        }
    }
}
