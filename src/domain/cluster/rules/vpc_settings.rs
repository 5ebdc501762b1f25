//! What is set of the network beyond its addresses and subnets.

use super::control_plane::one_of;
use super::references::{check_id, is_id};
use crate::domain::cluster::spec::VpcSpec;
use crate::domain::cluster::zones::{MAX_ZONES, MIN_ZONES, wanted};
use crate::domain::eksctl::vpc::MAX_SUBNETS;
use crate::domain::eksctl::{ClusterConfig, ClusterSubnets, ClusterVpc};
use crate::domain::ids::Region;
use crate::domain::invalid::{Invalid, quoted};
use ipnet::{IpNet, Ipv6Net};

const HOSTNAME_TYPES: [&str; 2] = ["ip-name", "resource-name"];
const EGRESS_MODES: [&str; 3] = ["AWS_MANAGED", "CUSTOMER_ROUTED", "CUSTOMER_ISOLATED"];
/// EKS's bound.
const MAX_GROUPS: usize = 5;
const MAX_EXTRA_CIDRS: usize = 40;

/// What is set of the network; looks only, since its addresses and subnets are read by others.
pub(super) fn of(
    config: &ClusterConfig,
    ipv6: bool,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) -> VpcSpec {
    let none = ClusterVpc::default();
    let vpc = config.vpc.as_ref().unwrap_or(&none);
    let exists = has_subnets(vpc);
    local_zones(config, exists, region, wrong);
    names_of_hosts(vpc, exists, wrong);
    let mode = vpc.control_plane_egress_mode.as_deref();
    let mode = mode.filter(|mode| !mode.is_empty());
    one_of(mode, &EGRESS_MODES, "/vpc/controlPlaneEgressMode", wrong);
    let groups = control_plane_groups(vpc, wrong);
    let auto = vpc.auto_allocate_ipv6.unwrap_or_default();
    if auto && (exists || ipv6) {
        let message = if ipv6 {
            "the VPC of an IPv6 cluster has IPv6 addresses as it is: remove this"
        } else {
            "subnets that exist keep their addresses: remove this"
        };
        wrong.push(Invalid::new("/vpc/autoAllocateIPv6", message));
    }
    if ipv6 && vpc.nat.as_ref().is_some_and(|nat| nat.gateway.is_some()) {
        let message = "the VPC of an IPv6 cluster has one NAT gateway, for IPv4: remove vpc.nat";
        wrong.push(Invalid::new("/vpc/nat/gateway", message));
    }
    extra_cidrs(vpc, ipv6, wrong);
    VpcSpec {
        hostname_type: vpc.hostname_type.clone().filter(|text| !text.is_empty()),
        auto_allocate_ipv6: auto,
        ipv6_block: ipv6_block(vpc, ipv6, exists, wrong),
        local_zones: config.local_zones.clone(),
        control_plane_subnets: control_plane_subnets(vpc, wrong),
        control_plane_on_private_subnets: on_private(vpc, exists, wrong),
        control_plane_groups: groups,
        shared_node_group: vpc.shared_node_security_group.clone(),
        leave_shared_rules: leaves_rules(vpc, wrong),
        extra_cidrs: vpc.extra_cidrs.clone(),
        extra_ipv6_cidrs: vpc.extra_ipv6_cidrs.clone(),
        egress_mode: mode.map(str::to_owned),
    }
}

fn has_subnets(vpc: &ClusterVpc) -> bool {
    let given = |all: &ClusterSubnets| !all.private.0.is_empty() || !all.public.0.is_empty();
    vpc.subnets.as_ref().is_some_and(given)
}

fn names_of_hosts(vpc: &ClusterVpc, exists: bool, wrong: &mut Vec<Invalid>) {
    const AT: &str = "/vpc/hostnameType";
    let Some(kind) = vpc.hostname_type.as_deref().filter(|kind| !kind.is_empty()) else {
        return;
    };
    one_of(Some(kind), &HOSTNAME_TYPES, AT, wrong);
    if exists {
        let message = "subnets that exist name their hosts as they are set: remove this";
        wrong.push(Invalid::new(AT, message));
    }
}

/// A local zone is named after its region, a city and a letter: us-west-2-lax-1a.
fn is_local_zone(zone: &str, region: &Region) -> bool {
    let rest = zone.strip_prefix(region.as_str()).unwrap_or_default();
    let rest = rest.strip_prefix('-').unwrap_or_default();
    let Some((city, number)) = rest.split_once('-') else {
        return false;
    };
    let (digits, letter) = number.split_at(number.len().saturating_sub(1));
    (2..=8).contains(&city.len())
        && city.bytes().all(|b| b.is_ascii_lowercase())
        && (1..=2).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && letter.bytes().all(|b| b.is_ascii_lowercase())
}

