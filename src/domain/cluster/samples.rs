//! Clusters that tests are made of.

use super::config::NewClusterConfig;
use super::spec::ClusterSpec;
use serde_json::Value;

/// The cluster of eksctl's guide: a nodegroup and two Fargate profiles.
pub(super) fn guide() -> ClusterSpec {
    let text = include_str!("../../../tests/data/fargate-cluster.yaml");
    let config = NewClusterConfig::from_yaml(text).unwrap();
    config.validate(false).unwrap()
}

/// A cluster that was written down well.
pub(super) fn spec(config: &Value) -> ClusterSpec {
    let config = NewClusterConfig::from_json(&config.to_string()).unwrap();
    config.validate(false).unwrap()
}
