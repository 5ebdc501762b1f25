//! The VPC endpoints by which a private cluster reaches AWS's services.

use super::draft::Draft;
use super::vpc::Subnets;
use crate::domain::cluster::vpc_endpoints::VpcEndpoint;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn add(
    draft: &mut Draft,
    (endpoints, tables): (&[VpcEndpoint], &[String]),
    subnets: &Subnets,
    shared_group: &Value,
) {
    for endpoint in endpoints {
        let mut properties = json!({
            "ServiceName": endpoint.service_name,
            "VpcId": subnets.vpc,
        });
        if endpoint.is_gateway() {
            properties["VpcEndpointType"] = json!("Gateway");
            properties["RouteTableIds"] = json!(route_tables(subnets, tables));
        } else {
            properties["VpcEndpointType"] = json!("Interface");
            properties["PrivateDnsEnabled"] = json!(true);
            properties["SecurityGroupIds"] = json!([shared_group]);
            properties["SubnetIds"] = json!(places(endpoint, subnets));
        }
        draft.add(&endpoint.logical_id(), "AWS::EC2::VPCEndpoint", properties);
    }
}

fn route_tables(subnets: &Subnets, given: &[String]) -> Vec<Value> {
    let made = subnets.private.iter().filter_map(|one| one.table.clone());
    made.chain(given.iter().map(|id| json!(id))).collect()
}

/// The private subnets in which an endpoint has an interface: one a zone, since AWS takes no more.
fn places(endpoint: &VpcEndpoint, subnets: &Subnets) -> Vec<Value> {
    let mut zones = BTreeSet::new();
    let places = subnets.private.iter().filter(|one| match &one.zone {
        Some(zone) => endpoint.is_in(zone) && zones.insert(zone.clone()),
        None => true,
    });
    places.map(|one| one.subnet.clone()).collect()
}
