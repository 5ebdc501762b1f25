//! The network of a cluster: what the cluster made in it and left, and what is somebody else's and
//! keeps it from being deleted.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Refusal;
use crate::aws::cloudformation::Stack;
use crate::aws::elb::LoadBalancer;
use crate::aws::network::{NetworkInterface, SecurityGroup};
use crate::domain::ClusterView;
use crate::domain::cluster::{AwsResource, names};
use crate::ops::context::Context;

/// What was found in it.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// Whether it goes with the cluster's stack.
    pub(super) ours: bool,
    /// Load balancers that the cluster has made.
    pub(super) balancers: Vec<LoadBalancer>,
    /// Security groups that the cluster, or EKS for it, has made.
    pub(super) groups: Vec<SecurityGroup>,
    /// Interfaces of the cluster: of its nodes and pods, its control plane, its load balancers.
    pub(super) interfaces: Vec<NetworkInterface>,
    /// What the cluster's deletion does not delete, and its network can not be deleted with. Looked
    /// for in a network that goes with the stack only.
    pub(super) foreign: Vec<AwsResource>,
}

/// What tells the cluster's own things from others'.
struct Own {
    cluster: String,
    /// The ids of everything in the cluster's stacks.
    held: BTreeSet<String>,
    groups: BTreeSet<String>,
    balancers: BTreeSet<String>,
}

impl Network {
    /// Looks into the network of a cluster, of which the cluster itself or its stack may be gone.
    pub(super) async fn look(
        context: &Context<'_>,
        cluster: Option<&ClusterView>,
        (own, others): (Option<&Stack>, &[Stack]),
    ) -> Result<Self, Refusal> {
        let mut held = BTreeSet::new();
        let mut vpc = None;
        for stack in own.into_iter().chain(others) {
            for one in context.stacks().resources(&stack.id).await? {
                if one.resource_type == "AWS::EC2::VPC" {
                    vpc = Some(one.id.clone());
                }
                held.insert(one.id);
            }
        }
        let ours = vpc.is_some();
        let Some(vpc) = vpc.or_else(|| cluster?.vpc_id.clone()) else {
            return Ok(Self::default());
        };
        let own = Own {
            cluster: context.cluster.to_owned(),
            held,
            groups: BTreeSet::new(),
            balancers: BTreeSet::new(),
        };
        let mut network = Self {
            ours,
            ..Self::default()
        };
        network.fill(context, &vpc, own).await?;
        Ok(network)
    }

    async fn fill(
        &mut self,
        context: &Context<'_>,
        vpc: &str,
        mut own: Own,
    ) -> Result<(), Refusal> {
        let caller = context.eks.caller();
        let ec2 = caller.ec2();
        for balancer in caller.elb().balancers_in(vpc).await? {
            if own.made(&balancer.tags) {
                own.balancers.insert(balancer.name.clone());
                self.balancers.push(balancer);
            } else {
                let about = format!("{} load balancer", balancer.kind);
                self.foreign
                    .push(AwsResource::new("load_balancer", balancer.name).of(about));
            }
        }
        for group in ec2.groups_in(vpc).await? {
            if own.held.contains(&group.id) {
                own.groups.insert(group.id);
            } else if own.made(&group.tags) {
                own.groups.insert(group.id.clone());
                self.groups.push(group);
            } else if group.name != "default" {
                self.foreign
                    .push(AwsResource::new("security_group", group.id).of(group.name));
            }
        }
        for interface in ec2.interfaces_in(vpc).await? {
            if own.has(&interface) {
                self.interfaces.push(interface);
            } else {
                self.foreign.push(foreign(&interface));
            }
        }
        if self.ours {
            let subnets = ec2.subnets_in(vpc).await?.into_iter();
            let others = subnets.filter(|subnet| !own.held.contains(&subnet.id));
            let others = others.map(|subnet| {
                let about = subnet.cidr.unwrap_or_default();
                AwsResource::new("subnet", subnet.id).of(about)
            });
            self.foreign.extend(others);
        } else {
            // It stays, and so may what is in it.
            self.foreign.clear();
        }
        Ok(())
    }

