//! The networks of a region: one that is always there, and those that stacks make.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{Ipv4Net, Ipv6Net};

use super::ec2_nodes::Stock;
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
    /// What nodes are made of.
    pub stock: Stock,
    /// The VPCs that no stack made: the one that is always there, and those of the first clusters.
    pub built_in: BTreeSet<String>,
    /// The IPv6 addresses of those VPCs that have some.
    pub ipv6_blocks: BTreeMap<String, String>,
}

/// The VPC that is always there.
const FIXED_VPC: &str = "vpc-0cccccccccccccc01";
const FIXED_TABLE: &str = "rtb-0cccccccccccccc01";

fn fixed_subnet(kind: &str) -> String {
    format!("subnet-0{}0", kind.repeat(14))
}

/// The first three zones in which EKS makes control planes.
fn usable_zones(region: &str) -> Vec<String> {
    let usable = zones::of(region)
        .into_iter()
        .filter(|zone| !zone.is_avoided());
    usable.take(3).map(|zone| zone.name).collect()
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
            stock: Stock::default(),
            built_in: BTreeSet::from([FIXED_VPC.to_owned()]),
            ipv6_blocks: BTreeMap::new(),
        };
        let named = |name: &str| BTreeMap::from([("Name".to_owned(), name.to_owned())]);
        if let Ok(cidr) = "10.0.0.0/16".parse() {
            let tags = named("existing");
            network
                .vpcs
                .insert(FIXED_VPC.to_owned(), Vpc { cidr, tags });
        }
        let private = 100;
        for (zone, number) in usable_zones(region).into_iter().zip(1..) {
            for (kind, letter, third) in
                [("public", "a", number), ("private", "b", private + number)]
            {
                let id = format!("{}{number}", fixed_subnet(letter));
                let name = named(&format!("existing-{kind}-{number}"));
                network.add_built_in(FIXED_VPC, &id, (&zone, third), name);
            }
        }
        network
    }

    /// A subnet 10.0.N.0/24 that no stack made: public below 100, private from there on.
    fn add_built_in(
        &mut self,
        vpc: &str,
        id: &str,
        (zone, third): (&str, u8),
        tags: BTreeMap<String, String>,
    ) {
        let Ok(cidr) = format!("10.0.{third}.0/24").parse() else {
            return;
        };
        let public = third < 100;
        let subnet = Subnet {
            vpc: vpc.to_owned(),
            cidr,
            zone: zone.to_owned(),
            tags,
            public_ips: public,
            table: public.then(|| FIXED_TABLE.to_owned()),
        };
        self.subnets.insert(id.to_owned(), subnet);
    }

    /// The VPC of a cluster that no stack made, with its public and private subnets.
    pub(super) fn adopt(&mut self, region: &str, vpc: &str, public: &[String], private: &[String]) {
        let (Ok(cidr), false) = ("10.0.0.0/16".parse(), self.vpcs.contains_key(vpc)) else {
            return;
        };
        let tags = BTreeMap::new();
        self.vpcs.insert(vpc.to_owned(), Vpc { cidr, tags });
        self.built_in.insert(vpc.to_owned());
        for (ids, first) in [(public, 1), (private, 101)] {
            for ((zone, id), third) in usable_zones(region).iter().zip(ids).zip(first..) {
                self.add_built_in(vpc, id, (zone, third), BTreeMap::new());
            }
        }
    }

    /// Whether a VPC or a subnet is of those that no stack made.
    pub(super) fn is_built_in(&self, id: &str) -> bool {
        let vpc = self
            .subnets
            .get(id)
            .map_or(id, |subnet| subnet.vpc.as_str());
        self.built_in.contains(vpc)
    }

    /// Whether the subnet has a route to an internet gateway; `None` when it isn't known here.
    pub(super) fn is_public(&self, subnet: &str) -> Option<bool> {
        let subnet = self.subnets.get(subnet)?;
        let table = subnet.table.as_ref();
        Some(table.is_some_and(|table| self.public_tables.contains(table)))
    }

    /// Why EC2 doesn't give a subnet of the VPC these IPv6 addresses, if so.
    pub(super) fn check_ipv6(&self, vpc: &str, block: &str) -> Result<(), String> {
        let around = self.ipv6_blocks.get(vpc).and_then(|one| one.parse().ok());
        let block_net = block.parse::<Ipv6Net>();
        let fits = around.is_some_and(|around: Ipv6Net| {
            block_net.is_ok_and(|net| net.prefix_len() == 64 && around.contains(&net))
        });
        if fits {
            Ok(())
        } else {
            Err(format!("The IPv6 CIDR '{block}' is invalid."))
        }
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
