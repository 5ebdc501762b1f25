//! What a failed AWS call means to the job that made it.

use std::time::Duration;

/// A failed call, classified. The message is AWS's own where AWS spoke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {message}")]
pub struct Refusal {
    /// The AWS operation.
    pub action: &'static str,
    /// What to do about it.
    pub class: Class,
    /// AWS's code.
    pub code: Option<String>,
    /// One or more sentences.
    pub message: String,
    /// To quote to AWS support.
    pub request_id: Option<String>,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The cluster, or the stack, is at work on another change: wait, for free.
    ClusterBusy,
    /// The cluster still has profiles or nodegroups: delete them first.
    NotEmpty,
    /// Something of that name exists, or has been asked for already: compare.
    AlreadyExists,
    /// The stack has termination protection, or the cluster deletion protection: lift it, or leave it.
    Protected,
    /// The profile is being deleted already: adopt that deletion.
    NotActive,
    /// No such profile.
    ProfileNotFound,
    /// No such cluster.
    ClusterNotFound,
    /// Something is not there, and AWS's words don't say what: describe the cluster to know.
    NotFound,
    /// The role's trust policy; also seen while IAM spreads a new role.
    RoleNotUsable,
    /// A subnet has a route to an internet gateway.
    NotPrivateSubnet,
    /// Fargate is not in that zone.
    UnsupportedZone,
    /// A quota of the account.
    LimitExceeded,
    /// AWS refused what was asked, for good.
    InvalidParameter,
    /// The assumed role, or the session's policy, does not allow the call.
    AccessDenied,
    /// The account's role could not be assumed.
    AssumeRoleFailed,
    /// The account's role could not be assumed a moment ago, so STS was not asked again.
    AssumeRoleFailedLately,
    /// The region is not enabled, in the account or in the worker's own.
    RegionDisabled,
    /// AWS refuses what this service asks for itself, whatever the request: a session's policy.
    OurFault,
    /// AWS says: slower.
    Throttled,
    /// Our own budget says: slower.
    OverBudget(Duration),
    /// The session ran out between two calls.
    SessionExpired,
    /// No answer, a broken one, or a server error: it may have been applied.
    Unavailable,
    /// The service does not answer, so it was not asked: stay away for so long.
    CircuitOpen(Duration),
    /// The worker's own credentials are missing, expired or refused.
    WorkerCredentials,
}

impl Class {
    /// Trouble of AWS, of the way to it, or of our own credentials: nobody's request is at fault, and
    /// it passes by itself or when the worker is mended.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::Unavailable
                | Self::CircuitOpen(_)
                | Self::WorkerCredentials
                | Self::SessionExpired
        )
    }

    /// Whether AWS may have applied the change although the call failed.
    #[must_use]
    pub const fn may_be_applied(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}
