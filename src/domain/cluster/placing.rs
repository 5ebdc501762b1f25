//! In which of a cluster's subnets the nodes of a nodegroup are.
//!
//! The cluster's stack puts its subnets out in an order. Where their ids are not known before they
//! are made, templates pick them by their places in it.

use super::network::{DescribedSubnet, NetworkPlan, ZoneBlocks};
use super::spec::{GivenSubnet, NetworkSpec, NodegroupSpec};
use serde::{Deserialize, Serialize};

/// The network of a cluster that is there, or about to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeNetwork {
    /// The addresses of the VPC, if they are known.
    pub cidr: Option<String>,
    /// Public subnets, in the order in which the cluster's stack puts them out.
    pub public: Vec<Place>,
    /// Private ones.
    pub private: Vec<Place>,
    /// Public subnets in local zones, in the order of theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_public: Vec<Place>,
    /// Private ones in local zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_private: Vec<Place>,
}

/// Ids of subnets, as the cluster's stack puts them out.
#[derive(Clone, Copy, Debug, Default)]
pub struct StackSubnets<'a> {
    /// Public ones.
    pub public: &'a [String],
    /// Private ones.
    pub private: &'a [String],
    /// Public ones in local zones.
    pub local_public: &'a [String],
    /// Private ones in local zones.
    pub local_private: &'a [String],
}

/// A subnet, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Place {
    /// Its id.
    pub id: Option<String>,
    /// What the config calls it.
    pub name: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
}

/// A subnet that a nodegroup is put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Picked {
    /// Of this id.
    Id(String),
    /// Of this place among those of its kind.
    Nth(usize),
    /// What is asked for, if it is not known which one that is.
    Unknown(String),
}

impl NodeNetwork {
    /// The network as it is planned: ids of subnets that are to be made are not known.
    #[must_use]
    pub fn planned(spec: &NetworkSpec, plan: &NetworkPlan) -> Self {
        match (spec, plan) {
            (
                _,
                NetworkPlan::Own {
                    cidr,
                    zones,
                    local_zones,
                    ..
                },
            ) => {
                let (places, local) = (Place::in_zones(zones), Place::in_zones(local_zones));
                Self {
                    cidr: Some(cidr.clone()),
                    public: places.clone(),
                    private: places,
                    local_public: local.clone(),
                    local_private: local,
                }
            }
            (
                NetworkSpec::Existing {
                    cidr,
                    public,
                    private,
                    ..
                },
                _,
            ) => Self {
                cidr: cidr.clone(),
                public: public.iter().map(Place::given).collect(),
                private: private.iter().map(Place::given).collect(),
                ..Self::default()
            },
            (NetworkSpec::Own { .. }, _) => Self::default(),
        }
    }

    /// The network as it is: the subnets that the cluster's stack puts out, and what EC2 says of them.
    #[must_use]
    pub fn found(
        spec: &NetworkSpec,
        subnets: StackSubnets<'_>,
        described: &[DescribedSubnet],
    ) -> Self {
        let given: Vec<&GivenSubnet> = match spec {
            NetworkSpec::Own { .. } => Vec::new(),
            NetworkSpec::Existing {
                public, private, ..
            } => public.iter().chain(private).collect(),
        };
        let place = |id: &String| {
            let subnet = described.iter().find(|subnet| subnet.id == *id);
            let same = |given: &&&GivenSubnet| {
                let cidr = subnet.map(|subnet| subnet.cidr.as_str());
                given.id == *id || (given.id.is_empty() && given.cidr.as_deref() == cidr)
            };
            let name = given.iter().find(same).and_then(|given| given.name.clone());
            Place {
                id: Some(id.clone()),
                name,
                zone: subnet.map(|subnet| subnet.zone.clone()),
            }
        };
        let cidr = match spec {
            NetworkSpec::Own { cidr, .. } => Some(cidr.clone()),
            NetworkSpec::Existing { cidr, .. } => cidr.clone(),
        };
        Self {
            cidr,
            public: subnets.public.iter().map(place).collect(),
            private: subnets.private.iter().map(place).collect(),
            local_public: subnets.local_public.iter().map(place).collect(),
            local_private: subnets.local_private.iter().map(place).collect(),
        }
    }

    /// The subnets that a nodegroup's nodes can be in.
    #[must_use]
    pub fn of(&self, nodegroup: &NodegroupSpec) -> &[Place] {
        let local = !nodegroup.place.local_zones.is_empty();
        match (local, nodegroup.private_networking) {
            (false, false) => &self.public,
            (false, true) => &self.private,
            (true, false) => &self.local_public,
            (true, true) => &self.local_private,
        }
    }
}

impl Place {
    fn in_zones(zones: &[ZoneBlocks]) -> Vec<Self> {
        let place = |block: &ZoneBlocks| Self {
            zone: Some(block.zone.clone()),
            ..Self::default()
        };
        zones.iter().map(place).collect()
    }

