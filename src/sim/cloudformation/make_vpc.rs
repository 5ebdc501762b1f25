//! Parts of networks that only some stacks make: IPv6 addresses, VPC endpoints, other gateways.

use serde_json::Value;

use super::effects::{Answer, Facts, plain};
use super::kind::Kind;
use super::names::handler;
use super::properties::{flag, strings, text};
use super::stack::Stack;
use crate::sim::interfaces::InterfaceSpec;
use crate::sim::vpc_endpoints;
use crate::sim::world::World;

impl World {
    /// Makes a resource of these types; `None` when it is of another.
    pub(super) fn make_vpc_part(
        &mut self,
        stack: &Stack,
        kind: &Kind,
        physical: &str,
        properties: &Value,
    ) -> Option<Answer> {
        match kind.name {
            "AWS::EC2::VPCCidrBlock" => Some(self.add_ipv6_block(stack, physical, properties)),
            "AWS::EC2::SubnetCidrBlock" => Some(self.add_ipv6_subnet(stack, physical, properties)),
            "AWS::EC2::VPCEndpoint" => Some(self.make_endpoint(stack, physical, properties)),
            "AWS::EC2::EgressOnlyInternetGateway" | "AWS::EC2::TransitGatewayAttachment" => {
                Some(Ok(plain(physical, &[("Id", physical)])))
            }
            _ => None,
        }
    }

    fn add_ipv6_block(&mut self, stack: &Stack, physical: &str, properties: &Value) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let vpc = text(properties, "VpcId").unwrap_or_default();
        let network = self.network(account, region);
        if !network.vpcs.contains_key(&vpc) {
            let why = format!("The vpc ID '{vpc}' does not exist");
            return Err(handler("NotFound", &why));
        }
        let own = text(properties, "Ipv6CidrBlock");
        if own.is_none() && !flag(properties, "AmazonProvidedIpv6CidrBlock", false) {
            let why = "Either 'cidrBlock' or 'amazonProvidedIpv6CidrBlock' should be provided.";
            return Err(handler("InvalidRequest", why));
        }
        let block = own.unwrap_or_else(|| format!("2001:db8:{:x}:100::/56", network.vpcs.len()));
        network.ipv6_blocks.insert(vpc, block.clone());
        Ok(plain(
            physical,
            &[("Id", physical), ("Ipv6CidrBlock", &block)],
        ))
    }

    fn add_ipv6_subnet(&mut self, stack: &Stack, physical: &str, properties: &Value) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let id = text(properties, "SubnetId").unwrap_or_default();
        let block = text(properties, "Ipv6CidrBlock").unwrap_or_default();
        let network = self.network(account, region);
        let vpc = network.subnets.get(&id).map(|subnet| subnet.vpc.clone());
        let Some(vpc) = vpc else {
            let why = format!("The subnet ID '{id}' does not exist");
            return Err(handler("NotFound", &why));
        };
        network
            .check_ipv6(&vpc, &block)
            .map_err(|why| handler("InvalidRequest", &why))?;
        Ok(plain(physical, &[("Id", physical)]))
    }

    fn make_endpoint(&mut self, stack: &Stack, physical: &str, properties: &Value) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let property = |name| text(properties, name).unwrap_or_default();
        let (vpc, service) = (property("VpcId"), property("ServiceName"));
        let kind = text(properties, "VpcEndpointType").unwrap_or_else(|| "Gateway".to_owned());
        let refused = |why: String| handler("InvalidRequest", &why);
        let offered = vpc_endpoints::offered(region, &service);
        if !offered
            .as_ref()
            .is_some_and(|one| one.kinds.contains(&kind.as_str()))
        {
            return Err(refused(format!(
                "The Vpc Endpoint Service '{service}' does not exist"
            )));
        }
        let network = self.network(account, region);
        if !network.vpcs.contains_key(&vpc) {
            return Err(refused(format!("The vpc ID '{vpc}' does not exist")));
        }
        let zones = offered.map(|one| one.zones).unwrap_or_default();
        let subnets = strings(properties, "SubnetIds");
        let mut used = Vec::new();
        for id in &subnets {
            let subnet = network.subnets.get(id).filter(|subnet| subnet.vpc == vpc);
            let Some(subnet) = subnet else {
                return Err(refused(format!("The subnet ID '{id}' does not exist")));
            };
            if !zones.contains(&subnet.zone) {
                return Err(refused(format!(
                    "The VPC endpoint service {service} does not support the availability zone of the \
                     subnet: {id}."
                )));
            }
            if used.contains(&subnet.zone) {
                return Err(refused(format!(
                    "Found another VPC endpoint subnet in the availability zone of {id}."
                )));
            }
            used.push(subnet.zone.clone());
        }
        for id in &subnets {
            let interface = InterfaceSpec {
                vpc_id: vpc.clone(),
                subnet_id: id.clone(),
                description: format!("VPC Endpoint Interface {physical}"),
                status: "in-use".to_owned(),
                interface_type: "vpc_endpoint".to_owned(),
                requester_id: Some("amazon-aws".to_owned()),
                security_groups: strings(properties, "SecurityGroupIds"),
                ..InterfaceSpec::default()
            };
            let name = interface_id(physical, id);
            self.put_interface((account, region), &name, interface);
        }
        Ok(plain(physical, &[("Id", physical)]))
    }

    /// An endpoint is gone, with its interfaces.
    pub(super) fn unmake_endpoint(&mut self, stack: &Stack, physical: &str, properties: &Value) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let network = self.network(account, region);
        for subnet in strings(properties, "SubnetIds") {
            let name = interface_id(physical, &subnet);
            network.attached.interfaces.remove(&name);
        }
    }

    /// The IPv6 addresses of a VPC, which `Fn::GetAtt` knows from when they are there.
    pub(super) fn learn_ipv6(&mut self, stack: &mut Stack, properties: &Value) {
        let vpc = text(properties, "VpcId").unwrap_or_default();
        let (account, region) = (stack.caller.account.clone(), stack.caller.region.clone());
        let block = self
            .network(&account, &region)
            .ipv6_blocks
            .get(&vpc)
            .cloned();
        let resources = stack.resources.values_mut();
        for made in resources.filter(|made| made.physical == vpc) {
            let blocks = block.clone().unwrap_or_default();
            made.attributes.insert("Ipv6CidrBlocks".to_owned(), blocks);
        }
    }
}

/// The interface of an endpoint in a subnet.
fn interface_id(endpoint: &str, subnet: &str) -> String {
    let tail = subnet.rsplit('-').next().unwrap_or_default();
    let tail: String = tail.chars().rev().take(6).collect();
    format!("{}{tail}", endpoint.replacen("vpce-", "eni-", 1))
}

/// The VPC's own facts, and its IPv6 addresses: none yet.
pub(super) fn of_vpc(physical: &str, cidr: &str) -> Facts {
    plain(
        physical,
        &[
            ("VpcId", physical),
            ("CidrBlock", cidr),
            ("DefaultSecurityGroup", "sg-0default"),
            ("Ipv6CidrBlocks", ""),
        ],
    )
}
