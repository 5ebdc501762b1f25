//! The in-process controls: arranging states, faults and the clock, and reading the record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::arrange::Place;
use super::faults::Fault;
use super::profile::{HealthIssue, ProfileView};
use super::record::{Call, Record};
use super::rights::CheckedRight;
use super::selector::Selector;
use super::world::Shared;

/// What an account does to its callers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSettings {
    /// The external id that the role demands from now on; absent leaves it as it is, empty lifts it.
    pub external_id: Option<String>,
    /// Answer every EKS call with 429. Off when absent.
    #[serde(default)]
    pub throttle: bool,
    /// Refuse `AssumeRole`. Off when absent.
    #[serde(default)]
    pub deny_assume_role: bool,
    /// Further roles of the account, by path and name, which anybody without a session may assume;
    /// absent leaves them as they are.
    pub roles: Option<Vec<String>>,
    /// What the role may do from now on: a policy document, or a list of them. Absent leaves it as it
    /// is, an empty list lets it do everything again.
    pub role_policy: Option<serde_json::Value>,
}

/// A profile to put in place. What is left empty gets the simulator's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProfileSpec {
    /// Its name.
    pub name: String,
    /// The account's `fargate-pod-execution` when empty.
    pub pod_execution_role_arn: String,
    /// Namespace `default` when empty.
    pub selectors: Vec<Selector>,
    /// The cluster's private subnets when empty.
    pub subnets: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What a cluster is to be like. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ClusterSettings {
    /// What `DescribeCluster` says and creations go by.
    pub status: Option<String>,
    /// Its `endpoint`: where the Kubernetes API of a test listens.
    pub kubernetes_endpoint: Option<String>,
    /// Its `certificateAuthority.data`: a certificate in PEM, in base64.
    pub certificate_authority: Option<String>,
    /// The managed add-ons that it has, by name. There is `coredns` at first.
    pub addons: Option<Vec<String>>,
    /// The managed nodegroups that it has, by name. There are none at first.
    pub nodegroups: Option<Vec<String>>,
    /// Whether it has nodes besides its nodegroups. It has at first.
    pub nodes: Option<bool>,
    /// EKS's `deletionProtection`: an active cluster that has it is not deleted. Off at first.
    pub deletion_protection: Option<bool>,
    /// No more nodes of each nodegroup than this ever join.
    pub max_joining_nodes: Option<u32>,
}

/// A handle to a running simulator. Accounts and clusters that are named and missing are made.
#[derive(Clone)]
pub struct SimControl {
    pub(super) shared: Arc<Shared>,
}

impl SimControl {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Stops the simulated clock: nothing that is `CREATING` or `DELETING` gets any further.
    pub fn freeze(&self) {
        self.shared.lock().clock.freeze();
    }

    /// Lets the clock go on from where it stood.
    pub fn thaw(&self) {
        self.shared.lock().clock.thaw();
    }

