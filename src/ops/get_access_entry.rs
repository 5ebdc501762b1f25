//! Reads one access entry.
//!
//! Steps: `start`, which is all.

use serde_json::json;

use super::access_entry::look;
use super::context::Context;
use super::failures::not_found;
use crate::domain::job_input::{JobResult, PrincipalInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let PrincipalInput { principal_arn } = context.input()?;
    let Some(entry) = look(context, principal_arn.as_str()).await? else {
        let message = format!(
            "there is no access entry of {principal_arn} on cluster {}",
            context.cluster
        );
        return Err(Verdict::Fail(not_found("access_entry", message)));
    };
    Ok(Verdict::Done {
        message: format!("The access entry of {principal_arn} was read."),
        result: json!(JobResult {
            access_entry: Some(entry),
            ..JobResult::default()
        }),
    })
}
