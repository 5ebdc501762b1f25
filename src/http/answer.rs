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

/// How an answer came about.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    /// An earlier request with the same key made it.
    pub replayed: bool,
    /// For `Preference-Applied`.
    pub applied: Option<String>,
}

impl Manner {
    pub(super) fn of(replayed: bool, patience: &Patience) -> Self {
        Self {
            replayed,
            applied: patience.applied.clone(),
        }
    }
}

/// `200` with a job that has ended, `202` with one that has not.
pub(super) fn job(state: &State, row: JobRow, manner: &Manner) -> HttpResponse {
    let status = if row.finished_at.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let tag = etag::of_job(&row);
    let job = Job::of(row, state.options.time_scale);
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("ETag", tag));
    answer.insert_header(("Cache-Control", "no-cache"));
    located(&mut answer, &job.links.own, job.retry_after_seconds);
    mannered(&mut answer, manner);
    json(answer, &job)
}

/// `200` with an operation whose jobs have all ended, else `202`.
pub(super) fn operation(operation: &Operation, manner: &Manner) -> HttpResponse {
    let unfinished = operation.retry_after_seconds.is_some();
    let status = if unfinished {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
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
