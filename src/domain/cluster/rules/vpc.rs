//! The network of a cluster to create.

use super::references::is_id;
use crate::domain::cluster::network::{DEFAULT_CIDR, vpc_net};
use crate::domain::cluster::spec::{
    EndpointSpec, GivenSubnet, NatMode, NetworkSpec, NodegroupSpec,
};
use crate::domain::cluster::zones::{MAX_ZONES, MIN_ZONES};
use crate::domain::eksctl::checks::keep;
use crate::domain::eksctl::vpc::MAX_SUBNETS;
use crate::domain::eksctl::{ClusterSubnets, ClusterVpc, SubnetMap};
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, pointer_token, quoted};
use crate::domain::profile::ProfileSpec;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::str::FromStr;

const MAX_PUBLIC_CIDRS: usize = 40;

/// Where the Kubernetes API can be reached from.
pub(super) fn endpoint(vpc: Option<&ClusterVpc>, wrong: &mut Vec<Invalid>) -> EndpointSpec {
    let endpoints = vpc.and_then(|vpc| vpc.cluster_endpoints.as_ref());
    let public = endpoints
        .and_then(|given| given.public_access)
        .unwrap_or(true);
    let private = endpoints
        .and_then(|given| given.private_access)
        .unwrap_or_default();
    if !public && !private {
        let message = "nobody could reach the Kubernetes API: set publicAccess or privateAccess to \
                       true";
        wrong.push(Invalid::new("/vpc/clusterEndpoints", message));
    }
    let cidrs = vpc
        .map(|vpc| vpc.public_access_cidrs.clone())
        .unwrap_or_default();
    let at = "/vpc/publicAccessCIDRs";
    if cidrs.len() > MAX_PUBLIC_CIDRS {
        let message = format!("EKS takes at most {MAX_PUBLIC_CIDRS}");
        wrong.push(Invalid::new(at, message));
    } else {
        for (i, cidr) in cidrs.iter().enumerate() {
            let net = cidr.parse::<Ipv4Net>();
            if net.is_err() || net.is_ok_and(|net| net.addr() != net.network()) {
                let message = format!(
                    "invalid network {}: expected one such as 203.0.113.0/24",
                    quoted(cidr)
                );
                wrong.push(Invalid::new(format!("{at}/{i}"), message));
            }
        }
    }
    if !public && !cidrs.is_empty() {
        let message = "these limit the public endpoint, which is off: remove them, or set \
                       clusterEndpoints.publicAccess to true";
        wrong.push(Invalid::new(at, message));
    }
    EndpointSpec {
        public,
        private,
        public_cidrs: cidrs,
    }
}

