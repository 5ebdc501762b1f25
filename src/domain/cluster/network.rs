//! The network of a cluster once AWS was asked: zones with their blocks of addresses, or subnets
//! that exist. A job keeps it with its step, so that a retry works on the same network.

use super::offerings::Offerings;
use super::spec::{ClusterSpec, GivenSubnet, NatMode, NetworkSpec, NodegroupSpec};
use super::zones::{self, AvailableZone, MAX_ZONES};
use crate::domain::ids::Region;
use crate::domain::invalid::Invalid;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The longest and the shortest prefix of a VPC that can be cut into subnets.
pub const VPC_PREFIXES: std::ops::RangeInclusive<u8> = 16..=24;
/// The VPC of those who do not ask for another.
pub const DEFAULT_CIDR: &str = "192.168.0.0/16";

/// The network that templates are made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NetworkPlan {
    /// A VPC of the cluster's own.
    Own {
        /// Its addresses.
        cidr: String,
        /// How private subnets reach the internet.
        nat: NatMode,
        /// Its zones, sorted by name.
        zones: Vec<ZoneBlocks>,
    },
    /// Subnets that exist.
    Existing {
        /// The VPC that holds them.
        vpc_id: String,
        /// The ids of those with a route to an internet gateway.
        public: Vec<String>,
        /// The ids of those without one.
        private: Vec<String>,
    },
}

/// A zone, and the addresses of its two subnets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZoneBlocks {
    /// The zone's name.
    pub zone: String,
    /// The addresses of its public subnet.
    pub public: String,
    /// The addresses of its private subnet.
    pub private: String,
}

/// A subnet as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedSubnet {
    /// Its id.
    pub id: String,
    /// The VPC that holds it.
    pub vpc_id: String,
    /// Its zone.
    pub zone: String,
    /// Its addresses.
    pub cidr: String,
}

impl NetworkPlan {
    /// The network of a cluster, of what AWS says: the zones that the account has if the cluster is
    /// to have a VPC of its own, or else the subnets that it names. The other list may be empty.
    pub fn of(
        spec: &ClusterSpec,
        (available, offerings): (&[AvailableZone], &Offerings),
        described: &[DescribedSubnet],
        seed: &[u8],
    ) -> Result<Self, Vec<Invalid>> {
        match &spec.network {
            NetworkSpec::Own { cidr, nat, zones } => {
                // Types that are for some zones alone need not be in all.
                let anywhere = spec
                    .nodegroups
                    .iter()
                    .filter(|one| one.place.zones.is_empty());
                let types: Vec<&str> = anywhere.flat_map(NodegroupSpec::types).collect();
                let offered = (types.as_slice(), offerings);
                let chosen = zones::choose(&spec.region, zones, available, offered, seed)?;
                let named = zones_of_nodegroups(spec);
                let zones = if zones.is_empty() && !named.is_empty() {
                    let named = zones::choose(&spec.region, &named, available, offered, seed)?;
                    zones::including(chosen, &named)
                } else {
                    chosen
                };
                Self::in_zones(cidr, *nat, &zones)
            }
            NetworkSpec::Existing {
                vpc_id,
                public,
                private,
                ..
            } => existing(vpc_id.as_deref(), public, private, described),
        }
    }

    /// The network of a VPC of its own in these zones.
    pub fn in_zones(cidr: &str, nat: NatMode, zones: &[String]) -> Result<Self, Vec<Invalid>> {
        let zones = blocks(cidr, zones).map_err(|wrong| vec![wrong])?;
        Ok(Self::Own {
            cidr: cidr.to_owned(),
            nat,
            zones,
        })
    }

    /// The zones of a VPC of its own; none are known of subnets that exist.
    #[must_use]
    pub fn zones(&self) -> Vec<String> {
        match self {
            Self::Own { zones, .. } => zones.iter().map(|block| block.zone.clone()).collect(),
            Self::Existing { .. } => Vec::new(),
        }
    }
}

impl NetworkSpec {
    /// The VPC that exists, if the config names it.
    #[must_use]
    pub fn vpc_id(&self) -> Option<&str> {
        match self {
            Self::Own { .. } => None,
            Self::Existing { vpc_id, .. } => vpc_id.as_deref(),
        }
    }

    /// The ids of the subnets that exist, to be described.
    #[must_use]
    pub fn subnet_ids(&self) -> Vec<&str> {
        match self {
            Self::Own { .. } => Vec::new(),
            Self::Existing {
                public, private, ..
            } => public
                .iter()
                .chain(private)
                .map(|subnet| subnet.id.as_str())
                .collect(),
        }
    }
}

/// The zones that nodegroups name, each once. A VPC whose zones are chosen has these.
fn zones_of_nodegroups(spec: &ClusterSpec) -> Vec<String> {
    let named = spec.nodegroups.iter().flat_map(|one| &one.place.zones);
    let named: BTreeSet<&String> = named.collect();
    named.into_iter().cloned().collect()
}

