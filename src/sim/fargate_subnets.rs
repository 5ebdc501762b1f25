//! Which subnets a Fargate profile may have: private ones of its cluster's VPC.

use super::caller::Caller;
use super::error::AwsError;
use super::network::Network;
use super::world::World;
use super::zones;

impl World {
    /// The subnets of a new profile: those it names, or all private ones of its cluster.
    pub(super) fn profile_subnets(
        &mut self,
        caller: &Caller,
        cluster: &str,
        named: &[String],
    ) -> Result<Vec<String>, AwsError> {
        let (account, region) = (&caller.account, &caller.region);
        if named.is_empty() {
            let private = self.private_subnets((account, region), cluster);
            if private.is_empty() {
                let why = format!("No private subnets were found for cluster {cluster}");
                return Err(AwsError::invalid_parameter(why));
            }
            return Ok(private);
        }
        let (vpc, _) = self.subnets_of_cluster((account, region), cluster);
        let subnets = &self.network(account, region).subnets;
        if !named.iter().all(|id| subnets.contains_key(id)) {
            self.adopt_networks((account, region));
        }
        let network = self.network(account, region);
        for (index, id) in named.iter().enumerate() {
            if named.iter().take(index).any(|before| before == id) {
                let why = format!("Subnet {id} is provided more than once in Fargate Profile");
                return Err(AwsError::invalid_parameter(why));
            }
            check(network, &vpc, region, id).map_err(AwsError::invalid_parameter)?;
        }
        Ok(named.to_vec())
    }

    /// The private ones of a cluster's subnets.
    pub(super) fn private_subnets(&mut self, place: (&str, &str), cluster: &str) -> Vec<String> {
        let (_, mut subnets) = self.subnets_of_cluster(place, cluster);
        let network = self.network(place.0, place.1);
        subnets.retain(|id| network.is_public(id) == Some(false));
        subnets
    }

    /// The VPC of a cluster and its subnets, which are known to EC2 from now on.
    pub(super) fn subnets_of_cluster(
        &mut self,
        (account, region): (&str, &str),
        cluster: &str,
    ) -> (String, Vec<String>) {
        self.adopt_network((account, region), cluster);
        let there = self.accounts.cluster(account, region, cluster);
        let view = there.map(|there| there.view()).unwrap_or_default();
        let config = &view["resourcesVpcConfig"];
        let ids = config["subnetIds"].as_array().into_iter().flatten();
        let ids = ids
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        (config["vpcId"].as_str().unwrap_or_default().to_owned(), ids)
    }

    /// Tells EC2 of the network of a cluster that no stack made.
    fn adopt_network(&mut self, (account, region): (&str, &str), cluster: &str) {
        let there = self.accounts.cluster(account, region, cluster);
        let own = there.and_then(|there| there.built_in_network());
        if let Some((vpc, public, private)) = own {
            let network = self.network(account, region);
            network.adopt(region, &vpc, &public, &private);
        }
    }

    /// Tells EC2 of the networks of all such clusters of a region.
    pub(super) fn adopt_networks(&mut self, place: (&str, &str)) {
        let names = self.accounts.cluster_names(place.0, place.1);
        let names: Vec<String> = names.map(str::to_owned).collect();
        for name in names {
            self.adopt_network(place, &name);
        }
    }
}

/// What EKS says to one subnet.
fn check(network: &Network, vpc: &str, region: &str, id: &str) -> Result<(), String> {
    let Some(subnet) = network.subnets.get(id) else {
        return Err(format!("The subnet ID '{id}' does not exist"));
    };
    if subnet.vpc != vpc {
        return Err(format!(
            "Subnet {id} provided in Fargate Profile is not in the cluster's VPC {vpc}"
        ));
    }
    if network.is_public(id) == Some(true) {
        return Err(format!(
            "Subnet {id} provided in Fargate Profile is not a private subnet"
        ));
    }
    let zone = &subnet.zone;
    let mut zones = zones::of(region).into_iter();
    if zones.any(|one| one.name == *zone && one.is_avoided()) {
        return Err(format!(
            "Fargate Profile creation for the Availability Zone {zone} for Subnet {id} is not supported"
        ));
    }
    Ok(())
}
