//! The accounts of the simulated AWS and the clusters in their regions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cluster::Cluster;
use super::fleet::FleetShape;
use super::host::Host;
use super::rights::RolePolicy;

/// What an account was told to do to its callers.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The external id that its role demands; any when none was set.
    pub external_id: Option<String>,
    /// Answer every EKS call with 429.
    pub throttle: bool,
    /// Refuse `AssumeRole`.
    pub deny_assume_role: bool,
    /// Roles of people and programs, by path and name.
    pub roles: Vec<String>,
    /// What its role may do; everything when none was set.
    pub role_policy: Option<Arc<RolePolicy>>,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    pub settings: Settings,
    regions: BTreeMap<String, BTreeMap<String, Cluster>>,
}

#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_id: BTreeMap<String, Account>,
    first: String,
    /// What every cluster knows of the simulator.
    host: Arc<Host>,
    /// Account, region and name of clusters that are being deleted, and when they are gone.
    leaving: Vec<(String, String, String, Duration)>,
}

impl Accounts {
    pub(super) fn of(fleet: FleetShape, host: Host) -> Self {
        let fleet = fleet.accounts();
        let first = fleet.first().map(|account| account.account_id.clone());
        let mut accounts = Self {
            first: first.unwrap_or_default(),
            host: Arc::new(host),
            ..Self::default()
        };
        for account in fleet {
            for (region, name) in &account.clusters {
                accounts.add_cluster(&account.account_id, region, name);
            }
        }
        accounts
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Tells every cluster where the simulator listens.
    pub(super) fn set_host(&mut self, host: Host) {
        self.host = Arc::new(host);
        let host = Arc::clone(&self.host);
        for (_, _, cluster) in self.all() {
            cluster.host = Arc::clone(&host);
        }
    }

    pub(super) fn get(&self, account: &str) -> Option<&Account> {
        self.by_id.get(account)
    }

    /// The account, which is made when there is none.
    pub(super) fn entry(&mut self, account: &str) -> &mut Account {
        self.by_id.entry(account.to_owned()).or_default()
    }

    /// A region in which an account has clusters.
    pub(super) fn any_region(&self, account: &str) -> String {
        let regions = self.by_id.get(account).map(|one| &one.regions);
        let first = regions.and_then(|regions| regions.keys().next());
        first.cloned().unwrap_or_default()
    }

    /// Every account.
    pub(super) fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    /// Every cluster with its account and region.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (&str, &str, &mut Cluster)> {
        self.by_id.iter_mut().flat_map(|(account, one)| {
            one.regions.iter_mut().flat_map(move |(region, clusters)| {
                clusters
                    .values_mut()
                    .map(move |cluster| (account.as_str(), region.as_str(), cluster))
            })
        })
    }

    /// The account of callers without a session of ours.
    pub(super) fn first(&self) -> &str {
        &self.first
    }

    /// The cluster, which is made with its account when there is none.
    pub(super) fn add_cluster(&mut self, account: &str, region: &str, name: &str) -> &mut Cluster {
        let host = Arc::clone(&self.host);
        let clusters = self
            .entry(account)
            .regions
            .entry(region.to_owned())
            .or_default();
        clusters.entry(name.to_owned()).or_insert_with(|| {
            let mut cluster = Cluster::new(account, region, name);
            cluster.host = host;
            cluster
        })
    }

    pub(super) fn remove_cluster(&mut self, account: &str, region: &str, name: &str) -> bool {
        let clusters = self
            .by_id
            .get_mut(account)
            .and_then(|account| account.regions.get_mut(region));
        clusters.is_some_and(|clusters| clusters.remove(name).is_some())
    }

    pub(super) fn cluster(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
    ) -> Option<&mut Cluster> {
        self.by_id
            .get_mut(account)?
            .regions
            .get_mut(region)?
            .get_mut(name)
    }

    /// Lets a cluster that is `DELETING` be gone at a time.
    pub(super) fn leave_at(&mut self, account: &str, region: &str, name: &str, at: Duration) {
        let place = (account.to_owned(), region.to_owned(), name.to_owned(), at);
        self.leaving.push(place);
    }

    /// Removes the clusters of an account whose deletion has ended by now.
    pub(super) fn leave(&mut self, account: &str, now: Duration) {
        let is_due =
            |place: &mut (String, String, String, Duration)| place.0 == account && place.3 <= now;
        let due: Vec<_> = self.leaving.extract_if(.., is_due).collect();
        for (account, region, name, _) in due {
            let cluster = self.cluster(&account, &region, &name);
            // One of that name may have been put in place by a test meanwhile.
            if cluster.is_some_and(|cluster| cluster.status == "DELETING") {
                self.remove_cluster(&account, &region, &name);
            }
        }
    }

    /// The names of the clusters of a region, ascending.
    pub(super) fn cluster_names(&self, account: &str, region: &str) -> impl Iterator<Item = &str> {
        let clusters = self
            .by_id
            .get(account)
            .and_then(|account| account.regions.get(region));
        clusters
            .into_iter()
            .flat_map(|clusters| clusters.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_one_account_and_region_are_not_those_of_another() {
        let mut accounts = Accounts::of(FleetShape::default(), Host::default());
        assert!(accounts.remove_cluster("111111111111", "eu-central-1", "prod-1"));
        assert!(!accounts.remove_cluster("111111111111", "eu-central-1", "prod-1"));
        assert!(
            accounts
                .cluster("111111111111", "us-east-1", "prod-1")
                .is_some()
        );
        assert!(
            accounts
                .cluster("222222222222", "eu-central-1", "prod-1")
                .is_some()
        );
        let left: Vec<_> = accounts
            .cluster_names("111111111111", "eu-central-1")
            .collect();
        assert_eq!(left, ["dev-1"]);
        assert_eq!(
            accounts
                .cluster_names("999999999999", "eu-central-1")
                .count(),
            0
        );
    }
}