/// The zones that are assumed for a VPC whose zones are chosen.
#[must_use]
pub fn assumed_zones_of(spec: &ClusterSpec) -> Vec<String> {
    zones::including(assumed_zones(&spec.region), &zones_of_nodegroups(spec))
}

/// The names that zones most likely have, for a plan made before AWS was asked.
fn assumed_zones(region: &Region) -> Vec<String> {
    let letters = ["a", "b", "c"];
    let wanted = letters.iter().take(zones::wanted(region));
    wanted.map(|letter| format!("{region}{letter}")).collect()
}

/// Cuts a VPC as eksctl does: into eight for up to four zones, else into sixteen; zone `i` has
/// block `i` for its public subnet, and the block `i + number of zones` for its private one.
fn blocks(cidr: &str, zones: &[String]) -> Result<Vec<ZoneBlocks>, Invalid> {
    if !(zones::MIN_ZONES..=MAX_ZONES).contains(&zones.len()) {
        let message = format!("{} zones; 2 to {MAX_ZONES} are needed", zones.len());
        return Err(Invalid::new("/availabilityZones", message));
    }
    let cut = if zones.len() * 2 <= 8 { 3 } else { 4 };
    let net = vpc_net(cidr).map_err(|message| Invalid::new("/vpc/cidr", message))?;
    let subnets = net.subnets(net.prefix_len() + cut);
    let subnets: Vec<Ipv4Net> = subnets.map(Iterator::collect).unwrap_or_default();
    let pairs = subnets.iter().zip(subnets.iter().skip(zones.len()));
    let named = zones.iter().zip(pairs);
    Ok(named
        .map(|(zone, (public, private))| ZoneBlocks {
            zone: zone.clone(),
            public: public.to_string(),
            private: private.to_string(),
        })
        .collect())
}

/// Addresses that a VPC can have.
pub(super) fn vpc_net(cidr: &str) -> Result<Ipv4Net, String> {
    let expected = || {
        format!(
            "expected a network with a prefix from /{} to /{}, such as {DEFAULT_CIDR}",
            VPC_PREFIXES.start(),
            VPC_PREFIXES.end()
        )
    };
    let net: Ipv4Net = cidr.parse().map_err(|_| expected())?;
    if !VPC_PREFIXES.contains(&net.prefix_len()) {
        return Err(expected());
    }
    if net.addr() != net.network() {
        return Err(format!("did you mean {}?", net.trunc()));
    }
    Ok(net)
}

fn existing(
    vpc_id: Option<&str>,
    public: &[GivenSubnet],
    private: &[GivenSubnet],
    described: &[DescribedSubnet],
) -> Result<NetworkPlan, Vec<Invalid>> {
    let mut wrong = Vec::new();
    let mut found: Vec<&DescribedSubnet> = Vec::new();
    for (kind, given) in [("private", private), ("public", public)] {
        for subnet in given {
            let at = format!("/vpc/subnets/{kind}");
            match described.iter().find(|described| described.id == subnet.id) {
                None => {
                    let message = format!("the account has no subnet {} here", subnet.id);
                    wrong.push(Invalid::new(at, message));
                }
                Some(described) => {
                    wrong.extend(differing(subnet, described, &at));
                    found.push(described);
                }
            }
        }
    }
    let vpcs: BTreeSet<&str> = found.iter().map(|subnet| subnet.vpc_id.as_str()).collect();
    if vpcs.len() > 1 || vpc_id.is_some_and(|id| vpcs.iter().any(|vpc| *vpc != id)) {
        let vpcs = vpcs.iter().copied().collect::<Vec<_>>().join(", ");
        let message = format!("all subnets must be of one VPC, and of vpc.id; these are of {vpcs}");
        wrong.push(Invalid::new("/vpc/subnets", message));
    }
    let zones: BTreeSet<&str> = found.iter().map(|subnet| subnet.zone.as_str()).collect();
    if wrong.is_empty() && zones.len() < zones::MIN_ZONES {
        let message = "the subnets must be in at least two zones";
        wrong.push(Invalid::new("/vpc/subnets", message));
    }
    let vpc = found.first().map(|subnet| subnet.vpc_id.clone());
    match vpc {
        Some(vpc_id) if wrong.is_empty() => Ok(NetworkPlan::Existing {
            vpc_id,
            public: public.iter().map(|subnet| subnet.id.clone()).collect(),
            private: private.iter().map(|subnet| subnet.id.clone()).collect(),
        }),
        _ => Err(wrong),
    }
}

fn differing(given: &GivenSubnet, described: &DescribedSubnet, at: &str) -> Vec<Invalid> {
    let pairs = [
        ("zone", given.zone.as_deref(), &described.zone),
        ("addresses", given.cidr.as_deref(), &described.cidr),
    ];
    let differing = pairs
        .into_iter()
        .filter(|(_, said, is)| said.is_some_and(|said| said != is.as_str()));
    let told = differing.map(|(what, said, is)| {
        let said = said.unwrap_or_default();
        let message = format!("the {what} of subnet {} are not {said}, but {is}", given.id);
        Invalid::new(at, message)
    });
    told.collect()
}

#[cfg(test)]
mod tests;
