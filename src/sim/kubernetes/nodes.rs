//! The nodes of a cluster: one for each pod on Fargate, and those of nodegroups that have joined.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::workload::{COMPUTE_TYPE, Workload, address, time};
use crate::sim::cluster::Cluster;

/// One node as lists show it.
pub(super) struct Node {
    pub name: String,
    pub ready: bool,
    labels: Map<String, Value>,
    created_at: DateTime<Utc>,
}

impl Node {
    pub(super) fn view(&self) -> Value {
        let mut labels = self.labels.clone();
        labels.insert("kubernetes.io/hostname".to_owned(), json!(self.name));
        labels.insert("kubernetes.io/os".to_owned(), json!("linux"));
        let (status, reason, message) = if self.ready {
            ("True", "KubeletReady", "kubelet is posting ready status")
        } else {
            (
                "False",
                "KubeletNotReady",
                "container runtime network not ready: cni plugin not initialized",
            )
        };
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "uid": format!("node-{}", self.name),
                "creationTimestamp": time(self.created_at),
                "labels": labels,
            },
            "spec": {"providerID": format!("aws:///{}", self.name)},
            "status": {"conditions": [
                {"type": "Ready", "status": status, "reason": reason, "message": message},
            ]},
        })
    }
}

/// The name of a node of a group.
pub(in crate::sim) fn node_name(group: &str, number: u32, region: &str) -> String {
    let address = address(&format!("{group}/{number}")).replace('.', "-");
    format!("ip-{address}.{region}.compute.internal")
}

impl Cluster {
    /// All nodes, in order of their names.
    pub(super) fn nodes(&mut self, now: Duration) -> Vec<Node> {
        let region = self.region().to_owned();
        let (created_at, host) = (self.created_at, self.host.clone());
        let details = self.details();
        let mut nodes = Vec::new();
        for group in details.groups(&host) {
            let (joined, ready) = (group.joined(now), group.ready(now));
            nodes.extend((0..joined).map(|number| Node {
                name: node_name(&group.id, number, &region),
                ready: number < ready,
                labels: group.labels.clone(),
                created_at: group.created_at.unwrap_or(created_at),
            }));
        }
        let pods = details
            .kube
            .workloads
            .values()
            .flat_map(|one: &Workload| &one.pods);
        nodes.extend(pods.filter_map(|pod| {
            let labels = json!({ COMPUTE_TYPE: "fargate" });
            Some(Node {
                name: pod.fargate_node()?.to_owned(),
                ready: true,
                labels: labels.as_object().cloned().unwrap_or_default(),
                created_at: pod.created_at,
            })
        }));
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }
}