/// A VPC of its own, or subnets that exist.
pub(super) fn network(
    vpc: Option<ClusterVpc>,
    zones: Vec<String>,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> NetworkSpec {
    let vpc = vpc.unwrap_or_default();
    let mode = vpc.nat.as_ref().and_then(|nat| nat.gateway.as_deref());
    let nat = mode.map_or(Ok(NatMode::Single), FromStr::from_str);
    let nat = keep(wrong, "/vpc/nat/gateway", nat).unwrap_or(NatMode::Single);
    if let Some(cidr) = &vpc.cidr
        && let Err(expected) = vpc_net(cidr)
    {
        let message = format!("invalid addresses {}: {expected}", quoted(cidr));
        wrong.push(Invalid::new("/vpc/cidr", message));
    }
    let subnets = vpc.subnets.unwrap_or_default();
    if !subnets.private.0.is_empty() || !subnets.public.0.is_empty() {
        refuse_own_parts(mode.is_some() && nat != NatMode::Disable, &zones, wrong);
        return existing(vpc.id, vpc.cidr, subnets, region, wrong);
    }
    if vpc.id.is_some() {
        let message = "name the subnets of this VPC in vpc.subnets, or remove the id to have a VPC \
                       created";
        wrong.push(Invalid::new("/vpc/id", message));
    }
    check_zones(&zones, region, wrong);
    NetworkSpec::Own {
        cidr: vpc.cidr.unwrap_or_else(|| DEFAULT_CIDR.to_owned()),
        nat,
        zones,
    }
}

fn refuse_own_parts(nat: bool, zones: &[String], wrong: &mut Vec<Invalid>) {
    if nat {
        let message = "subnets that exist have routes of their own: remove vpc.nat";
        wrong.push(Invalid::new("/vpc/nat/gateway", message));
    }
    if !zones.is_empty() {
        let message = "subnets that exist are in zones already: remove availabilityZones";
        wrong.push(Invalid::new("/availabilityZones", message));
    }
}

fn check_zones(zones: &[String], region: Option<&Region>, wrong: &mut Vec<Invalid>) {
    let at = "/availabilityZones";
    if !zones.is_empty() && !(MIN_ZONES..=MAX_ZONES).contains(&zones.len()) {
        let message = format!(
            "expected {MIN_ZONES} to {MAX_ZONES} zones, or none at all to have them chosen"
        );
        wrong.push(Invalid::new(at, message));
        return;
    }
    for (i, zone) in zones.iter().enumerate() {
        if zones[..i].contains(zone) {
            let message = format!("zone {} is listed twice", quoted(zone));
            wrong.push(Invalid::new(format!("{at}/{i}"), message));
        }
        check_zone(zone, region, format!("{at}/{i}"), wrong);
    }
}

fn check_zone(zone: &str, region: Option<&Region>, at: String, wrong: &mut Vec<Invalid>) {
    let Some(region) = region else { return };
    if !is_zone_of(zone, region) {
        let message = format!(
            "invalid zone {}: expected a zone of {region}, such as {region}a",
            quoted(zone)
        );
        wrong.push(Invalid::new(at, message));
    }
}

pub(super) fn is_zone_of(text: &str, region: &Region) -> bool {
    let letter = text.strip_prefix(region.as_str()).unwrap_or_default();
    letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase())
}

