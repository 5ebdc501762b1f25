//! The error codes of the API, and the error that a failed job carries.
//!
//! Codes are stable and open. The status of each is the one a problem answer uses; nothing here
//! knows HTTP beyond that number.

use super::macros::open_enum;
use super::profile::HealthIssue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

open_enum! {
    /// A stable name for what went wrong.
    ErrorCode as "error code" {
        /// The request makes no sense (400), or a field of it does not (422).
        InvalidRequest => "invalid_request",
        /// A field that can't change in place; replace the profile.
        ImmutableField => "immutable_field",
        /// The idempotency key came with another request before.
        IdempotencyKeyReused => "idempotency_key_reused",
        /// No valid credentials.
        Unauthenticated => "unauthenticated",
        /// Valid credentials that may not do this.
        PermissionDenied => "permission_denied",
        /// The account, cluster, profile or job does not exist; `resource` says which.
        NotFound => "not_found",
        /// Something of that name is there already.
        AlreadyExists => "already_exists",
        /// What is there does not fit what was asked.
        Conflict => "conflict",
        /// Termination or deletion protection keeps it from being deleted.
        Protected => "protected",
        /// `If-Match` named another version.
        PreconditionFailed => "precondition_failed",
        /// An AWS quota is used up.
        LimitExceeded => "limit_exceeded",
        /// This service's own rate limit.
        RateLimited => "rate_limited",
        /// AWS throttles the account.
        Throttled => "throttled",
        /// AWS refused the account's role this action.
        AwsAccessDenied => "aws_access_denied",
        /// The account's role could not be assumed.
        AwsAssumeRoleFailed => "aws_assume_role_failed",
        /// AWS refused the request's content.
        InvalidParameter => "invalid_parameter",
        /// Fargate is not offered in the subnet's zone.
        UnsupportedZone => "unsupported_zone",
        /// A subnet routes straight to an internet gateway.
        NotPrivateSubnet => "not_private_subnet",
        /// The pod execution role can't be used.
        RoleNotUsable => "role_not_usable",
        /// AWS ended in `CREATE_FAILED` or `DELETE_FAILED`.
        NotStabilized => "not_stabilized",
        /// AWS did not answer, or with an error of its own.
        AwsUnavailable => "aws_unavailable",
        /// The job's deadline passed.
        DeadlineExceeded => "deadline_exceeded",
        /// This process is stopping.
        ShuttingDown => "shutting_down",
        /// A fault of ours.
        Internal => "internal",
    }
}

impl ErrorCode {
    /// The status of a problem with this code. A caller answers 422 instead of 400 when a field
    /// is at fault.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict | Self::Protected | Self::LimitExceeded => 409,
            Self::PreconditionFailed => 412,
            Self::ImmutableField
            | Self::IdempotencyKeyReused
            | Self::InvalidParameter
            | Self::UnsupportedZone
            | Self::NotPrivateSubnet
            | Self::RoleNotUsable => 422,
            Self::RateLimited | Self::Throttled => 429,
            Self::Internal => 500,
            Self::AwsAccessDenied | Self::AwsAssumeRoleFailed | Self::NotStabilized => 502,
            Self::AwsUnavailable | Self::ShuttingDown => 503,
            Self::DeadlineExceeded => 504,
        }
    }

    /// Whether the same request can succeed later without being changed. The two of a broken
    /// account role can, once the account is mended.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Throttled
                | Self::AwsAccessDenied
                | Self::AwsAssumeRoleFailed
                | Self::AwsUnavailable
                | Self::DeadlineExceeded
                | Self::ShuttingDown
        )
    }
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// The stable code.
    pub code: ErrorCode,
    /// One sentence that says what happened and what to do next.
    #[schema(max_length = 4096, examples("No cluster found for name: prod-1."))]
    pub message: String,
    /// Whether a retry can succeed.
    pub retryable: bool,
    /// AWS's id of the failed request, for a support case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 128)]
    pub aws_request_id: Option<String>,
    /// What AWS says ails the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 100)]
    pub health_issues: Option<Vec<HealthIssue>>,
    /// Which kind of thing the error is about: account, cluster, profile, job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("cluster"))]
    pub resource: Option<String>,
}

impl JobError {
    /// An error with the code's own `retryable` and no further detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retryable: code.retryable(),
            aws_request_id: None,
            health_issues: None,
            resource: None,
        }
    }
}

impl std::fmt::Display for JobError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for JobError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_contract_holds() {
        let row = |code: &str| {
            let code: ErrorCode = code.parse().unwrap();
            (code.http_status(), code.retryable())
        };
        assert_eq!(row("invalid_request"), (400, false));
        assert_eq!(row("immutable_field"), (422, false));
        assert_eq!(row("limit_exceeded"), (409, false));
        assert_eq!(row("protected"), (409, false));
        assert_eq!(row("throttled"), (429, true));
        assert_eq!(row("aws_assume_role_failed"), (502, true));
        assert_eq!(row("not_stabilized"), (502, false));
        assert_eq!(row("deadline_exceeded"), (504, true));
        assert_eq!(row("internal"), (500, false));
        assert_eq!(ErrorCode::ALL.len(), 24);
    }

    #[test]
    fn absent_details_are_absent_on_the_wire() {
        let error = JobError::new(ErrorCode::Conflict, "it differs");
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            serde_json::json!({"code": "conflict", "message": "it differs", "retryable": false})
        );
    }
}
