//! Zones, subnets and security groups.

use super::super::vpc::is_zone_of;
use super::Wrong;
use crate::domain::cluster::placing;
use crate::domain::cluster::spec::nodegroup::PlaceSpec;
use crate::domain::cluster::spec::{NetworkSpec, NodegroupKind, NodegroupSpec};
use crate::domain::eksctl::NodeGroup;
use crate::domain::eksctl::vpc::MAX_SUBNETS;
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// EC2 takes sixteen groups of one interface, of which some are the cluster's.
const MAX_GROUPS: usize = 13;
const MAX_ZONES: usize = 8;

pub(super) fn of(input: &NodeGroup) -> PlaceSpec {
    PlaceSpec {
        zones: input.availability_zones.clone(),
        local_zones: input.local_zones.clone(),
        subnets: input.subnets.clone(),
    }
}

pub(super) fn check(kind: NodegroupKind, input: &NodeGroup, wrong: &mut Wrong<'_>) {
    if !input.availability_zones.is_empty() && !input.subnets.is_empty() {
        let message = "subnets are in zones already: name the one or the other";
        wrong.say("availabilityZones", message);
    }
    if !input.local_zones.is_empty() && !input.availability_zones.is_empty() {
        let message = "cannot specify both localZones and availabilityZones";
        wrong.say("localZones", message);
    }
    if !input.local_zones.is_empty() && !input.subnets.is_empty() {
        let message = "subnets are in zones already: name the one or the other";
        wrong.say("localZones", message);
    }
    for (key, list, most) in [
        ("availabilityZones", &input.availability_zones, MAX_ZONES),
        ("localZones", &input.local_zones, MAX_ZONES),
        ("subnets", &input.subnets, MAX_SUBNETS),
    ] {
        if list.len() > most {
            wrong.say(key, format!("at most {most}"));
            continue;
        }
        let mut taken = BTreeSet::new();
        for (i, one) in list.iter().enumerate() {
            if !taken.insert(one) {
                wrong.say(
                    &format!("{key}/{i}"),
                    format!("{} is listed twice", quoted(one)),
                );
            }
        }
    }
    let Some(groups) = &input.security_groups else {
        return;
    };
    check_groups(&groups.attach_ids, "securityGroups/attachIDs", wrong);
    let none = groups.with_local == Some(false) && groups.with_shared == Some(false);
    if kind == NodegroupKind::SelfManaged && none && groups.attach_ids.is_empty() {
        let message = "nodes need a security group: name some in attachIDs";
        wrong.say("securityGroups", message);
    }
}

pub(super) fn check_groups(ids: &[String], key: &str, wrong: &mut Wrong<'_>) {
    if ids.len() > MAX_GROUPS {
        wrong.say(key, format!("at most {MAX_GROUPS} security groups"));
        return;
    }
    let mut taken = BTreeSet::new();
    for (i, id) in ids.iter().enumerate() {
        let key = format!("{key}/{i}");
        if !is_id(id, "sg-") {
            let message = format!(
                "invalid security group {}: expected an id such as sg-0a1b2c3d4e5f60718",
                quoted(id)
            );
            wrong.say(&key, message);
        } else if !taken.insert(id) {
            wrong.say(&key, format!("security group {id} is listed twice"));
        }
    }
}

pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    let id = text.strip_prefix(prefix).unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !id.is_empty() && text.len() <= 64 && id.bytes().all(allowed)
}

/// Whether the network has the zones and subnets that nodegroups name, as far as the config says.
pub(in crate::domain::cluster::rules) fn check_use(
    (network, region): (&NetworkSpec, Option<&Region>),
    local_zones: &[String],
    nodegroups: &[NodegroupSpec],
    wrong: &mut Vec<Invalid>,
) {
    let mut places: BTreeMap<NodegroupKind, usize> = BTreeMap::new();
    for nodegroup in nodegroups {
        let place = places.entry(nodegroup.kind).or_default();
        let at = format!("/{}/{place}", nodegroup.kind.list());
        *place += 1;
        for (i, zone) in nodegroup.place.zones.iter().enumerate() {
            if region.is_some_and(|region| !is_zone_of(zone, region)) {
                let message = format!("invalid zone {}: expected one of the region", quoted(zone));
                wrong.push(Invalid::new(format!("{at}/availabilityZones/{i}"), message));
            }
        }
        for (i, zone) in nodegroup.place.local_zones.iter().enumerate() {
            if !local_zones.contains(zone) {
                let message = format!(
                    "{} is none of the cluster's local zones: {}",
                    quoted(zone),
                    if local_zones.is_empty() {
                        "name them in localZones of the config".to_owned()
                    } else {
                        local_zones.join(", ")
                    }
                );
                wrong.push(Invalid::new(format!("{at}/localZones/{i}"), message));
            }
        }
        for (key, message) in placing::wrong(network, nodegroup) {
            wrong.push(Invalid::new(format!("{at}/{key}"), message));
        }
    }
}
