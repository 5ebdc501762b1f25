//! The network: a VPC of the cluster's own, or subnets that exist; with VPC endpoints if it is private.

use super::draft::{Draft, joined};
use super::{vpc_endpoints, vpc_ipv4, vpc_ipv6};
use crate::domain::cluster::network::{KnownSubnet, NetworkPlan, ZoneBlocks};
use crate::domain::cluster::spec::{ClusterSpec, NatMode};
use serde_json::{Value, json};

/// The VPC and the subnets, by reference or by id.
#[derive(Default)]
pub(super) struct Subnets {
    pub(super) vpc: Value,
    pub(super) public: Vec<Value>,
    pub(super) private: Vec<PrivateSubnet>,
    /// Those in local zones: public, private.
    pub(super) local: (Vec<Value>, Vec<Value>),
}

/// A private subnet, by reference or by id.
pub(super) struct PrivateSubnet {
    pub(super) subnet: Value,
    /// Its zone, as far as it is known.
    pub(super) zone: Option<String>,
    /// Its route table, if it was made here.
    pub(super) table: Option<Value>,
}

impl Subnets {
    pub(super) fn private_ids(&self) -> Vec<Value> {
        self.private.iter().map(|one| one.subnet.clone()).collect()
    }
}

/// A VPC to be made.
#[derive(Clone, Copy)]
pub(super) struct OwnVpc<'a> {
    pub(super) spec: &'a ClusterSpec,
    pub(super) cidr: &'a str,
    pub(super) nat: NatMode,
    pub(super) zones: &'a [ZoneBlocks],
    pub(super) local_zones: &'a [ZoneBlocks],
}

impl OwnVpc<'_> {
    pub(super) const fn is_private(&self) -> bool {
        self.spec.private.is_some()
    }

    /// The properties that all subnets have.
    pub(super) fn subnet(&self, zone: &str, role: &str) -> Value {
        let mut subnet = json!({
            "AvailabilityZone": zone,
            "Tags": [{"Key": format!("kubernetes.io/role/{role}"), "Value": "1"}],
        });
        if let Some(kind) = &self.spec.vpc.hostname_type {
            subnet["PrivateDnsNameOptionsOnLaunch"] = json!({"HostnameType": kind});
        }
        subnet
    }
}

pub(super) fn add(draft: &mut Draft, spec: &ClusterSpec, network: &NetworkPlan) -> Subnets {
    let subnets = match network {
        NetworkPlan::Own {
            cidr,
            nat,
            zones,
            local_zones,
            ..
        } => {
            let vpc = OwnVpc {
                spec,
                cidr,
                nat: *nat,
                zones,
                local_zones,
            };
            if spec.control_plane.ipv6 {
                vpc_ipv6::add(draft, vpc)
            } else {
                vpc_ipv4::add(draft, vpc)
            }
        }
        NetworkPlan::Existing {
            vpc_id,
            public,
            private,
            subnets,
            ..
        } => existing(vpc_id, (public, private), subnets),
    };
    add_outputs(draft, spec, network, &subnets);
    subnets
}

/// The endpoints of a private cluster, which the nodes' security group lets in.
pub(super) fn add_endpoints(
    draft: &mut Draft,
    network: &NetworkPlan,
    subnets: &Subnets,
    shared_group: &Value,
) {
    let (endpoints, tables) = match network {
        NetworkPlan::Own { endpoints, .. } => (endpoints, &[][..]),
        NetworkPlan::Existing {
            endpoints,
            route_tables,
            ..
        } => (endpoints, route_tables.as_slice()),
    };
    vpc_endpoints::add(draft, (endpoints, tables), subnets, shared_group);
}

fn existing(
    vpc_id: &str,
    (public, private): (&[String], &[String]),
    known: &[KnownSubnet],
) -> Subnets {
    let zone_of = |id: &String| {
        let known = known.iter().find(|one| one.id == *id);
        known.map(|one| one.zone.clone())
    };
    let private = private.iter().map(|id| PrivateSubnet {
        subnet: json!(id),
        zone: zone_of(id).filter(|zone| !zone.is_empty()),
        table: None,
    });
    Subnets {
        vpc: json!(vpc_id),
        public: public.iter().map(|id| json!(id)).collect(),
        private: private.collect(),
        local: (Vec::new(), Vec::new()),
    }
}

fn add_outputs(draft: &mut Draft, spec: &ClusterSpec, network: &NetworkPlan, subnets: &Subnets) {
    let own_ipv6 = spec.control_plane.ipv6 && matches!(network, NetworkPlan::Own { .. });
    draft.export("VPC", &subnets.vpc);
    let nat = match network {
        NetworkPlan::Own { nat, .. } if spec.private.is_none() => *nat,
        _ => NatMode::Disable,
    };
    if !own_ipv6 {
        draft.output("FeatureNATMode", &json!(nat.as_str()));
    }
    let private = subnets.private_ids();
    for (name, refs) in [
        ("SubnetsPrivate", &private),
        ("SubnetsPublic", &subnets.public),
        ("SubnetsLocalZonePublic", &subnets.local.0),
        ("SubnetsLocalZonePrivate", &subnets.local.1),
    ] {
        if !refs.is_empty() {
            draft.export(name, &joined(refs));
        }
    }
    if spec.private.is_some() && !own_ipv6 {
        draft.export("ClusterFullyPrivate", &json!("true"));
    }
}

/// A zone as it stands in logical ids: `us-west-2a` is `USWEST2A`.
pub(super) fn resource_name(zone: &str) -> String {
    zone.replace('-', "").to_uppercase()
}
