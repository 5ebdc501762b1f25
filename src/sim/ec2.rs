//! EC2: the zones, VPCs and subnets of a region, as far as creating a cluster asks for them.

use std::collections::{BTreeMap, BTreeSet};

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::error::AwsError;
use super::network::{Network, Subnet};
use super::offerings;
use super::page::PageRequest;
use super::query::{Form, Service, no_operation};
use super::text::glob;
use super::vpc_endpoints::{describe_route_tables, describe_services};
use super::world::{Arrival, World};
use super::xml::Xml;
use super::zones::{self, Zone};

const ENTRY: &str = "item";

/// Entries of a page when nothing is said of it.
const LARGEST_PAGE: usize = 1000;

/// A filter: any of its values will do.
pub(super) struct Filter<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<&'a str>,
}

impl World {
    /// Serves one call; the answer is what follows the request's id.
    pub(super) fn ec2_call(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let action = form.action();
        if let Some(answer) = self.interface_call(form, arrival) {
            return answer;
        }
        if let Some(answer) = self.stock_call(form, arrival) {
            return answer;
        }
        if !matches!(
            action,
            "DescribeAvailabilityZones"
                | "DescribeInstanceTypeOfferings"
                | "DescribeSubnets"
                | "DescribeVpcs"
                | "DescribeRouteTables"
                | "DescribeVpcEndpointServices"
        ) {
            return Err(no_operation(form));
        }
        let (region, account) = (&caller.region, &caller.account);
        let any = format!("arn:{}:ec2:{region}:{account}:*", partition(region));
        authorize(caller, &format!("ec2:{action}"), &any)?;
        let filters = filters(form);
        self.adopt_networks((account, region));
        match action {
            "DescribeAvailabilityZones" => describe_zones(form, caller, &filters),
            "DescribeInstanceTypeOfferings" => describe_offerings(form, caller, &filters),
            "DescribeVpcEndpointServices" => describe_services(form, caller, &filters),
            "DescribeRouteTables" => {
                let ids = form.texts("RouteTableId");
                let network = self.network(account, region);
                describe_route_tables(network, caller, &ids, &filters)
            }
            "DescribeSubnets" => describe_subnets(self.network(account, region), caller, form),
            _ => describe_vpcs(self.network(account, region), caller, form),
        }
    }

    pub(super) fn network(&mut self, account: &str, region: &str) -> &mut Network {
        self.networks
            .entry((account.to_owned(), region.to_owned()))
            .or_insert_with(|| Network::new(region))
    }
}

pub(super) fn filters(form: &Form) -> Vec<Filter<'_>> {
    let structures = form.structures("Filter");
    structures
        .into_iter()
        .map(|one| Filter {
            name: one.get("Name").copied().unwrap_or_default(),
            values: one
                .into_iter()
                .filter(|(field, _)| field.starts_with("Value."))
                .map(|(_, value)| value)
                .collect(),
        })
        .collect()
}

