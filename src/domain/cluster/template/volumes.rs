//! The disks of nodes.

use crate::domain::cluster::spec::NodegroupSpec;
use crate::domain::eksctl::nodegroup::VolumeMapping;
use serde_json::{Value, json};

/// Where Bottlerocket keeps images and pods, apart from itself.
const BOTTLEROCKET_DATA: &str = "/dev/xvdb";
/// The size of a disk of which nothing is said.
const DEFAULT_GIB: u32 = 80;

pub(super) fn block_devices(nodegroup: &NodegroupSpec) -> Value {
    let (volume, family) = (&nodegroup.volume, nodegroup.image.family);
    let on_data = family.is_bottlerocket() && volume.name.is_none();
    let root = nodegroup.image.root_device.as_deref();
    let root = root.unwrap_or_else(|| family.root_device());
    let device = if on_data { BOTTLEROCKET_DATA } else { root };
    let first = VolumeMapping {
        volume_name: volume.name.clone().unwrap_or_else(|| device.to_owned()),
        volume_size: Some(nodegroup.volume_gib),
        volume_type: Some(volume.kind.clone()),
        volume_encrypted: volume.encrypted,
        volume_kms_key_id: volume.kms_key.clone(),
        volume_iops: volume.iops,
        volume_throughput: volume.throughput,
        snapshot_id: None,
    };
    let mut devices = vec![device_of(&first)];
    devices.extend(nodegroup.more_volumes.iter().map(device_of));
    if on_data && volume.encrypted == Some(true) {
        let mut disk = json!({"Encrypted": true, "VolumeType": volume.kind});
        if let Some(key) = &volume.kms_key {
            disk["KmsKeyId"] = json!(key);
        }
        devices.push(json!({"DeviceName": family.root_device(), "Ebs": disk}));
    }
    Value::Array(devices)
}

fn device_of(volume: &VolumeMapping) -> Value {
    let kind = volume.volume_type.as_deref().unwrap_or("gp3");
    let mut disk = json!({
        "VolumeSize": volume.volume_size.unwrap_or(DEFAULT_GIB),
        "VolumeType": kind,
    });
    let iops = match kind {
        "gp3" => Some(3000),
        "io1" | "io2" => Some(100),
        _ => None,
    };
    if let Some(iops) = volume.volume_iops.or(iops) {
        disk["Iops"] = json!(iops);
    }
    if kind == "gp3" {
        disk["Throughput"] = json!(volume.volume_throughput.unwrap_or(125));
    }
    if let Some(encrypted) = volume.volume_encrypted {
        disk["Encrypted"] = json!(encrypted);
    }
    if let Some(key) = &volume.volume_kms_key_id {
        disk["KmsKeyId"] = json!(key);
    }
    if let Some(snapshot) = &volume.snapshot_id {
        disk["SnapshotId"] = json!(snapshot);
    }
    json!({"DeviceName": volume.volume_name, "Ebs": disk})
}
