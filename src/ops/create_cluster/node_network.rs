//! The network that nodegroups are put into, once the cluster's stack has made it.

use super::Creating;
use super::preflight::refuse;
use crate::domain::Invalid;
use crate::domain::cluster::placing::{NodeNetwork, StackSubnets};
use crate::domain::cluster::spec::NodegroupSpec;
use crate::domain::cluster::{DescribedSubnet, names, placing};
use crate::ops::refused;
use crate::queue::Verdict;

/// The network, as far as the nodegroups need to know it; refused where they name subnets that it
/// has not.
pub(super) async fn needed(creating: &Creating<'_>) -> Result<NodeNetwork, Verdict> {
    let spec = creating.spec;
    let open =
        |one: &NodegroupSpec| one.private_networking && one.login().is_some_and(|ssh| ssh.allow);
    if !spec
        .nodegroups
        .iter()
        .any(|one| one.place.is_named() || open(one))
    {
        return Ok(NodeNetwork::default());
    }
    let network = found(creating).await?;
    let wrong =
        spec.nodegroups.iter().flat_map(|one| {
            let missing = placing::missing(one, &network).into_iter();
            missing.map(|asked| {
            let message = format!(
                "nodegroup {}: the cluster has no subnet of name, zone or id {asked} that is {}",
                one.name,
                if one.private_networking { "private" } else { "public" }
            );
            Invalid::new(format!("/{}", one.kind.list()), message)
        })
        });
    let wrong: Vec<Invalid> = wrong.collect();
    if wrong.is_empty() {
        Ok(network)
    } else {
        Err(refuse(&wrong))
    }
}

/// The network that the cluster's stack puts out; an empty one before there is a stack.
pub(super) async fn found(creating: &Creating<'_>) -> Result<NodeNetwork, Verdict> {
    let (context, spec) = (creating.stage.context, creating.spec);
    let stack = names::cluster_stack(&spec.name);
    let stack = match context.stacks().stack(&stack).await {
        Ok(stack) => stack,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let Some(stack) = stack else {
        return Ok(NodeNetwork::default());
    };
    let ids = |output: &str| -> Vec<String> {
        let listed = stack
            .outputs
            .get(output)
            .map(String::as_str)
            .unwrap_or_default();
        let listed = listed.split(',').filter(|id| !id.is_empty());
        listed.map(str::to_owned).collect()
    };
    let (public, private) = (ids("SubnetsPublic"), ids("SubnetsPrivate"));
    let (local_public, local_private) = (
        ids("SubnetsLocalZonePublic"),
        ids("SubnetsLocalZonePrivate"),
    );
    let subnets = StackSubnets {
        public: &public,
        private: &private,
        local_public: &local_public,
        local_private: &local_private,
    };
    let all = [
        subnets.public,
        subnets.private,
        subnets.local_public,
        subnets.local_private,
    ];
    let ec2 = context.eks.caller().ec2();
    let described = match ec2.subnets(&all.concat()).await {
        Ok(described) => described,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let described: Vec<DescribedSubnet> = described
        .into_iter()
        .map(|subnet| DescribedSubnet {
            id: subnet.id,
            vpc_id: subnet.vpc_id,
            zone: subnet.zone,
            cidr: subnet.cidr.unwrap_or_default(),
        })
        .collect();
    let mut network = NodeNetwork::found(&spec.network, subnets, &described);
    let vpc = described.first().map(|subnet| subnet.vpc_id.as_str());
    if let (None, Some(vpc)) = (&network.cidr, vpc) {
        network.cidr = match ec2.vpc_cidr(vpc).await {
            Ok(cidr) => cidr,
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
    }
    Ok(network)
}
