//! GET /v1/jobs/{jobId}/events: every transition of a job, as server-sent events.
//!
//! Promises: numbers grow, and the same number always tells the same transition, so a client that
//! lost the connection goes on with `Last-Event-ID`; the stream ends after the terminal event, and
//! with the token of the one who reads it, a second after that was revoked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, get};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::NoQuery;
use super::auth::{Caller, Viewer};
use super::budget::Slot;
use super::extract::{Call, find_job};
use super::jobs::JobPath;
use super::problem::Problem;
use super::state::State;
use super::tenure::Tenure;
use crate::db::job_events::{self, JobEventRow};
use crate::db::jobs::JobRow;
use crate::domain::{ErrorCode, JobState, WaitingReason};
use crate::queue::listener::Watch;

/// Between looks without a hint.
const POLL: Duration = Duration::from_secs(1);
/// So that no proxy takes a quiet stream for a dead one.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One transition of a job: the `data` of a server-sent event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobEvent {
    /// Its number within the job; also the event's `id`.
    #[schema(minimum = 1)]
    event_id: i32,
    /// The job.
    job_id: Uuid,
    /// The job's state from then on.
    #[schema(value_type = JobState)]
    state: String,
    /// The step that runs or comes next.
    #[schema(max_length = 64)]
    step: String,
    /// One sentence a person understands.
    #[schema(max_length = 4096)]
    message: String,
    /// What the job waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WaitingReason, required = false)]
    waiting_reason: Option<String>,
    /// When.
    occurred_at: DateTime<Utc>,
}

/// Follow a job.
///
/// Server-sent events, one a transition: `event: job`, `id` the event's number, `data` a `JobEvent`.
/// Send `Last-Event-ID` to go on where a stream broke off. Comment lines keep the stream alive; it
/// ends after the terminal event, or when your token expires or is revoked.
#[utoipa::path(
    operation_id = "streamJobEvents",
    tag = "jobs",
    responses((
        status = 200, description = "The transitions so far, then each as it happens.",
        body = String, content_type = "text/event-stream",
    )),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/jobs/{jobId}/events")]
pub(super) async fn stream_job_events(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: JobPath = call.path()?;
    let NoQuery {} = call.query()?;
    let last = last_event_id(call.headers())?;
    call.job(path.job_id).await?;
    let follow = Follow {
        watch: call.state.watchers.watch(path.job_id),
        state: call.state.clone(),
        tenure: Tenure::of(&call.state, &call.caller),
        caller: call.caller.clone(),
        _slot: call.slot.clone(),
        job_id: path.job_id,
        last,
        ready: VecDeque::new(),
        ended: false,
        quiet_since: tokio::time::Instant::now(),
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/event-stream");
    answer.insert_header(("Cache-Control", "no-store"));
    // Compression would hold events back.
    answer.insert_header(("Content-Encoding", "identity"));
    answer.insert_header(("X-Accel-Buffering", "no"));
    Ok(answer.streaming(events(follow)))
}

fn last_event_id(headers: &HeaderMap) -> Result<i32, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(0);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok());
    number.filter(|number| *number >= 0).ok_or_else(|| {
        let message = "expected the number of an event of this job";
        Problem::invalid_field("/header/Last-Event-ID", message)
    })
}

/// A stream under way.
struct Follow {
    state: State,
    caller: Caller,
    tenure: Tenure,
    /// The request is under way until the stream ends.
    _slot: Slot,
    job_id: Uuid,
    watch: Watch,
    last: i32,
    ready: VecDeque<Bytes>,
    ended: bool,
    quiet_since: tokio::time::Instant,
}

fn events(follow: Follow) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(follow, |mut follow| async move {
        let next = follow.next().await?;
        Ok(next.map(|bytes| (bytes, follow)))
    })
}

impl Follow {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.quiet_since = tokio::time::Instant::now();
                return Ok(Some(bytes));
            }
            let draining = self.state.draining.is_cancelled();
            if self.ended || draining || self.tenure.is_over().await {
                return Ok(None);
            }
            // Listening begins before reading, so that no change falls between the two.
            let changed = self.watch.listen();
            match self.look().await {
                // The caller has as many reads under way as it may: this one waits.
                Err(problem) if problem.code == ErrorCode::RateLimited => {}
                looked => looked?,
            }
            if !self.ready.is_empty() || self.ended {
                continue;
            }
            if self.quiet_since.elapsed() >= HEARTBEAT {
                self.ready.push_back(Bytes::from_static(b": heartbeat\n\n"));
                continue;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(POLL) => {}
                () = self.state.draining.cancelled() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        // The job first: all that came before what it tells is there already.
        let job = find_job(&self.state, &self.caller, self.job_id).await?;
        if job.event_no <= self.last {
            self.ended = job.finished_at.is_some();
            return Ok(());
        }
        let last = self.last;
        let account_id = job.account_id.clone();
        let job_id = self.job_id;
        let rows = self.state.read(&self.caller, move |connection| {
            Box::pin(async move {
                Ok(job_events::list_after(connection, &account_id, job_id, last).await?)
            })
        });
        let mut rows = rows.await?;
        // What came after the job was read waits for the next look, which also sees what lies between.
        rows.retain(|row| row.event_no <= job.event_no);
        // There may be more events than one look returns: the end is told after all of them.
        let told_up_to = match rows.last() {
            Some(last) if rows.len() >= job_events::PAGE => last.event_no,
            _ => i32::MAX,
        };
        for event in merged(&job, rows, self.last) {
            if event.event_id > told_up_to {
                return Ok(());
            }
            self.last = event.event_id;
            self.ready.push_back(written(&event));
        }
        self.ended = job.finished_at.is_some();
        Ok(())
    }
}

fn written(event: &JobEvent) -> Bytes {
    let data = serde_json::to_string(event).unwrap_or_default();
    Bytes::from(format!(
        "event: job\nid: {}\ndata: {data}\n\n",
        event.event_id
    ))
}

/// All events after number `last`: those that the job's own row tells, and those that were kept.
fn merged(job: &JobRow, rows: Vec<JobEventRow>, last: i32) -> Vec<JobEvent> {
    let event = |event_id, state: &str, step: &str, message: &str, occurred_at| JobEvent {
        event_id,
        job_id: job.job_id,
        state: state.to_owned(),
        step: step.to_owned(),
        message: message.to_owned(),
        waiting_reason: None,
        occurred_at,
    };
    let mut events = BTreeMap::new();
    events.insert(1, event(1, "queued", "start", "Queued.", job.created_at));
    if let Some(started_at) = job.started_at {
        events.insert(
            2,
            event(2, "running", "start", "A worker took the job.", started_at),
        );
    }
    for row in rows {
        let mut told = event(
            row.event_no,
            &row.state,
            &row.step,
            &row.message,
            row.occurred_at,
        );
        told.waiting_reason = row.waiting_reason;
        events.insert(row.event_no, told);
    }
    if let Some(finished_at) = job.finished_at {
        let end = event(
            job.event_no,
            &job.state,
            &job.step,
            &job.message,
            finished_at,
        );
        events.insert(job.event_no, end);
    }
    events
        .into_values()
        .filter(|event| event.event_id > last)
        .collect()
}
