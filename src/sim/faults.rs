//! Faults: what the next matching calls are answered instead of, or besides, the truth.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

use super::action::Action;
use super::profile::HealthIssue;

/// Every call of a service.
const ALL: &str = "*";
const LONGEST_DELAY_MS: u64 = 600_000;
const LONGEST_SECONDS: f64 = 1_000_000.0;
const MOST_FAULTS: usize = 10_000;

/// One fault. Without status, code, cut and the others it only delays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The AWS operation, such as `DescribeFargateProfile`; `*` for all of `service`.
    pub action: String,
    /// Only calls of this service: `eks`, `sts`, `cloudformation`, `iam`, `ec2`...
    pub service: Option<String>,
    /// Only calls for this account.
    pub account_id: Option<String>,
    /// Only calls in this region.
    pub region: Option<String>,
    /// Only calls about this cluster.
    pub cluster: Option<String>,
    /// Only calls about this profile.
    pub profile: Option<String>,
    /// Only calls about this stack.
    pub stack: Option<String>,
    /// Only calls about this add-on, nodegroup...; for `CreateResource` and `DeleteResource` the logical id.
    pub resource: Option<String>,
    /// How many calls; 1 unless told, or without an end with `for_seconds`.
    pub times: Option<u32>,
    /// An outage: it ends so long after it was added, by AWS's clock.
    pub for_seconds: Option<f64>,
    /// How many matching calls pass first; 0 when absent.
    pub skip: Option<u32>,
    /// Answer this status and change nothing.
    pub status: Option<u16>,
    /// Answer this error code and change nothing.
    pub code: Option<String>,
    /// The message of that answer.
    pub message: Option<String>,
    /// Wait before anything is applied.
    pub delay_ms: Option<u64>,
    /// Wait after it was applied and before it is answered.
    pub delay_after_ms: Option<u64>,
    /// Apply the call and drop the connection without an answer.
    #[serde(default)]
    pub cut: bool,
    /// Apply the call and break off in the middle of the answer's body.
    #[serde(default)]
    pub truncate: bool,
    /// Let an accepted creation or deletion end as failed with these issues; for
    /// `DescribeFargateProfile`: show these issues.
    #[serde(default)]
    pub health: Vec<HealthIssue>,
    /// Show this status in the answer of a describe.
    pub set_status: Option<String>,
}

/// What a fault is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub action: &'a str,
    /// As in signatures; none of what is no call.
    pub service: Option<&'a str>,
    pub account: &'a str,
    pub region: &'a str,
    pub cluster: Option<&'a str>,
    pub profile: Option<&'a str>,
    pub stack: Option<&'a str>,
    pub resource: Option<&'a str>,
}

