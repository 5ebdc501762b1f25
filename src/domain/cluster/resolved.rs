//! What was looked up before a cluster is made. A job keeps it, so that all its steps and tries make
//! the same cluster.

use super::spec::ClusterSpec;
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
}

impl ClusterSpec {
    /// The same cluster with the versions that were looked up.
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
        self
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
