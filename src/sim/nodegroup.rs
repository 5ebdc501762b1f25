//! A managed nodegroup of a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::clock::epoch_seconds;
use super::host::Host;

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
    /// When it became ACTIVE: its nodes join from then on.
    pub active_from: Option<Duration>,
}

/// A nodegroup that is an autoscaling group of the account's own.
#[derive(Debug, Clone)]
pub(super) struct OwnGroup {
    pub created_at: DateTime<Utc>,
    pub labels: Map<String, Value>,
    pub desired: u32,
    pub active_from: Duration,
}

/// How long after their group is there nodes are known to the cluster, and Ready.
const JOINED: Duration = Duration::from_secs(40);
const READY: Duration = Duration::from_mins(1);

/// The patch level and date of the images that nodes are made from.
const RELEASE: &str = "2-20260601";

/// Nodes that join together.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Tells it from all others.
    pub id: String,
    pub created_at: Option<DateTime<Utc>>,
    pub labels: Map<String, Value>,
    count: u32,
    /// When its nodes join, and when they are Ready.
    joined_from: Duration,
    ready_from: Duration,
}

impl Group {
    /// One whose nodes have always been there.
    pub(super) fn settled(id: &str, count: u32) -> Self {
        Self {
            id: id.to_owned(),
            created_at: None,
            labels: Map::new(),
            count,
            joined_from: Duration::ZERO,
            ready_from: Duration::ZERO,
        }
    }

    fn starting(id: &str, count: u32, from: Duration, host: &Host) -> Self {
        Self {
            joined_from: from + host.scale(JOINED),
            ready_from: from + host.scale(READY),
            ..Self::settled(id, count)
        }
    }

    /// No more nodes than this join.
    pub(super) fn at_most(mut self, limit: Option<u32>) -> Self {
        self.count = self.count.min(limit.unwrap_or(u32::MAX));
        self
    }

    pub(super) fn joined(&self, now: Duration) -> u32 {
        if self.joined_from <= now {
            self.count
        } else {
            0
        }
    }

    pub(super) fn ready(&self, now: Duration) -> u32 {
        if self.ready_from <= now {
            self.count
        } else {
            0
        }
    }
}

impl OwnGroup {
    pub(super) fn group(&self, id: &str, host: &Host) -> Group {
        Group {
            created_at: Some(self.created_at),
            labels: self.labels.clone(),
            ..Group::starting(id, self.desired, self.active_from, host)
        }
    }
}

impl Nodegroup {
    fn desired(&self) -> u32 {
        let desired = self.described.pointer("/scalingConfig/desiredSize");
        let desired = desired.and_then(Value::as_u64).unwrap_or(2);
        u32::try_from(desired).unwrap_or(u32::MAX)
    }

    /// Whether it is there, and some of its nodes never join.
    pub(super) fn lacks_nodes(&self, limit: Option<u32>) -> bool {
        self.active_from.is_some() && limit.is_some_and(|limit| limit < self.desired())
    }

    /// Its nodes; none before it is ACTIVE and while it is being deleted.
    pub(super) fn group(&self, name: &str, host: &Host) -> Option<Group> {
        let from = self.active_from.filter(|_| self.status != "DELETING")?;
        let labels = self.described.get("labels").and_then(Value::as_object);
        let mut labels = labels.cloned().unwrap_or_default();
        labels.insert("eks.amazonaws.com/nodegroup".to_owned(), json!(name));
        let count = self.desired();
        Some(Group {
            created_at: Some(self.created_at),
            labels,
            ..Group::starting(&self.arn, count, from, host)
        })
    }

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
        if let Some(version) = self.described.get("version").and_then(Value::as_str) {
            view["releaseVersion"] = json!(format!("{version}.{RELEASE}"));
        }
        if let (Some(view), Some(described)) = (view.as_object_mut(), self.described.as_object()) {
            view.extend(described.clone());
        }
        view
    }
}