    /// Pushes the clock, frozen or not, ahead by a duration as AWS counts it.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().clock.advance(by);
    }

    /// Back to the initial fleet; sessions stay valid.
    pub fn reset(&self) {
        self.shared.lock().reset();
    }

    /// Adds faults behind those that wait; all or, with a sentence, none.
    pub fn try_add_faults(&self, faults: Vec<Fault>) -> Result<(), String> {
        self.shared.lock().add_faults(faults)
    }

    /// Adds faults behind those that wait.
    ///
    /// # Panics
    /// When one of them makes no sense: a test that asks for it is wrong.
    pub fn add_faults(&self, faults: Vec<Fault>) {
        let added = self.try_add_faults(faults);
        assert!(added.is_ok(), "{}", added.err().unwrap_or_default());
    }

    /// Drops the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Sets what an account does to its callers.
    ///
    /// # Panics
    /// When the role's policy is none: a test that sets it is wrong.
    pub fn set_account(&self, account_id: &str, settings: AccountSettings) {
        let set = self.shared.lock().set_account(account_id, settings);
        assert!(set.is_ok(), "{}", set.err().unwrap_or_default());
    }

    /// The rights that were looked for since the policies of an account's role were set.
    #[must_use]
    pub fn checked_rights(&self, account_id: &str) -> Vec<CheckedRight> {
        let world = self.shared.lock();
        let account = world.accounts.get(account_id);
        let policy = account.and_then(|account| account.settings.role_policy.as_ref());
        policy.map(|policy| policy.checked()).unwrap_or_default()
    }

    /// Ends every session that `AssumeRole` gave out so far.
    pub fn expire_sessions(&self) {
        self.shared.lock().sessions.expire_all();
    }

    /// A copy of the record.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.lock().recorder.copy(0)
    }

    /// The first call on record, now or later, that the predicate takes. It is asked when a call
    /// arrives and again when it is answered.
    pub async fn wait_for(&self, predicate: impl Fn(&Call) -> bool) -> Call {
        let mut changed = self.shared.lock().recorder.subscribe();
        let mut from = 0;
        loop {
            changed.borrow_and_update();
            let found = self.shared.lock().recorder.search(from, &predicate);
            match found {
                Ok(call) => return call,
                Err(next) => from = next,
            }
            // The sender lives as long as `self`.
            let _ = changed.changed().await;
        }
    }

    /// Makes a cluster, `ACTIVE` and empty.
    pub fn add_cluster(&self, account_id: &str, region: &str, name: &str) {
        self.shared
            .lock()
            .accounts
            .add_cluster(account_id, region, name);
    }

    /// Lets a cluster, if there is one, vanish with all its profiles.
    pub fn remove_cluster(&self, account_id: &str, region: &str, name: &str) {
        self.shared
            .lock()
            .accounts
            .remove_cluster(account_id, region, name);
    }

    /// Sets what `DescribeCluster` says and creations go by.
    pub fn set_cluster_status(&self, account_id: &str, region: &str, name: &str, status: &str) {
        let mut world = self.shared.lock();
        status.clone_into(&mut world.accounts.add_cluster(account_id, region, name).status);
    }

    /// Sets what a cluster is like.
    pub fn set_cluster(
        &self,
        account_id: &str,
        region: &str,
        name: &str,
        settings: ClusterSettings,
    ) {
        self.shared
            .lock()
            .set_cluster((account_id, region, name), settings);
    }

    /// Sets `endpoint` and `certificateAuthority.data` of the clusters that stacks make from now on.
    pub fn set_kubernetes(&self, endpoint: Option<String>, certificate_authority: Option<String>) {
        let mut world = self.shared.lock();
        world.options.kubernetes_endpoint = endpoint;
        world.options.certificate_authority = certificate_authority;
    }

    /// Lets no more than this many nodes of each nodegroup join, in clusters that stacks make from now
    /// on; `None` lets all join.
    pub fn limit_joining_nodes(&self, limit: Option<u32>) {
        self.shared.lock().options.max_joining_nodes = limit;
    }

    /// Whether all pods of an add-on (`coredns`, `metrics-server`) serve; none when the cluster has no
    /// Deployment of that name.
    #[must_use]
    pub fn addon_runs(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        addon: &str,
    ) -> Option<bool> {
        let mut world = self.shared.lock();
        let cluster = world.look_at_cluster((account_id, region, cluster))?;
        cluster.details();
        cluster.addon_runs(addon)
    }

    /// Makes the pods of an add-on anew, as a person does with `kubectl rollout restart`.
    pub fn restart_addon(&self, account_id: &str, region: &str, cluster: &str, addon: &str) {
        let mut world = self.shared.lock();
        let now = world.clock.now();
        if let Some(cluster) = world.look_at_cluster((account_id, region, cluster)) {
            cluster.restart_addon(addon, now);
        }
    }

    /// All that is there: clusters with what is in them, stacks that are not deleted, their networks
    /// and roles, identity providers. One line each, in order.
    #[must_use]
    pub fn inventory(&self) -> Vec<String> {
        self.shared.lock().inventory()
    }

    /// Begins an update of the cluster, which takes a duration as AWS counts it.
    pub fn start_cluster_update(
        &self,
        account_id: &str,
        region: &str,
        name: &str,
        takes: Duration,
    ) {
        let mut world = self.shared.lock();
        let until = world.clock.now() + world.clock.scale(takes);
        world
            .accounts
            .add_cluster(account_id, region, name)
            .start_update(until);
    }

    /// Puts a profile in place, in any status: one in motion takes its usual time from now.
    pub fn put_profile(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        spec: ProfileSpec,
        status: &str,
    ) {
        self.shared
            .lock()
            .put_profile((account_id, region, cluster), spec, status);
    }

    /// A cluster as `DescribeCluster` answers it.
    #[must_use]
    pub fn cluster(&self, account: &str, region: &str, name: &str) -> Option<serde_json::Value> {
        let mut world = self.shared.lock();
        let cluster = world.accounts.cluster(account, region, name)?;
        Some(cluster.view())
    }

    /// The profile as it is now.
    #[must_use]
    pub fn profile(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        name: &str,
    ) -> Option<ProfileView> {
        self.shared
            .lock()
            .look_at_profile((account_id, region, cluster), name)
    }

    /// Lets a profile, if there is one, vanish, whatever its status.
    pub fn vanish_profile(&self, account_id: &str, region: &str, cluster: &str, name: &str) {
        self.shared
            .lock()
            .vanish_profile((account_id, region, cluster), name);
    }

    /// Lets the next accepted creation in the cluster (of this profile) end `CREATE_FAILED`.
    pub fn fail_next_create(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        profile: Option<&str>,
        issues: Vec<HealthIssue>,
    ) {
        self.fail_next(
            "CreateFargateProfile",
            (account_id, region, cluster),
            profile,
            issues,
        );
    }

    /// Lets the next accepted deletion in the cluster (of this profile) end `DELETE_FAILED`.
    pub fn fail_next_delete(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        profile: Option<&str>,
        issues: Vec<HealthIssue>,
    ) {
        self.fail_next(
            "DeleteFargateProfile",
            (account_id, region, cluster),
            profile,
            issues,
        );
    }

    fn fail_next(
        &self,
        action: &str,
        (account, region, cluster): Place<'_>,
        profile: Option<&str>,
        health: Vec<HealthIssue>,
    ) {
        self.add_faults(vec![Fault {
            action: action.to_owned(),
            account_id: Some(account.to_owned()),
            region: Some(region.to_owned()),
            cluster: Some(cluster.to_owned()),
            profile: profile.map(str::to_owned),
            health,
            ..Fault::default()
        }]);
    }
}
