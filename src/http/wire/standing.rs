//! Where an unfinished job stands, worked out from its row: what it waits for, behind whom, when to
//! look again, when it may be done.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::db::jobs::JobRow;
use crate::domain::{JobKind, WaitingReason};

/// What callers are told beyond the row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::http) struct Standing {
    pub waiting_reason: Option<String>,
    pub blocked_by: Option<String>,
    pub queue_position: Option<i64>,
    pub queue_position_estimated: Option<bool>,
    pub next_check_at: Option<DateTime<Utc>>,
    pub estimated_finish_at: Option<DateTime<Utc>>,
    pub retry_after_seconds: Option<u32>,
}

impl Standing {
    /// `time_scale` divides AWS's usual durations: a simulator's clock runs faster.
    pub(in crate::http) fn of(job: &JobRow, time_scale: f64) -> Self {
        if job.finished_at.is_some() {
            return Self::default();
        }
        let retry_after_seconds = Some(retry_after(job));
        let estimated_finish_at = estimate(job, time_scale);
        let waits = |reason: WaitingReason| Some(reason.as_str().to_owned());
        let account_stopped = matches!(job.account_state.as_deref(), Some("parked" | "disabled"));
        match job.phase.as_str() {
            "blocked" => Self {
                waiting_reason: waits(WaitingReason::Lane),
                blocked_by: job.lane_head.map(|head| head.to_string()),
                queue_position: job.lane_position,
                queue_position_estimated: job.lane_position_estimated.then_some(true),
                retry_after_seconds,
                ..Self::default()
            },
            "ready" if account_stopped => Self {
                waiting_reason: waits(WaitingReason::AccountParked),
                retry_after_seconds,
                ..Self::default()
            },
            "parked" => Self {
                waiting_reason: job.waiting_reason.clone(),
                blocked_by: job.blocked_by.clone(),
                next_check_at: job.due_at,
                estimated_finish_at,
                retry_after_seconds,
                ..Self::default()
            },
            _ => Self {
                waiting_reason: job.waiting_reason.clone(),
                estimated_finish_at,
                retry_after_seconds,
                ..Self::default()
            },
        }
    }
}

/// When to ask again: never sooner than the job is looked at.
fn retry_after(job: &JobRow) -> u32 {
    let mutates = job.kind.parse::<JobKind>().is_ok_and(JobKind::is_mutation);
    match (job.phase.as_str(), job.due_at) {
        ("parked", Some(due)) => {
            let millis = (due - job.read_at).num_milliseconds().max(0);
            u32::try_from(millis / 1000 + 1).unwrap_or(30).clamp(1, 30)
        }
        ("blocked", _) => 5,
        _ if mutates => 2,
        _ => 1,
    }
}

/// What AWS usually takes: two minutes for a profile, four for its deletion; twenty for a cluster
/// with what belongs to it, and fifteen for its deletion; seconds for an access entry.
fn estimate(job: &JobRow, time_scale: f64) -> Option<DateTime<Utc>> {
    let seconds = match job.kind.parse().ok()? {
        JobKind::CreateFargateProfile => 120.0,
        JobKind::DeleteFargateProfile => 240.0,
        JobKind::CreateCluster => 1200.0,
        JobKind::DeleteCluster => 900.0,
        JobKind::PutAccessEntry | JobKind::DeleteAccessEntry => 5.0,
        _ => return None,
    };
    let takes = Duration::from_secs_f64(seconds / time_scale.max(0.001));
    let finish = job.started_at.unwrap_or(job.read_at) + takes;
    (finish > job.read_at).then_some(finish)
}
