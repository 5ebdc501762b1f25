//! A Deployment, as far as its rollout is concerned.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::api::Place;
use super::error::KubernetesError;
use super::meta::texts;
use super::{COMPUTE_TYPE, Kubernetes};

const DEPLOYMENTS: Place<'static> = Place::all("apis/apps/v1", "deployments");
/// CoreDNS, as every cluster names it.
const COREDNS: (Place<'static>, &str) = (DEPLOYMENTS.within(Some("kube-system")), "coredns");
/// What `kubectl rollout restart` sets, too.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

impl Kubernetes {
    /// A Deployment; none when the cluster does not have it.
    pub async fn deployment(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Deployment>, KubernetesError> {
        let place = DEPLOYMENTS.within(Some(namespace));
        let found = self.object("reading a Deployment", place, name).await?;
        Ok(found.as_ref().map(Deployment::read))
    }

    /// CoreDNS; none when the cluster does not have it as a Deployment.
    pub async fn coredns(&self) -> Result<Option<Deployment>, KubernetesError> {
        let (place, name) = COREDNS;
        let found = self.object("reading CoreDNS", place, name).await?;
        Ok(found.as_ref().map(Deployment::read))
    }

    /// Gives CoreDNS' pods a compute type, or takes it away. Asks for nothing, and answers false,
    /// when they are so already.
    pub async fn set_coredns_compute_type(
        &self,
        seen: &Deployment,
        compute_type: Option<&str>,
    ) -> Result<bool, KubernetesError> {
        // To take away what is not there would be refused by some servers.
        if seen.pod_annotations.get(COMPUTE_TYPE).map(String::as_str) == compute_type {
            return Ok(false);
        }
        let patch = of_pods(&json!({ COMPUTE_TYPE: compute_type }));
        let patched = self.patch("patching CoreDNS", COREDNS, &patch).await;
        patched.map(|_| true)
    }

    /// Makes CoreDNS' pods anew, as `kubectl rollout restart` does. The mark is a time; the same one
    /// again makes none.
    pub async fn restart_coredns(&self, mark: &str) -> Result<(), KubernetesError> {
        let patch = of_pods(&json!({ RESTARTED: mark }));
        let patched = self.patch("restarting CoreDNS", COREDNS, &patch).await;
        patched.map(drop)
    }

    /// Has a Deployment's pods made anew, as `kubectl rollout restart` does. The time tells one restart
    /// from another: asked for twice with one time, it is one.
    pub async fn restart_deployment(
        &self,
        (namespace, name): (&str, &str),
        at: DateTime<Utc>,
    ) -> Result<Deployment, KubernetesError> {
        let patch = of_pods(&json!({ RESTARTED: at.to_rfc3339_opts(SecondsFormat::Secs, true) }));
        let what = (DEPLOYMENTS.within(Some(namespace)), name);
        let patched = self.patch("restarting a Deployment", what, &patch).await?;
        Ok(Deployment::read(&patched))
    }
}

/// A patch of the annotations that a Deployment's pods get.
fn of_pods(annotations: &Value) -> Value {
    json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } })
}

/// A Deployment as the cluster shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Counts its changes.
    pub generation: i64,
    /// The latest change that the cluster has begun to carry out.
    pub observed_generation: i64,
    /// Pods wanted.
    pub wanted: i64,
    /// Pods there are, of any change.
    pub replicas: i64,
    /// Pods of the latest change.
    pub updated: i64,
    /// Pods that serve.
    pub available: i64,
    /// The annotations that its pods get.
    pub pod_annotations: BTreeMap<String, String>,
    /// Why the cluster gave up on the latest change, if it did.
    pub gave_up: Option<String>,
}

/// How far a change of a Deployment has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// All its pods are of the latest change, and serve.
    Done,
    /// What is waited for.
    Waiting(String),
    /// The cluster gave up; why.
    Stuck(String),
}

