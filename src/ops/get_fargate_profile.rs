//! Reads one Fargate profile.
//!
//! Steps: `start`, which is all.

use serde_json::json;

use super::context::Context;
use super::refused;
use crate::domain::job_input::{JobResult, ReadInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let ReadInput {} = context.input()?;
    let name = context.job.profile_name.as_deref().unwrap_or_default();
    match context.eks.profile(name).await {
        Ok(profile) => Ok(Verdict::Done {
            result: json!(JobResult {
                profile: Some(profile),
                ..JobResult::default()
            }),
            message: format!("Fargate profile {name} was read."),
        }),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
