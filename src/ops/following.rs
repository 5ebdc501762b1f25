//! Following what AWS has accepted: how often to look, and for how long.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::context::Context;
use super::failures::failure;
use crate::domain::{ErrorCode, FargateProfile};
use crate::queue::backoff::Backoff;
use crate::queue::verdict::Again;
use crate::queue::{Verdict, Wait};

/// How one kind of change is followed.
pub(super) struct Pace {
    /// Between looks.
    pub(super) delays: Backoff,
    /// After this long AWS is not expected to finish any more.
    pub(super) longest: Duration,
}

/// A creation was seen to take 19 seconds to 6 minutes.
pub(super) const CREATION: Pace = Pace {
    delays: Backoff::millis(&[5_000, 5_000, 10_000, 10_000, 15_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(30),
};

/// A deletion was seen to take 2 to over 20 minutes.
pub(super) const DELETION: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000, 10_000, 15_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(90),
};

/// What is followed, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Followed {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    looks: u32,
    /// The profile's ARN: another one under the same name is another profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arn: Option<String>,
}

impl Followed {
    /// AWS has accepted, just now.
    pub(super) fn from_now(context: &Context<'_>, arn: Option<String>) -> Self {
        Self {
            since: Some(context.job.claimed_at),
            looks: 0,
            arn,
        }
    }

    /// How long by now.
    pub(super) fn lasted(&self, context: &Context<'_>) -> Duration {
        let now = context.job.claimed_at;
        let since = self.since.unwrap_or(now);
        (now - since).to_std().unwrap_or_default()
    }
}

/// Whether the profile is not the one that is followed, but a later one of its name.
pub(super) fn is_another(profile: &FargateProfile, followed: &Followed) -> bool {
    matches!((&profile.arn, &followed.arn), (Some(now), Some(then)) if now != then)
}

/// One more look later, unless it has gone on for too long. `keep` says by which step, and what
/// that has to know.
pub(super) fn look_later(
    context: &Context<'_>,
    pace: &Pace,
    followed: Followed,
    (message, keep): (String, impl FnOnce(Followed) -> (&'static str, Value)),
) -> Verdict {
    let since = followed.since.unwrap_or(context.job.claimed_at);
    if followed.lasted(context) > context.scaled(pace.longest) {
        let message = format!(
            "AWS has not finished in {} minutes: {message}",
            pace.longest.as_secs() / 60
        );
        return Verdict::Fail(failure(ErrorCode::DeadlineExceeded, message));
    }
    let after = pace.delays.delay(followed.looks);
    let (step, step_data) = keep(Followed {
        since: Some(since),
        looks: followed.looks + 1,
        arn: followed.arn,
    });
    Verdict::Again(Box::new(Again {
        after,
        step: step.to_owned(),
        step_data,
        wait: Wait::Poll,
        message,
        accepted: true,
    }))
}
