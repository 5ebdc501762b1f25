//! Reads all clusters of an account and region, in AWS's order.
//!
//! Steps: `start`, which is all.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::context::Context;
use super::refused;
use crate::aws::Refusal;
use crate::domain::ClusterView;
use crate::domain::job_input::{JobResult, ReadInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let ReadInput {} = context.input()?;
    match all_clusters(context).await {
        Ok(clusters) => Ok(Verdict::Done {
            message: format!("{} clusters were read.", clusters.len()),
            result: json!(JobResult {
                clusters: Some(clusters),
                ..JobResult::default()
            }),
        }),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// A few at a time; one that vanishes between list and describe is left out.
async fn all_clusters(context: &Context<'_>) -> Result<Vec<ClusterView>, Refusal> {
    const AT_ONCE: usize = 4;
    let clusters = context.clusters();
    let found: Vec<Option<ClusterView>> = stream::iter(clusters.cluster_names().await?)
        .map(|name| {
            let clusters = &clusters;
            async move { clusters.cluster(&name).await }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
