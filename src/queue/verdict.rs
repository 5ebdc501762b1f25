//! What a step may answer. The engine has no exceptions: a step that can't go on says why, and
//! whether it counts.

use std::time::Duration;

use serde_json::Value;

/// The answer of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The job has done what it was asked.
    Done {
        /// Its result, by kind.
        result: Value,
        /// One sentence for people.
        message: String,
    },
    /// Look again later. Costs no attempt.
    Again(Box<Again>),
    /// Failed for a reason that may pass: counts an attempt, and ends the job after the last.
    Retry(Failure),
    /// Failed for good.
    Fail(Failure),
    /// A cancel was honoured: nothing has been changed.
    Canceled,
}

/// A wait, and the step that follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// How long to wait, before jitter.
    pub after: Duration,
    /// The step to run then.
    pub step: String,
    /// What that step has to know.
    pub step_data: Value,
    /// What the wait is for.
    pub wait: Wait,
    /// One sentence for people.
    pub message: String,
    /// AWS has accepted a change.
    pub accepted: bool,
}

/// Why a job waits. None of these uses up an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// AWS works on what it accepted.
    Poll,
    /// Another change of the cluster is under way at AWS, in AWS's own words.
    ClusterBusy(String),
    /// AWS says: slower. The pause grows with each such wait in a row.
    Throttled,
    /// The account's role can't be assumed for now.
    AccountParked,
    /// Something that passes by itself, such as a role that IAM has not spread yet.
    Retry,
    /// Our own budget of calls is used up for the moment.
    OverBudget,
    /// Trouble that is nobody's fault here and passes by itself, and what it is. The pause grows with
    /// each such wait in a row.
    Trouble(String),
}

impl Wait {
    /// The name callers see.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::ClusterBusy(_) => "cluster_busy",
            Self::Throttled | Self::OverBudget => "throttled",
            Self::AccountParked => "account_parked",
            Self::Retry | Self::Trouble(_) => "retry",
        }
    }
}

/// A failure as the job's row keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// One sentence for people.
    pub message: String,
    /// The error as callers see it.
    pub error: Value,
}
