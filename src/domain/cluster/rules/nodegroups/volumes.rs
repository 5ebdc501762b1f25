//! Disks of nodes.

use super::Wrong;
use crate::domain::cluster::image::ImageFamily;
use crate::domain::cluster::spec::nodegroup::VolumeSpec;
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::nodegroup::VolumeMapping;
use std::collections::BTreeSet;

pub(in crate::domain::cluster) const DEFAULT_GIB: u32 = 80;
const DEFAULT_KIND: &str = "gp3";
const MAX_VOLUMES: usize = 20;
/// The fewest and the most reads and writes a second that can be asked of a kind of volume.
type Iops = Option<(u32, u32)>;
/// The kinds of EBS volumes, with the most GiB and the reads and writes that can be asked of each.
const KINDS: [(&str, u32, Iops); 6] = [
    ("gp2", 16_384, None),
    ("gp3", 16_384, Some((3_000, 16_000))),
    ("io1", 16_384, Some((100, 64_000))),
    ("io2", 65_536, Some((100, 256_000))),
    ("sc1", 16_384, None),
    ("st1", 16_384, None),
];
/// Kinds of disks that turn.
const TURNING: [&str; 2] = ["sc1", "st1"];

pub(super) fn of(input: &NodeGroup) -> VolumeSpec {
    VolumeSpec {
        kind: input
            .volume_type
            .clone()
            .unwrap_or_else(|| DEFAULT_KIND.to_owned()),
        name: input.volume_name.clone(),
        encrypted: input.volume_encrypted,
        kms_key: input.volume_kms_key_id.clone(),
        iops: input.volume_iops,
        throughput: input.volume_throughput,
    }
}

pub(super) fn check(input: &NodeGroup, family: ImageFamily, wrong: &mut Wrong<'_>) {
    let first = VolumeMapping {
        volume_name: String::new(),
        volume_size: None,
        volume_type: input.volume_type.clone(),
        volume_encrypted: input.volume_encrypted,
        volume_kms_key_id: input.volume_kms_key_id.clone(),
        volume_iops: input.volume_iops,
        volume_throughput: input.volume_throughput,
        snapshot_id: None,
    };
    check_one(&first, "", wrong);
    wrong.plain("volumeName", input.volume_name.as_deref(), 64);
    let (least, largest) = (family.min_volume_gib(), most(input.volume_type.as_deref()));
    let gib = input.volume_size.unwrap_or(DEFAULT_GIB);
    if !(least..=largest).contains(&gib) {
        let message = format!("a node's disk has {least} to {largest} GiB");
        wrong.say("volumeSize", message);
    }
    let kind = input.volume_type.as_deref().unwrap_or(DEFAULT_KIND);
    if TURNING.contains(&kind) && !family.is_bottlerocket() {
        let message = "no instance starts from a disk of this kind: use one of gp2, gp3, io1, io2";
        wrong.say("volumeType", message);
    }
    if input.additional_volumes.len() > MAX_VOLUMES {
        let message = format!("at most {MAX_VOLUMES} more disks");
        wrong.say("additionalVolumes", message);
        return;
    }
    let mut taken: BTreeSet<&str> = input.volume_name.as_deref().into_iter().collect();
    for (i, volume) in input.additional_volumes.iter().enumerate() {
        let at = format!("additionalVolumes/{i}/");
        check_one(volume, &at, wrong);
        wrong.plain(&format!("{at}volumeName"), Some(&volume.volume_name), 64);
        if !taken.insert(&volume.volume_name) {
            wrong.say(&format!("{at}volumeName"), "another disk has the same name");
        }
        let most = most(volume.volume_type.as_deref());
        let least = match volume.volume_type.as_deref() {
            Some(kind) if TURNING.contains(&kind) => 125,
            Some("io1" | "io2") => 4,
            _ => 1,
        };
        let gib = Some(volume.volume_size.unwrap_or(least.max(DEFAULT_GIB)));
        wrong.within(&format!("{at}volumeSize"), gib, least..=most);
        wrong.plain(
            &format!("{at}snapshotID"),
            volume.snapshot_id.as_deref(),
            64,
        );
    }
}

fn most(kind: Option<&str>) -> u32 {
    let kind = kind.unwrap_or(DEFAULT_KIND);
    let found = KINDS.iter().find(|(name, _, _)| *name == kind);
    found.map_or(16_384, |(_, most, _)| *most)
}

fn check_one(volume: &VolumeMapping, at: &str, wrong: &mut Wrong<'_>) {
    let key = |key: &str| format!("{at}{key}");
    let kind = volume.volume_type.as_deref().unwrap_or(DEFAULT_KIND);
    let Some((_, _, speed)) = KINDS.iter().find(|(name, _, _)| *name == kind) else {
        let kinds = KINDS.map(|(name, _, _)| name);
        wrong.one_of(&key("volumeType"), Some(kind), &kinds);
        return;
    };
    match speed {
        Some((least, most)) => {
            wrong.within(&key("volumeIOPS"), volume.volume_iops, *least..=*most);
        }
        None if volume.volume_iops.is_some() => {
            let message = "only gp3, io1 and io2 take it: remove it, or choose another volumeType";
            wrong.say(&key("volumeIOPS"), message);
        }
        None => {}
    }
    if kind == DEFAULT_KIND {
        wrong.within(
            &key("volumeThroughput"),
            volume.volume_throughput,
            125..=1_000,
        );
    } else if volume.volume_throughput.is_some() {
        let message = "only gp3 takes it: remove it, or choose another volumeType";
        wrong.say(&key("volumeThroughput"), message);
    }
    wrong.plain(
        &key("volumeKmsKeyID"),
        volume.volume_kms_key_id.as_deref(),
        2048,
    );
    if volume.volume_kms_key_id.is_some() && volume.volume_encrypted != Some(true) {
        let message = "a key is for an encrypted disk: set volumeEncrypted to true";
        wrong.say(&key("volumeKmsKeyID"), message);
    }
}
