//! The services of AWS that VPC endpoints can be made for: `DescribeVpcEndpointServices`, and the
//! route tables that endpoints without interfaces are reached by.

use std::collections::{BTreeMap, BTreeSet};

use super::arn::partition;
use super::caller::Caller;
use super::ec2::{Filter, wanted};
use super::error::AwsError;
use super::network::Network;
use super::query::Form;
use super::xml::Xml;
use super::zones;

const ENTRY: &str = "item";

/// A service.
pub(super) struct Offered {
    pub name: String,
    /// `Interface`, `Gateway`.
    pub kinds: Vec<&'static str>,
    pub zones: Vec<String>,
}

/// Those that a private cluster asks for: by name, and whether China and the isolated regions name
/// them in their own way.
const SERVICES: [(&str, bool); 8] = [
    ("autoscaling", false),
    ("cloudformation", true),
    ("ec2", true),
    ("ecr.api", true),
    ("ecr.dkr", true),
    ("logs", false),
    ("s3", false),
    ("sts", true),
];

/// The services of a region; one zone of it offers no CloudFormation.
fn all(region: &str) -> Vec<Offered> {
    let china = partition(region) == "aws-cn";
    let zones: Vec<String> = zones::of(region)
        .into_iter()
        .map(|zone| zone.name)
        .collect();
    let offered = SERVICES.iter().flat_map(|(service, renamed)| {
        let prefix = if china && *renamed { "cn.com" } else { "com" };
        let name = format!("{prefix}.amazonaws.{region}.{service}");
        let mut zones = zones.clone();
        if *service == "cloudformation" {
            zones.pop();
        }
        let one = |kind: &'static str| Offered {
            name: name.clone(),
            kinds: vec![kind],
            zones: zones.clone(),
        };
        // AWS has two services of the name of S3's.
        let gateway = (*service == "s3").then(|| one("Gateway"));
        gateway.into_iter().chain([one("Interface")])
    });
    offered.collect()
}

/// What a region offers under this name.
pub(super) fn offered(region: &str, name: &str) -> Option<Offered> {
    let mut found = all(region).into_iter().filter(|one| one.name == name);
    let first = found.next()?;
    let kinds = found.flat_map(|one| one.kinds);
    let kinds = first.kinds.iter().copied().chain(kinds).collect();
    Some(Offered { kinds, ..first })
}

/// `DescribeVpcEndpointServices`.
pub(super) fn describe_services(
    form: &Form,
    caller: &Caller,
    filters: &[Filter<'_>],
) -> Result<String, AwsError> {
    let region = &caller.region;
    let names = form.texts("ServiceName");
    let all = all(region);
    let known = |name: &&&str| all.iter().any(|one| one.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let why = format!("The Vpc Endpoint Service '{unknown}' does not exist");
        return Err(AwsError::new(400, "InvalidServiceName", why));
    }
    let mut found = Vec::new();
    for one in &all {
        let kind = one.kinds.first().copied().unwrap_or_default();
        let facts = [
            ("service-name", one.name.as_str()),
            ("service-type", kind),
            ("owner", "amazon"),
        ];
        let asked = names.is_empty() || names.contains(&one.name.as_str());
        if asked && wanted(filters, &facts, &BTreeMap::new())? {
            found.push((one, kind));
        }
    }
    let names: BTreeSet<&str> = found.iter().map(|(one, _)| one.name.as_str()).collect();
    let mut xml = Xml::default();
    xml.texts("serviceNameSet", ENTRY, names);
    xml.list("serviceDetailSet", ENTRY, found, |x, (one, kind)| {
        let private = (kind == "Interface").then(|| {
            let service = one.name.rsplit(&format!(".{region}.")).next();
            format!("{}.{region}.amazonaws.com", service.unwrap_or_default())
        });
        x.text("serviceName", &one.name)
            .text("serviceId", format!("vpce-svc-0{:016x}", one.name.len()))
            .list("serviceType", ENTRY, [kind], |x, kind| {
                x.text("serviceType", kind);
            })
            .texts("availabilityZoneSet", ENTRY, &one.zones)
            .text("owner", "amazon")
            .texts(
                "baseEndpointDnsNameSet",
                ENTRY,
                [format!("{region}.vpce.amazonaws.com")],
            )
            .maybe("privateDnsName", private.as_ref())
            .text("vpcEndpointPolicySupported", "true")
            .text("acceptanceRequired", "false")
            .text("managesVpcEndpoints", "false")
            .texts("supportedIpAddressTypeSet", ENTRY, ["ipv4"])
            .texts("tagSet", ENTRY, Vec::<String>::new());
    });
    Ok(xml.finish())
}

/// `DescribeRouteTables`: those that subnets are associated with.
pub(super) fn describe_route_tables(
    network: &Network,
    caller: &Caller,
    ids: &[&str],
    filters: &[Filter<'_>],
) -> Result<String, AwsError> {
    let mut tables: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (id, subnet) in &network.subnets {
        if let Some(table) = &subnet.table {
            let of = tables.entry(table).or_default();
            of.push((id.as_str(), subnet.vpc.as_str()));
        }
    }
    if let Some(unknown) = ids.iter().find(|id| !tables.contains_key(**id)) {
        let why = format!("The routeTable ID '{unknown}' does not exist");
        return Err(AwsError::new(400, "InvalidRouteTableID.NotFound", why));
    }
    let mut found = Vec::new();
    for (table, subnets) in tables {
        let vpc = subnets.first().map_or("", |(_, vpc)| *vpc);
        // One of a table's subnets that matches will do.
        let mut any = false;
        for (subnet, _) in &subnets {
            let facts = [
                ("route-table-id", table),
                ("vpc-id", vpc),
                ("association.subnet-id", subnet),
                ("association.main", "false"),
            ];
            any |= wanted(filters, &facts, &BTreeMap::new())?;
        }
        if any && (ids.is_empty() || ids.contains(&table)) {
            found.push((table, vpc, subnets));
        }
    }
    let mut xml = Xml::default();
    xml.list("routeTableSet", ENTRY, found, |x, (table, vpc, subnets)| {
        x.text("routeTableId", table)
            .text("vpcId", vpc)
            .text("ownerId", &caller.account);
        x.texts("routeSet", ENTRY, Vec::<String>::new());
        x.list("associationSet", ENTRY, subnets, |x, (subnet, _)| {
            let id = subnet.replacen("subnet-", "rtbassoc-", 1);
            x.text("routeTableAssociationId", id)
                .text("routeTableId", table)
                .text("subnetId", subnet)
                .text("main", "false")
                .within("associationState", |x| {
                    x.text("state", "associated");
                });
        });
        x.texts("propagatingVgwSet", ENTRY, Vec::<String>::new())
            .texts("tagSet", ENTRY, Vec::<String>::new());
    });
    Ok(xml.finish())
}
