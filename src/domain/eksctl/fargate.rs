//! The Fargate part of a `ClusterConfig`: what `eksctl create fargateprofile -f` acts on.

use super::checks::{keep, valid_profiles, wrong_head, wrong_policy_arn};
use super::cluster_config::ClusterConfig;
use crate::domain::ids::{ClusterName, Region};
use crate::domain::invalid::Invalid;
use crate::domain::profile::ProfileSpec;
use crate::domain::role_arn::RoleArn;
use crate::domain::warnings::Warning;

/// A `ClusterConfig` that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FargatePart {
    /// The cluster.
    pub cluster: ClusterName,
    /// Its region.
    pub region: Region,
    /// The profiles in the order of the file, each with a name that occurs once.
    pub profiles: Vec<ProfileSpec>,
    /// The role of profiles that name none.
    pub role: Option<RoleArn>,
    /// The permissions boundary of a role that has to be created.
    pub role_permissions_boundary: Option<String>,
    /// Keys of the file that nothing was done with.
    pub passed_over: Vec<String>,
}

impl FargatePart {
    /// Checks everything; all that is wrong is told at once.
    pub fn of(config: ClusterConfig) -> Result<Self, Vec<Invalid>> {
        let mut wrong = head(&config);
        let metadata = config.metadata;
        let cluster = if let Some(name) = metadata.name {
            keep(&mut wrong, "/metadata/name", ClusterName::parse(name))
        } else {
            let message = "the field name is missing: it says in which cluster the profiles are";
            wrong.push(Invalid::new("/metadata/name", message));
            None
        };
        let region = keep(
            &mut wrong,
            "/metadata/region",
            Region::parse(metadata.region),
        );
        let iam = config.iam.unwrap_or_default();
        let role = iam
            .fargate_pod_execution_role_arn
            .map(RoleArn::parse)
            .transpose();
        let role = keep(&mut wrong, "/iam/fargatePodExecutionRoleARN", role);
        let boundary = iam.fargate_pod_execution_role_permissions_boundary;
        let boundary = boundary.filter(|arn| !arn.is_empty());
        let at = "/iam/fargatePodExecutionRolePermissionsBoundary";
        let given = boundary.as_deref();
        wrong.extend(given.and_then(|arn| wrong_policy_arn(at, arn)));
        if config.fargate_profiles.is_empty() {
            let message = "fargateProfiles is missing or empty, so there is nothing to do";
            wrong.push(Invalid::new("/fargateProfiles", message));
        }
        let profiles = valid_profiles(config.fargate_profiles, &mut wrong);
        match (cluster, region, role) {
            (Some(cluster), Some(region), Some(role)) if wrong.is_empty() => Ok(Self {
                cluster,
                region,
                profiles,
                role,
                role_permissions_boundary: boundary,
                passed_over: config.passed_over,
            }),
            _ => Err(wrong),
        }
    }

    /// What to say of the keys that were passed over.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let keys = self.passed_over.join(", ");
        (!keys.is_empty()).then(|| {
            let message = format!(
                "only the Fargate part of the file was acted on; nothing was done with: {keys}"
            );
            Warning::new("not_acted_on", message)
        })
    }
}

/// What is wrong with the fields that say what the document is; eksctl wants both.
fn head(config: &ClusterConfig) -> Vec<Invalid> {
    let given = [
        ("apiVersion", config.api_version.as_deref()),
        ("kind", config.kind.as_deref()),
    ];
    let absent = given.iter().filter(|(_, value)| value.is_none());
    let mut wrong: Vec<Invalid> = absent
        .map(|(key, _)| Invalid::new(format!("/{key}"), format!("the field {key} is missing")))
        .collect();
    wrong.extend(wrong_head(given[0].1, given[1].1));
    wrong
}

#[cfg(test)]
mod tests;
