//! The load balancers that the cluster has had AWS make: the Services and Ingresses that they are for
//! are deleted while their controllers still run, which take the load balancers down with their
//! security groups and interfaces. Without that the network can't be deleted.

use std::time::Duration;

use super::network::Network;
use super::{Removing, survey};
use crate::domain::ClusterView;
use crate::domain::ErrorCode;
use crate::kubernetes::{Exposed, KubernetesError, Trouble};
use crate::ops::cluster_api;
use crate::ops::context::Context;
use crate::ops::failures::failure;
use crate::ops::following::Pace;
use crate::ops::refused;
use crate::queue::backoff::Backoff;
use crate::queue::{Verdict, Wait};

/// A load balancer goes in a minute or two; eksctl waits ten minutes for all.
const PACE: Pace = Pace {
    delays: Backoff::millis(&[5_000, 5_000, 10_000, 15_000, 20_000, 30_000]),
    longest: Duration::from_mins(15),
};

/// What the cluster says of its Services and Ingresses.
pub(super) type Said = Result<Vec<Exposed>, KubernetesError>;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    const NONE: &str = "No load balancer of the cluster is left.";
    let context = removing.stage.context;
    let Some(cluster) = survey::cluster(context).await? else {
        return Ok(NONE.to_owned());
    };
    let said = exposed(context, &cluster).await?;
    let network = look(context, &cluster).await?;
    let exposed = match said {
        Ok(exposed) => exposed,
        // The start has told so.
        Err(_) if network.balancers.is_empty() => return Ok(NONE.to_owned()),
        Err(error) => return Err(trouble(removing, &cluster, &error)),
    };
    let asked: Vec<&Exposed> = exposed.iter().filter(|one| !one.meta.deleting).collect();
    if !asked.is_empty() {
        delete(removing, &cluster, &asked).await?;
    }
    if exposed.is_empty() && network.balancers.is_empty() {
        return Ok(NONE.to_owned());
    }
    Err(removing.stage.later(&PACE, waits(&exposed, &network)))
}

/// Everything of the cluster that has a load balancer. Nothing of a cluster that can't answer yet, or
/// any more.
pub(super) async fn exposed(context: &Context<'_>, cluster: &ClusterView) -> Result<Said, Verdict> {
    let status = cluster.status.as_deref().unwrap_or_default();
    if matches!(status, "CREATING" | "FAILED" | "DELETING") || cluster.endpoint.is_none() {
        return Ok(Ok(Vec::new()));
    }
    Ok(match cluster_api::open(context, cluster).await? {
        Ok(kubernetes) => kubernetes.exposed().await,
        Err(error) => Err(error),
    })
}

async fn delete(
    removing: &Removing<'_>,
    cluster: &ClusterView,
    asked: &[&Exposed],
) -> Result<(), Verdict> {
    let message = format!("Asking the cluster to delete {}.", named(asked));
    removing.stage.note(message).await?;
    let refused = |error| trouble(removing, cluster, &error);
    let kubernetes = cluster_api::open(removing.stage.context, cluster).await?;
    let kubernetes = kubernetes.map_err(refused)?;
    for one in asked {
        kubernetes.delete_exposed(one).await.map_err(refused)?;
    }
    Ok(())
}

/// A Kubernetes API that does not answer is waited for until the job's deadline: nothing else takes the
/// load balancers down.
pub(super) fn outage(removing: &Removing<'_>, error: &KubernetesError) -> Verdict {
    let message = format!(
        "Waits for the cluster's Kubernetes API, through which its load balancers are deleted: {error}. \
         If it can't be reached from here, delete its Services of type LoadBalancer and its Ingresses \
         by hand, or cancel the job."
    );
    let cause = Wait::Trouble(error.to_string());
    removing.stage.park(Duration::ZERO, cause, message)
}

/// No wait gives the fleet's role a right that it lacks.
fn trouble(removing: &Removing<'_>, cluster: &ClusterView, error: &KubernetesError) -> Verdict {
    if cluster_api::is_outage(cluster, error) {
        return outage(removing, error);
    }
    if error.trouble != Trouble::Unauthorized {
        return removing.stage.busy(&error.to_string());
    }
    let message = format!(
        "{error}; give the account's role an access entry of the cluster that lets it delete Services \
         and Ingresses, then retry the job"
    );
    Verdict::Fail(failure(ErrorCode::AwsAccessDenied, message))
}

/// The load balancers alone: what is in the stacks does not matter yet.
async fn look(context: &Context<'_>, cluster: &ClusterView) -> Result<Network, Verdict> {
    match Network::look(context, Some(cluster), (None, &[])).await {
        Ok(network) => Ok(network),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

fn waits(exposed: &[Exposed], network: &Network) -> String {
    let mut left: Vec<String> = Vec::new();
    if !exposed.is_empty() {
        left.push(named(&exposed.iter().collect::<Vec<_>>()));
    }
    let balancers = network.balancers.iter();
    left.extend(balancers.map(|one| format!("load balancer {} ({})", one.name, one.kind)));
    format!("Waits until these are gone: {}.", left.join(", "))
}

/// The first of them, by kind and name.
fn named(exposed: &[&Exposed]) -> String {
    const TOLD: usize = 20;
    let told = exposed.iter().take(TOLD);
    let told: Vec<String> = told.map(|one| format!("{} {one}", one.kind)).collect();
    match exposed.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}
