//! Arranging states directly, past all rules of EKS: what the controls do to the world.

use super::arn;
use super::clock::{fresh_id, wall};
use super::control::{AccountSettings, ProfileSpec};
use super::profile::{Phase, Profile, ProfileView};
use super::selector::Selector;
use super::world::World;

/// Account, region, cluster.
pub(super) type Place<'a> = (&'a str, &'a str, &'a str);

impl World {
    pub(super) fn set_account(&mut self, account_id: &str, new: AccountSettings) {
        let settings = &mut self.accounts.entry(account_id).settings;
        if let Some(id) = new.external_id {
            settings.external_id = (!id.is_empty()).then_some(id);
        }
        settings.throttle = new.throttle;
        settings.deny_assume_role = new.deny_assume_role;
    }

    /// Whether there was one.
    pub(super) fn vanish_profile(
        &mut self,
        (account, region, cluster): Place<'_>,
        name: &str,
    ) -> bool {
        let cluster = self.accounts.cluster(account, region, cluster);
        cluster.is_some_and(|cluster| cluster.profiles.remove(name).is_some())
    }

    pub(super) fn put_profile(
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

    pub(super) fn look_at_profile(
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
