//! Networks that stacks make.

use serde_json::Value;

use super::effects::{Answer, plain};
use super::kind::Kind;
use super::make_vpc::of_vpc;
use super::names::{handler, owned, random_hex, tags_of};
use super::properties::{flag, list_tags, text};
use super::stack::Stack;
use crate::sim::interfaces::{GroupSpec, InterfaceSpec};
use crate::sim::network::{Subnet, Vpc};
use crate::sim::world::World;
use crate::sim::zones;

impl World {
    #[expect(clippy::too_many_lines, reason = "an arm for each type")]
    pub(super) fn make_network(
        &mut self,
        stack: &Stack,
        kind: &Kind,
        logical: &str,
        physical: &str,
        properties: &Value,
    ) -> Answer {
        let id = physical.to_owned();
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        if let Some(made) = self.make_vpc_part(stack, kind, physical, properties) {
            return made;
        }
        let plain = |pairs: &[(&str, &str)]| Ok(plain(physical, pairs));
        match kind.name {
            "AWS::EC2::VPC" => {
                let cidr = text(properties, "CidrBlock").unwrap_or_default();
                let parsed = cidr.parse().map_err(|_| {
                    let why = format!("Value ({cidr}) for parameter cidrBlock is invalid.");
                    handler("InvalidRequest", &why)
                })?;
                let tags = tags_of(stack, logical, &list_tags(properties));
                let vpc = Vpc { cidr: parsed, tags };
                self.network(account, region).vpcs.insert(id.clone(), vpc);
                Ok(of_vpc(physical, &cidr))
            }
            "AWS::EC2::Subnet" => self.make_subnet(stack, logical, id, properties),
            "AWS::EC2::InternetGateway" => plain(&[("InternetGatewayId", physical)]),
            "AWS::EC2::NatGateway" => {
                self.attach_gateway(stack, physical, properties);
                plain(&[("NatGatewayId", physical)])
            }
            "AWS::EC2::RouteTable" => plain(&[("RouteTableId", physical)]),
            "AWS::EC2::LaunchTemplate" => {
                let data = properties.get("LaunchTemplateData").cloned();
                let templates = &mut self.network(account, region).stock.templates;
                templates.insert(id, data.unwrap_or_default());
                plain(&[
                    ("LaunchTemplateId", physical),
                    ("LatestVersionNumber", "1"),
                    ("DefaultVersionNumber", "1"),
                ])
            }
            "AWS::EC2::KeyPair" => {
                let pairs = &mut self.network(account, region).stock.key_pairs;
                if pairs.contains_key(&id) {
                    let why = format!("The keypair '{id}' already exists.");
                    return Err(handler("AlreadyExists", &why));
                }
                let key = format!("key-0{}", random_hex());
                pairs.insert(id, key.clone());
                plain(&[("KeyPairId", &key), ("KeyFingerprint", "aa:bb")])
            }
            "AWS::EC2::PlacementGroup" => plain(&[("GroupName", physical)]),
            "AWS::EC2::SecurityGroup" => {
                let vpc = text(properties, "VpcId").unwrap_or_default();
                let name = text(properties, "GroupName");
                let group = GroupSpec {
                    vpc_id: vpc.clone(),
                    name: name.unwrap_or_else(|| format!("{}-{logical}", stack.name)),
                    description: text(properties, "GroupDescription").unwrap_or_default(),
                    tags: tags_of(stack, logical, &list_tags(properties)),
                    ..GroupSpec::default()
                };
                self.put_group((account, region), physical, group);
                plain(&[("GroupId", physical), ("Id", physical), ("VpcId", &vpc)])
            }
            "AWS::EC2::EIP" => {
                let address = "203.0.113.10";
                let allocation = format!("eipalloc-0{}", random_hex());
                let attributes = [
                    ("AllocationId", allocation),
                    ("PublicIp", address.to_owned()),
                ];
                Ok((address.to_owned(), owned(attributes)))
            }
            _ => plain(&[("Id", physical)]),
        }
    }

    /// The interface by which a NAT gateway is in its subnet.
    fn attach_gateway(&mut self, stack: &Stack, id: &str, properties: &Value) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let subnet = text(properties, "SubnetId").unwrap_or_default();
        let there = self.network(account, region).subnets.get(&subnet);
        let interface = InterfaceSpec {
            vpc_id: there.map(|one| one.vpc.clone()).unwrap_or_default(),
            subnet_id: subnet,
            description: format!("Interface for NAT Gateway {id}"),
            status: "in-use".to_owned(),
            interface_type: "nat_gateway".to_owned(),
            requester_id: Some("amazon-aws".to_owned()),
            ..InterfaceSpec::default()
        };
        let interface_id = id.replacen("nat-", "eni-", 1);
        self.put_interface((account, region), &interface_id, interface);
    }

    fn make_subnet(
        &mut self,
        stack: &Stack,
        logical: &str,
        id: String,
        properties: &Value,
    ) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let cidr = text(properties, "CidrBlock").unwrap_or_default();
        let known: Vec<String> = zones::of(region)
            .into_iter()
            .chain(zones::local(region))
            .map(|zone| zone.name)
            .collect();
        let zone = text(properties, "AvailabilityZone").or_else(|| known.first().cloned());
        let zone = zone.unwrap_or_default();
        if !known.contains(&zone) {
            let why = format!(
                "Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently \
                 only be created in the following availability zones: {}.",
                known.join(", ")
            );
            return Err(handler("InvalidRequest", &why));
        }
        let parsed = cidr.parse().map_err(|_| {
            let why = format!("Value ({cidr}) for parameter cidrBlock is invalid.");
            handler("InvalidRequest", &why)
        })?;
        let subnet = Subnet {
            vpc: text(properties, "VpcId").unwrap_or_default(),
            cidr: parsed,
            zone: zone.clone(),
            tags: tags_of(stack, logical, &list_tags(properties)),
            public_ips: flag(properties, "MapPublicIpOnLaunch", false),
            table: None,
        };
        let network = self.network(account, region);
        network
            .check_subnet(&subnet)
            .map_err(|(_, why)| handler("InvalidRequest", &why))?;
        if let Some(block) = text(properties, "Ipv6CidrBlock") {
            network
                .check_ipv6(&subnet.vpc, &block)
                .map_err(|why| handler("InvalidRequest", &why))?;
        }
        let attributes = [
            ("SubnetId", id.clone()),
            ("AvailabilityZone", zone),
            ("VpcId", subnet.vpc.clone()),
            ("CidrBlock", cidr),
        ];
        network.subnets.insert(id.clone(), subnet);
        Ok((id, owned(attributes)))
    }
}
