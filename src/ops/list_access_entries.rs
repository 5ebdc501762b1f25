//! Reads all access entries of a cluster, in AWS's order.
//!
//! Steps: `start`, which is all.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::access_entry::access_entries;
use super::context::Context;
use super::refused;
use crate::aws::Refusal;
use crate::domain::AccessEntry;
use crate::domain::job_input::{JobResult, ReadInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let ReadInput {} = context.input()?;
    match all(context).await {
        Ok(entries) => Ok(Verdict::Done {
            message: format!("{} access entries were read.", entries.len()),
            result: json!(JobResult {
                access_entries: Some(entries),
                ..JobResult::default()
            }),
        }),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// A few at a time; one that vanishes between list and describe is left out.
async fn all(context: &Context<'_>) -> Result<Vec<AccessEntry>, Refusal> {
    const AT_ONCE: usize = 4;
    let entries = access_entries(context);
    let found: Vec<Option<AccessEntry>> = stream::iter(entries.principals().await?)
        .map(|principal| {
            let entries = &entries;
            async move { entries.entry(&principal).await }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
