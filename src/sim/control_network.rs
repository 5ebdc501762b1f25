//! The controls of what is in the networks of a region: network interfaces and security groups that
//! somebody left, under `/_sim/accounts/{id}/regions/{region}`: `PUT` and `DELETE
//! /network-interfaces/{id}`, `/security-groups/{id}` and `/load-balancers/{name}`.

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};

use super::balancing::BalancerSpec;
use super::control::SimControl;
use super::control_http::{Answer, done, missing, parse};
use super::interfaces::{GroupSpec, InterfaceSpec};
use super::world::Shared;

const INTERFACE: &str = "/accounts/{account}/regions/{region}/network-interfaces/{id}";
const BALANCER: &str = "/accounts/{account}/regions/{region}/load-balancers/{id}";
const GROUP: &str = "/accounts/{account}/regions/{region}/security-groups/{id}";

type Place = Path<(String, String, String)>;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route(INTERFACE, web::put().to(put_interface))
        .route(INTERFACE, web::delete().to(delete_interface))
        .route(BALANCER, web::put().to(put_balancer))
        .route(BALANCER, web::delete().to(delete_balancer))
        .route(GROUP, web::put().to(put_group))
        .route(GROUP, web::delete().to(delete_group));
}

impl SimControl {
    /// Puts a network interface in place, past all rules of EC2.
    pub fn put_interface(&self, account_id: &str, region: &str, id: &str, spec: InterfaceSpec) {
        let mut world = self.shared.lock();
        world.put_interface((account_id, region), id, spec);
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
