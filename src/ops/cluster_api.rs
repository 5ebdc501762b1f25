//! The Kubernetes API of the job's cluster: opened with a token of the job's session, and what its
//! troubles mean.

use std::time::Duration;

use super::context::Context;
use super::following::Pace;
use super::patience::Waited;
use super::refused;
use crate::domain::ClusterView;
use crate::kubernetes::{Access, Kubernetes, KubernetesError, Trouble};
use crate::queue::Verdict;
use crate::queue::backoff::Backoff;

/// How long an API may be out of reach, or know nobody: a new cluster's is so for a moment.
const TROUBLE: Pace = Pace {
    delays: Backoff::millis(&[3_000, 5_000, 10_000]),
    longest: Duration::from_mins(1),
};

/// The cluster's API. Asks nobody but STS, for the session of the token. The inner error says why the
/// cluster's own description is not good enough to reach it.
pub(super) async fn open(
    context: &Context<'_>,
    cluster: &ClusterView,
) -> Result<Result<Kubernetes, KubernetesError>, Verdict> {
    let caller = context.eks.caller();
    let token = match caller.kubernetes_token(&cluster.name).await {
        Ok(token) => token,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    Ok(Kubernetes::new(&Access {
        endpoint: cluster.endpoint.as_deref().unwrap_or_default(),
        certificate_authority: cluster.certificate_authority.as_deref(),
        token: &token,
        plain_http: caller.is_simulated(),
    }))
}

/// Whether nobody answers just now, at an address that this service should reach.
pub(super) fn is_outage(cluster: &ClusterView, error: &KubernetesError) -> bool {
    match error.trouble {
        Trouble::Unreachable => cluster.endpoint_public_access != Some(false),
        Trouble::Unavailable => true,
        Trouble::Unauthorized | Trouble::NotFound | Trouble::Conflict | Trouble::Other => false,
    }
}

/// What comes after a call that failed.
pub(super) enum Next {
    /// It may come round: look again after this, and keep the count.
    Again(Duration, Waited),
    /// It is for a person to see to; why, in a sentence without its full stop.
    Never(String),
}

/// What a failed call means to the job; `needs` ends the sentence "the account's role needs an access
/// entry of the cluster that lets it".
pub(super) fn after(
    context: &Context<'_>,
    cluster: &ClusterView,
    error: &KubernetesError,
    (waited, needs): (Waited, &str),
) -> Next {
    let private = cluster.endpoint_public_access == Some(false);
    let hopeless = match error.trouble {
        Trouble::Unreachable => private,
        Trouble::Unauthorized | Trouble::Unavailable | Trouble::Conflict => false,
        Trouble::NotFound | Trouble::Other => true,
    };
    match waited.again(context, &TROUBLE).filter(|_| !hopeless) {
        Some((after, waited)) => Next::Again(after, waited),
        None => Next::Never(reason(error, private, needs)),
    }
}

fn reason(error: &KubernetesError, private: bool, needs: &str) -> String {
    let words = error.to_string();
    let words = words.trim_end_matches('.');
    match error.trouble {
        Trouble::Unreachable if private => format!(
            "{words} (the cluster's endpoint is private, and this service is not in its network)"
        ),
        Trouble::Unauthorized => format!(
            "{words} (the account's role needs an access entry of the cluster that lets it {needs})"
        ),
        _ => words.to_owned(),
    }
}
