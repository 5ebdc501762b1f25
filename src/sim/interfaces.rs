//! What keeps a network from being deleted: network interfaces, security groups and load balancers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::ec2::{filters, page, wanted, write_tags};
use super::error::AwsError;
use super::network::{Network, Subnet};
use super::query::Form;
use super::world::{Arrival, World};
use super::xml::Xml;

const ENTRY: &str = "item";

/// A network interface. What is left empty gets the simulator's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct InterfaceSpec {
    /// Puts it into this cluster's network.
    pub cluster: Option<String>,
    /// Its network, unless `cluster` says so.
    pub vpc_id: String,
    /// Its subnet; the network's first when empty.
    pub subnet_id: String,
    /// Whoever made it says here what for.
    pub description: String,
    /// `available` when empty: attached to nothing.
    pub status: String,
    /// `interface` when empty.
    pub interface_type: String,
    /// Who made it, when it was a service of AWS.
    pub requester_id: Option<String>,
    /// What it is attached to.
    pub instance_id: Option<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GroupSpec {
    /// Puts it into this cluster's network.
    pub cluster: Option<String>,
    /// Its network, unless `cluster` says so.
    pub vpc_id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What there is of them in a region, by id or name.
#[derive(Debug, Clone, Default)]
pub(super) struct Attached {
    pub interfaces: BTreeMap<String, InterfaceSpec>,
    pub groups: BTreeMap<String, GroupSpec>,
    pub balancers: BTreeMap<String, LoadBalancer>,
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LoadBalancer {
    /// `classic`, `network` or `application`.
    pub kind: &'static str,
    pub vpc: String,
    pub groups: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub tags: BTreeMap<String, String>,
    /// The cluster, and the object in it, that it was made for.
    pub made_for: Option<(String, String)>,
}

impl Network {
    /// Why EC2 doesn't delete a security group, if so.
    pub(super) fn keeps_group(&self, id: &str) -> Option<String> {
        let mut interfaces = self.attached.interfaces.values();
        let used = interfaces.any(|one| one.security_groups.iter().any(|group| group == id));
        used.then(|| format!("resource {id} has a dependent object"))
    }

    /// Why EC2 doesn't delete a subnet, if so.
    pub(super) fn keeps_subnet(&self, id: &str) -> Option<String> {
        let mut interfaces = self.attached.interfaces.values();
        let used = interfaces.any(|one| one.subnet_id == id);
        used.then(|| format!("The subnet '{id}' has dependencies and cannot be deleted."))
    }

    /// Why EC2 doesn't delete a VPC, if so.
    pub(super) fn keeps_vpc(&self, id: &str) -> Option<String> {
        let attached = &self.attached;
        let used = self.subnets.values().any(|subnet| subnet.vpc == id)
            || attached.interfaces.values().any(|one| one.vpc_id == id)
            || attached.groups.values().any(|one| one.vpc_id == id);
        used.then(|| format!("The vpc '{id}' has dependencies and cannot be deleted."))
    }

    /// The subnets that a load balancer stands in, by its interfaces.
    pub(super) fn subnets_of(&self, balancer: &LoadBalancer) -> Vec<(&str, &Subnet)> {
        let interfaces = self.attached.interfaces.values();
        let of_it = interfaces.filter(|one| one.security_groups == balancer.groups);
        of_it
            .filter_map(|one| self.subnets.get_key_value(&one.subnet_id))
            .map(|(id, subnet)| (id.as_str(), subnet))
            .collect()
    }

    /// The first subnet of a network.
    pub(super) fn first_subnet(&self, vpc: &str) -> Option<String> {
        let mut subnets = self.subnets.iter();
        subnets
            .find(|(_, subnet)| subnet.vpc == vpc)
            .map(|(id, _)| id.clone())
    }
}

impl World {
    /// Puts a network interface in place, past all rules.
    pub(super) fn put_interface(
        &mut self,
        (account, region): (&str, &str),
        id: &str,
        mut spec: InterfaceSpec,
    ) {
        if let Some(cluster) = spec.cluster.take() {
            spec.vpc_id = self.subnets_of_cluster((account, region), &cluster).0;
        }
        let network = self.network(account, region);
        if spec.subnet_id.is_empty() {
            spec.subnet_id = network.first_subnet(&spec.vpc_id).unwrap_or_default();
        }
        for (text, usual) in [
            (&mut spec.status, "available"),
            (&mut spec.interface_type, "interface"),
        ] {
            if text.is_empty() {
                usual.clone_into(text);
            }
        }
        network.attached.interfaces.insert(id.to_owned(), spec);
    }

    /// Puts a security group in place.
    pub(super) fn put_group(
        &mut self,
        (account, region): (&str, &str),
        id: &str,
        mut spec: GroupSpec,
    ) {
        if let Some(cluster) = spec.cluster.take() {
            spec.vpc_id = self.subnets_of_cluster((account, region), &cluster).0;
        }
        let network = self.network(account, region);
        network.attached.groups.insert(id.to_owned(), spec);
    }

    /// Serves the calls about interfaces and groups; none when it is another.
    pub(super) fn interface_call(
        &mut self,
        form: &Form,
        arrival: &Arrival,
    ) -> Option<Result<String, AwsError>> {
        self.sync_balancers(&arrival.caller.account, &arrival.caller.region);
        match form.action() {
            "DescribeNetworkInterfaces" => Some(self.describe_interfaces(form, &arrival.caller)),
            "DescribeSecurityGroups" => Some(self.describe_groups(form, &arrival.caller)),
            "DeleteNetworkInterface" => Some(self.delete_interface(form, arrival)),
            "DeleteSecurityGroup" => Some(self.delete_group(form, arrival)),
            _ => None,
        }
    }

    fn describe_interfaces(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        authorize(caller, "ec2:DescribeNetworkInterfaces", &arn(caller, "*"))?;
        let (ids, filters) = (form.texts("NetworkInterfaceId"), filters(form));
        let network = self.network(&caller.account, &caller.region);
        let there = &network.attached.interfaces;
        if let Some(unknown) = ids.iter().find(|id| !there.contains_key(**id)) {
            return Err(no_interface(unknown));
        }
        let mut found = BTreeMap::new();
        for (id, one) in there {
            let mut facts = vec![
                ("network-interface-id", id.as_str()),
                ("vpc-id", &one.vpc_id),
                ("subnet-id", &one.subnet_id),
                ("status", &one.status),
                ("description", &one.description),
                ("interface-type", &one.interface_type),
            ];
            // One of an interface's groups that matches will do.
            let any = one.security_groups.first().map_or("", String::as_str);
            let of_filter = filters.iter().find(|filter| filter.name == "group-id");
            let group = of_filter.and_then(|filter| {
                let mut groups = one.security_groups.iter();
                groups.find(|group| filter.values.contains(&group.as_str()))
            });
            facts.push(("group-id", group.map_or(any, String::as_str)));
            let asked = ids.is_empty() || ids.contains(&id.as_str());
            if asked && wanted(&filters, &facts, &one.tags)? {
                found.insert(id.clone(), (id, one));
            }
        }
        let (page, next) = page(form, "networkInterfaceSet", found)?;
        let mut xml = Xml::default();
        xml.list("networkInterfaceSet", ENTRY, page, |x, (id, one)| {
            write_interface(x, caller, network, (id, one));
        });
        xml.maybe("nextToken", next);
        Ok(xml.finish())
    }

    fn describe_groups(&mut self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        authorize(caller, "ec2:DescribeSecurityGroups", &arn(caller, "*"))?;
        let (ids, filters) = (form.texts("GroupId"), filters(form));
        let network = self.network(&caller.account, &caller.region);
        let there = &network.attached.groups;
        if let Some(unknown) = ids.iter().find(|id| !there.contains_key(**id)) {
            return Err(no_group(unknown));
        }
        let mut found = BTreeMap::new();
        for (id, one) in there {
            let facts = [
                ("group-id", id.as_str()),
                ("vpc-id", one.vpc_id.as_str()),
                ("group-name", one.name.as_str()),
                ("description", one.description.as_str()),
            ];
            let asked = ids.is_empty() || ids.contains(&id.as_str());
            if asked && wanted(&filters, &facts, &one.tags)? {
                found.insert(id.clone(), (id, one));
            }
        }
        let (page, next) = page(form, "securityGroupInfo", found)?;
        let mut xml = Xml::default();
        xml.list("securityGroupInfo", ENTRY, page, |x, (id, one)| {
            x.text("ownerId", &caller.account)
                .text("groupId", id)
                .text("groupName", &one.name)
                .text("groupDescription", &one.description)
                .text("vpcId", &one.vpc_id)
                .texts("ipPermissions", ENTRY, Vec::<String>::new())
                .list("ipPermissionsEgress", ENTRY, ["0.0.0.0/0"], |x, cidr| {
                    x.text("ipProtocol", "-1")
                        .list("ipRanges", ENTRY, [cidr], |x, cidr| {
                            x.text("cidrIp", cidr);
                        })
                        .texts("groups", ENTRY, Vec::<String>::new())
                        .texts("ipv6Ranges", ENTRY, Vec::<String>::new())
                        .texts("prefixListIds", ENTRY, Vec::<String>::new());
                });
            write_tags(x, &one.tags);
        });
        xml.maybe("nextToken", next);
        Ok(xml.finish())
    }

    fn delete_interface(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let id = form.get("NetworkInterfaceId").unwrap_or_default();
        let resource = arn(caller, &format!("network-interface/{id}"));
        authorize(caller, "ec2:DeleteNetworkInterface", &resource)?;
        let network = self.network(&caller.account, &caller.region);
        let one = network.attached.interfaces.get(id);
        let one = one.ok_or_else(|| no_interface(id))?;
        if one.status != "available" {
            let why = format!("Network interface '{id}' is currently in use.");
            return Err(AwsError::new(400, "InvalidParameterValue", why));
        }
        network.attached.interfaces.remove(id);
        self.recorder.changed(arrival.seq);
        Ok("<return>true</return>".to_owned())
    }

    fn delete_group(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let id = form.get("GroupId").unwrap_or_default();
        let resource = arn(caller, &format!("security-group/{id}"));
        authorize(caller, "ec2:DeleteSecurityGroup", &resource)?;
        let network = self.network(&caller.account, &caller.region);
        if !network.attached.groups.contains_key(id) {
            return Err(no_group(id));
        }
        if let Some(why) = network.keeps_group(id) {
            return Err(AwsError::new(400, "DependencyViolation", why));
        }
        network.attached.groups.remove(id);
        self.recorder.changed(arrival.seq);
        let mut xml = Xml::default();
        xml.text("return", "true").text("groupId", id);
        Ok(xml.finish())
    }
}

fn write_interface(
    xml: &mut Xml,
    caller: &Caller,
    network: &Network,
    (id, one): (&str, &InterfaceSpec),
) {
    let managed = if one.requester_id.is_some() {
        "true"
    } else {
        "false"
    };
    let subnet = network.subnets.get(&one.subnet_id);
    let address = address_of(id, subnet);
    let group_name = |group: &String| {
        let known = network.attached.groups.get(group);
        known.map_or_else(|| group.clone(), |known| known.name.clone())
    };
    xml.text("networkInterfaceId", id)
        .text("subnetId", &one.subnet_id)
        .text("vpcId", &one.vpc_id)
        .maybe("availabilityZone", subnet.map(|subnet| &subnet.zone))
        .text("description", &one.description)
        .text("ownerId", &caller.account)
        .maybe("requesterId", one.requester_id.as_ref())
        .text("requesterManaged", managed)
        .text("status", &one.status)
        .text("macAddress", mac_address(id))
        .text("privateIpAddress", address.to_string())
        .list("privateIpAddressesSet", ENTRY, [address], |x, address| {
            x.text("privateIpAddress", address.to_string())
                .text("primary", "true");
        })
        .texts("ipv6AddressesSet", ENTRY, Vec::<String>::new())
        .text("sourceDestCheck", "true")
        .text("interfaceType", &one.interface_type)
        .list("groupSet", ENTRY, &one.security_groups, |x, group| {
            x.text("groupId", group)
                .text("groupName", group_name(group));
        });
    if let Some(instance) = &one.instance_id {
        xml.within("attachment", |x| {
            x.text("attachmentId", id.replacen("eni-", "eni-attach-", 1))
                .text("instanceId", instance)
                .text("deviceIndex", "1")
                .text("deleteOnTermination", "true")
                .text("status", "attached");
        });
    }
    write_tags(xml, &one.tags);
}

/// An address of the subnet that follows from the interface's id.
fn address_of(id: &str, subnet: Option<&Subnet>) -> Ipv4Addr {
    // EC2 keeps the first four and the last address of a subnet to itself.
    const KEPT: u32 = 5;
    let digest = u32::from_be_bytes(first_of_digest(id));
    let Some(cidr) = subnet.map(|subnet| subnet.cidr) else {
        return Ipv4Addr::UNSPECIFIED;
    };
    let size = 1_u32.checked_shl(u32::from(32 - cidr.prefix_len()));
    let free = size.unwrap_or(u32::MAX).saturating_sub(KEPT).max(1);
    Ipv4Addr::from(u32::from(cidr.network()) + 4 + digest % free)
}

fn mac_address(id: &str) -> String {
    let [a, b, c, d] = first_of_digest(id);
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

fn first_of_digest(id: &str) -> [u8; 4] {
    let digest = Sha256::digest(id.as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

fn arn(caller: &Caller, rest: &str) -> String {
    let (region, account) = (&caller.region, &caller.account);
    format!("arn:{}:ec2:{region}:{account}:{rest}", partition(region))
}

fn no_interface(id: &str) -> AwsError {
    let why = format!("The networkInterface ID '{id}' does not exist");
    AwsError::new(400, "InvalidNetworkInterfaceID.NotFound", why)
}

fn no_group(id: &str) -> AwsError {
    let why = format!("The security group '{id}' does not exist");
    AwsError::new(400, "InvalidGroup.NotFound", why)
}