impl Deployment {
    /// Reads the API's object. What is not there counts as none; only the pods wanted are one then.
    pub(super) fn read(object: &Value) -> Self {
        let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        let annotations = object.pointer("/spec/template/metadata/annotations");
        Self {
            generation: count("/metadata/generation").unwrap_or(0),
            observed_generation: count("/status/observedGeneration").unwrap_or(0),
            wanted: count("/spec/replicas").unwrap_or(1),
            replicas: count("/status/replicas").unwrap_or(0),
            updated: count("/status/updatedReplicas").unwrap_or(0),
            available: count("/status/availableReplicas").unwrap_or(0),
            pod_annotations: annotations.map(texts).unwrap_or_default(),
            gave_up: gave_up(object),
        }
    }

    /// Whether its latest change is carried out.
    #[must_use]
    pub fn rollout(&self) -> Rollout {
        if self.observed_generation < self.generation {
            return Rollout::Waiting("the cluster has not begun with the change".to_owned());
        }
        if let Some(why) = &self.gave_up {
            return Rollout::Stuck(why.clone());
        }
        let wanted = self.wanted;
        if self.updated < wanted {
            let updated = self.updated;
            return Rollout::Waiting(format!("{updated} of {wanted} new pods are there"));
        }
        if self.replicas > self.updated {
            let old = self.replicas - self.updated;
            return Rollout::Waiting(format!("{old} old pods are still there"));
        }
        if self.available < self.updated {
            let (available, updated) = (self.available, self.updated);
            return Rollout::Waiting(format!("{available} of {updated} new pods are available"));
        }
        Rollout::Done
    }
}

fn gave_up(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let stuck = conditions.iter().find(|condition| {
        condition["type"] == "Progressing" && condition["reason"] == "ProgressDeadlineExceeded"
    })?;
    let words = stuck["message"].as_str();
    Some(
        words
            .unwrap_or("its progress deadline has passed")
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolled_out() -> Value {
        json!({
            "metadata": { "generation": 4 },
            "spec": {
                "replicas": 2,
                "template": { "metadata": { "annotations": { "a": "b" } } },
            },
            "status": {
                "observedGeneration": 4,
                "replicas": 2,
                "updatedReplicas": 2,
                "availableReplicas": 2,
            },
        })
    }

    fn with(pointer: &str, value: Value) -> Rollout {
        let mut object = rolled_out();
        *object.pointer_mut(pointer).unwrap() = value;
        Deployment::read(&object).rollout()
    }

    #[test]
    fn a_rollout_is_done_when_all_pods_are_new_and_serve() {
        let read = Deployment::read(&rolled_out());
        assert_eq!(read.rollout(), Rollout::Done);
        assert_eq!(read.pod_annotations["a"], "b");
        for (pointer, value, words) in [
            (
                "/metadata/generation",
                json!(5),
                "the cluster has not begun with the change",
            ),
            (
                "/status/updatedReplicas",
                json!(1),
                "1 of 2 new pods are there",
            ),
            ("/status/replicas", json!(3), "1 old pods are still there"),
            (
                "/status/availableReplicas",
                json!(0),
                "0 of 2 new pods are available",
            ),
        ] {
            assert_eq!(with(pointer, value), Rollout::Waiting(words.to_owned()));
        }
    }

    #[test]
    fn a_rollout_that_the_cluster_gave_up_is_stuck_until_the_next_change() {
        let mut object = rolled_out();
        object["status"]["conditions"] = json!([
            { "type": "Available", "status": "True" },
            {
                "type": "Progressing",
                "status": "False",
                "reason": "ProgressDeadlineExceeded",
                "message": "ReplicaSet \"coredns-1\" has timed out progressing.",
            },
        ]);
        let stuck =
            Rollout::Stuck("ReplicaSet \"coredns-1\" has timed out progressing.".to_owned());
        assert_eq!(Deployment::read(&object).rollout(), stuck);
        object["metadata"]["generation"] = json!(5);
        assert!(matches!(
            Deployment::read(&object).rollout(),
            Rollout::Waiting(_)
        ));
    }

    #[test]
    fn an_object_without_a_status_is_waited_for() {
        let fresh = Deployment::read(&json!({}));
        assert_eq!(
            fresh.rollout(),
            Rollout::Waiting("0 of 1 new pods are there".to_owned())
        );
    }
}
