//! Jobs and operations as webhooks are told of them: as the API shows them.

use serde_json::Value;

use crate::db::jobs::JobRow;
use crate::db::operations::OperationRow;
use crate::http::wire::job::Job;
use crate::http::wire::operation::Operation;
use crate::webhooks::Rendering;

/// How webhooks are told.
#[must_use]
pub fn webhook_rendering() -> Rendering {
    Rendering {
        job: job_document,
        operation: operation_document,
    }
}

fn job_document(row: JobRow) -> Value {
    // Estimates are for jobs that have not ended.
    serde_json::to_value(Job::of(row, 1.0)).unwrap_or_default()
}

/// Without its jobs, which may be many; `links.jobs` lists them.
fn operation_document(row: OperationRow) -> Value {
    serde_json::to_value(Operation::of(row, None)).unwrap_or_default()
}
