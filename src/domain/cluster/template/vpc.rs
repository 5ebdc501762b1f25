//! The network: a VPC with a public and a private subnet a zone, or subnets that exist.

use super::draft::{Draft, attribute_of, joined, reference, tag};
use crate::domain::cluster::network::{NetworkPlan, ZoneBlocks};
use crate::domain::cluster::spec::NatMode;
use serde_json::{Value, json};

const INTERNET: &str = "0.0.0.0/0";
const ATTACHMENT: &str = "VPCGatewayAttachment";

/// The VPC and the subnets, by reference or by id.
pub(super) struct Subnets {
    pub(super) vpc: Value,
    pub(super) public: Vec<Value>,
    pub(super) private: Vec<Value>,
}

pub(super) fn add(draft: &mut Draft, network: &NetworkPlan) -> Subnets {
    let (subnets, nat) = match network {
        NetworkPlan::Own { cidr, nat, zones } => (add_vpc(draft, cidr, *nat, zones), *nat),
        NetworkPlan::Existing {
            vpc_id,
            public,
            private,
        } => {
            let ids = |ids: &[String]| ids.iter().map(|id| json!(id)).collect();
            let subnets = Subnets {
                vpc: json!(vpc_id),
                public: ids(public),
                private: ids(private),
            };
            (subnets, NatMode::Disable)
        }
    };
    draft.export("VPC", &subnets.vpc);
    draft.output("FeatureNATMode", &json!(nat.as_str()));
    for (name, refs) in [
        ("SubnetsPrivate", &subnets.private),
        ("SubnetsPublic", &subnets.public),
    ] {
        if !refs.is_empty() {
            draft.export(name, &joined(refs));
        }
    }
    subnets
}

fn add_vpc(draft: &mut Draft, cidr: &str, nat: NatMode, zones: &[ZoneBlocks]) -> Subnets {
    let vpc = json!({"CidrBlock": cidr, "EnableDnsHostnames": true, "EnableDnsSupport": true});
    let vpc = draft.add_tagged("VPC", "AWS::EC2::VPC", vpc);
    add_internet(draft, &vpc);
    let mut subnets = Subnets {
        vpc,
        public: Vec::new(),
        private: Vec::new(),
    };
    for (i, zone) in zones.iter().enumerate() {
        let name = resource_name(&zone.zone);
        let gateway = match nat {
            NatMode::Single => Some(String::new()),
            NatMode::HighlyAvailable => Some(name.clone()),
            NatMode::Disable => None,
        };
        let public = add_public(draft, &subnets.vpc, zone, &name);
        if let Some(suffix) = gateway
            .as_deref()
            .filter(|suffix| i == 0 || !suffix.is_empty())
        {
            add_nat_gateway(draft, suffix, &public);
        }
        let private = add_private(draft, &subnets.vpc, zone, &name, gateway.as_deref());
        subnets.public.push(public);
        subnets.private.push(private);
    }
    subnets
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

fn add_public(draft: &mut Draft, vpc: &Value, zone: &ZoneBlocks, name: &str) -> Value {
    let subnet = json!({
        "AvailabilityZone": zone.zone,
        "CidrBlock": zone.public,
        "MapPublicIpOnLaunch": true,
        "Tags": [tag("kubernetes.io/role/elb", &json!("1"))],
        "VpcId": vpc,
    });
    let subnet = draft.add_tagged(&format!("SubnetPublic{name}"), "AWS::EC2::Subnet", subnet);
    associate(
        draft,
        &format!("Public{name}"),
        &subnet,
        &reference("PublicRouteTable"),
    );
    subnet
}

/// A private subnet with a route table of its own, which goes through the NAT gateway with this
/// suffix to its name, if there is one.
fn add_private(
    draft: &mut Draft,
    vpc: &Value,
    zone: &ZoneBlocks,
    name: &str,
    gateway: Option<&str>,
) -> Value {
    let table = draft.add_tagged(
        &format!("PrivateRouteTable{name}"),
        "AWS::EC2::RouteTable",
        json!({"VpcId": vpc}),
    );
    if let Some(suffix) = gateway {
        let route = json!({
            "DestinationCidrBlock": INTERNET,
            "NatGatewayId": reference(&format!("NATGateway{suffix}")),
            "RouteTableId": table,
        });
        draft.add(
            &format!("NATPrivateSubnetRoute{name}"),
            "AWS::EC2::Route",
            route,
        );
    }
    let subnet = json!({
        "AvailabilityZone": zone.zone,
        "CidrBlock": zone.private,
        "Tags": [tag("kubernetes.io/role/internal-elb", &json!("1"))],
        "VpcId": vpc,
    });
    let subnet = draft.add_tagged(&format!("SubnetPrivate{name}"), "AWS::EC2::Subnet", subnet);
    associate(draft, &format!("Private{name}"), &subnet, &table);
    subnet
}

fn associate(draft: &mut Draft, name: &str, subnet: &Value, table: &Value) {
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

/// A zone as it stands in logical ids: `us-west-2a` is `USWEST2A`.
fn resource_name(zone: &str) -> String {
    zone.replace('-', "").to_uppercase()
}
