//! The controls of what runs for clusters: their capabilities, the access policies of their principals,
//! and where their nodes are.

use serde_json::Value;

use super::capabilities::NewCapability;
use super::control::SimControl;

impl SimControl {
    /// A capability as `DescribeCapability` answers it.
    #[must_use]
    pub fn capability(
        &self,
        account: &str,
        region: &str,
        cluster: &str,
        name: &str,
    ) -> Option<Value> {
        let mut world = self.shared.lock();
        world.catch_up(account);
        let found = world.accounts.cluster(account, region, cluster)?;
        found.capability(name)
    }

    /// Makes a capability for ACK without a stack.
    pub fn put_capability(&self, account: &str, region: &str, cluster: &str, name: &str) {
        let mut world = self.shared.lock();
        let partition = super::arn::partition(region);
        let new = NewCapability {
            name: name.to_owned(),
            kind: "ACK".to_owned(),
            role_arn: format!("arn:{partition}:iam::{account}:role/{name}"),
            configuration: None,
            tags: [].into(),
        };
        if let Some(found) = world.accounts.cluster(account, region, cluster)
            && found.add_capability(&new).is_ok()
        {
            found.activate_capability(name);
        }
    }

    /// The access policies of a principal in a cluster, by their names.
    #[must_use]
    pub fn access_policies(
        &self,
        account: &str,
        region: &str,
        cluster: &str,
        principal: &str,
    ) -> Vec<String> {
        let mut world = self.shared.lock();
        let found = world.accounts.cluster(account, region, cluster);
        let policies = found.and_then(|one| one.details().access_policies.get(principal).cloned());
        let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        let policies = policies.unwrap_or_default().into_iter();
        let mut names: Vec<String> = policies.map(|one| name(&one.policy_arn)).collect();
        names.sort_unstable();
        names
    }

    /// The zones of the subnets of a stack's autoscaling group, in the order of the zones' names.
    #[must_use]
    pub fn zones_of_group(
        &self,
        account: &str,
        region: &str,
        stack: &str,
        logical_id: &str,
    ) -> Vec<String> {
        let mut world = self.shared.lock();
        let found = world.stacks.find(account, region, stack);
        let made = found.and_then(|stack| stack.resources.get(logical_id));
        let subnets =
            made.and_then(|made| made.properties["VPCZoneIdentifier"].as_array().cloned());
        let network = world.network(account, region);
        let subnets = subnets.unwrap_or_default();
        let subnets = subnets.iter().filter_map(Value::as_str);
        let mut found: Vec<String> = subnets
            .filter_map(|id| Some(network.subnets.get(id)?.zone.clone()))
            .collect();
        found.sort_unstable();
        found
    }
}
