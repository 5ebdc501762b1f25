//! The VPC endpoints of a private cluster: AWS is asked in which zones it has them, and for the route
//! tables of subnets that exist.

use super::Creating;
use super::preflight::{answered, refuse, unchecked};
use crate::aws::Class;
use crate::aws::ec2::EndpointService;
use crate::domain::Invalid;
use crate::domain::cluster::{NetworkPlan, VpcEndpoint};
use crate::domain::warnings::Warning;
use crate::ops::refused;
use crate::queue::Verdict;

/// The network with the endpoints that are to be made in it.
pub(super) async fn with_endpoints(
    creating: &Creating<'_>,
    network: NetworkPlan,
    warnings: &mut Vec<Warning>,
) -> Result<NetworkPlan, Verdict> {
    let spec = creating.spec;
    let services = spec.private.iter().flat_map(|private| &private.services);
    let mut endpoints: Vec<VpcEndpoint> = services
        .map(|service| VpcEndpoint::of(service, &spec.region))
        .collect();
    if endpoints.is_empty() {
        return Ok(network);
    }
    let names = endpoints.iter().map(|one| one.service_name.clone());
    let names: Vec<String> = names.collect();
    let context = creating.stage.context;
    let asked = context.eks.caller().ec2().endpoint_services(&names).await;
    match answered(creating, asked).await? {
        Ok(offered) => {
            let zones = network.private_zones();
            let wrong = place(&mut endpoints, &offered, &zones);
            if !wrong.is_empty() {
                return Err(refuse(&wrong));
            }
        }
        Err(refusal) if refusal.class == Class::AccessDenied => {
            let what = "in which zones AWS has the VPC endpoints";
            let action = "ec2:DescribeVpcEndpointServices";
            warnings.push(unchecked(what, action, &refusal));
        }
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    }
    let tables = route_tables(creating, &network).await?;
    Ok(network.with_endpoints(endpoints, tables))
}

/// Notes the zones of each endpoint; what AWS has in none of them is wrong.
fn place(
    endpoints: &mut [VpcEndpoint],
    offered: &[EndpointService],
    zones: &[String],
) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    for endpoint in endpoints {
        let kind = if endpoint.is_gateway() {
            "Gateway"
        } else {
            "Interface"
        };
        let mut fitting = offered
            .iter()
            .filter(|one| one.name == endpoint.service_name);
        let found = fitting.find(|one| one.kinds.iter().any(|known| known == kind));
        endpoint.zones = found.map(|one| one.zones.clone()).unwrap_or_default();
        let usable = endpoint.is_gateway() || zones.iter().any(|zone| endpoint.is_in(zone));
        if found.is_none() || !usable {
            let message = format!(
                "AWS has no VPC endpoint for {} in {}",
                endpoint.service_name,
                zones.join(", ")
            );
            wrong.push(Invalid::new("/privateCluster", message));
        }
    }
    wrong
}

/// Those of the private subnets that exist. The main table of a VPC, which others may use too, is not
/// changed.
async fn route_tables(
    creating: &Creating<'_>,
    network: &NetworkPlan,
) -> Result<Vec<String>, Verdict> {
    let NetworkPlan::Existing { private, .. } = network else {
        return Ok(Vec::new());
    };
    let context = creating.stage.context;
    let found = match context.eks.caller().ec2().route_tables_of(private).await {
        Ok(found) => found,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let without = private
        .iter()
        .filter(|id| !found.iter().any(|(subnet, _)| subnet == *id));
    let wrong = without.map(|id| {
        let message = format!(
            "subnet {id} has no route table of its own, only the VPC's main one: associate one with \
             it, or set privateCluster.skipEndpointCreation to true"
        );
        Invalid::new("/vpc/subnets/private", message)
    });
    let wrong: Vec<Invalid> = wrong.collect();
    if !wrong.is_empty() {
        return Err(refuse(&wrong));
    }
    let mut tables: Vec<String> = found.into_iter().map(|(_, table)| table).collect();
    tables.sort_unstable();
    tables.dedup();
    Ok(tables)
}