/// Whether something with these facts and tags is wanted; a filter that isn't known is refused.
pub(super) fn wanted(
    filters: &[Filter<'_>],
    facts: &[(&str, &str)],
    tags: &BTreeMap<String, String>,
) -> Result<bool, AwsError> {
    let mut all = true;
    for filter in filters {
        let matches = |actual: &str| filter.values.iter().any(|value| glob(value, actual));
        let fact = facts.iter().find(|(name, _)| *name == filter.name);
        all &= match (fact, filter.name.strip_prefix("tag:")) {
            (Some((_, actual)), _) => matches(actual),
            (None, Some(key)) => tags.get(key).is_some_and(|value| matches(value)),
            (None, None) if filter.name == "tag-key" => tags.keys().any(|key| matches(key)),
            _ => {
                let why = format!("The filter '{}' is invalid", filter.name);
                return Err(AwsError::new(400, "InvalidParameterValue", why));
            }
        };
    }
    Ok(all)
}

fn describe_zones(
    form: &Form,
    caller: &Caller,
    filters: &[Filter<'_>],
) -> Result<String, AwsError> {
    let region = &caller.region;
    let (names, ids) = (form.texts("ZoneName"), form.texts("ZoneId"));
    let mut found = Vec::new();
    let usual = zones::of(region).into_iter().map(|zone| (zone, false));
    let local = zones::local(region).into_iter().map(|zone| (zone, true));
    for (zone, local) in usual.chain(local) {
        let (kind, opted) = zone_kind(local);
        let facts = [
            ("zone-name", zone.name.as_str()),
            ("zone-id", zone.id.as_str()),
            ("region-name", region.as_str()),
            ("state", "available"),
            ("zone-type", kind),
            ("opt-in-status", opted),
        ];
        let asked = (names.is_empty() || names.contains(&zone.name.as_str()))
            && (ids.is_empty() || ids.contains(&zone.id.as_str()));
        if asked && wanted(filters, &facts, &BTreeMap::new())? {
            found.push((zone, local));
        }
    }
    let known = |name: &&&str| found.iter().any(|(zone, _)| zone.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let why = format!("Invalid availability zone: [{unknown}]");
        return Err(AwsError::new(400, "InvalidParameterValue", why));
    }
    let mut xml = Xml::default();
    xml.list(
        "availabilityZoneInfo",
        Service::Ec2.entry(),
        found,
        |x, (zone, local)| {
            let (kind, opted) = zone_kind(local);
            x.text("zoneState", "available")
                .text("optInStatus", opted)
                .texts("messageSet", ENTRY, Vec::<String>::new())
                .text("regionName", region)
                .text("zoneName", &zone.name)
                .text("zoneId", &zone.id)
                .text("groupName", format!("{region}-zg-1"))
                .text("networkBorderGroup", region)
                .text("zoneType", kind);
        },
    );
    Ok(xml.finish())
}

/// What kind of zone it is, and whether accounts had to opt in to it.
const fn zone_kind(local: bool) -> (&'static str, &'static str) {
    if local {
        ("local-zone", "opted-in")
    } else {
        ("availability-zone", "opt-in-not-required")
    }
}

fn describe_offerings(
    form: &Form,
    caller: &Caller,
    filters: &[Filter<'_>],
) -> Result<String, AwsError> {
    let region = &caller.region;
    let kind = form.filled("LocationType").unwrap_or("region");
    let zones: Vec<Zone> = zones::of(region);
    let zones = zones.iter().enumerate();
    let zones = zones.map(|(nth, zone)| (zone.clone(), Some(nth)));
    let local = zones::local(region).into_iter().map(|zone| (zone, None));
    let zones: Vec<(Zone, Option<usize>)> = zones.chain(local).collect();
    let mut found = BTreeSet::new();
    for instance_type in offerings::all() {
        for (zone, nth) in &zones {
            let location = match kind {
                "region" => region,
                "availability-zone" => &zone.name,
                "availability-zone-id" => &zone.id,
                _ => {
                    let why = format!("Value ({kind}) for parameter locationType is invalid.");
                    return Err(AwsError::new(400, "InvalidParameterValue", why));
                }
            };
            let facts = [
                ("instance-type", instance_type.as_str()),
                ("location", location.as_str()),
            ];
            let asked = wanted(filters, &facts, &BTreeMap::new())?;
            if asked && offerings::is_offered(&instance_type, region, zone, *nth) {
                found.insert((instance_type.clone(), location.clone()));
            }
        }
    }
    let found = found
        .into_iter()
        .map(|(name, place)| (format!("{name} {place}"), (name, place)));
    let scope = format!("offerings/{region}/{kind}");
    let (page, next) = page(form, &scope, found.collect())?;
    let mut xml = Xml::default();
    xml.list(
        "instanceTypeOfferingSet",
        ENTRY,
        page,
        |x, (name, place)| {
            x.text("instanceType", name)
                .text("location", place)
                .text("locationType", kind);
        },
    );
    xml.maybe("nextToken", next);
    Ok(xml.finish())
}

/// The page that is asked for of what was found, in the order of its names; with the token of the next.
pub(super) fn page<T>(
    form: &Form,
    scope: &str,
    found: BTreeMap<String, T>,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let asked = form.get("MaxResults").and_then(|text| text.parse().ok());
    let request = PageRequest {
        max_results: Some(asked.unwrap_or(LARGEST_PAGE)),
        next_token: form.filled("NextToken").map(str::to_owned),
    };
    let (names, next) = request
        .cut(scope, found.keys().map(String::as_str))
        .map_err(|_| AwsError::new(400, "InvalidNextToken", "The token is invalid"))?;
    let on_page = found
        .into_iter()
        .filter(|(name, _)| names.binary_search(name).is_ok());
    Ok((on_page.map(|(_, one)| one).collect(), next))
}

fn describe_subnets(network: &Network, caller: &Caller, form: &Form) -> Result<String, AwsError> {
    let (ids, filters) = (form.texts("SubnetId"), filters(form));
    if let Some(unknown) = ids.iter().find(|id| !network.subnets.contains_key(**id)) {
        let why = format!("The subnet ID '{unknown}' does not exist");
        return Err(AwsError::new(400, "InvalidSubnetID.NotFound", why));
    }
    let mut found = BTreeMap::new();
    for (id, subnet) in &network.subnets {
        let cidr = subnet.cidr.to_string();
        let facts = [
            ("subnet-id", id.as_str()),
            ("vpc-id", subnet.vpc.as_str()),
            ("availability-zone", subnet.zone.as_str()),
            ("cidr-block", cidr.as_str()),
            ("state", "available"),
        ];
        let asked = ids.is_empty() || ids.contains(&id.as_str());
        if asked && wanted(&filters, &facts, &subnet.tags)? {
            found.insert(id.clone(), (id, subnet));
        }
    }
    let (page, next) = page(form, "subnetSet", found)?;
    let mut xml = Xml::default();
    xml.list("subnetSet", ENTRY, page, |x, (id, subnet)| {
        write_subnet(x, caller, id, subnet);
    });
    xml.maybe("nextToken", next);
    Ok(xml.finish())
}

fn write_subnet(xml: &mut Xml, caller: &Caller, id: &str, subnet: &Subnet) {
    let Caller {
        account, region, ..
    } = caller;
    let arn = format!(
        "arn:{}:ec2:{region}:{account}:subnet/{id}",
        partition(region)
    );
    let zones = zones::of(region);
    let zone = zones.iter().find(|zone| zone.name == subnet.zone);
    let public_ips = if subnet.public_ips { "true" } else { "false" };
    xml.text("subnetId", id)
        .text("subnetArn", arn)
        .text("state", "available")
        .text("ownerId", account)
        .text("vpcId", &subnet.vpc)
        .text("cidrBlock", subnet.cidr.to_string())
        .text("availableIpAddressCount", "251")
        .text("availabilityZone", &subnet.zone)
        .maybe("availabilityZoneId", zone.map(|zone| &zone.id))
        .text("defaultForAz", "false")
        .text("mapPublicIpOnLaunch", public_ips)
        .text("mapCustomerOwnedIpOnLaunch", "false")
        .text("assignIpv6AddressOnCreation", "false")
        .texts("ipv6CidrBlockAssociationSet", ENTRY, Vec::<String>::new())
        .text("enableDns64", "false")
        .text("ipv6Native", "false")
        .within("privateDnsNameOptionsOnLaunch", |x| {
            x.text("hostnameType", "ip-name")
                .text("enableResourceNameDnsARecord", "false")
                .text("enableResourceNameDnsAAAARecord", "false");
        });
    write_tags(xml, &subnet.tags);
}

fn describe_vpcs(network: &Network, caller: &Caller, form: &Form) -> Result<String, AwsError> {
    let (ids, filters) = (form.texts("VpcId"), filters(form));
    if let Some(unknown) = ids.iter().find(|id| !network.vpcs.contains_key(**id)) {
        let why = format!("The vpc ID '{unknown}' does not exist");
        return Err(AwsError::new(400, "InvalidVpcID.NotFound", why));
    }
    let mut found = BTreeMap::new();
    for (id, vpc) in &network.vpcs {
        let cidr = vpc.cidr.to_string();
        let facts = [
            ("vpc-id", id.as_str()),
            ("cidr", cidr.as_str()),
            ("state", "available"),
        ];
        let asked = ids.is_empty() || ids.contains(&id.as_str());
        if asked && wanted(&filters, &facts, &vpc.tags)? {
            found.insert(id.clone(), (id, vpc));
        }
    }
    let (page, next) = page(form, "vpcSet", found)?;
    let mut xml = Xml::default();
    xml.list("vpcSet", ENTRY, page, |x, (id, vpc)| {
        let cidr = vpc.cidr.to_string();
        x.text("vpcId", id)
            .text("ownerId", &caller.account)
            .text("state", "available")
            .text("cidrBlock", &cidr)
            .list("cidrBlockAssociationSet", ENTRY, [&cidr], |x, cidr| {
                x.text("associationId", id.replacen("vpc-", "vpc-cidr-assoc-", 1))
                    .text("cidrBlock", cidr)
                    .within("cidrBlockState", |x| {
                        x.text("state", "associated");
                    });
            })
            .text("dhcpOptionsId", "dopt-0cccccccccccccc01")
            .text("instanceTenancy", "default")
            .text("isDefault", "false");
        write_tags(x, &vpc.tags);
    });
    xml.maybe("nextToken", next);
    Ok(xml.finish())
}

pub(super) fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("tagSet", ENTRY, tags, |x, (key, value)| {
        x.text("key", key).text("value", value);
    });
}