    fn given(subnet: &GivenSubnet) -> Self {
        Self {
            id: Some(subnet.id.clone()).filter(|id| !id.is_empty()),
            name: subnet.name.clone(),
            zone: subnet.zone.clone(),
        }
    }

    fn is(&self, asked: &str) -> bool {
        let names = [&self.id, &self.name, &self.zone];
        names.into_iter().any(|name| name.as_deref() == Some(asked))
    }

    fn picked(&self, nth: usize) -> Picked {
        let id = self.id.clone();
        id.map_or(Picked::Nth(nth), Picked::Id)
    }
}

/// The subnets of a nodegroup; none are all of its kind.
pub(super) fn of(nodegroup: &NodegroupSpec, network: &NodeNetwork) -> Vec<Picked> {
    let places = network.of(nodegroup);
    let with = |fits: &dyn Fn(&Place) -> bool| -> Vec<Picked> {
        let fitting = places.iter().enumerate().filter(|(_, place)| fits(place));
        fitting.map(|(nth, place)| place.picked(nth)).collect()
    };
    let mut picked = Vec::new();
    for zone in nodegroup.place.named_zones() {
        let found = with(&|place: &Place| place.zone.as_ref() == Some(zone));
        picked.extend(or_unknown(found, zone));
    }
    for asked in &nodegroup.place.subnets {
        let found = with(&|place: &Place| place.is(asked));
        if found.is_empty() && asked.starts_with("subnet-") {
            // Another of the VPC's.
            picked.push(Picked::Id(asked.clone()));
        } else {
            picked.extend(or_unknown(found, asked));
        }
    }
    picked
}

fn or_unknown(found: Vec<Picked>, asked: &str) -> Vec<Picked> {
    if found.is_empty() {
        vec![Picked::Unknown(asked.to_owned())]
    } else {
        found
    }
}

/// What a nodegroup asks for that the network of its cluster has not.
#[must_use]
pub fn missing(nodegroup: &NodegroupSpec, network: &NodeNetwork) -> Vec<String> {
    let picked = of(nodegroup, network).into_iter();
    picked
        .filter_map(|one| match one {
            Picked::Unknown(asked) => Some(asked),
            Picked::Id(_) | Picked::Nth(_) => None,
        })
        .collect()
}

/// What is wrong with the place of a nodegroup, by key, as far as the config alone says.
pub(super) fn wrong(network: &NetworkSpec, nodegroup: &NodegroupSpec) -> Vec<(String, String)> {
    match network {
        NetworkSpec::Own { zones, .. } => wrong_in_own(zones, nodegroup),
        NetworkSpec::Existing {
            public, private, ..
        } => {
            let subnets = if nodegroup.private_networking {
                private
            } else {
                public
            };
            wrong_in_existing(subnets, nodegroup)
        }
    }
}

fn wrong_in_own(zones: &[String], nodegroup: &NodegroupSpec) -> Vec<(String, String)> {
    let strange = |list: &'static str, asked: &[String]| -> Vec<(String, String)> {
        let known = |zone: &&String| zones.is_empty() || zones.contains(zone);
        let strange = asked.iter().enumerate().filter(|(_, zone)| !known(zone));
        strange
            .map(|(i, zone)| {
                let message = if zone.starts_with("subnet-") {
                    "the subnets of the cluster's VPC are yet to be created: name zones in \
                     availabilityZones, or subnets that exist in vpc.subnets"
                        .to_owned()
                } else {
                    format!(
                        "{zone} is none of the cluster's zones: {}",
                        zones.join(", ")
                    )
                };
                (format!("{list}/{i}"), message)
            })
            .collect()
    };
    let place = &nodegroup.place;
    let mut wrong = strange("availabilityZones", &place.zones);
    wrong.extend(strange("subnets", &place.subnets));
    let yet = place
        .subnets
        .iter()
        .enumerate()
        .filter(|_| zones.is_empty());
    wrong.extend(yet.map(|(i, _)| {
        let message = "the subnets of the cluster's VPC are yet to be created: name zones in \
                       availabilityZones, or subnets that exist in vpc.subnets";
        (format!("subnets/{i}"), message.to_owned())
    }));
    wrong
}

