//! The access policies that are associated with a cluster's access entries: what a principal may do
//! in Kubernetes.

use chrono::{DateTime, Utc};

use super::clock::wall;

/// What an access policy lets its principals do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Everything.
    ClusterAdmin,
    /// Everything in namespaces.
    Admin,
    /// All in namespaces but rights.
    Edit,
    /// Reading in namespaces.
    View,
    /// Reading everything.
    AdminView,
}

/// AWS's policies, by the last part of their ARN.
const POLICIES: [(&str, Level); 5] = [
    ("AmazonEKSClusterAdminPolicy", Level::ClusterAdmin),
    ("AmazonEKSAdminPolicy", Level::Admin),
    ("AmazonEKSEditPolicy", Level::Edit),
    ("AmazonEKSViewPolicy", Level::View),
    ("AmazonEKSAdminViewPolicy", Level::AdminView),
];

/// A policy of one access entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Association {
    /// `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`
    pub policy_arn: String,
    /// Patterns of the namespaces that it is for; none for the whole cluster.
    pub namespaces: Option<Vec<String>>,
    pub associated_at: DateTime<Utc>,
}

impl Association {
    /// That of whoever makes a cluster.
    pub(super) fn of_creator(partition: &str) -> Self {
        Self {
            policy_arn: format!(
                "arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            ),
            namespaces: None,
            associated_at: wall(),
        }
    }

    /// What it lets do; none when AWS has no such policy, or none that is about pods and services.
    pub(super) fn level(&self) -> Option<Level> {
        level(&self.policy_arn)
    }
}

/// What a policy lets do.
pub(super) fn level(policy_arn: &str) -> Option<Level> {
    let (_, name) = policy_arn.split_once(":eks::aws:cluster-access-policy/")?;
    let known = POLICIES.iter().find(|(known, _)| *known == name);
    known.map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_known_by_their_arn() {
        assert_eq!(
            Association::of_creator("aws-cn").level(),
            Some(Level::ClusterAdmin)
        );
        let view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
        assert_eq!(level(view), Some(Level::View));
        for other in [
            "AmazonEKSViewPolicy",
            "arn:aws:iam::aws:policy/AmazonEKSViewPolicy",
        ] {
            assert_eq!(level(other), None, "{other}");
        }
    }
}
