//! Pods: where they run, and why they don't.

use serde_json::Value;

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::meta::{Meta, condition};

const PODS: Place<'static> = Place::all("api/v1", "pods");
const PROFILE: &str = "eks.amazonaws.com/fargate-profile";

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its metadata.
    pub meta: Meta,
    /// Where it runs.
    pub node: Option<String>,
    /// Pending, Running, Succeeded, Failed, Unknown.
    pub phase: String,
    /// Whether it serves.
    pub ready: bool,
    /// Why it has no node, in the scheduler's words.
    pub unscheduled: Option<String>,
}

impl Pod {
    fn read(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (scheduled, words) = condition(object, "PodScheduled");
        Self {
            meta: Meta::read(object),
            node: text("/spec/nodeName").map(str::to_owned),
            phase: text("/status/phase").unwrap_or("Unknown").to_owned(),
            ready: condition(object, "Ready").0,
            unscheduled: words.filter(|_| !scheduled),
        }
    }

    /// The Fargate profile that it was bound to when it was made.
    #[must_use]
    pub fn fargate_profile(&self) -> Option<&str> {
        self.meta.labels.get(PROFILE).map(String::as_str)
    }
}

impl Kubernetes {
    /// The pods of a namespace, or of all, that have these labels (`a=b,c`).
    pub async fn pods(
        &self,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Vec<Pod>, KubernetesError> {
        let found = self
            .list("listing pods", PODS.within(namespace), labels)
            .await?;
        Ok(found.iter().map(Pod::read).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_that_waits_says_why() {
        let pod = Pod::read(&json!({
            "metadata": {
                "name": "coredns-1", "namespace": "kube-system",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {PROFILE: "fp-a"},
            },
            "status": {
                "phase": "Pending",
                "conditions": [{
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "no nodes available to schedule pods",
                }],
            },
        }));
        assert_eq!(
            pod.unscheduled.as_deref(),
            Some("no nodes available to schedule pods")
        );
        assert_eq!((pod.ready, pod.node.as_deref()), (false, None));
        assert_eq!(pod.fargate_profile(), Some("fp-a"));
        assert_eq!(pod.meta.created_at.unwrap().timestamp(), 1_767_225_600);
    }
}
