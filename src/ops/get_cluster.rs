//! Reads one cluster.
//!
//! Steps: `start`, which is all.

use serde_json::json;

use super::context::Context;
use super::failures::not_found;
use super::refused;
use crate::domain::job_input::{JobResult, ReadInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let ReadInput {} = context.input()?;
    let name = context.cluster;
    match context.clusters().cluster(name).await {
        Ok(Some(cluster)) => Ok(Verdict::Done {
            result: json!(JobResult {
                cluster: Some(cluster),
                ..JobResult::default()
            }),
            message: format!("Cluster {name} was read."),
        }),
        Ok(None) => {
            let message = format!("there is no cluster {name} in {}", context.job.region);
            Err(Verdict::Fail(not_found("cluster", message)))
        }
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
