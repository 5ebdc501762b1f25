//! What is made through the cluster's Kubernetes API: one that can't be used is a warning, with what a
//! person runs instead, since the cluster is there.

use std::time::Duration;

use serde_json::json;

use super::Creating;
use crate::domain::ClusterView;
use crate::domain::warnings::Warning;
use crate::kubernetes::{Kubernetes, KubernetesError};
use crate::ops::cluster_api::{self, Next};
use crate::ops::following::Pace;
use crate::ops::patience::Waited;
use crate::queue::backoff::Backoff;
use crate::queue::{Verdict, Wait};

/// How long an API may be down.
const OUTAGE: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(20),
};

/// What is made, for the caller to read.
pub(super) struct What {
    /// Ends "... could not be made".
    pub(super) subject: &'static str,
    /// The code of the warning.
    pub(super) code: &'static str,
    /// Ends "the account's role needs an access entry of the cluster that lets it".
    pub(super) needs: &'static str,
    /// What a person runs, once `kubectl` reaches the cluster.
    pub(super) by_hand: String,
}

/// The cluster's API; none when it can't be used, of which the caller was told.
pub(super) async fn open(
    creating: &mut Creating<'_>,
    what: &What,
) -> Result<Option<(ClusterView, Kubernetes)>, Verdict> {
    let cluster = creating.cluster().await?;
    match cluster_api::open(creating.stage.context, &cluster).await? {
        Ok(kubernetes) => Ok(Some((cluster, kubernetes))),
        Err(error) => {
            give_up(creating, what, &error.to_string()).await?;
            Ok(None)
        }
    }
}

/// What a failed call means: a wait, or `Ok` when the caller was told that it was given up.
pub(super) async fn trouble(
    creating: &mut Creating<'_>,
    cluster: &ClusterView,
    error: &KubernetesError,
    what: &What,
) -> Result<(), Verdict> {
    let context = creating.stage.context;
    let waited = creating.stage.kept.work.api;
    let next = if cluster_api::is_outage(cluster, error) {
        match waited.again(context, &OUTAGE) {
            Some((after, waited)) => Next::Again(after, waited),
            None => Next::Never(error.to_string()),
        }
    } else {
        cluster_api::after(context, cluster, error, (waited, what.needs))
    };
    match next {
        Next::Again(after, waited) => {
            creating.stage.kept.work.api = waited;
            let message = format!("Waits for the cluster's Kubernetes API: {error}.");
            Err(creating.stage.park(after, Wait::Retry, message))
        }
        Next::Never(why) => give_up(creating, what, &why).await,
    }
}

/// Forgets how long the API was waited for.
pub(super) fn done(creating: &mut Creating<'_>) {
    creating.stage.kept.work.api = Waited::default();
}

async fn give_up(creating: &mut Creating<'_>, what: &What, why: &str) -> Result<(), Verdict> {
    const LONGEST: usize = 3_000;
    let (region, name) = (&creating.stage.context.job.region, creating.name());
    let message = format!(
        "{} could not be made: {}. By hand: aws eks update-kubeconfig --region {region} --name {name} && {}",
        what.subject,
        why.trim_end_matches('.'),
        what.by_hand
    );
    let message: String = message.chars().take(LONGEST).collect();
    let warning = json!(Warning::new(what.code, message));
    let told = format!("{} could not be made.", what.subject);
    creating.stage.warn(&told, vec![warning]).await
}

/// One word for a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
