//! What the statement answers: a row for each outcome, then one for each lane that has more to do.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::ClaimedJob;

/// A row of either kind.
pub(super) struct Row {
    pub account_id: String,
    pub lane: Option<String>,
    /// The job written; or the lane's next, none when the lane lost its head on the way.
    pub job_id: Option<Uuid>,
    /// Of a lane: the lease whose end freed it.
    pub freed_by: Option<i64>,
    /// A cancel is waiting, and AWS has accepted nothing yet.
    pub stop: bool,
    /// The lane's next is leased to the worker that freed the lane.
    pub handed: bool,
    pub kind: Option<String>,
    pub region: Option<String>,
    pub cluster_name: Option<String>,
    pub profile_name: Option<String>,
    pub input: Option<Value>,
    pub step: Option<String>,
    pub step_data: Option<Value>,
    pub lease_token: Option<i64>,
    pub requested_by: Option<String>,
    pub traceparent: Option<String>,
    pub deadline_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    /// Only there so that the notifications are sent.
    #[expect(dead_code, reason = "the statement would not run what nobody reads")]
    pub notified: i64,
}

impl Row {
    /// The job that the lane goes on with. It was blocked, so nothing of it has been run.
    pub fn into_job(self) -> Option<ClaimedJob> {
        Some(ClaimedJob {
            account_id: self.account_id,
            job_id: self.job_id?,
            kind: self.kind?,
            region: self.region?,
            cluster_name: self.cluster_name,
            profile_name: self.profile_name,
            lane: self.lane,
            input: self.input?,
            step: self.step?,
            step_data: self.step_data?,
            attempt: 0,
            poll_count: 0,
            troubles: 0,
            asked: false,
            accepted: false,
            cancel_requested: false,
            lease_token: self.lease_token?,
            requested_by: self.requested_by?,
            traceparent: self.traceparent,
            started_at: self.now,
            claimed_at: self.now,
            last_look: self.deadline_at? <= self.now,
        })
    }
}
