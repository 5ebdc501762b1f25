//! A Fargate profile and its life: `CREATING`, `ACTIVE`, `DELETING`, gone, or failed on the way.
//!
//! Nothing moves it: [`Profile::settle`] works out what it has become by a given time.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::clock::epoch_seconds;
use super::selector::Selector;

/// One reason why a profile failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthIssue {
    /// Such as `AccessDenied`.
    pub code: String,
    /// In words.
    #[serde(default)]
    pub message: String,
    /// What it is about.
    #[serde(default)]
    pub resource_ids: Vec<String>,
}

/// The health of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Empty while all is well.
    pub issues: Vec<HealthIssue>,
}

/// A profile as `DescribeFargateProfile` answers it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "the members of EKS's FargateProfile, under their own names"
)]
pub struct ProfileView {
    pub fargate_profile_name: String,
    pub fargate_profile_arn: String,
    pub cluster_name: String,
    pub created_at: f64,
    pub pod_execution_role_arn: String,
    pub subnets: Vec<String>,
    pub selectors: Vec<Selector>,
    pub status: String,
    pub tags: BTreeMap<String, String>,
    pub health: Health,
}

/// Where a profile is in its life. Times are of the simulated clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Ends `CREATE_FAILED` when there are issues, else `ACTIVE`.
    Creating {
        until: Duration,
        issues: Vec<HealthIssue>,
    },
    Active,
    CreateFailed {
        issues: Vec<HealthIssue>,
    },
    /// Ends `DELETE_FAILED` when there are issues, else it is gone.
    Deleting {
        until: Duration,
        issues: Vec<HealthIssue>,
    },
    DeleteFailed {
        issues: Vec<HealthIssue>,
    },
    /// A status that only a test knows; stays as it is.
    Pinned(String),
}

/// What looking at a profile found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// It turned `ACTIVE` then.
    Activated(Duration),
    Gone,
}

#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub arn: String,
    pub created_at: DateTime<Utc>,
    pub role_arn: String,
    pub subnets: Vec<String>,
    pub selectors: Vec<Selector>,
    pub tags: BTreeMap<String, String>,
    /// The client's token and all that came with it, to know a repeated creation by.
    pub origin: Option<(String, String)>,
    /// Since when it catches new pods.
    pub active_since: Duration,
    pub phase: Phase,
}

impl Profile {
    /// Brings the phase up to `now`.
    pub(super) fn settle(&mut self, now: Duration) -> Change {
        match &mut self.phase {
            Phase::Creating { until, issues } if *until <= now => {
                let until = *until;
                if issues.is_empty() {
                    self.phase = Phase::Active;
                    self.active_since = until;
                    return Change::Activated(until);
                }
                self.phase = Phase::CreateFailed {
                    issues: std::mem::take(issues),
                };
                Change::Nothing
            }
            Phase::Deleting { until, issues } if *until <= now => {
                if issues.is_empty() {
                    return Change::Gone;
                }
                self.phase = Phase::DeleteFailed {
                    issues: std::mem::take(issues),
                };
                Change::Nothing
            }
            _ => Change::Nothing,
        }
    }

    pub(super) fn status(&self) -> &str {
        match &self.phase {
            Phase::Creating { .. } => "CREATING",
            Phase::Active => "ACTIVE",
            Phase::CreateFailed { .. } => "CREATE_FAILED",
            Phase::Deleting { .. } => "DELETING",
            Phase::DeleteFailed { .. } => "DELETE_FAILED",
            Phase::Pinned(status) => status,
        }
    }

    /// Whether AWS is working on it, so that nothing else of its cluster may change.
    pub(super) fn in_motion(&self) -> bool {
        matches!(self.phase, Phase::Creating { .. } | Phase::Deleting { .. })
    }

    pub(super) fn view(&self, cluster: &str, name: &str) -> ProfileView {
        let issues = match &self.phase {
            Phase::CreateFailed { issues } | Phase::DeleteFailed { issues } => issues.clone(),
            _ => Vec::new(),
        };
        ProfileView {
            fargate_profile_name: name.to_owned(),
            fargate_profile_arn: self.arn.clone(),
            cluster_name: cluster.to_owned(),
            created_at: epoch_seconds(self.created_at),
            pod_execution_role_arn: self.role_arn.clone(),
            subnets: self.subnets.clone(),
            selectors: self.selectors.clone(),
            status: self.status().to_owned(),
            tags: self.tags.clone(),
            health: Health { issues },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(10);

    fn profile(phase: Phase) -> Profile {
        Profile {
            arn: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            role_arn: String::new(),
            subnets: vec![],
            selectors: vec![],
            tags: BTreeMap::new(),
            origin: None,
            active_since: Duration::ZERO,
            phase,
        }
    }

    fn issue() -> HealthIssue {
        HealthIssue {
            code: "AccessDenied".into(),
            message: "no".into(),
            resource_ids: vec![],
        }
    }

    #[test]
    fn a_creation_ends_active_when_its_time_has_come() {
        let mut early = profile(Phase::Creating {
            until: NOW * 2,
            issues: vec![],
        });
        assert_eq!(early.settle(NOW), Change::Nothing);
        assert!(early.in_motion());
        let mut due = profile(Phase::Creating {
            until: NOW,
            issues: vec![],
        });
        assert_eq!(due.settle(NOW * 3), Change::Activated(NOW));
        assert_eq!(due.status(), "ACTIVE");
    }

    #[test]
    fn issues_turn_an_end_into_a_failure_that_shows_them() {
        let mut created = profile(Phase::Creating {
            until: NOW,
            issues: vec![issue()],
        });
        created.settle(NOW);
        assert_eq!(created.status(), "CREATE_FAILED");
        assert_eq!(created.view("c", "p").health.issues, [issue()]);
        let mut deleted = profile(Phase::Deleting {
            until: NOW,
            issues: vec![issue()],
        });
        assert_eq!(deleted.settle(NOW), Change::Nothing);
        assert_eq!(deleted.status(), "DELETE_FAILED");
        assert!(!deleted.in_motion());
    }

    #[test]
    fn a_deletion_ends_with_nothing_left() {
        let mut deleted = profile(Phase::Deleting {
            until: NOW,
            issues: vec![],
        });
        assert_eq!(deleted.settle(NOW / 2), Change::Nothing);
        assert_eq!(deleted.settle(NOW), Change::Gone);
    }
}
