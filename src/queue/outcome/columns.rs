//! Outcomes as the statement takes them: one array a column.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;

/// The columns of the outcomes, one array a column.
#[derive(Default)]
pub(super) struct Columns {
    pub account_id: Vec<String>,
    pub job_id: Vec<Uuid>,
    pub lane: Vec<Option<String>>,
    pub lease_token: Vec<i64>,
    pub phase: Vec<String>,
    pub state: Vec<String>,
    pub step: Vec<String>,
    pub step_data: Vec<Value>,
    pub after_ms: Vec<i64>,
    pub waiting_reason: Vec<Option<String>>,
    pub blocked_by: Vec<Option<String>>,
    pub message: Vec<String>,
    pub attempts: Vec<i32>,
    pub polls: Vec<i32>,
    pub asked: Vec<bool>,
    pub accepted: Vec<bool>,
    pub profile_name: Vec<Option<String>>,
    pub result: Vec<Option<Value>>,
    pub warnings: Vec<Value>,
    pub error: Vec<Option<Value>>,
    pub take_next: Vec<bool>,
    pub troubles: Vec<i32>,
}

impl Columns {
    pub fn push(&mut self, item: &Outcome) {
        self.account_id.push(item.account_id.clone());
        self.job_id.push(item.job_id);
        self.lane.push(item.lane.clone());
        self.lease_token.push(item.lease_token);
        self.phase.push(item.next.phase().to_owned());
        self.state.push(item.next.state().to_owned());
        self.step.push(item.step.clone());
        self.step_data.push(item.step_data.clone());
        self.after_ms
            .push(i64::try_from(item.after.as_millis()).unwrap_or(i64::MAX));
        self.waiting_reason
            .push(item.waiting_reason.map(str::to_owned));
        self.blocked_by.push(item.blocked_by.clone());
        self.message.push(item.message.clone());
        self.attempts.push(item.attempts);
        self.polls.push(item.polls);
        self.asked.push(item.asked);
        self.accepted.push(item.accepted);
        self.profile_name.push(item.profile_name.clone());
        self.result.push(item.result.clone());
        self.warnings.push(json!(item.warnings));
        self.error.push(item.error.clone());
        self.take_next.push(item.take_next);
        self.troubles.push(item.troubles);
    }
}
