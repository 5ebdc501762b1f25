//! Answers that hold a job or an operation, with the headers that clients look for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::etag;
use super::state::State;
use super::wait::Patience;
use super::wire::job::Job;
use super::wire::operation::Operation;
use crate::db::jobs::JobRow;

/// A browser may keep it for its user, and asks with the `ETag` whether it still holds.
pub(super) const REVALIDATED: &str = "private, no-cache";

/// How an answer came about.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    /// An earlier request with the same key made it.
    pub replayed: bool,
    /// For `Preference-Applied`.
    pub applied: Option<String>,
    /// The job or operation itself was asked for, so `200` whatever its state.
    pub read: bool,
}

impl Manner {
    pub(super) fn of(replayed: bool, patience: &Patience) -> Self {
        Self {
            replayed,
            applied: patience.applied.clone(),
            read: false,
        }
    }

    pub(super) fn of_read(patience: &Patience) -> Self {
        Self {
            read: true,
            ..Self::of(false, patience)
        }
    }

    fn status(&self, finished: bool) -> StatusCode {
        if finished || self.read {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        }
    }
}

/// `200` with a job that has ended, `202` with one that a request has set going.
pub(super) fn job(state: &State, row: JobRow, manner: &Manner) -> HttpResponse {
    let status = manner.status(row.finished_at.is_some());
    let tag = etag::of_job(&row);
    let job = Job::of(row, state.options.time_scale);
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("ETag", tag));
    answer.insert_header(("Cache-Control", REVALIDATED));
    located(&mut answer, &job.links.own, job.retry_after_seconds);
    mannered(&mut answer, manner);
    json(answer, &job)
}

/// The same for an operation, which has ended when all its jobs have.
pub(super) fn operation(operation: &Operation, manner: &Manner) -> HttpResponse {
    let status = manner.status(operation.retry_after_seconds.is_none());
    let mut answer = HttpResponse::build(status);
    located(
        &mut answer,
        &operation.links.own,
        operation.retry_after_seconds,
    );
    mannered(&mut answer, manner);
    json(answer, operation)
}

/// The body, which is never null and never fails to be written.
pub(super) fn json(
    mut answer: actix_web::HttpResponseBuilder,
    body: &impl Serialize,
) -> HttpResponse {
    answer.content_type("application/json");
    answer.body(serde_json::to_vec(body).unwrap_or_default())
}

pub(super) fn mannered(answer: &mut actix_web::HttpResponseBuilder, manner: &Manner) {
    if manner.replayed {
        answer.insert_header(("Idempotent-Replayed", "true"));
    }
    if let Some(applied) = &manner.applied {
        answer.insert_header(("Preference-Applied", applied.as_str()));
    }
}

fn located(answer: &mut actix_web::HttpResponseBuilder, path: &str, retry_after: Option<u32>) {
    answer.insert_header(("Location", path));
    answer.insert_header(("Operation-Location", path));
    if let Some(seconds) = retry_after {
        answer.insert_header(("Retry-After", seconds.to_string()));
    }
}
