//! What nodes have to know to join their cluster, and what they run before: each family of images
//! reads it in another form.
//!
//! | file | who reads it |
//! |---|---|
//! | `nodeadm` | Amazon Linux 2023 |
//! | `script` | Amazon Linux 2, Ubuntu |
//! | `settings` | Bottlerocket |
//! | `powershell` | Windows |
//! | `mime` | the document of several parts that Linux takes |

mod mime;
mod nodeadm;
mod powershell;
mod script;
mod settings;

use super::{ClusterFacts, launch};
use crate::domain::cluster::image::Bootstrap;
use crate::domain::cluster::spec::{ClusterSpec, NodegroupSpec};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A nodegroup, its cluster, and what EKS says of it.
#[derive(Clone, Copy)]
struct Node<'a> {
    spec: &'a ClusterSpec,
    nodegroup: &'a NodegroupSpec,
    facts: &'a ClusterFacts,
}

impl Node<'_> {
    /// `key=value,key=value`
    fn labels(self) -> String {
        let labels = launch::labels(self.spec, self.nodegroup);
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        labels.join(",")
    }

    /// `key=value:effect,key=value:effect`
    fn taints(self) -> String {
        let taints = self.nodegroup.taints.iter();
        let taints: Vec<String> = taints
            .map(|taint| format!("{}={}:{}", taint.key, taint.value, taint.effect))
            .collect();
        taints.join(",")
    }

    fn cluster_dns(self) -> String {
        let given = self.nodegroup.bootstrap.cluster_dns.clone();
        given.unwrap_or_else(|| self.facts.cluster_dns())
    }
}

/// The user data of a self-managed nodegroup, in Base64.
pub(super) fn own(spec: &ClusterSpec, nodegroup: &NodegroupSpec, facts: &ClusterFacts) -> String {
    let node = Node {
        spec,
        nodegroup,
        facts,
    };
    let text = match nodegroup.image.family.bootstrap() {
        Bootstrap::Nodeadm => nodeadm::document(node, true).unwrap_or_default(),
        Bootstrap::Script => script::cloud_config(node),
        Bootstrap::Settings => settings::own(node),
        Bootstrap::PowerShell => powershell::own(node),
    };
    STANDARD.encode(text)
}

/// The user data of a managed nodegroup, in Base64; none where EKS's own is enough.
pub(super) fn managed(
    spec: &ClusterSpec,
    nodegroup: &NodegroupSpec,
    facts: &ClusterFacts,
) -> Option<String> {
    let node = Node {
        spec,
        nodegroup,
        facts,
    };
    let family = nodegroup.image.family;
    let text = match family.bootstrap() {
        Bootstrap::Nodeadm => nodeadm::document(node, nodegroup.image.id.is_some()),
        Bootstrap::Script if family.is_ubuntu() => Some(script::cloud_config(node)),
        Bootstrap::Script => script::before_eks(node),
        Bootstrap::Settings => Some(settings::managed(node)),
        Bootstrap::PowerShell => powershell::before_eks(node),
    };
    text.map(|text| STANDARD.encode(text))
}

#[cfg(test)]
mod tests;
