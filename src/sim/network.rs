//! The networks of a region: one that is always there, and those that stacks make.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::interfaces::Attached;
use super::zones;

#[derive(Debug, Clone)]
pub(super) struct Vpc {
    pub cidr: Ipv4Net,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Subnet {
    pub vpc: String,
    pub cidr: Ipv4Net,
    pub zone: String,
    pub tags: BTreeMap<String, String>,
    pub public_ips: bool,
    /// Its route table, where one was associated.
    pub table: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Network {
    pub vpcs: BTreeMap<String, Vpc>,
    pub subnets: BTreeMap<String, Subnet>,
    /// The route tables that have a route to an internet gateway.
    pub public_tables: BTreeSet<String>,
    /// What is in them.
    pub attached: Attached,
}

/// The VPC that is always there.
const FIXED_VPC: &str = "vpc-0cccccccccccccc01";
const FIXED_TABLE: &str = "rtb-0cccccccccccccc01";

/// Whether a VPC or subnet is one of those that are always there.
pub(super) fn is_fixed(id: &str) -> bool {
    id == FIXED_VPC
        || ["a", "b"]
            .iter()
            .any(|kind| id.starts_with(&fixed_subnet(kind)))
}

fn fixed_subnet(kind: &str) -> String {
    format!("subnet-0{}0", kind.repeat(14))
}

impl Network {
    /// With the VPC that is always there: 10.0.0.0/16, and in each of three zones a public subnet
    /// 10.0.N.0/24 and a private one 10.0.10N.0/24.
    pub(super) fn new(region: &str) -> Self {
        let mut network = Self {
            vpcs: BTreeMap::new(),
            subnets: BTreeMap::new(),
            public_tables: BTreeSet::from([FIXED_TABLE.to_owned()]),
            attached: Attached::default(),
        };
        let named = |name: &str| BTreeMap::from([("Name".to_owned(), name.to_owned())]);
        if let Ok(cidr) = "10.0.0.0/16".parse() {
            let tags = named("existing");
            network
                .vpcs
                .insert(FIXED_VPC.to_owned(), Vpc { cidr, tags });
        }
        let usable = zones::of(region)
            .into_iter()
            .filter(|zone| !zone.is_avoided());
        for (zone, number) in usable.take(3).zip(1..) {
            for (kind, letter, third) in [("public", "a", number), ("private", "b", 100 + number)] {
                let Ok(cidr) = format!("10.0.{third}.0/24").parse() else {
                    continue;
                };
                let subnet = Subnet {
                    vpc: FIXED_VPC.to_owned(),
                    cidr,
                    zone: zone.name.clone(),
                    tags: named(&format!("existing-{kind}-{number}")),
                    public_ips: kind == "public",
                    table: (kind == "public").then(|| FIXED_TABLE.to_owned()),
                };
                let id = format!("{}{number}", fixed_subnet(letter));
                network.subnets.insert(id, subnet);
            }
        }
        network
    }

    /// Whether the subnet has a route to an internet gateway; `None` when it isn't known here.
    pub(super) fn is_public(&self, subnet: &str) -> Option<bool> {
        let subnet = self.subnets.get(subnet)?;
        let table = subnet.table.as_ref();
        Some(table.is_some_and(|table| self.public_tables.contains(table)))
    }

    /// Why EC2 doesn't make this subnet, if so: its code and sentence.
    pub(super) fn check_subnet(&self, new: &Subnet) -> Result<(), (&'static str, String)> {
        let (vpc, cidr) = (&new.vpc, new.cidr);
        let around = self.vpcs.get(vpc).ok_or_else(|| {
            let why = format!("The vpc ID '{vpc}' does not exist");
            ("InvalidVpcID.NotFound", why)
        })?;
        if !around.cidr.contains(&cidr) || !(16..=28).contains(&cidr.prefix_len()) {
            return Err((
                "InvalidSubnet.Range",
                format!("The CIDR '{cidr}' is invalid."),
            ));
        }
        let mut others = self.subnets.values().filter(|other| other.vpc == *vpc);
        if others.any(|other| other.cidr.contains(&cidr) || cidr.contains(&other.cidr)) {
            let why = format!("The CIDR '{cidr}' conflicts with another subnet");
            return Err(("InvalidSubnet.Conflict", why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_a_network_to_use() {
        let network = Network::new("us-east-1");
        assert_eq!(network.subnets.len(), 6);
        assert_eq!(network.is_public("subnet-0aaaaaaaaaaaaaa01"), Some(true));
        assert_eq!(network.is_public("subnet-0bbbbbbbbbbbbbb03"), Some(false));
        assert_eq!(network.is_public("subnet-0"), None);
    }

    #[test]
    fn subnets_lie_in_their_vpc_and_apart() {
        let network = Network::new("eu-central-1");
        let code = |cidr: &str| {
            let mut new = network.subnets["subnet-0bbbbbbbbbbbbbb01"].clone();
            new.cidr = cidr.parse().unwrap();
            network.check_subnet(&new).err().map(|(code, _)| code)
        };
        assert_eq!(code("10.0.50.0/24"), None);
        assert_eq!(code("10.0.1.128/25"), Some("InvalidSubnet.Conflict"));
        assert_eq!(code("10.1.0.0/24"), Some("InvalidSubnet.Range"));
        assert_eq!(code("10.0.50.0/29"), Some("InvalidSubnet.Range"));
    }
}
