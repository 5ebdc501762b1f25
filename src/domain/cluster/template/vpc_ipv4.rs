//! A VPC with a public and a private subnet a zone; IPv6 addresses beside the others, if asked for.

use super::draft::{Draft, attribute_of, reference};
use super::hybrid;
use super::vpc::{OwnVpc, PrivateSubnet, Subnets, resource_name};
use super::vpc_ipv6::block;
use crate::domain::cluster::network::ZoneBlocks;
use crate::domain::cluster::spec::NatMode;
use serde_json::{Value, json};

pub(super) const INTERNET: &str = "0.0.0.0/0";
pub(super) const INTERNET_IPV6: &str = "::/0";
pub(super) const ATTACHMENT: &str = "VPCGatewayAttachment";
/// The VPC's IPv6 block.
const IPV6_BLOCK: &str = "AutoAllocatedCIDRv6";

pub(super) fn add(draft: &mut Draft, vpc: OwnVpc<'_>) -> Subnets {
    let properties =
        json!({"CidrBlock": vpc.cidr, "EnableDnsHostnames": true, "EnableDnsSupport": true});
    let mut subnets = Subnets {
        vpc: draft.add_tagged("VPC", "AWS::EC2::VPC", properties),
        ..Subnets::default()
    };
    for zone in vpc.zones {
        let private = add_private(draft, vpc, &subnets.vpc, zone);
        subnets.private.push(private);
    }
    let mut local = Vec::new();
    for zone in vpc.local_zones {
        local.push(add_private(draft, vpc, &subnets.vpc, zone));
    }
    if !vpc.is_private() {
        add_public_side(draft, vpc, &mut subnets);
        let tables: Vec<&PrivateSubnet> = subnets.private.iter().chain(&local).collect();
        hybrid::add_routes(draft, vpc.spec, &subnets.vpc, &tables);
    }
    subnets.local.1 = local.into_iter().map(|one| one.subnet).collect();
    if vpc.spec.vpc.auto_allocate_ipv6 {
        add_ipv6(draft, vpc, &subnets.vpc);
    }
    subnets
}

fn add_public_side(draft: &mut Draft, vpc: OwnVpc<'_>, subnets: &mut Subnets) {
    add_internet(draft, &subnets.vpc);
    if vpc.spec.vpc.auto_allocate_ipv6 {
        add_ipv6_internet(draft);
    }
    for zone in vpc.zones {
        let public = add_public(draft, vpc, &subnets.vpc, zone);
        subnets.public.push(public);
    }
    for zone in vpc.local_zones {
        let public = add_public(draft, vpc, &subnets.vpc, zone);
        subnets.local.0.push(public);
    }
    let zones = vpc.zones.iter().chain(vpc.local_zones).enumerate();
    for (i, zone) in zones {
        let name = resource_name(&zone.zone);
        let suffix = match vpc.nat {
            NatMode::Single => "",
            NatMode::HighlyAvailable => name.as_str(),
            NatMode::Disable => continue,
        };
        if let Some(public) = subnets
            .public
            .get(i)
            .filter(|_| i == 0 || !suffix.is_empty())
        {
            add_nat_gateway(draft, suffix, public);
        }
        add_nat_route(draft, &name, suffix);
    }
}

fn add_internet(draft: &mut Draft, vpc: &Value) {
    let gateway = draft.add_tagged("InternetGateway", "AWS::EC2::InternetGateway", json!({}));
    let attachment = json!({"InternetGatewayId": gateway, "VpcId": vpc});
    draft.add(ATTACHMENT, "AWS::EC2::VPCGatewayAttachment", attachment);
    let table = json!({"VpcId": vpc});
    let table = draft.add_tagged("PublicRouteTable", "AWS::EC2::RouteTable", table);
    let route = json!({
        "DestinationCidrBlock": INTERNET,
        "GatewayId": gateway,
        "RouteTableId": table,
    });
    draft.add("PublicSubnetRoute", "AWS::EC2::Route", route);
    draft.attribute("PublicSubnetRoute", "DependsOn", json!([ATTACHMENT]));
}

fn add_public(draft: &mut Draft, vpc: OwnVpc<'_>, id: &Value, zone: &ZoneBlocks) -> Value {
    let mut subnet = vpc.subnet(&zone.zone, "elb");
    subnet["CidrBlock"] = json!(zone.public);
    subnet["MapPublicIpOnLaunch"] = json!(true);
    subnet["VpcId"] = id.clone();
    let name = format!("Public{}", resource_name(&zone.zone));
    let subnet = draft.add_tagged(&format!("Subnet{name}"), "AWS::EC2::Subnet", subnet);
    associate(draft, &name, &subnet, &reference("PublicRouteTable"));
    subnet
}