fn wrong_in_existing(subnets: &[GivenSubnet], nodegroup: &NodegroupSpec) -> Vec<(String, String)> {
    let places: Vec<Place> = subnets.iter().map(Place::given).collect();
    let all_zones = places.iter().all(|place| place.zone.is_some());
    let kind = if nodegroup.private_networking {
        "private"
    } else {
        "public"
    };
    let mut wrong = Vec::new();
    for (i, zone) in nodegroup.place.zones.iter().enumerate() {
        let found = places.iter().any(|place| place.zone.as_ref() == Some(zone));
        if all_zones && !found {
            let message = format!("none of vpc.subnets.{kind} is in zone {zone}");
            wrong.push((format!("availabilityZones/{i}"), message));
        }
    }
    for (i, asked) in nodegroup.place.subnets.iter().enumerate() {
        let found = places.iter().any(|place| place.is(asked));
        if !found && !asked.starts_with("subnet-") {
            let message = format!("vpc.subnets.{kind} has no subnet of this name, zone or id");
            wrong.push((format!("subnets/{i}"), message));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cluster::samples;
    use crate::domain::cluster::spec::NatMode;
    use serde_json::json;

    fn nodegroup(place: &serde_json::Value) -> NodegroupSpec {
        let spec = samples::spec(&json!({
            "metadata": {"name": "c", "region": "us-west-2"},
            "nodeGroups": [{"name": "n", "privateNetworking": true}],
        }));
        let mut nodegroup = spec.nodegroups[0].clone();
        nodegroup.place = serde_json::from_value(place.clone()).unwrap();
        nodegroup
    }

    #[test]
    fn subnets_that_are_to_be_made_are_picked_by_their_place() {
        let zones = ["us-west-2a", "us-west-2b", "us-west-2c"].map(str::to_owned);
        let plan = NetworkPlan::in_zones("192.168.0.0/16", NatMode::Single, &zones).unwrap();
        let spec = NetworkSpec::Own {
            cidr: "192.168.0.0/16".to_owned(),
            nat: NatMode::Single,
            zones: zones.to_vec(),
        };
        let network = NodeNetwork::planned(&spec, &plan);
        let asked = nodegroup(&json!({"zones": ["us-west-2c", "us-west-2a"]}));
        assert_eq!(of(&asked, &network), [Picked::Nth(2), Picked::Nth(0)]);
        assert_eq!(of(&nodegroup(&json!({})), &network), []);
        let strange = nodegroup(&json!({"zones": ["us-west-2d"], "subnets": ["subnet-1"]}));
        let wrong: Vec<String> = wrong(&spec, &strange)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(wrong, ["availabilityZones/0", "subnets/0"]);
    }

    #[test]
    fn nodes_in_local_zones_are_in_the_subnets_of_these() {
        let zones = ["us-west-2a", "us-west-2b"].map(str::to_owned);
        let local = ["us-west-2-lax-1a", "us-west-2-lax-1b"].map(str::to_owned);
        let cidr = "192.168.0.0/16";
        let plan = NetworkPlan::cut(cidr, NatMode::Single, (&zones, &local)).unwrap();
        let spec = NetworkSpec::Own {
            cidr: cidr.to_owned(),
            nat: NatMode::Single,
            zones: zones.to_vec(),
        };
        let network = NodeNetwork::planned(&spec, &plan);
        let asked = nodegroup(&json!({"localZones": ["us-west-2-lax-1b"]}));
        assert_eq!(of(&asked, &network), [Picked::Nth(1)]);
        assert_eq!(network.of(&asked), network.local_private);
        let elsewhere = nodegroup(&json!({"localZones": ["us-west-2a"]}));
        assert_eq!(missing(&elsewhere, &network), ["us-west-2a"]);
    }

    #[test]
    fn subnets_that_exist_are_known_by_id_name_and_zone() {
        let given = |id: &str, name: &str| GivenSubnet {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            zone: None,
            cidr: (id.is_empty()).then(|| "10.0.2.0/24".to_owned()),
        };
        let spec = NetworkSpec::Existing {
            vpc_id: None,
            cidr: None,
            public: vec![],
            private: vec![given("subnet-1", "one"), given("", "two")],
        };
        let described = ["subnet-1", "subnet-2"].map(|id| DescribedSubnet {
            id: id.to_owned(),
            vpc_id: "vpc-1".to_owned(),
            zone: format!("zone-of-{id}"),
            cidr: format!("10.0.{}.0/24", &id[7..]),
        });
        let ids = ["subnet-1", "subnet-2"].map(str::to_owned);
        let subnets = StackSubnets {
            private: &ids,
            ..StackSubnets::default()
        };
        let network = NodeNetwork::found(&spec, subnets, &described);
        let id = |id: &str| Picked::Id(id.to_owned());
        let asked = nodegroup(&json!({"subnets": ["two", "subnet-1", "subnet-9"]}));
        assert_eq!(
            of(&asked, &network),
            [id("subnet-2"), id("subnet-1"), id("subnet-9")]
        );
        let asked = nodegroup(&json!({"zones": ["zone-of-subnet-2", "elsewhere"]}));
        assert_eq!(missing(&asked, &network), ["elsewhere"]);
        assert_eq!(of(&asked, &network)[0], id("subnet-2"));
        let unnamed = nodegroup(&json!({"subnets": ["three"]}));
        assert_eq!(wrong(&spec, &unnamed).len(), 1);
    }
}
