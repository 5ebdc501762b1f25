//! A wait with a bound of its own: what too long means is for the one who waits to say.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::following::Pace;

/// How long something has been waited for; kept in the step's data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Waited {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    looks: u32,
}

impl Waited {
    /// How long until the next look, and what to keep until then; none when it has lasted too long.
    pub(super) fn again(self, context: &Context<'_>, pace: &Pace) -> Option<(Duration, Self)> {
        let now = context.job.claimed_at;
        let since = self.since.unwrap_or(now);
        let lasted = (now - since).to_std().unwrap_or_default();
        let next = Self {
            since: Some(since),
            looks: self.looks + 1,
        };
        (lasted <= context.scaled(pace.longest)).then(|| (pace.delays.delay(self.looks), next))
    }
}
