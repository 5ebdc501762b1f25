//! What was looked up before a cluster is made. A job keeps it, so that all its steps and tries make
//! the same cluster.

use super::addon_access::AddonNeeds;
use super::spec::nodegroup::GivenTemplate;
use super::spec::{ClusterSpec, NodegroupSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Versions that AWS has said; empty before it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResolvedVersions {
    /// Of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// Of add-ons, by name; only of those that are asked for by `latest` or a beginning.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub addons: BTreeMap<String, String>,
    /// What add-ons need of IAM, by name; only of those whose roles depend on it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, AddonNeeds>,
    /// What was looked up for nodegroups, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodegroups: BTreeMap<String, ResolvedNodegroup>,
}

/// What was looked up for one nodegroup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResolvedNodegroup {
    /// The types that its selector picks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// How many network cards its instances have, if they get elastic fabric adapters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_cards: Option<u32>,
    /// The device of the first disk of its own image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_device: Option<String>,
    /// The launch template that it names, and what is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<GivenTemplate>,
}

impl ResolvedNodegroup {
    fn fill(&self, nodegroup: &mut NodegroupSpec) {
        if nodegroup.is_selected() {
            nodegroup.instance_types.clone_from(&self.instance_types);
        }
        if let Some(efa) = &mut nodegroup.hardware.efa {
            efa.cards = self.network_cards.or(efa.cards);
        }
        if self.root_device.is_some() {
            nodegroup.image.root_device.clone_from(&self.root_device);
        }
        if self.template.is_some() {
            nodegroup.launch_template.clone_from(&self.template);
        }
    }
}

impl ClusterSpec {
    /// The same cluster with the versions that were looked up, and the roles of its add-ons.
    #[must_use]
    pub fn with_versions(mut self, resolved: &ResolvedVersions) -> Self {
        if let Some(version) = &resolved.kubernetes {
            self.version.clone_from(version);
        }
        for addon in &mut self.addons {
            if let Some(version) = resolved.addons.get(&addon.name) {
                addon.version = Some(version.clone());
            }
        }
        for nodegroup in &mut self.nodegroups {
            if let Some(found) = resolved.nodegroups.get(&nodegroup.name) {
                found.fill(nodegroup);
            }
        }
        self.with_addon_access(&resolved.needs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cluster::samples;
    use serde_json::json;

    #[test]
    fn resolved_versions_replace_those_that_were_asked_for() {
        let spec = samples::spec(&json!({
            "metadata": {"name": "c", "region": "eu-central-1", "version": "latest"},
            "addons": [{"name": "vpc-cni", "version": "latest"}, {"name": "coredns", "version": "v1.12"}],
        }));
        let same = spec.clone().with_versions(&ResolvedVersions::default());
        assert_eq!(same, spec);
        let resolved = spec.with_versions(&ResolvedVersions {
            kubernetes: Some("1.35".to_owned()),
            addons: [("vpc-cni".to_owned(), "v1.20.4-eksbuild.1".to_owned())].into(),
            ..ResolvedVersions::default()
        });
        assert_eq!(resolved.version, "1.35");
        let versions: Vec<_> = resolved
            .addons
            .iter()
            .map(|addon| addon.version.as_deref())
            .collect();
        let expected = [Some("v1.20.4-eksbuild.1"), None, Some("v1.12"), None];
        assert_eq!(versions, expected);
    }
}
