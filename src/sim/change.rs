//! The two mutations of a cluster: creating a Fargate profile and deleting one.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use serde_json::{Value, json};

use super::access::authorize;
use super::action::Action;
use super::arn;
use super::caller::Caller;
use super::clock::{fresh_id, wall};
use super::create::{CreateRequest, NewProfile};
use super::eks::cluster_arn;
use super::error::AwsError;
use super::faults::Subject;
use super::mutation::{Admission, Refusal, admit_create, admit_delete};
use super::profile::{HealthIssue, Phase, Profile};
use super::roles::{FARGATE, Trust};
use super::world::{Arrival, World};

const MISCONFIGURED: &str = "Misconfigured PodExecutionRole Trust Policy; \
                             Please add the eks-fargate-pods.amazonaws.com Service Principal";

impl World {
    /// `CreateFargateProfile`.
    pub(super) fn create_profile(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request = CreateRequest::parse(body)?;
        authorize(
            caller,
            "eks:CreateFargateProfile",
            &cluster_arn(caller, cluster),
        )?;
        let mut new = request.check(caller, &self.options)?;
        authorize(caller, "iam:PassRole", &new.role_arn)?;
        if !new.tags.is_empty() {
            let arn = arn::profile(&cluster_arn(caller, cluster), &new.name, "new");
            authorize(caller, "eks:TagResource", &arn)?;
        }
        let quota = self.options.profiles_per_cluster;
        let admitted = admit_create(self.settled(caller, cluster)?, &new, quota);
        let name = match self.or_overlap(arrival.seq, &new.name, admitted)? {
            Admission::Replay(name) => name,
            Admission::New => {
                self.check_forwarded(caller, &new.role_arn)?;
                new.subnets = self.profile_subnets(caller, cluster, &new.subnets)?;
                self.check_role(caller, cluster, &new)?;
                let issues = self.health(Action::CreateFargateProfile, caller, cluster, &new.name);
                let name = self.begin_creation(caller, cluster, new, issues)?;
                self.recorder.changed(arrival.seq);
                name
            }
        };
        self.answer_profile(caller, cluster, &name)
    }

    /// `DeleteFargateProfile`.
    pub(super) fn delete_profile(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.profile_arn(caller, cluster, name);
        authorize(caller, "eks:DeleteFargateProfile", &resource)?;
        let admitted = admit_delete(self.settled(caller, cluster)?, name);
        self.or_overlap(arrival.seq, name, admitted)?;
        let issues = self.health(Action::DeleteFargateProfile, caller, cluster, name);
        let until = self.clock.now() + self.takes(self.options.delete_time, &resource);
        let settled = self.settled(caller, cluster)?;
        if let Some(profile) = settled.profiles.get_mut(name) {
            profile.phase = Phase::Deleting { until, issues };
        }
        self.recorder.changed(arrival.seq);
        self.answer_profile(caller, cluster, name)
    }

    fn begin_creation(
        &mut self,
        caller: &Caller,
        cluster: &str,
        new: NewProfile,
        issues: Vec<HealthIssue>,
    ) -> Result<String, AwsError> {
        let arn = arn::profile(
            &cluster_arn(caller, cluster),
            &new.name,
            &fresh_id().to_string(),
        );
        let until = self.clock.now() + self.takes(self.options.create_time, &arn);
        let cluster = self.settled(caller, cluster)?;
        let profile = Profile {
            arn,
            created_at: wall(),
            role_arn: new.role_arn,
            subnets: new.subnets,
            selectors: new.selectors,
            tags: new.tags,
            origin: new.origin,
            active_since: Duration::ZERO,
            phase: Phase::Creating { until, issues },
        };
        cluster.profiles.insert(new.name.clone(), profile);
        Ok(new.name)
    }

    fn answer_profile(
        &mut self,
        caller: &Caller,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let cluster = self.settled(caller, cluster)?;
        let profile = cluster
            .profiles
            .get(name)
            .ok_or_else(|| AwsError::no_profile(name))?;
        Ok(json!({ "fargateProfile": profile.view(&cluster.name, name) }))
    }

    /// Puts a refused second mutation on record.
    fn or_overlap<T>(
        &mut self,
        seq: u64,
        profile: &str,
        admitted: Result<T, Refusal>,
    ) -> Result<T, AwsError> {
        admitted.map_err(|refusal| {
            if let Some(blocker) = refusal.overlap {
                self.recorder.overlap(seq, profile, blocker.record_name());
            }
            refusal.error
        })
    }

    fn health(
        &mut self,
        action: Action,
        caller: &Caller,
        cluster: &str,
        profile: &str,
    ) -> Vec<HealthIssue> {
        self.faults.take_health(&Subject {
            action: action.name(),
            service: Some("eks"),
            account: &caller.account,
            region: &caller.region,
            cluster: Some(cluster),
            profile: Some(profile),
            stack: None,
            resource: None,
        })
    }

    /// How long something takes here: a tenth more or less, which follows from `seed`.
    fn takes(&self, aws: Duration, seed: &str) -> Duration {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        let [low, high, ..] = hasher.finish().to_le_bytes();
        let part = f64::from(u16::from_le_bytes([low, high])) / f64::from(u16::MAX);
        self.clock.scale(aws).mul_f64(0.9 + 0.2 * part)
    }

    fn check_role(
        &mut self,
        caller: &Caller,
        cluster: &str,
        new: &NewProfile,
    ) -> Result<(), AwsError> {
        let role = &new.role_arn;
        let profile = arn::profile(&cluster_arn(caller, cluster), &new.name, "new");
        match self.trust(role, FARGATE, &profile) {
            Trust::Yes => Ok(()),
            Trust::No | Trust::Spreading => Err(AwsError::invalid_parameter(MISCONFIGURED)),
            Trust::Missing => {
                let name = role.rsplit('/').next().unwrap_or(role);
                let why = format!("The role with name {name} cannot be found.");
                Err(AwsError::invalid_parameter(why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::SimOptions;
    use super::*;

    #[test]
    fn durations_vary_by_a_tenth_and_not_from_one_look_to_the_next() {
        let world = World::new(SimOptions::default());
        let takes = |seed: &str| world.takes(Duration::from_mins(2), seed);
        assert_eq!(takes("a"), takes("a"));
        for seed in ["a", "b", "c", "d"] {
            assert!(
                (Duration::from_millis(1_799)..=Duration::from_millis(2_201))
                    .contains(&takes(seed))
            );
        }
    }
}
