//! From the SDK's types to ours, where several services need the same.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::refusal::{Class, Refusal};

/// AWS writes seconds as a float: what is beyond milliseconds is noise.
pub(super) fn time(at: aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.secs(), at.subsec_nanos()).map(|at| at.round_subsecs(3))
}

/// AWS took the call and answered without what was asked for.
pub(super) fn unanswered(action: &'static str) -> Refusal {
    Refusal {
        action,
        class: Class::Unavailable,
        code: None,
        message: "AWS answered without what it was asked for".to_owned(),
        request_id: None,
    }
}
