//! When a cluster takes a creation or deletion, and EKS's words when it doesn't.

use super::cluster::{Blocker, Cluster};
use super::create::NewProfile;
use super::error::AwsError;
use super::profile::Phase;

/// What becomes of a creation that is not refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It was made before, with the same token: answer that profile.
    Replay(String),
    New,
}

/// A refusal, and what was under way if the call should not have been tried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub error: AwsError,
    pub overlap: Option<Blocker>,
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Self {
            error,
            overlap: None,
        }
    }
}

/// Whether the cluster, which is settled, takes this new profile.
pub(super) fn admit_create(
    cluster: &Cluster,
    new: &NewProfile,
    quota: usize,
) -> Result<Admission, Refusal> {
    if !matches!(cluster.status.as_str(), "ACTIVE" | "UPDATING") {
        return Err(AwsError::invalid_request(format!(
            "Cluster '{}' is not in ACTIVE status; it is {}",
            cluster.name, cluster.status
        ))
        .into());
    }
    if let Some(admission) = replay(cluster, new)? {
        return Ok(admission);
    }
    if cluster.profiles.contains_key(&new.name) {
        return Err(Refusal {
            error: AwsError::in_use(
                "A Fargate Profile already exists with this name in this cluster.",
            ),
            overlap: cluster
                .blocker(Some(&new.name))
                .and_then(|blocker| blocker.as_overlap()),
        });
    }
    if let Some(blocker) = cluster.blocker(None) {
        let (name, cluster) = (&new.name, &cluster.name);
        let why = match &blocker {
            Blocker::Profile { name, status } => {
                format!("Fargate profile {name} in status {status}")
            }
            Blocker::Update { id } | Blocker::Settling { id } => {
                format!("update {id} in progress")
            }
        };
        let message = format!(
            "Cannot create Fargate Profile {name} because cluster {cluster} currently has {why}"
        );
        return Err(Refusal {
            error: AwsError::in_use(message),
            overlap: blocker.as_overlap(),
        });
    }
    if cluster.profiles.len() >= quota {
        return Err(AwsError::limit(format!(
            "Fargate Profile limit exceeded for cluster {}: the limit is {quota}",
            cluster.name
        ))
        .into());
    }
    Ok(Admission::New)
}

/// The profile that was made with the same token, if there is one.
fn replay(cluster: &Cluster, new: &NewProfile) -> Result<Option<Admission>, Refusal> {
    let Some((token, whole)) = &new.origin else {
        return Ok(None);
    };
    let made = cluster.profiles.iter().find_map(|(name, profile)| {
        profile
            .origin
            .as_ref()
            .filter(|(used, _)| used == token)
            .map(|(_, with)| (name, with))
    });
    match made {
        Some((name, with)) if with == whole => Ok(Some(Admission::Replay(name.clone()))),
        Some(_) => Err(AwsError::invalid_parameter(format!(
            "The clientRequestToken {token} was used before with other parameters"
        ))
        .into()),
        None => Ok(None),
    }
}

/// Whether the cluster, which is settled, takes the deletion of this profile.
pub(super) fn admit_delete(cluster: &Cluster, name: &str) -> Result<(), Refusal> {
    let profile = cluster
        .profiles
        .get(name)
        .ok_or_else(|| AwsError::no_profile(name))?;
    if matches!(profile.phase, Phase::Deleting { .. }) {
        return Err(
            AwsError::invalid_request("Fargate Profile is currently not in Active State.").into(),
        );
    }
    let Some(blocker) = cluster.blocker(None) else {
        return Ok(());
    };
    let why = match &blocker {
        Blocker::Profile { name, status } => format!("Fargate profile {name} in status {status}"),
        Blocker::Update { .. } | Blocker::Settling { .. } => "an update in progress".to_owned(),
    };
    let cluster = &cluster.name;
    let message = format!(
        "Cannot Delete Fargate Profile {name} because cluster {cluster} currently has {why}"
    );
    Err(Refusal {
        error: AwsError::in_use(message),
        overlap: blocker.as_overlap(),
    })
}

#[cfg(test)]
#[path = "mutation_tests.rs"]
mod tests;