fn local_zones(
    config: &ClusterConfig,
    exists: bool,
    region: Option<&Region>,
    wrong: &mut Vec<Invalid>,
) {
    const AT: &str = "/localZones";
    let zones = &config.local_zones;
    let Some(region) = region.filter(|_| !zones.is_empty()) else {
        return;
    };
    let named = config.availability_zones.len();
    let others = if named == 0 { wanted(region) } else { named };
    if zones.len() + others > MAX_ZONES {
        let message = format!(
            "{} local zones beside {others} zones: a VPC is cut into subnets of {MAX_ZONES} \
             zones at most",
            zones.len()
        );
        wrong.push(Invalid::new(AT, message));
        return;
    }
    for (i, zone) in zones.iter().enumerate() {
        let message = if !is_local_zone(zone, region) {
            format!(
                "invalid local zone {}: expected one of {region}, such as {region}-lax-1a",
                quoted(zone)
            )
        } else if zones[..i].contains(zone) {
            format!("local zone {zone} is listed twice")
        } else {
            continue;
        };
        wrong.push(Invalid::new(format!("{AT}/{i}"), message));
    }
    if exists {
        let message = "subnets that exist are in zones already: remove localZones";
        wrong.push(Invalid::new(AT, message));
    }
    let nat = config.vpc.as_ref().and_then(|vpc| vpc.nat.as_ref());
    if nat.is_some_and(|nat| nat.gateway.as_deref() == Some("HighlyAvailable")) {
        let message = "local zones have no NAT gateways: choose Single or Disable";
        wrong.push(Invalid::new("/vpc/nat/gateway", message));
    }
    let network = config.kubernetes_network_config.as_ref();
    let family = network.and_then(|network| network.ip_family.as_deref());
    if family.is_some_and(|family| family.eq_ignore_ascii_case("IPv6")) {
        let message = "an IPv6 cluster has no subnets in local zones: remove them";
        wrong.push(Invalid::new(AT, message));
    }
}

fn control_plane_groups(vpc: &ClusterVpc, wrong: &mut Vec<Invalid>) -> Vec<String> {
    const AT: &str = "/vpc/controlPlaneSecurityGroupIDs";
    let ids = &vpc.control_plane_security_group_ids;
    if ids.len() > MAX_GROUPS {
        let message = format!("EKS takes at most {MAX_GROUPS}");
        wrong.push(Invalid::new(AT, message));
        return Vec::new();
    }
    for (i, id) in ids.iter().enumerate() {
        check_id(id, "sg-", &format!("{AT}/{i}"), wrong);
    }
    if let Some(id) = &vpc.shared_node_security_group {
        check_id(id, "sg-", "/vpc/sharedNodeSecurityGroup", wrong);
    }
    let Some(id) = &vpc.security_group else {
        return ids.clone();
    };
    check_id(id, "sg-", "/vpc/securityGroup", wrong);
    if !ids.is_empty() {
        let message = "vpc.securityGroup names the group of the control plane too: remove one of the \
                       two";
        wrong.push(Invalid::new(AT, message));
    }
    vec![id.clone()]
}

fn control_plane_subnets(vpc: &ClusterVpc, wrong: &mut Vec<Invalid>) -> Vec<String> {
    const AT: &str = "/vpc/controlPlaneSubnetIDs";
    let ids = &vpc.control_plane_subnet_ids;
    if ids.is_empty() {
        return Vec::new();
    }
    if !(MIN_ZONES..=MAX_SUBNETS).contains(&ids.len()) {
        let message =
            format!("expected {MIN_ZONES} to {MAX_SUBNETS} subnets, in two zones at least");
        wrong.push(Invalid::new(AT, message));
        return Vec::new();
    }
    for (i, id) in ids.iter().enumerate() {
        let at = format!("{AT}/{i}");
        check_id(id, "subnet-", &at, wrong);
        if ids[..i].contains(id) {
            wrong.push(Invalid::new(
                at,
                format!("subnet {} is listed twice", quoted(id)),
            ));
        }
    }
    ids.clone()
}

