//! The VPC of an IPv6 cluster: subnets have addresses of both kinds, which `CloudFormation` cuts out of
//! the VPC's; private ones reach the internet of IPv6 by a gateway that lets nothing in.

use super::draft::{Draft, attribute_of, reference};
use super::vpc::{OwnVpc, PrivateSubnet, Subnets, resource_name};
use super::vpc_ipv4::{ATTACHMENT, INTERNET, INTERNET_IPV6, associate};
use serde_json::{Value, json};

const BLOCK: &str = "IPv6CidrBlock";
const EGRESS: &str = "EgressOnlyInternetGateway";
const NAT: &str = "NATGateway";
const ADDRESS: &str = "EIP";

/// The `at`th of `count` networks /64 of the VPC's IPv6 block.
pub(super) fn block(at: usize, count: usize) -> Value {
    let whole = json!({"Fn::Select": [0, attribute_of("VPC", "Ipv6CidrBlocks")]});
    json!({"Fn::Select": [at, {"Fn::Cidr": [whole, count, 64]}]})
}

pub(super) fn add(draft: &mut Draft, vpc: OwnVpc<'_>) -> Subnets {
    let properties =
        json!({"CidrBlock": vpc.cidr, "EnableDnsHostnames": true, "EnableDnsSupport": true});
    let mut subnets = Subnets {
        vpc: draft.add_tagged("VPC", "AWS::EC2::VPC", properties),
        ..Subnets::default()
    };
    add_block(draft, vpc, &subnets.vpc);
    for (i, zone) in vpc.zones.iter().enumerate() {
        let name = resource_name(&zone.zone);
        let table = draft.add_tagged(
            &format!("PrivateRouteTable{name}"),
            "AWS::EC2::RouteTable",
            json!({"VpcId": subnets.vpc}),
        );
        let subnet = add_subnet(draft, vpc, (&zone.zone, i + vpc.zones.len()), true);
        associate(draft, &format!("Private{name}"), &subnet, &table);
        subnets.private.push(PrivateSubnet {
            subnet,
            zone: Some(zone.zone.clone()),
            table: Some(table),
        });
    }
    if !vpc.is_private() {
        add_internet(draft, vpc, &mut subnets);
    }
    subnets
}

fn add_block(draft: &mut Draft, vpc: OwnVpc<'_>, id: &Value) {
    let mut properties = json!({
        "AmazonProvidedIpv6CidrBlock": vpc.spec.vpc.ipv6_block.is_none(),
        "VpcId": id,
    });
    if let Some((cidr, pool)) = &vpc.spec.vpc.ipv6_block {
        properties["Ipv6CidrBlock"] = json!(cidr);
        properties["Ipv6Pool"] = json!(pool);
    }
    draft.add(BLOCK, "AWS::EC2::VPCCidrBlock", properties);
}

fn add_subnet(
    draft: &mut Draft,
    vpc: OwnVpc<'_>,
    (zone, at): (&str, usize),
    private: bool,
) -> Value {
    let (kind, role) = if private {
        ("Private", "internal-elb")
    } else {
        ("Public", "elb")
    };
    let count = vpc.zones.len() * 2 + 2;
    let mut subnet = vpc.subnet(zone, role);
    let blocks =
        json!({"Fn::Cidr": [attribute_of("VPC", "CidrBlock"), count, host_bits(vpc.cidr, count)]});
    subnet["AssignIpv6AddressOnCreation"] = json!(true);
    subnet["CidrBlock"] = json!({"Fn::Select": [at, blocks]});
    subnet["Ipv6CidrBlock"] = block(at, count);
    if !private {
        subnet["MapPublicIpOnLaunch"] = json!(true);
    }
    subnet["VpcId"] = reference("VPC");
    let id = format!("{kind}Subnet{}", resource_name(zone));
    let made = draft.add_tagged(&id, "AWS::EC2::Subnet", subnet);
    draft.attribute(&id, "DependsOn", json!([BLOCK]));
    made
}

/// How many bits are left to the hosts of a subnet where a VPC is cut into so many.
fn host_bits(cidr: &str, count: usize) -> u32 {
    let net = cidr.parse::<ipnet::Ipv4Net>();
    let bits = net.map_or(16, |net| 32_u32.saturating_sub(u32::from(net.prefix_len())));
    bits.saturating_sub(count.next_power_of_two().ilog2())
}

fn add_internet(draft: &mut Draft, vpc: OwnVpc<'_>, subnets: &mut Subnets) {
    let gateway = draft.add_tagged("InternetGateway", "AWS::EC2::InternetGateway", json!({}));
    let attachment = json!({"InternetGatewayId": gateway, "VpcId": subnets.vpc});
    draft.add(ATTACHMENT, "AWS::EC2::VPCGatewayAttachment", attachment);
    let table = json!({"VpcId": subnets.vpc});
    let table = draft.add_tagged("PublicRouteTable", "AWS::EC2::RouteTable", table);
    let public = |family: &str, all: &str| {
        let mut route = json!({"GatewayId": gateway, "RouteTableId": table});
        route[family] = json!(all);
        route
    };
    let ipv4 = public("DestinationCidrBlock", INTERNET);
    let ipv6 = public("DestinationIpv6CidrBlock", INTERNET_IPV6);
    add_route(draft, "PublicSubnetDefaultRoute", ipv4, &[ATTACHMENT]);
    add_route(draft, "PublicSubnetIPv6DefaultRoute", ipv6, &[ATTACHMENT]);
    draft.add(
        EGRESS,
        "AWS::EC2::EgressOnlyInternetGateway",
        json!({"VpcId": subnets.vpc}),
    );
    for (i, zone) in vpc.zones.iter().enumerate() {
        let name = resource_name(&zone.zone);
        let public = add_subnet(draft, vpc, (&zone.zone, i), false);
        associate(draft, &format!("Public{name}"), &public, &table);
        subnets.public.push(public);
        let table = reference(&format!("PrivateRouteTable{name}"));
        let out = json!({
            "DestinationIpv6CidrBlock": INTERNET_IPV6,
            "EgressOnlyInternetGatewayId": reference(EGRESS),
            "RouteTableId": table,
        });
        draft.add(
            &format!("PrivateSubnetDefaultIpv6Route{name}"),
            "AWS::EC2::Route",
            out,
        );
        let out = json!({
            "DestinationCidrBlock": INTERNET,
            "NatGatewayId": reference(NAT),
            "RouteTableId": table,
        });
        let id = format!("PrivateSubnetDefaultRoute{name}");
        add_route(draft, &id, out, &[ATTACHMENT]);
    }
    add_nat_gateway(draft, subnets.public.first());
}

fn add_route(draft: &mut Draft, id: &str, route: Value, after: &[&str]) {
    draft.add(id, "AWS::EC2::Route", route);
    draft.attribute(id, "DependsOn", json!(after));
}

/// The way to the internet of IPv4, through the first public subnet.
fn add_nat_gateway(draft: &mut Draft, public: Option<&Value>) {
    draft.add_tagged(ADDRESS, "AWS::EC2::EIP", json!({"Domain": "vpc"}));
    draft.attribute(ADDRESS, "DependsOn", json!([ATTACHMENT]));
    let gateway = json!({
        "AllocationId": attribute_of(ADDRESS, "AllocationId"),
        "SubnetId": public,
    });
    draft.add_tagged(NAT, "AWS::EC2::NatGateway", gateway);
    draft.attribute(NAT, "DependsOn", json!([ATTACHMENT]));
}
