//! What only some clusters have: their own network, endpoint and version, add-ons that were touched,
//! nodegroups. The clusters of the first fleet have none of it, and cost no memory for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::access_policies::Association;
use super::addon::Addon;
use super::cluster_update::ConfigUpdate;
use super::nodegroup::Nodegroup;

const DELETION_PROTECTION: &str = "deletionProtection";

#[derive(Debug, Clone, Default)]
pub(super) struct Details {
    /// Members of `DescribeCluster`'s answer that are its own.
    pub described: BTreeMap<String, Value>,
    pub addons: BTreeMap<String, Addon>,
    pub nodegroups: BTreeMap<String, Nodegroup>,
    /// Autoscaling groups whose nodes have joined, by physical id.
    pub node_stacks: BTreeSet<String>,
    /// Nodes that nobody looks after.
    pub other_nodes: bool,
    /// Principals by ARN, and what each access entry says.
    pub access_entries: BTreeMap<String, Value>,
    /// Changes of the cluster's configuration, oldest first.
    pub updates: Vec<ConfigUpdate>,
    /// The policies of each access entry, by its principal.
    pub access_policies: BTreeMap<String, Vec<Association>>,
    /// The tags of each access entry, by its ARN.
    pub access_tags: BTreeMap<String, BTreeMap<String, String>>,
}

impl Details {
    /// Whether pods can run on some node.
    pub(super) fn has_nodes(&self) -> bool {
        self.other_nodes
            || !self.node_stacks.is_empty()
            || self.nodegroups.values().any(|one| one.status == "ACTIVE")
    }

    /// Whether EKS refuses to delete the cluster.
    pub(super) fn is_protected(&self) -> bool {
        self.described.get(DELETION_PROTECTION) == Some(&Value::Bool(true))
    }

    pub(super) fn set_protected(&mut self, protected: bool) {
        self.described
            .insert(DELETION_PROTECTION.to_owned(), Value::Bool(protected));
    }

    pub(super) fn set_endpoint(&mut self, endpoint: &str) {
        self.described
            .insert("endpoint".to_owned(), Value::from(endpoint));
    }

    pub(super) fn set_certificate(&mut self, data: &str) {
        let authority = json!({ "data": data });
        self.described
            .insert("certificateAuthority".to_owned(), authority);
    }
}
