//! Load balancers with what they bring along: a security group, and interfaces in the network.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::clock::wall;
use super::interfaces::{GroupSpec, InterfaceSpec, LoadBalancer};
use super::world::World;

/// A load balancer of a cluster that none of its objects asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BalancerSpec {
    /// Puts it into this cluster's network.
    pub cluster: String,
    /// `classic` when empty; or `network`, `application`.
    pub kind: String,
    /// Besides those that say whose it is.
    pub tags: BTreeMap<String, String>,
}

impl World {
    /// Puts a load balancer in place, as if the cluster had made it for an object.
    pub(super) fn put_balancer(
        &mut self,
        place: (&str, &str),
        name: &str,
        spec: &BalancerSpec,
        made_for: Option<String>,
    ) {
        let view = self.accounts.cluster(place.0, place.1, &spec.cluster);
        let view = view.map(|one| one.view()).unwrap_or_default();
        let config = &view["resourcesVpcConfig"];
        let vpc = config["vpcId"].as_str().unwrap_or_default().to_owned();
        let kind = match spec.kind.as_str() {
            "network" => "network",
            "application" => "application",
            _ => "classic",
        };
        let mut tags = spec.tags.clone();
        tags.extend(owned_by(&spec.cluster, kind));
        let group = format!("sg-0{}", hex(name));
        // The cloud provider's name, and that of the load balancer controller.
        let group_name = match kind {
            "classic" => format!("k8s-elb-{name}"),
            _ => name.to_owned(),
        };
        let about = format!("Security group for Kubernetes ELB {name}");
        let spec_of_group = GroupSpec {
            vpc_id: vpc.clone(),
            name: group_name,
            description: about,
            tags: tags.clone(),
            ..GroupSpec::default()
        };
        self.put_group(place, &group, spec_of_group);
        let subnets = config["subnetIds"].as_array().into_iter().flatten();
        let subnets: Vec<String> = subnets
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let description = match kind {
            "application" => format!("ELB app/{name}/{}", hex(name)),
            "network" => format!("ELB net/{name}/{}", hex(name)),
            _ => format!("ELB {name}"),
        };
        for (subnet_id, number) in subnets.into_iter().zip(1..=2) {
            let interface = InterfaceSpec {
                vpc_id: vpc.clone(),
                subnet_id,
                description: description.clone(),
                status: "in-use".to_owned(),
                requester_id: Some("amazon-elb".to_owned()),
                security_groups: vec![group.clone()],
                ..InterfaceSpec::default()
            };
            self.put_interface(place, &format!("eni-1{number}{}", hex(name)), interface);
        }
        let balancer = LoadBalancer {
            kind,
            vpc,
            groups: vec![group],
            created_at: wall(),
            tags,
            made_for: made_for.map(|object| (spec.cluster.clone(), object)),
        };
        let attached = &mut self.network(place.0, place.1).attached;
        attached.balancers.insert(name.to_owned(), balancer);
    }

    /// Brings the load balancers of a region up to what the Services and Ingresses of its clusters ask
    /// for. Those of a cluster that is gone stay: nobody takes them down.
    pub(super) fn sync_balancers(&mut self, account: &str, region: &str) {
        let (now, settle) = (self.clock.now(), self.clock.scale(self.options.settle_time));
        let clusters = self.accounts.cluster_names(account, region);
        let clusters: Vec<String> = clusters.map(str::to_owned).collect();
        for name in clusters {
            let Some(cluster) = self.accounts.cluster(account, region, &name) else {
                continue;
            };
            cluster.settle(now, settle);
            let wanted = cluster.balancers();
            let there = self.network(account, region).attached.balancers.iter();
            let there: Vec<String> = there
                .filter(|(_, one)| one.made_for.as_ref().is_some_and(|(of, _)| *of == name))
                .map(|(balancer, _)| balancer.clone())
                .collect();
            for gone in &there {
                if !wanted.iter().any(|(balancer, _)| balancer == gone) {
                    self.remove_balancer((account, region), gone);
                }
            }
            for (balancer, object) in wanted {
                if there.contains(&balancer) {
                    continue;
                }
                let kind = if object.starts_with("ingresses/") {
                    "application"
                } else {
                    "classic"
                };
                let spec = BalancerSpec {
                    cluster: name.clone(),
                    kind: kind.to_owned(),
                    ..BalancerSpec::default()
                };
                self.put_balancer((account, region), &balancer, &spec, Some(object));
            }
        }
    }

    /// Lets a load balancer go with what it brought along. Whether it was there.
    pub(super) fn remove_balancer(&mut self, (account, region): (&str, &str), name: &str) -> bool {
        let attached = &mut self.network(account, region).attached;
        let Some(balancer) = attached.balancers.remove(name) else {
            return false;
        };
        let groups = balancer.groups;
        let of_it = |one: &InterfaceSpec| one.security_groups == groups;
        attached.interfaces.retain(|_, one| !of_it(one));
        for group in groups {
            attached.groups.remove(&group);
        }
        true
    }
}

/// The tags of the cloud provider, or of the load balancer controller.
fn owned_by(cluster: &str, kind: &str) -> [(String, String); 1] {
    if kind == "classic" {
        [(
            format!("kubernetes.io/cluster/{cluster}"),
            "owned".to_owned(),
        )]
    } else {
        [("elbv2.k8s.aws/cluster".to_owned(), cluster.to_owned())]
    }
}

/// 16 hexadecimal digits that follow from a name.
fn hex(name: &str) -> String {
    super::text::hex(&Sha256::digest(name.as_bytes())[..8])
}
