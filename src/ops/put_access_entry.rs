//! Makes an access entry, or changes one to what is asked for.
//!
//! Steps: `start`, and `put`, from when AWS may have been asked.

use serde_json::json;

use super::access_entry::{Waiting, Wanted, not_of_the_fleet};
use super::context::Context;
use super::failures::failure;
use crate::domain::ErrorCode;
use crate::domain::job_input::{JobResult, PutAccessEntryInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let PutAccessEntryInput { entry } = context.input()?;
    match context.job.step.as_str() {
        "start" if context.job.cancel_requested => return Err(Verdict::Canceled),
        "start" | "put" => {}
        other => {
            let message = format!("a change of an access entry has no step {other}");
            return Err(Verdict::Fail(failure(ErrorCode::Internal, message)));
        }
    }
    not_of_the_fleet(context, &entry.principal_arn)?;
    let waiting: Waiting = match context.job.step.as_str() {
        "start" => Waiting::default(),
        _ => context.data()?,
    };
    let keep = |waiting: Waiting| ("put", json!(waiting));
    let wanted = Wanted {
        context,
        spec: &entry,
        keep: &keep,
    };
    let made = wanted.bring_about(&waiting).await?;
    Ok(Verdict::Done {
        message: format!(
            "The access entry of {} on cluster {} is as asked for.",
            entry.principal_arn, context.cluster
        ),
        result: json!(JobResult {
            access_entry: Some(made),
            ..JobResult::default()
        }),
    })
}
