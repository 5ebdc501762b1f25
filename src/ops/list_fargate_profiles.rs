//! Reads all Fargate profiles of a cluster, in AWS's order.
//!
//! Steps: `start`, which is all.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::context::Context;
use super::refused;
use crate::aws::{Class, Refusal};
use crate::domain::FargateProfile;
use crate::domain::job_input::{JobResult, ReadInput};
use crate::queue::Verdict;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let ReadInput {} = context.input()?;
    match all_profiles(context).await {
        Ok(profiles) => Ok(Verdict::Done {
            message: format!("{} Fargate profiles were read.", profiles.len()),
            result: json!(JobResult {
                profiles: Some(profiles),
                ..JobResult::default()
            }),
        }),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// Every profile of the cluster. One that vanishes between list and describe is left out.
pub(super) async fn all_profiles(context: &Context<'_>) -> Result<Vec<FargateProfile>, Refusal> {
    let names = context.eks.profile_names().await?;
    describe(context, names).await
}

/// These profiles, a few at a time; those that are gone are left out.
pub(super) async fn describe(
    context: &Context<'_>,
    names: Vec<String>,
) -> Result<Vec<FargateProfile>, Refusal> {
    const AT_ONCE: usize = 4;
    let found: Vec<Option<FargateProfile>> = stream::iter(names)
        .map(|name| async move {
            match context.eks.profile(&name).await {
                Ok(profile) => Ok(Some(profile)),
                Err(refusal) => match refused::told_apart(context, refusal).await {
                    gone if gone.class == Class::ProfileNotFound => Ok(None),
                    refusal => Err(refusal),
                },
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
