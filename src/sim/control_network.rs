//! The controls of what is in the networks of a region: network interfaces and security groups that
//! somebody left, under `/_sim/accounts/{id}/regions/{region}`: `PUT` and `DELETE
//! /network-interfaces/{id}`, `/security-groups/{id}` and `/load-balancers/{name}`; `PUT /subnets/{id}`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use serde::Deserialize;

use super::balancing::BalancerSpec;
use super::control::SimControl;
use super::control_http::{Answer, done, missing, parse, wrong};
use super::interfaces::{GroupSpec, InterfaceSpec};
use super::network::Subnet;
use super::world::{Shared, World};
use super::zones;

const INTERFACE: &str = "/accounts/{account}/regions/{region}/network-interfaces/{id}";
const BALANCER: &str = "/accounts/{account}/regions/{region}/load-balancers/{id}";
const GROUP: &str = "/accounts/{account}/regions/{region}/security-groups/{id}";

const SUBNET: &str = "/accounts/{account}/regions/{region}/subnets/{id}";

/// A subnet to put in place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SubnetSpec {
    /// Puts it into this cluster's VPC.
    pub cluster: Option<String>,
    /// Its VPC, unless `cluster` says so.
    pub vpc_id: String,
    /// Such as `us-east-1e`; the region's first when empty.
    pub zone: String,
    /// Its addresses; `10.0.200.0/24` when empty.
    pub cidr: String,
    /// Whether it has a route to an internet gateway.
    pub public: bool,
}

type Place = Path<(String, String, String)>;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route(INTERFACE, web::put().to(put_interface))
        .route(INTERFACE, web::delete().to(delete_interface))
        .route(BALANCER, web::put().to(put_balancer))
        .route(BALANCER, web::delete().to(delete_balancer))
        .route(SUBNET, web::put().to(put_subnet))
        .route(GROUP, web::put().to(put_group))
        .route(GROUP, web::delete().to(delete_group));
}

impl SimControl {
    /// Puts a network interface in place, past all rules of EC2.
    pub fn put_interface(&self, account_id: &str, region: &str, id: &str, spec: InterfaceSpec) {
        let mut world = self.shared.lock();
        world.put_interface((account_id, region), id, spec);
    }

    /// Puts a subnet in place, past all rules of EC2.
    ///
    /// # Panics
    /// When its addresses are none: a test that sets them is wrong.
    pub fn put_subnet(&self, account_id: &str, region: &str, id: &str, spec: SubnetSpec) {
        let mut world = self.shared.lock();
        let put = world.put_subnet((account_id, region), id, spec);
        assert!(put.is_ok(), "{}", put.err().unwrap_or_default());
    }

    /// Puts a security group in place, past all rules of EC2.
    pub fn put_security_group(&self, account_id: &str, region: &str, id: &str, spec: GroupSpec) {
        let mut world = self.shared.lock();
        world.put_group((account_id, region), id, spec);
    }

    /// Puts a load balancer of a cluster in place, which no Service or Ingress asks for, with its
    /// security group and its interfaces.
    pub fn put_load_balancer(
        &self,
        account_id: &str,
        region: &str,
        name: &str,
        spec: &BalancerSpec,
    ) {
        let mut world = self.shared.lock();
        world.put_balancer((account_id, region), name, spec, None);
    }

    /// Lets an interface, if there is one, vanish.
    pub fn remove_interface(&self, account_id: &str, region: &str, id: &str) {
        let mut world = self.shared.lock();
        let attached = &mut world.network(account_id, region).attached;
        attached.interfaces.remove(id);
    }
}

impl World {
    fn put_subnet(
        &mut self,
        (account, region): (&str, &str),
        id: &str,
        spec: SubnetSpec,
    ) -> Result<(), String> {
        let cidr = Some(spec.cidr.as_str()).filter(|cidr| !cidr.is_empty());
        let cidr = cidr.unwrap_or("10.0.200.0/24").parse();
        let cidr = cidr.map_err(|_| "cidr must be written such as 10.0.200.0/24".to_owned())?;
        let vpc = match &spec.cluster {
            Some(cluster) => self.subnets_of_cluster((account, region), cluster).0,
            None => spec.vpc_id,
        };
        let zones = zones::of(region).into_iter().map(|zone| zone.name);
        let first = zones.take(1).collect::<String>();
        let zone = Some(spec.zone).filter(|zone| !zone.is_empty());
        let network = self.network(account, region);
        let public_table = network.public_tables.first().cloned();
        let subnet = Subnet {
            vpc,
            cidr,
            zone: zone.unwrap_or(first),
            tags: BTreeMap::new(),
            public_ips: spec.public,
            table: public_table.filter(|_| spec.public),
        };
        network.subnets.insert(id.to_owned(), subnet);
        Ok(())
    }
}

async fn put_subnet(shared: Data<Shared>, place: Place, body: Bytes) -> Answer {
    let (account, region, id) = place.into_inner();
    let spec: SubnetSpec = parse(&body)?;
    let mut world = shared.lock();
    let put = world.put_subnet((&account, &region), &id, spec);
    put.map_err(|why| wrong(&why))?;
    Ok(done())
}

async fn put_interface(shared: Data<Shared>, place: Place, body: Bytes) -> Answer {
    let (account, region, id) = place.into_inner();
    let spec: InterfaceSpec = parse(&body)?;
    SimControl::new(shared.into_inner()).put_interface(&account, &region, &id, spec);
    Ok(done())
}

async fn put_balancer(shared: Data<Shared>, place: Place, body: Bytes) -> Answer {
    let (account, region, name) = place.into_inner();
    let spec: BalancerSpec = parse(&body)?;
    SimControl::new(shared.into_inner()).put_load_balancer(&account, &region, &name, &spec);
    Ok(done())
}

async fn put_group(shared: Data<Shared>, place: Place, body: Bytes) -> Answer {
    let (account, region, id) = place.into_inner();
    let spec: GroupSpec = parse(&body)?;
    SimControl::new(shared.into_inner()).put_security_group(&account, &region, &id, spec);
    Ok(done())
}

async fn delete_interface(shared: Data<Shared>, place: Place) -> Answer {
    let (account, region, id) = place.into_inner();
    let mut world = shared.lock();
    let attached = &mut world.network(&account, &region).attached;
    gone(attached.interfaces.remove(&id).is_some(), &id)
}

async fn delete_group(shared: Data<Shared>, place: Place) -> Answer {
    let (account, region, id) = place.into_inner();
    let mut world = shared.lock();
    let attached = &mut world.network(&account, &region).attached;
    gone(attached.groups.remove(&id).is_some(), &id)
}

async fn delete_balancer(shared: Data<Shared>, place: Place) -> Answer {
    let (account, region, name) = place.into_inner();
    let removed = shared.lock().remove_balancer((&account, &region), &name);
    gone(removed, &name)
}

fn gone(was_there: bool, id: &str) -> Result<HttpResponse, actix_web::Error> {
    if was_there {
        Ok(done())
    } else {
        Err(missing(&format!("There is no {id}")))
    }
}
