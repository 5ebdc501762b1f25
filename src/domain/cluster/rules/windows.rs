//! What nodes of Windows ask of a cluster.

use crate::domain::cluster::spec::{AddonSpec, NodegroupSpec};
use serde_json::{Value, json};

const CNI: &str = "vpc-cni";
const KEY: &str = "enableWindowsIpam";

/// Has the add-on vpc-cni hand out addresses to pods on Windows, where there are such nodes. What the
/// config says of it stays.
pub(super) fn enable_ipam(addons: &mut [AddonSpec], nodegroups: &[NodegroupSpec]) {
    if !nodegroups.iter().any(|one| one.image.family.is_windows()) {
        return;
    }
    let Some(cni) = addons.iter_mut().find(|addon| addon.name == CNI) else {
        return;
    };
    let settings = cni.configuration.get_or_insert_with(|| json!({}));
    if let Value::Object(settings) = settings {
        // The add-on takes a text.
        settings.entry(KEY).or_insert(json!("true"));
    }
}