impl Fault {
    /// Says in a sentence what is wrong with it, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        let action = self.known_action()?;
        let answers = self.status.is_some() || self.code.is_some();
        if self
            .status
            .is_some_and(|status| !(400..=599).contains(&status))
        {
            return Err("status must lie between 400 and 599".to_owned());
        }
        if self.times.is_some_and(|times| times == 0) {
            return Err("times must be at least 1".to_owned());
        }
        if self
            .for_seconds
            .is_some_and(|seconds| !(0.0..=LONGEST_SECONDS).contains(&seconds))
        {
            return Err(format!(
                "forSeconds must lie between 0 and {LONGEST_SECONDS}"
            ));
        }
        let longest = self.delay_ms.max(self.delay_after_ms).unwrap_or(0);
        if longest > LONGEST_DELAY_MS {
            return Err(format!("delays must be at most {LONGEST_DELAY_MS} ms"));
        }
        if answers && (self.cut || self.truncate || self.set_status.is_some()) {
            return Err(
                "an answer of its own (status, code) excludes cut, truncate and setStatus: \
                        these apply the call"
                    .to_owned(),
            );
        }
        if self.cut && self.truncate {
            return Err("cut and truncate exclude each other".to_owned());
        }
        if action.is_some_and(Action::is_step) {
            return self.check_step(answers || longest > 0);
        }
        if self.message.is_some() && !answers {
            return Err("message needs a status or a code".to_owned());
        }
        self.check_kind(action, answers)
    }

    /// None for all of a service.
    fn known_action(&self) -> Result<Option<Action>, String> {
        if self.action == ALL {
            let known = self.service.is_some();
            return known
                .then_some(None)
                .ok_or_else(|| "the action `*` needs a service".to_owned());
        }
        let known = Action::parse(&self.action).map(Some);
        known.ok_or_else(|| {
            format!(
                "`{}` is not an action that the simulator knows",
                self.action
            )
        })
    }

    /// A step of CloudFormation is no call: it fails with a message, and that is all it can do.
    fn check_step(&self, more: bool) -> Result<(), String> {
        let more = more
            || self.cut
            || self.truncate
            || self.set_status.is_some()
            || !self.health.is_empty()
            || self.profile.is_some();
        if more || self.message.is_none() {
            return Err(
                "CreateResource and DeleteResource need a message, and take no more than accountId, \
                 region, cluster, stack, resource, times and skip"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn check_kind(&self, action: Option<Action>, answers: bool) -> Result<(), String> {
        let describes = action.is_some_and(|action| {
            matches!(
                action,
                Action::DescribeFargateProfile
                    | Action::DescribeCluster
                    | Action::DescribeAddon
                    | Action::DescribeNodegroup
                    | Action::DescribeStacks
            )
        });
        if self.set_status.is_some() && !describes {
            return Err(
                "setStatus is for DescribeFargateProfile, DescribeCluster, DescribeAddon, \
                 DescribeNodegroup and DescribeStacks"
                    .to_owned(),
            );
        }
        let ends = action.is_some_and(|action| {
            matches!(
                action,
                Action::CreateFargateProfile
                    | Action::DeleteFargateProfile
                    | Action::DescribeFargateProfile
            )
        });
        let alone = !answers
            && !self.cut
            && !self.truncate
            && self.delay_ms.max(self.delay_after_ms).is_none();
        let ends_badly = !self.health.is_empty();
        if ends_badly && (!ends || !alone) {
            return Err(
                "health is for CreateFargateProfile, DeleteFargateProfile and \
                 DescribeFargateProfile, and stands alone"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Whether its issues are shown rather than made.
    fn shows(&self) -> bool {
        self.action.starts_with("Describe")
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        let fits = |wanted: &Option<String>, actual: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| Some(wanted) == actual)
        };
        let all = self.action == ALL && subject.service.is_some();
        let any = self.action == "Kubernetes" && subject.action.starts_with("Kubernetes");
        (all || any || self.action == subject.action)
            && fits(&self.service, subject.service)
            && fits(&self.account_id, Some(subject.account))
            && fits(&self.region, Some(subject.region))
            && fits(&self.cluster, subject.cluster)
            && fits(&self.profile, subject.profile)
            && fits(&self.stack, subject.stack)
            && fits(&self.resource, subject.resource)
    }
}

/// A fault that is still to come.
#[derive(Debug)]
struct Pending {
    fault: Fault,
    /// When it ends, by the simulator's clock.
    ends: Option<Duration>,
}

/// The faults that are still to come, in order.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Pending>);

impl Faults {
    /// Adds all or, when one is wrong, none of them. It is `now`, and a second of AWS's takes so long.
    pub(super) fn add(
        &mut self,
        faults: Vec<Fault>,
        (now, second): (Duration, Duration),
    ) -> Result<(), String> {
        for (index, fault) in faults.iter().enumerate() {
            fault
                .check()
                .map_err(|why| format!("fault {index}: {why}"))?;
        }
        if self.0.len() + faults.len() > MOST_FAULTS {
            return Err(format!("at most {MOST_FAULTS} faults can wait"));
        }
        self.0.extend(faults.into_iter().map(|fault| {
            Pending {
                ends: fault
                    .for_seconds
                    .map(|seconds| now + second.mul_f64(seconds)),
                fault,
            }
        }));
        Ok(())
    }

    /// Drops those whose time is over.
    pub(super) fn expire(&mut self, now: Duration) {
        self.0
            .retain(|pending| pending.ends.is_none_or(|ends| now < ends));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for a call that arrives, if there is one.
    pub(super) fn take(&mut self, subject: &Subject<'_>) -> Option<Fault> {
        let ends = |fault: &Fault| !fault.health.is_empty() && !fault.shows();
        self.take_where(|fault| !ends(fault) && fault.matches(subject))
    }

    /// The issues with which an accepted creation or deletion is to end.
    pub(super) fn take_health(&mut self, subject: &Subject<'_>) -> Vec<HealthIssue> {
        let ends = |fault: &Fault| !fault.health.is_empty() && !fault.shows();
        self.take_where(|fault| ends(fault) && fault.matches(subject))
            .map_or_else(Vec::new, |fault| fault.health)
    }

    fn take_where(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.0.iter_mut().position(|Pending { fault, .. }| {
            let fits = wanted(fault);
            let passes = fault.skip.filter(|_| fits).unwrap_or(0);
            fault.skip = fault
                .skip
                .map(|skip| if fits { skip.saturating_sub(1) } else { skip });
            fits && passes == 0
        })?;
        let Pending { fault, ends } = self.0.get_mut(index)?;
        match (fault.times, ends) {
            (None, Some(_)) => Some(fault.clone()),
            (None | Some(0 | 1), _) => self.0.remove(index).map(|pending| pending.fault),
            (Some(times), _) => {
                fault.times = Some(times - 1);
                Some(fault.clone())
            }
        }
    }
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
