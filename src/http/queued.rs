//! A job as it stands right after it was queued, so that its answer needs no reading.

use chrono::TimeDelta;

use crate::db::jobs::JobRow;
use crate::queue::enqueue::{NewJob, Placed};

/// The farthest place in a lane that is told as counted, as `load_jobs.sql` does.
const MAX_COUNTED: i64 = 1_000;

/// A job as it stands right after it was queued.
pub(super) fn just_queued(
    account_id: String,
    requested_by: String,
    job: NewJob,
    placed: Placed,
) -> JobRow {
    let deadline_after = TimeDelta::from_std(job.deadline_after).unwrap_or(TimeDelta::MAX);
    let phase = if placed.is_head { "ready" } else { "blocked" };
    JobRow {
        account_id,
        job_id: job.job_id,
        kind: job.kind.to_owned(),
        region: job.region,
        cluster_name: job.cluster_name,
        profile_name: job.profile_name,
        operation_id: None,
        retry_of: job.retry_of,
        phase: phase.to_owned(),
        state: "queued".to_owned(),
        due_at: Some(placed.at),
        step: "start".to_owned(),
        attempt: 0,
        poll_count: 0,
        accepted: false,
        waiting_reason: (!placed.is_head).then(|| "lane".to_owned()),
        blocked_by: None,
        message: job.message,
        input: job.input,
        result: None,
        warnings: job.warnings,
        error: None,
        event_no: 1,
        version: 1,
        requested_by,
        created_at: placed.at,
        started_at: None,
        finished_at: None,
        deadline_at: placed.at + deadline_after,
        lane_head: placed.lane_head,
        lane_position: (!placed.is_head).then_some(placed.ahead),
        lane_position_estimated: placed.ahead > MAX_COUNTED,
        account_state: Some(placed.account_state),
        read_at: placed.at,
    }
}