fn existing(
    vpc_id: Option<String>,
    cidr: Option<String>,
    subnets: ClusterSubnets,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> NetworkSpec {
    if let Some(id) = vpc_id.as_deref().filter(|id| !is_id(id, "vpc-")) {
        let message = format!(
            "invalid VPC {}: expected an id such as vpc-0a1b2c3d4e5f60718",
            quoted(id)
        );
        wrong.push(Invalid::new("/vpc/id", message));
    }
    let mut taken = BTreeSet::new();
    let vpc = vpc_id.as_deref();
    let mut list = |kind: &str, map: SubnetMap| given(kind, map, (region, vpc), &mut taken, wrong);
    let private = list("private", subnets.private);
    let public = list("public", subnets.public);
    let all = || private.iter().chain(&public);
    let zones: BTreeSet<&str> = all().filter_map(|subnet| subnet.zone.as_deref()).collect();
    let all_known = all().all(|subnet| subnet.zone.is_some());
    if all().count() < MIN_ZONES || (all_known && zones.len() < MIN_ZONES) {
        let message = "the control plane needs subnets in at least two zones";
        wrong.push(Invalid::new("/vpc/subnets", message));
    }
    if let Some(Ok(net)) = cidr.as_deref().map(vpc_net) {
        for subnet in all() {
            let inside = subnet
                .cidr
                .as_deref()
                .and_then(|cidr| cidr.parse::<Ipv4Net>().ok());
            if inside.is_some_and(|inside| !net.contains(&inside)) {
                let name = Some(&subnet.id).filter(|id| !id.is_empty());
                let name = name.or(subnet.name.as_ref()).map_or("", String::as_str);
                let message = format!("subnet {} is outside of vpc.cidr {net}", quoted(name));
                wrong.push(Invalid::new("/vpc/subnets", message));
            }
        }
    }
    NetworkSpec::Existing {
        vpc_id,
        cidr,
        public,
        private,
    }
}

fn given(
    kind: &str,
    map: SubnetMap,
    (region, vpc): (Option<&Region>, Option<&str>),
    taken: &mut BTreeSet<String>,
    wrong: &mut Vec<Invalid>,
) -> Vec<GivenSubnet> {
    let list = format!("/vpc/subnets/{kind}");
    if map.0.len() > MAX_SUBNETS {
        let message = format!("at most {MAX_SUBNETS} subnets");
        wrong.push(Invalid::new(list, message));
        return Vec::new();
    }
    let mut subnets = Vec::new();
    for (key, subnet) in map.0 {
        let at = format!("{list}/{}", pointer_token(&key));
        if let Some(id) = subnet.id.as_deref() {
            check_subnet_id(id, &at, taken, wrong);
        }
        if let Some(cidr) = subnet
            .cidr
            .as_deref()
            .filter(|cidr| cidr.parse::<Ipv4Net>().is_err())
        {
            let message = format!(
                "invalid addresses {}: expected a network such as 192.168.0.0/19",
                quoted(cidr)
            );
            wrong.push(Invalid::new(format!("{at}/cidr"), message));
        }
        if let Some(zone) = &subnet.az {
            check_zone(zone, region, format!("{at}/az"), wrong);
        }
        let key_is_zone = region.is_some_and(|region| is_zone_of(&key, region));
        let zone = subnet.az.or_else(|| key_is_zone.then(|| key.clone()));
        let given = GivenSubnet {
            id: subnet.id.unwrap_or_default(),
            name: Some(key),
            zone,
            cidr: subnet.cidr,
        };
        wrong.extend(not_to_be_found(&given, vpc).map(|why| Invalid::new(at, why)));
        subnets.push(given);
    }
    subnets
}

fn check_subnet_id(id: &str, at: &str, taken: &mut BTreeSet<String>, wrong: &mut Vec<Invalid>) {
    let message = if !is_id(id, "subnet-") {
        format!(
            "invalid subnet {}: expected an id such as subnet-0a1b2c3d4e5f60718",
            quoted(id)
        )
    } else if !taken.insert(id.to_owned()) {
        format!("subnet {id} is listed twice")
    } else {
        return;
    };
    wrong.push(Invalid::new(format!("{at}/id"), message));
}

/// Why a subnet without an id can't be found.
fn not_to_be_found(subnet: &GivenSubnet, vpc: Option<&str>) -> Option<&'static str> {
    if !subnet.id.is_empty() {
        None
    } else if subnet.cidr.is_none() && subnet.zone.is_none() {
        Some("name the subnet by its id; or, with vpc.id, by its cidr or its az")
    } else if vpc.is_none() {
        Some("a subnet is found by its cidr or its az only in a known VPC: name its id, or vpc.id")
    } else {
        None
    }
}

/// Whether the network has the subnets that profiles and nodegroups need.
pub(super) fn check_use(
    network: &NetworkSpec,
    profiles: &[ProfileSpec],
    nodegroups: &[NodegroupSpec],
    wrong: &mut Vec<Invalid>,
) {
    let NetworkSpec::Existing {
        public, private, ..
    } = network
    else {
        let named = profiles
            .iter()
            .position(|profile| !profile.subnets.is_empty());
        if let Some(i) = named {
            let message = "the subnets of the cluster's VPC are yet to be created: leave them out, \
                           and EKS takes the private ones";
            wrong.push(Invalid::new(
                format!("/fargateProfiles/{i}/subnets"),
                message,
            ));
        }
        return;
    };
    let bare = |profile: &ProfileSpec| profile.subnets.is_empty();
    if private.is_empty() && profiles.iter().any(bare) {
        let message = "Fargate needs private subnets: add them, or name some in each profile";
        wrong.push(Invalid::new("/vpc/subnets/private", message));
    }
    for nodegroup in nodegroups {
        let (kind, missing) = if nodegroup.private_networking {
            ("private", private.is_empty())
        } else {
            ("public", public.is_empty())
        };
        if missing {
            let message = format!(
                "nodegroup {:?} needs {kind} subnets: add them, or change its privateNetworking",
                nodegroup.name
            );
            wrong.push(Invalid::new(format!("/vpc/subnets/{kind}"), message));
        }
    }
}
