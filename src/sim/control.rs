//! The in-process controls: arranging states, faults and the clock, and reading the record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::arn;
use super::clock::{fresh_id, wall};
use super::faults::Fault;
use super::profile::{HealthIssue, Phase, Profile, ProfileView};
use super::record::{Call, Record};
use super::selector::Selector;
use super::world::{Shared, World};

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

/// A handle to a running simulator. Accounts and clusters that are named and missing are made.
#[derive(Clone)]
pub struct SimControl {
    shared: Arc<Shared>,
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
        self.shared.lock().faults.add(faults)
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
    pub fn set_account(&self, account_id: &str, settings: AccountSettings) {
        self.shared.lock().set_account(account_id, settings);
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

    /// Lets a cluster vanish with all its profiles; whether there was one.
    pub fn remove_cluster(&self, account_id: &str, region: &str, name: &str) -> bool {
        self.shared
            .lock()
            .accounts
            .remove_cluster(account_id, region, name)
    }

    /// Sets what `DescribeCluster` says and creations go by.
    pub fn set_cluster_status(&self, account_id: &str, region: &str, name: &str, status: &str) {
        let mut world = self.shared.lock();
        status.clone_into(&mut world.accounts.add_cluster(account_id, region, name).status);
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

    /// Lets a profile vanish, whatever its status; whether there was one.
    pub fn vanish_profile(
        &self,
        account_id: &str,
        region: &str,
        cluster: &str,
        name: &str,
    ) -> bool {
        let mut world = self.shared.lock();
        let cluster = world.accounts.cluster(account_id, region, cluster);
        cluster.is_some_and(|cluster| cluster.profiles.remove(name).is_some())
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

/// Account, region, cluster.
type Place<'a> = (&'a str, &'a str, &'a str);

impl World {
    pub(super) fn set_account(&mut self, account_id: &str, new: AccountSettings) {
        let settings = &mut self.accounts.entry(account_id).settings;
        if let Some(id) = new.external_id {
            settings.external_id = (!id.is_empty()).then_some(id);
        }
        settings.throttle = new.throttle;
        settings.deny_assume_role = new.deny_assume_role;
    }

    fn put_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        spec: ProfileSpec,
        status: &str,
    ) {
        let now = self.clock.now();
        let phase = match status {
            "CREATING" => Phase::Creating {
                until: now + self.clock.scale(self.options.create_time),
                issues: vec![],
            },
            "DELETING" => Phase::Deleting {
                until: now + self.clock.scale(self.options.delete_time),
                issues: vec![],
            },
            "ACTIVE" => Phase::Active,
            "CREATE_FAILED" => Phase::CreateFailed { issues: vec![] },
            "DELETE_FAILED" => Phase::DeleteFailed { issues: vec![] },
            other => Phase::Pinned(other.to_owned()),
        };
        let cluster = self.accounts.add_cluster(account, region, cluster);
        let profile = Profile {
            arn: arn::profile(&cluster.arn, &spec.name, &fresh_id().to_string()),
            created_at: wall(),
            role_arn: Some(spec.pod_execution_role_arn)
                .filter(|arn| !arn.is_empty())
                .unwrap_or_else(|| {
                    format!(
                        "arn:{}:iam::{account}:role/fargate-pod-execution",
                        arn::partition(region)
                    )
                }),
            subnets: if spec.subnets.is_empty() {
                cluster.private_subnets()
            } else {
                spec.subnets
            },
            selectors: if spec.selectors.is_empty() {
                vec![Selector {
                    namespace: "default".to_owned(),
                    ..Selector::default()
                }]
            } else {
                spec.selectors
            },
            tags: spec.tags,
            origin: None,
            phase,
        };
        cluster.profiles.insert(spec.name, profile);
    }

    fn look_at_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        name: &str,
    ) -> Option<ProfileView> {
        let (now, settle) = (self.clock.now(), self.clock.scale(self.options.settle_time));
        let cluster = self.accounts.cluster(account, region, cluster)?;
        cluster.settle(now, settle);
        cluster
            .profiles
            .get(name)
            .map(|profile| profile.view(&cluster.name, name))
    }
}