/// A private subnet with a route table of its own.
fn add_private(draft: &mut Draft, vpc: OwnVpc<'_>, id: &Value, zone: &ZoneBlocks) -> PrivateSubnet {
    let name = resource_name(&zone.zone);
    let table = draft.add_tagged(
        &format!("PrivateRouteTable{name}"),
        "AWS::EC2::RouteTable",
        json!({"VpcId": id}),
    );
    let mut subnet = vpc.subnet(&zone.zone, "internal-elb");
    subnet["CidrBlock"] = json!(zone.private);
    subnet["VpcId"] = id.clone();
    let name = format!("Private{name}");
    let subnet = draft.add_tagged(&format!("Subnet{name}"), "AWS::EC2::Subnet", subnet);
    associate(draft, &name, &subnet, &table);
    PrivateSubnet {
        subnet,
        zone: Some(zone.zone.clone()),
        table: Some(table),
    }
}

/// The way of a zone's private subnet through the NAT gateway with this suffix to its name.
fn add_nat_route(draft: &mut Draft, zone: &str, suffix: &str) {
    let route = json!({
        "DestinationCidrBlock": INTERNET,
        "NatGatewayId": reference(&format!("NATGateway{suffix}")),
        "RouteTableId": reference(&format!("PrivateRouteTable{zone}")),
    });
    let id = format!("NATPrivateSubnetRoute{zone}");
    draft.add(&id, "AWS::EC2::Route", route);
}

pub(super) fn associate(draft: &mut Draft, name: &str, subnet: &Value, table: &Value) {
    let association = json!({"RouteTableId": table, "SubnetId": subnet});
    let id = format!("RouteTableAssociation{name}");
    draft.add(&id, "AWS::EC2::SubnetRouteTableAssociation", association);
}

fn add_nat_gateway(draft: &mut Draft, suffix: &str, public: &Value) {
    let address = format!("NATIP{suffix}");
    draft.add_tagged(&address, "AWS::EC2::EIP", json!({"Domain": "vpc"}));
    // An address of a VPC is of use only once the VPC has its internet gateway.
    draft.attribute(&address, "DependsOn", json!([ATTACHMENT]));
    let gateway = json!({
        "AllocationId": attribute_of(&address, "AllocationId"),
        "SubnetId": public,
    });
    draft.add_tagged(
        &format!("NATGateway{suffix}"),
        "AWS::EC2::NatGateway",
        gateway,
    );
}

/// The way of public subnets to the internet of IPv6.
fn add_ipv6_internet(draft: &mut Draft) {
    const ROUTE: &str = "PublicSubnetIPv6DefaultRoute";
    let route = json!({
        "DestinationIpv6CidrBlock": INTERNET_IPV6,
        "GatewayId": reference("InternetGateway"),
        "RouteTableId": reference("PublicRouteTable"),
    });
    draft.add(ROUTE, "AWS::EC2::Route", route);
    draft.attribute(ROUTE, "DependsOn", json!([ATTACHMENT]));
}

/// IPv6 addresses beside the others. eksctl asks for the subnets' without waiting for the VPC's.
fn add_ipv6(draft: &mut Draft, vpc: OwnVpc<'_>, id: &Value) {
    let amazons = json!({"AmazonProvidedIpv6CidrBlock": true, "VpcId": id});
    draft.add(IPV6_BLOCK, "AWS::EC2::VPCCidrBlock", amazons);
    let zones: Vec<&ZoneBlocks> = vpc.zones.iter().chain(vpc.local_zones).collect();
    let count = vpc.zones.len() * 2 + 2;
    for (i, zone) in zones.iter().enumerate() {
        let name = resource_name(&zone.zone);
        let kinds = [("Public", i), ("Private", i + zones.len())];
        for (kind, at) in kinds {
            if vpc.is_private() && kind == "Public" {
                continue;
            }
            let id = format!("{kind}{name}CIDRv6");
            let properties = json!({
                "Ipv6CidrBlock": block(at, count.max(zones.len() * 2)),
                "SubnetId": reference(&format!("Subnet{kind}{name}")),
            });
            draft.add(&id, "AWS::EC2::SubnetCidrBlock", properties);
            draft.attribute(&id, "DependsOn", json!([IPV6_BLOCK]));
        }
    }
}
