//! EC2: the zones and subnets that clusters are put into.

use roxmltree::Node;

use super::caller::{Caller, Service};
use super::query::{Query, QueryService, child, items, items_of};
use super::refusal::Refusal;

/// The zones and subnets of a region, seen through one session by one step of a job.
pub struct Ec2 {
    pub(super) caller: Caller,
}

/// An availability zone that is in service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// As this account names it: `us-east-1a`.
    pub name: String,
    /// As all accounts name it: `use1-az4`.
    pub zone_id: String,
}

/// A subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-...`.
    pub id: String,
    /// The network it is in.
    pub vpc_id: String,
    /// The zone's name in this account.
    pub zone: String,
    /// The zone's name in all accounts.
    pub zone_id: Option<String>,
    /// Its addresses.
    pub cidr: Option<String>,
    /// Whether what starts in it gets a public address. Only its routes say whether it is public.
    pub maps_public_ip: Option<bool>,
}

/// A service of AWS that VPC endpoints can be made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointService {
    /// `com.amazonaws.eu-central-1.ecr.api`.
    pub name: String,
    /// `Interface`, `Gateway`.
    pub kinds: Vec<String>,
    /// The names of the zones that have it.
    pub zones: Vec<String>,
}

impl Ec2 {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The zones of the region that are in service, in AWS's order; no local or wavelength zones.
    pub async fn availability_zones(&self) -> Result<Vec<Zone>, Refusal> {
        self.zones("availability-zone").await
    }

    /// The local zones of the region that are in service and that the account has opted in to.
    pub async fn local_zones(&self) -> Result<Vec<Zone>, Refusal> {
        self.zones("local-zone").await
    }

    async fn zones(&self, kind: &str) -> Result<Vec<Zone>, Refusal> {
        let filters = [
            ("Filter.1.Name", "zone-type"),
            ("Filter.1.Value.1", kind),
            ("Filter.2.Name", "state"),
            ("Filter.2.Value.1", "available"),
        ];
        let parameters = filters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let list = ("availabilityZoneInfo", "item");
        self.list("DescribeAvailabilityZones", parameters, list, |node| Zone {
            name: child(node, "zoneName").unwrap_or_default(),
            zone_id: child(node, "zoneId").unwrap_or_default(),
        })
        .await
    }

    /// Which of these zones offer which of these instance types, as (type, zone).
    pub async fn offerings(
        &self,
        instance_types: &[&str],
        zones: &[String],
    ) -> Result<Vec<(String, String)>, Refusal> {
        if instance_types.is_empty() || zones.is_empty() {
            return Ok(Vec::new());
        }
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut parameters: Vec<(String, String)> = [
            ("LocationType", "availability-zone"),
            // More than there can be nodegroups, times zones.
            ("MaxResults", "1000"),
            ("Filter.1.Name", "instance-type"),
            ("Filter.2.Name", "location"),
        ]
        .map(text)
        .into();
        let types = instance_types.iter().enumerate();
        parameters.extend(
            types.map(|(at, one)| (format!("Filter.1.Value.{}", at + 1), (*one).to_owned())),
        );
        let zones = zones.iter().enumerate();
        parameters
            .extend(zones.map(|(at, zone)| (format!("Filter.2.Value.{}", at + 1), zone.clone())));
        let list = ("instanceTypeOfferingSet", "item");
        self.list("DescribeInstanceTypeOfferings", parameters, list, |node| {
            let text = |name| child(node, name).unwrap_or_default();
            (text("instanceType"), text("location"))
        })
        .await
    }

    /// These subnets; one that is not there is refused as not found.
    pub async fn subnets(&self, ids: &[String]) -> Result<Vec<Subnet>, Refusal> {
        // Without an id, AWS lists all.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().enumerate();
        let parameters = ids.map(|(at, id)| (format!("SubnetId.{}", at + 1), id.clone()));
        self.list("DescribeSubnets", parameters, ("subnetSet", "item"), subnet)
            .await
    }

    /// The zones in which AWS offers VPC endpoints for services, by the service's name and the kind of
    /// endpoint; one that AWS does not have is refused.
    pub async fn endpoint_services(
        &self,
        names: &[String],
    ) -> Result<Vec<EndpointService>, Refusal> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names = names.iter().enumerate();
        let parameters = names.map(|(at, name)| (format!("ServiceName.{}", at + 1), name.clone()));
        let list = ("serviceDetailSet", "item");
        self.list("DescribeVpcEndpointServices", parameters, list, |node| {
            let types = items_of(node, "serviceType");
            let zones = items_of(node, "availabilityZoneSet");
            EndpointService {
                name: child(node, "serviceName").unwrap_or_default(),
                kinds: types
                    .filter_map(|kind| child(kind, "serviceType"))
                    .collect(),
                zones: zones
                    .filter_map(|zone| zone.text().map(str::to_owned))
                    .collect(),
            }
        })
        .await
    }

    /// The route table of each of these subnets, as (subnet, table); subnets that have only the VPC's
    /// main table are not told.
    pub async fn route_tables_of(
        &self,
        subnets: &[String],
    ) -> Result<Vec<(String, String)>, Refusal> {
        if subnets.is_empty() {
            return Ok(Vec::new());
        }
        let named = (
            "Filter.1.Name".to_owned(),
            "association.subnet-id".to_owned(),
        );
        let subnets = subnets.iter().enumerate();
        let subnets = subnets.map(|(at, id)| (format!("Filter.1.Value.{}", at + 1), id.clone()));
        let parameters = std::iter::once(named).chain(subnets);
        let list = ("routeTableSet", "item");
        let tables = self.list("DescribeRouteTables", parameters, list, |node| {
            let table = child(node, "routeTableId").unwrap_or_default();
            let of = items_of(node, "associationSet");
            of.filter_map(|one| Some((child(one, "subnetId")?, table.clone())))
                .collect::<Vec<_>>()
        });
        Ok(tables.await?.into_iter().flatten().collect())
    }

    /// The VPC of each of these security groups, as (group, VPC); one that is not there is refused as
    /// not found.
    pub async fn vpcs_of_groups(
        &self,
        ids: &[impl AsRef<str>],
    ) -> Result<Vec<(String, String)>, Refusal> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().enumerate();
        let parameters =
            ids.map(|(at, id)| (format!("GroupId.{}", at + 1), id.as_ref().to_owned()));
        let list = ("securityGroupInfo", "item");
        self.list("DescribeSecurityGroups", parameters, list, |node| {
            let text = |name| child(node, name).unwrap_or_default();
            (text("groupId"), text("vpcId"))
        })
        .await
    }

    async fn list<T>(
        &self,
        action: &'static str,
        parameters: impl IntoIterator<Item = (String, String)>,
        list: (&str, &str),
        read: impl Fn(Node<'_, '_>) -> T,
    ) -> Result<Vec<T>, Refusal> {
        let query = Query::new(QueryService::Ec2, action, parameters);
        let text = self.caller.query_read(Service::Ec2, action, query).await?;
        items(action, &text, list, read)
    }
}

pub(super) fn subnet(node: Node<'_, '_>) -> Subnet {
    Subnet {
        id: child(node, "subnetId").unwrap_or_default(),
        vpc_id: child(node, "vpcId").unwrap_or_default(),
        zone: child(node, "availabilityZone").unwrap_or_default(),
        zone_id: child(node, "availabilityZoneId"),
        cidr: child(node, "cidrBlock"),
        maps_public_ip: child(node, "mapPublicIpOnLaunch").map(|text| text == "true"),
    }
}