    /// The interfaces that are attached to nothing any more.
    pub(super) fn left(&self) -> impl Iterator<Item = &NetworkInterface> {
        let all = self.interfaces.iter();
        all.filter(|one| one.status == "available")
    }

    /// The groups of load balancers: their controllers delete them, or forget to.
    pub(super) fn balancer_groups(&self) -> impl Iterator<Item = &SecurityGroup> {
        let all = self.groups.iter();
        all.filter(|group| !group.tags.contains_key("aws:eks:cluster-name"))
    }
}

impl Own {
    /// By the tags of EKS, the cloud provider, the load balancer controller, the CNI and eksctl.
    fn made(&self, tags: &BTreeMap<String, String>) -> bool {
        let names = [
            "aws:eks:cluster-name",
            "cluster.k8s.amazonaws.com/name",
            "elbv2.k8s.aws/cluster",
        ];
        let owned = tags.get(&format!("kubernetes.io/cluster/{}", self.cluster));
        owned.is_some_and(|value| value == "owned")
            || names
                .iter()
                .any(|name| tags.get(*name) == Some(&self.cluster))
            || names::are_of(tags, &self.cluster)
    }

    fn has(&self, interface: &NetworkInterface) -> bool {
        let mut groups = interface.security_groups.iter();
        let description = interface.description.as_str();
        let words = || description.split([' ', '/', '(', ')']);
        self.made(&interface.tags)
            || groups.any(|group| self.groups.contains(group))
            || description == format!("Amazon EKS {}", self.cluster)
            || words().any(|word| self.held.contains(word) || self.balancers.contains(word))
    }
}

/// An interface of nobody whom the deletion deletes: its type, and whose it is as far as AWS tells.
fn foreign(interface: &NetworkInterface) -> AwsResource {
    let mut about = vec![interface.interface_type.clone()];
    if !interface.description.is_empty() {
        about.push(interface.description.clone());
    }
    if let Some(instance) = &interface.instance_id {
        about.push(format!("attached to {instance}"));
    } else if let Some(requester) = &interface.requester_id {
        about.push(format!("made by {requester}"));
    }
    AwsResource::new("network_interface", &interface.id).of(about.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        Own {
            cluster: "prod".to_owned(),
            held: BTreeSet::from(["nat-1".to_owned(), "vpce-1".to_owned()]),
            groups: BTreeSet::from(["sg-1".to_owned()]),
            balancers: BTreeSet::from(["a1b2".to_owned(), "k8s-web".to_owned()]),
        }
    }

    fn described(description: &str) -> NetworkInterface {
        NetworkInterface {
            id: "eni-1".to_owned(),
            description: description.to_owned(),
            interface_type: "interface".to_owned(),
            ..NetworkInterface::default()
        }
    }

    #[test]
    fn interfaces_are_the_clusters_by_tag_group_or_description() {
        let own = own();
        for description in [
            "Amazon EKS prod",
            "Interface for NAT Gateway nat-1",
            "VPC Endpoint Interface vpce-1",
            "ELB a1b2",
            "ELB app/k8s-web/0123456789abcdef",
        ] {
            assert!(own.has(&described(description)), "{description}");
        }
        for description in ["Amazon EKS prod-2", "RDSNetworkInterface", "", "ELB a1b2c3"] {
            assert!(!own.has(&described(description)), "{description}");
        }
        let mut node = described("");
        node.security_groups = vec!["sg-0".to_owned(), "sg-1".to_owned()];
        assert!(own.has(&node));
        let mut of_cni = described("aws-K8S-i-1");
        let tag = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        of_cni.tags = tag("cluster.k8s.amazonaws.com/name", "prod");
        assert!(own.has(&of_cni));
        of_cni.tags = tag("cluster.k8s.amazonaws.com/name", "prod-2");
        assert!(!own.has(&of_cni));
        assert!(!own.made(&tag("kubernetes.io/cluster/prod", "shared")));
    }

    #[test]
    fn what_is_foreign_is_told_with_its_type_and_owner() {
        let mut interface = described("RDSNetworkInterface");
        interface.requester_id = Some("amazon-rds".to_owned());
        assert_eq!(
            foreign(&interface).to_string(),
            "network interface eni-1 (interface, RDSNetworkInterface, made by amazon-rds)"
        );
    }
}
