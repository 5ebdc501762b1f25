//! The access policies that are associated with a cluster's access entries: what a principal may do
//! in Kubernetes.

use chrono::{DateTime, Utc};

use super::clock::wall;

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
}
