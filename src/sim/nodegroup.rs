//! A managed nodegroup of a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::clock::epoch_seconds;

#[derive(Debug, Clone)]
pub(super) struct Nodegroup {
    pub arn: String,
    pub created_at: DateTime<Utc>,
    pub status: &'static str,
    pub tags: BTreeMap<String, String>,
    /// The rest as `DescribeNodegroup` answers it: what its creation said.
    pub described: Value,
    /// When a deletion that was asked of EKS itself ends.
    pub until: Option<Duration>,
}

impl Nodegroup {
    pub(super) fn view(&self, cluster: &str, name: &str) -> Value {
        let mut view = json!({
            "nodegroupName": name,
            "nodegroupArn": self.arn,
            "clusterName": cluster,
            "createdAt": epoch_seconds(self.created_at),
            "modifiedAt": epoch_seconds(self.created_at),
            "status": self.status,
            "capacityType": "ON_DEMAND",
            "health": {"issues": []},
            "updateConfig": {"maxUnavailable": 1},
            "resources": {"autoScalingGroups": [{"name": format!("eks-{name}")}]},
            "tags": self.tags,
        });
        if let (Some(view), Some(described)) = (view.as_object_mut(), self.described.as_object()) {
            view.extend(described.clone());
        }
        view
    }
}
