//! What only some clusters have: their own network, endpoint and version, add-ons that were touched,
//! nodegroups. The clusters of the first fleet have none of it, and cost no memory for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::access_policies::Association;
use super::addon::Addon;
use super::capabilities::Capability;
use super::cluster_update::ConfigUpdate;
use super::host::Host;
use super::identity_providers::Provider;
use super::kubernetes::Kube;
use super::nodegroup::{Group, Nodegroup, OwnGroup};
use super::pod_identities::PodIdentity;

const DELETION_PROTECTION: &str = "deletionProtection";

#[derive(Debug, Clone, Default)]
pub(super) struct Details {
    /// Members of `DescribeCluster`'s answer that are its own.
    pub described: BTreeMap<String, Value>,
    pub addons: BTreeMap<String, Addon>,
    pub nodegroups: BTreeMap<String, Nodegroup>,
    pub capabilities: BTreeMap<String, Capability>,
    /// Autoscaling groups of the account's own, by physical id.
    pub node_stacks: BTreeMap<String, OwnGroup>,
    /// No more nodes of a nodegroup than this ever join.
    pub max_joining: Option<u32>,
    /// Whether a node was Ready at the last look.
    pub nodes_ready: bool,
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
    /// Principals that may do everything without an access entry.
    pub admins: BTreeSet<String>,
    /// Roles of Kubernetes `ServiceAccount`s, by the id of the association.
    pub pod_identities: BTreeMap<String, PodIdentity>,
    /// The OIDC issuer whose tokens it takes.
    pub provider: Option<Provider>,
    /// What its Kubernetes API knows.
    pub kube: Kube,
}

impl Details {
    /// Whether pods can run on some node.
    pub(super) fn has_nodes(&self) -> bool {
        self.nodes_ready
    }

    /// All nodes that are no Fargate pod's.
    pub(super) fn groups(&self, host: &Host) -> Vec<Group> {
        let managed = self.nodegroups.iter();
        let managed = managed.filter_map(|(name, one)| one.group(name, host));
        let own = self.node_stacks.iter().map(|(id, one)| one.group(id, host));
        let joining = managed.chain(own).map(|one| one.at_most(self.max_joining));
        let others = self.other_nodes.then(|| Group::settled("others", 2));
        others.into_iter().chain(joining).collect()
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