fn on_private(vpc: &ClusterVpc, exists: bool, wrong: &mut Vec<Invalid>) -> bool {
    const AT: &str = "/vpc/controlPlaneOnPrivateSubnets";
    if !vpc.control_plane_on_private_subnets.unwrap_or_default() {
        return false;
    }
    if !vpc.control_plane_subnet_ids.is_empty() {
        let message = "vpc.controlPlaneSubnetIDs says where the control plane is: remove one of the \
                       two";
        wrong.push(Invalid::new(AT, message));
    }
    let private = vpc.subnets.as_ref().map_or(0, |all| all.private.0.len());
    if exists && private < MIN_ZONES {
        let message = format!(
            "the control plane needs private subnets in {MIN_ZONES} zones, and {private} are named"
        );
        wrong.push(Invalid::new(AT, message));
    }
    true
}

fn leaves_rules(vpc: &ClusterVpc, wrong: &mut Vec<Invalid>) -> bool {
    let leaves = vpc.manage_shared_node_security_group_rules == Some(false);
    if leaves && vpc.shared_node_security_group.is_none() {
        let message = "a group that is made here needs its rules: remove this, or name \
                       vpc.sharedNodeSecurityGroup";
        wrong.push(Invalid::new(
            "/vpc/manageSharedNodeSecurityGroupRules",
            message,
        ));
    }
    leaves
}

fn extra_cidrs(vpc: &ClusterVpc, ipv6: bool, wrong: &mut Vec<Invalid>) {
    let lists = [
        ("extraCIDRs", &vpc.extra_cidrs, false),
        ("extraIPv6CIDRs", &vpc.extra_ipv6_cidrs, true),
    ];
    for (name, cidrs, six) in lists {
        let at = format!("/vpc/{name}");
        if cidrs.len() > MAX_EXTRA_CIDRS {
            let message = format!("at most {MAX_EXTRA_CIDRS} networks");
            wrong.push(Invalid::new(at, message));
            continue;
        }
        if six && !ipv6 && !cidrs.is_empty() {
            let message = "these are for IPv6 clusters: remove them, or set \
                           kubernetesNetworkConfig.ipFamily to IPv6";
            wrong.push(Invalid::new(at.as_str(), message));
        }
        for (i, cidr) in cidrs.iter().enumerate() {
            let net = cidr.parse::<IpNet>().ok();
            let fits = net.is_some_and(|net| {
                net.addr() == net.network() && matches!(net, IpNet::V6(_)) == six
            });
            if !fits {
                let such = if six {
                    "2001:db8::/32"
                } else {
                    "172.31.0.0/16"
                };
                let message = format!(
                    "invalid network {}: expected one such as {such}",
                    quoted(cidr)
                );
                wrong.push(Invalid::new(format!("{at}/{i}"), message));
            }
        }
    }
}

fn ipv6_block(
    vpc: &ClusterVpc,
    ipv6: bool,
    exists: bool,
    wrong: &mut Vec<Invalid>,
) -> Option<(String, String)> {
    const CIDR_AT: &str = "/vpc/ipv6Cidr";
    const POOL_AT: &str = "/vpc/ipv6Pool";
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (cidr, pool) = (filled(&vpc.ipv6_cidr), filled(&vpc.ipv6_pool));
    if cidr.is_none() && pool.is_none() {
        return None;
    }
    let at = if cidr.is_some() { CIDR_AT } else { POOL_AT };
    if !ipv6 || exists {
        let message = if ipv6 {
            "a VPC that exists has its IPv6 addresses: remove this"
        } else {
            "this is for IPv6 clusters: remove it, or set kubernetesNetworkConfig.ipFamily to IPv6"
        };
        wrong.push(Invalid::new(at, message));
    }
    let (Some(cidr), Some(pool)) = (cidr, pool) else {
        let message = "vpc.ipv6Cidr and vpc.ipv6Pool go together: name both, or none to have AWS \
                       give addresses";
        wrong.push(Invalid::new(at, message));
        return None;
    };
    if !cidr
        .parse::<Ipv6Net>()
        .is_ok_and(|net| net.addr() == net.network())
    {
        let message = format!(
            "invalid network {}: expected one such as 2001:db8:1234:1a00::/56",
            quoted(&cidr)
        );
        wrong.push(Invalid::new(CIDR_AT, message));
    }
    if !is_id(&pool, "ipv6pool-ec2-") {
        let message = format!(
            "invalid pool {}: expected one such as ipv6pool-ec2-0a1b2c3d4e5f60718",
            quoted(&pool)
        );
        wrong.push(Invalid::new(POOL_AT, message));
    }
    Some((cidr, pool))
}
