//! The network of a cluster once AWS was asked: zones with their blocks of addresses, or subnets
//! that exist. A job keeps it with its step, so that a retry works on the same network.

use super::offerings::Offerings;
use super::spec::{ClusterSpec, GivenSubnet, NatMode, NetworkSpec, NodegroupSpec};
use super::vpc_endpoints::VpcEndpoint;
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
        /// Its local zones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        local_zones: Vec<ZoneBlocks>,
        /// The VPC endpoints that are made in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        endpoints: Vec<VpcEndpoint>,
    },
    /// Subnets that exist.
    Existing {
        /// The VPC that holds them.
        vpc_id: String,
        /// The ids of those with a route to an internet gateway.
        public: Vec<String>,
        /// The ids of those without one.
        private: Vec<String>,
        /// All of them, with what they are called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        subnets: Vec<KnownSubnet>,
        /// The route tables of the private ones, where endpoints need routes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        route_tables: Vec<String>,
        /// The VPC endpoints that are made in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        endpoints: Vec<VpcEndpoint>,
    },
}

/// A subnet that exists, as the config and AWS call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSubnet {
    /// What the config calls it.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its zone.
    pub zone: String,
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
                    .filter(|one| one.place.named_zones().is_empty());
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
                Self::cut(cidr, *nat, (&zones, &spec.vpc.local_zones))
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
        Self::cut(cidr, nat, (zones, &[]))
    }

    /// The same, with subnets in local zones.
    pub fn cut(
        cidr: &str,
        nat: NatMode,
        (zones, local): (&[String], &[String]),
    ) -> Result<Self, Vec<Invalid>> {
        let mut zones = blocks(cidr, zones, local).map_err(|wrong| vec![wrong])?;
        let local_zones = zones.split_off(zones.len().saturating_sub(local.len()));
        Ok(Self::Own {
            cidr: cidr.to_owned(),
            nat,
            zones,
            local_zones,
            endpoints: Vec::new(),
        })
    }

    /// The same network with these VPC endpoints, and with the route tables of its private subnets if
    /// they exist.
    #[must_use]
    pub fn with_endpoints(mut self, made: Vec<VpcEndpoint>, tables: Vec<String>) -> Self {
        match &mut self {
            Self::Own { endpoints, .. } => *endpoints = made,
            Self::Existing {
                endpoints,
                route_tables,
                ..
            } => {
                *endpoints = made;
                *route_tables = tables;
            }
        }
        self
    }

    /// The zones of its subnets, local ones left out, each once.
    #[must_use]
    pub fn zones(&self) -> Vec<String> {
        let zones: BTreeSet<&str> = match self {
            Self::Own { zones, .. } => zones.iter().map(|block| block.zone.as_str()).collect(),
            Self::Existing { subnets, .. } => subnets.iter().map(|one| one.zone.as_str()).collect(),
        };
        zones.into_iter().map(str::to_owned).collect()
    }

    /// The zones of its private subnets.
    #[must_use]
    pub fn private_zones(&self) -> Vec<String> {
        match self {
            Self::Own { .. } => self.zones(),
            Self::Existing {
                subnets, private, ..
            } => {
                let subnets = subnets.iter().filter(|one| private.contains(&one.id));
                let zones: BTreeSet<&str> = subnets.map(|one| one.zone.as_str()).collect();
                zones.into_iter().map(str::to_owned).collect()
            }
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

    /// The subnets that exist.
    pub fn given_subnets(&self) -> impl Iterator<Item = &GivenSubnet> {
        let (public, private) = match self {
            Self::Own { .. } => (&[][..], &[][..]),
            Self::Existing {
                public, private, ..
            } => (public.as_slice(), private.as_slice()),
        };
        public.iter().chain(private)
    }

    /// The ids of the subnets that exist, to be described.
    #[must_use]
    pub fn subnet_ids(&self) -> Vec<&str> {
        let given = self.given_subnets();
        given
            .map(|subnet| subnet.id.as_str())
            .filter(|id| !id.is_empty())
            .collect()
    }

    /// The VPC, if some of its subnets have to be found in it.
    #[must_use]
    pub fn to_look_through(&self) -> Option<&str> {
        match self {
            Self::Existing {
                vpc_id: Some(vpc), ..
            } if self.given_subnets().any(|subnet| subnet.id.is_empty()) => Some(vpc),
            _ => None,
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
/// block `i` for its public subnet, and the block `i + number of zones` for its private one. Local
/// zones come after the others.
fn blocks(cidr: &str, zones: &[String], local: &[String]) -> Result<Vec<ZoneBlocks>, Invalid> {
    if !(zones::MIN_ZONES..=MAX_ZONES).contains(&zones.len()) {
        let message = format!("{} zones; 2 to {MAX_ZONES} are needed", zones.len());
        return Err(Invalid::new("/availabilityZones", message));
    }
    let zones: Vec<&String> = zones.iter().chain(local).collect();
    if zones.len() > MAX_ZONES {
        let message = format!(
            "{} zones with the local ones; {MAX_ZONES} at most",
            zones.len()
        );
        return Err(Invalid::new("/localZones", message));
    }
    let cut = if zones.len() * 2 <= 8 { 3 } else { 4 };
    let net = vpc_net(cidr).map_err(|message| Invalid::new("/vpc/cidr", message))?;
    let subnets = net.subnets(net.prefix_len() + cut);
    let subnets: Vec<Ipv4Net> = subnets.map(Iterator::collect).unwrap_or_default();
    let pairs = subnets.iter().zip(subnets.iter().skip(zones.len()));
    let named = zones.into_iter().zip(pairs);
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
    let mut lists: [Vec<&DescribedSubnet>; 2] = [Vec::new(), Vec::new()];
    let mut subnets = Vec::new();
    let kinds = [("private", private), ("public", public)];
    for ((kind, given), list) in kinds.into_iter().zip(&mut lists) {
        let at = format!("/vpc/subnets/{kind}");
        for subnet in given {
            match find(subnet, vpc_id, described) {
                Err(message) => wrong.push(Invalid::new(at.as_str(), message)),
                Ok(described) => {
                    wrong.extend(differing(subnet, described, &at));
                    list.push(described);
                    subnets.push(KnownSubnet {
                        name: subnet.name.clone().unwrap_or_default(),
                        id: described.id.clone(),
                        zone: described.zone.clone(),
                    });
                }
            }
        }
    }
    let [private, public] = lists;
    let found: Vec<&DescribedSubnet> = private.iter().chain(&public).copied().collect();
    wrong.extend(found_twice(&found));
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
    let ids = |list: Vec<&DescribedSubnet>| list.iter().map(|one| one.id.clone()).collect();
    match vpc {
        Some(vpc_id) if wrong.is_empty() => Ok(NetworkPlan::Existing {
            vpc_id,
            public: ids(public),
            private: ids(private),
            subnets,
            route_tables: Vec::new(),
            endpoints: Vec::new(),
        }),
        _ => Err(wrong),
    }
}

/// The subnet that is meant: that with the id, or else the only one of the VPC that fits.
fn find<'a>(
    given: &GivenSubnet,
    vpc_id: Option<&str>,
    described: &'a [DescribedSubnet],
) -> Result<&'a DescribedSubnet, String> {
    if !given.id.is_empty() {
        let id = &given.id;
        let found = described.iter().find(|described| described.id == *id);
        return found.ok_or_else(|| format!("the account has no subnet {id} here"));
    }
    let says = |said: Option<&str>, is: &str| said.is_none_or(|said| said == is);
    let fits = |one: &&DescribedSubnet| {
        vpc_id == Some(one.vpc_id.as_str())
            && says(given.cidr.as_deref(), &one.cidr)
            && (given.cidr.is_some() || says(given.zone.as_deref(), &one.zone))
    };
    let fitting: Vec<&DescribedSubnet> = described.iter().filter(fits).collect();
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "the VPC has no subnet that fits {:?}",
            given.name.as_deref().unwrap_or_default()
        )),
        several => {
            let ids: Vec<&str> = several.iter().take(5).map(|one| one.id.as_str()).collect();
            Err(format!(
                "several subnets of the VPC fit {:?}, such as {}: name one by its id or cidr",
                given.name.as_deref().unwrap_or_default(),
                ids.join(", ")
            ))
        }
    }
}

/// Names that turned out to be of the same subnet.
fn found_twice(found: &[&DescribedSubnet]) -> Vec<Invalid> {
    let mut ids = BTreeSet::new();
    let twice = found.iter().filter(|one| !ids.insert(one.id.as_str()));
    let told = twice.map(|one| {
        let message = format!("subnet {} is listed twice", one.id);
        Invalid::new("/vpc/subnets", message)
    });
    told.collect()
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
        let message = format!(
            "the {what} of subnet {} are not {said}, but {is}",
            described.id
        );
        Invalid::new(at, message)
    });
    told.collect()
}

#[cfg(test)]
mod tests;
