//! CloudWatch Logs: how long the logs of a control plane are kept.

use serde_json::json;

use super::caller::{Caller, Service};
use super::query::Query;
use super::refusal::Refusal;

/// The log groups of a region, seen through one session by one step of a job.
pub struct Logs {
    caller: Caller,
}

impl Logs {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// Lets a log group keep what is logged for so many days, from now on.
    pub async fn keep_for(&self, group: &str, days: u16) -> Result<(), Refusal> {
        const ACTION: &str = "PutRetentionPolicy";
        let members = json!({"logGroupName": group, "retentionInDays": days});
        let query = Query::of_logs(ACTION, &members);
        let answer = self.caller.query_mutate(Service::Logs, ACTION, query).await;
        answer.map(drop)
    }
}
