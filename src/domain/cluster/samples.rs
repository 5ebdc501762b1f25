//! Clusters that tests are made of.

use super::spec::ClusterSpec;
use crate::domain::eksctl::{ClusterConfig, Part};
use serde_json::Value;

/// The cluster of eksctl's guide: a nodegroup and two Fargate profiles.
pub(super) fn guide() -> ClusterSpec {
    let text = include_str!("../../../tests/data/fargate-cluster.yaml");
    let config = ClusterConfig::from_yaml(text, Part::Whole).unwrap();
    ClusterSpec::of(config, false).unwrap()
}

/// A cluster that was written down well.
pub(super) fn spec(config: &Value) -> ClusterSpec {
    let config = ClusterConfig::from_json(&config.to_string(), Part::Whole).unwrap();
    ClusterSpec::of(config, false).unwrap()
}
