//! Nodes, and whether they are Ready.

use serde_json::Value;

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::{Meta, condition};

const NODES: Place<'static> = Place::all("api/v1", "nodes");

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its metadata.
    pub meta: Meta,
    /// Whether pods can run on it.
    pub ready: bool,
    /// Why not, in its kubelet's words.
    pub not_ready: Option<String>,
}

impl Node {
    fn read(object: &Value) -> Self {
        let (ready, words) = condition(object, "Ready");
        Self {
            meta: Meta::read(object),
            ready,
            not_ready: words.filter(|_| !ready),
        }
    }
}

impl Kubernetes {
    /// The nodes that have these labels (`a=b,c`).
    pub async fn nodes(&self, labels: &str) -> Result<Vec<Node>, KubernetesError> {
        let found = self.list("listing nodes", NODES, labels).await?;
        Ok(found.iter().map(Node::read).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_ready_by_its_condition_alone() {
        let node = |status: &str| {
            Node::read(&json!({
                "metadata": {"name": "ip-1"},
                "status": {"conditions": [
                    {"type": "MemoryPressure", "status": "False"},
                    {"type": "Ready", "status": status, "message": "words"},
                ]},
            }))
        };
        assert_eq!((node("True").ready, node("True").not_ready), (true, None));
        for other in ["False", "Unknown"] {
            assert!(!node(other).ready);
            assert_eq!(node(other).not_ready.as_deref(), Some("words"));
        }
        assert!(!Node::read(&json!({})).ready);
    }
}
