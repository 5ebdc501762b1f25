//! A Deployment and its pods: `CoreDNS`, metrics-server, and what callers make.
//!
//! A pod is bound when it is made, and never anew: to Fargate if a profile that is ACTIVE by then
//! catches it and its annotations do not keep it on EC2, otherwise to nodes, for which it waits.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sim::clock::{fresh_id, wall};
use crate::sim::host::Host;
use crate::sim::profile::Profile;
use crate::sim::text::{glob, hex};

pub(in crate::sim) const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";
const PROFILE_LABEL: &str = "eks.amazonaws.com/fargate-profile";

/// How long things take at AWS: a pod on Fargate, one on a node, and the cluster to see a change.
const FARGATE_START: Duration = Duration::from_secs(45);
const NODE_START: Duration = Duration::from_secs(5);
const OBSERVED: Duration = Duration::from_secs(1);
/// When the cluster gives up on a change.
const PROGRESS_DEADLINE: Duration = Duration::from_mins(10);

/// Where a pod is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Binding {
    Fargate { profile: String },
    Nodes,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Pod {
    pub name: String,
    uid: String,
    pub created_at: DateTime<Utc>,
    made: Duration,
    revision: i64,
    binding: Binding,
    /// Its node, and since when it serves.
    running: Option<(String, Duration)>,
}

impl Pod {
    pub(in crate::sim) fn is_ready(&self) -> bool {
        self.running.is_some()
    }

    /// The Fargate profile that it is bound to.
    pub(in crate::sim) fn fargate_profile(&self) -> Option<&str> {
        match &self.binding {
            Binding::Fargate { profile } => Some(profile),
            Binding::Nodes => None,
        }
    }

    /// The node that Fargate made for it.
    pub(super) fn fargate_node(&self) -> Option<&str> {
        self.fargate_profile()?;
        self.running.as_ref().map(|(node, _)| node.as_str())
    }
}

/// What a cluster has for pods to run on.
pub(in crate::sim) struct Ground<'a> {
    pub now: Duration,
    pub host: &'a Host,
    pub region: &'a str,
    pub profiles: &'a BTreeMap<String, Profile>,
    /// Nodes that are Ready.
    pub nodes: &'a [String],
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Workload {
    /// `metadata` and `spec`.
    pub object: Value,
    pub pods: Vec<Pod>,
    /// Whether an add-on made it, and takes it away.
    pub of_addon: bool,
    changed: Duration,
    observed: i64,
    revision: i64,
}

impl Workload {
    /// Makes it with its pods.
    pub(in crate::sim) fn new(object: Value, ground: &Ground<'_>) -> Self {
        let mut workload = Self {
            object,
            pods: Vec::new(),
            of_addon: false,
            changed: ground.now,
            observed: 0,
            revision: 1,
        };
        let metadata = &mut workload.object["metadata"];
        metadata["uid"] = json!(fresh_id().to_string());
        metadata["creationTimestamp"] = json!(time(wall()));
        metadata["generation"] = json!(1);
        workload.fill(ground);
        workload
    }

    /// As it is in a cluster that has been in use: its pods serve.
    pub(in crate::sim) fn settled(mut self, created_at: DateTime<Utc>, node: &str) -> Self {
        self.object["metadata"]["creationTimestamp"] = json!(time(created_at));
        self.observed = self.generation();
        for pod in &mut self.pods {
            pod.created_at = created_at;
            pod.running = Some((node.to_owned(), Duration::ZERO));
        }
        self
    }

    fn generation(&self) -> i64 {
        self.object["metadata"]["generation"].as_i64().unwrap_or(1)
    }

    fn replicas(&self) -> usize {
        let wanted = self.object["spec"]["replicas"].as_u64().unwrap_or(1);
        usize::try_from(wanted).unwrap_or(0)
    }

    fn text(&self, pointer: &str) -> &str {
        let found = self.object.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default()
    }

    /// Changes it to this object; what a new template says needs new pods.
    pub(in crate::sim) fn change(&mut self, new: Value, ground: &Ground<'_>) {
        let before = std::mem::replace(&mut self.object, new);
        let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
        let metadata = &mut self.object["metadata"];
        for kept in ["uid", "creationTimestamp"] {
            metadata[kept] = before["metadata"][kept].clone();
        }
        let changed = before["spec"] != self.object["spec"];
        self.object["metadata"]["generation"] = json!(generation + i64::from(changed));
        if !changed {
            return;
        }
        self.changed = ground.now;
        if before["spec"]["template"] != self.object["spec"]["template"] {
            self.revision += 1;
            // The controller takes those first that don't serve.
            self.pods.retain(Pod::is_ready);
        }
        self.fill(ground);
    }

    /// Lets one pod go; another comes in its place. Whether there was one.
    pub(in crate::sim) fn delete_pod(&mut self, name: &str, ground: &Ground<'_>) -> bool {
        let before = self.pods.len();
        self.pods.retain(|pod| pod.name != name);
        let there = self.pods.len() < before;
        if there {
            self.fill(ground);
        }
        there
    }

    /// As many pods of the latest revision as are wanted.
    fn fill(&mut self, ground: &Ground<'_>) {
        let wanted = self.replicas();
        let mut there = self.newest().count();
        while there > wanted {
            let Some(last) = self
                .pods
                .iter()
                .rposition(|pod| pod.revision == self.revision)
            else {
                break;
            };
            self.pods.remove(last);
            there -= 1;
        }
        for _ in there..wanted {
            let pod = self.pod(ground);
            self.pods.push(pod);
        }
    }

    fn newest(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.revision == self.revision)
    }

    fn pod(&self, ground: &Ground<'_>) -> Pod {
        let uid = fresh_id();
        let tail = format!("{:x}", uid.as_u128());
        let tail = tail.get(tail.len().saturating_sub(5)..).unwrap_or(&tail);
        Pod {
            name: format!("{}-{}-{tail}", self.text("/metadata/name"), self.hash()),
            uid: uid.to_string(),
            created_at: wall(),
            made: ground.now,
            revision: self.revision,
            binding: self.binding(ground.profiles),
            running: None,
        }
    }

    /// The one that is first by name of the profiles that catch a new pod.
    fn binding(&self, profiles: &BTreeMap<String, Profile>) -> Binding {
        let template = &self.object["spec"]["template"]["metadata"];
        if template["annotations"][COMPUTE_TYPE] == "ec2" {
            return Binding::Nodes;
        }
        let namespace = self.text("/metadata/namespace");
        let catches = |profile: &Profile| {
            profile.status() == "ACTIVE"
                && profile.selectors.iter().any(|selector| {
                    glob(&selector.namespace, namespace)
                        && selector
                            .labels
                            .iter()
                            .all(|(key, value)| has_label(&template["labels"], key, value))
                })
        };
        let first = profiles.iter().find(|(_, profile)| catches(profile));
        first.map_or(Binding::Nodes, |(name, _)| Binding::Fargate {
            profile: name.clone(),
        })
    }

    /// Brings the pods up to now.
    pub(in crate::sim) fn settle(&mut self, ground: &Ground<'_>) {
        let now = ground.now;
        if self.changed + ground.host.scale(OBSERVED) <= now {
            self.observed = self.generation();
        }
        // A profile takes its pods along.
        self.pods.retain(|pod| {
            pod.fargate_profile()
                .is_none_or(|profile| ground.profiles.contains_key(profile))
        });
        self.fill(ground);
        for pod in &mut self.pods {
            pod.settle(ground);
        }
        if self.newest().all(Pod::is_ready) {
            let newest = self.revision;
            self.pods.retain(|pod| pod.revision == newest);
        }
    }

    /// Whether all pods that are wanted serve.
    pub(in crate::sim) fn runs(&self) -> bool {
        let serving = self.newest().filter(|pod| pod.is_ready()).count();
        serving >= self.replicas()
    }

    /// Whether each of its newest pods runs, or is bound to Fargate or to nodes that there are.
    pub(in crate::sim) fn has_place(&self, nodes: bool) -> bool {
        let placed = |pod: &Pod| nodes || pod.is_ready() || pod.fargate_profile().is_some();
        self.newest().all(placed)
    }

    /// As the API shows it.
    pub(super) fn view(&self, ground: &Ground<'_>) -> Value {
        let ready = self.pods.iter().filter(|pod| pod.is_ready()).count();
        let wanted = self.replicas();
        let mut view = self.object.clone();
        view["apiVersion"] = json!("apps/v1");
        view["kind"] = json!("Deployment");
        let enough = ready + wanted.div_ceil(4) >= wanted && (ready > 0 || wanted == 0);
        let late = self.changed + ground.host.scale(PROGRESS_DEADLINE) <= ground.now;
        let (progress, reason, message) = if self.runs() {
            (
                "True",
                "NewReplicaSetAvailable",
                "has successfully progressed.",
            )
        } else if late {
            (
                "False",
                "ProgressDeadlineExceeded",
                "has timed out progressing.",
            )
        } else {
            ("True", "ReplicaSetUpdated", "is progressing.")
        };
        let set = format!("{}-{}", self.text("/metadata/name"), self.hash());
        view["status"] = json!({
            "observedGeneration": self.observed,
            "replicas": self.pods.len(),
            "updatedReplicas": self.newest().count(),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": self.pods.len().max(wanted) - ready,
            "conditions": [
                {
                    "type": "Available",
                    "status": if enough { "True" } else { "False" },
                    "reason": if enough { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" },
                },
                {
                    "type": "Progressing",
                    "status": progress,
                    "reason": reason,
                    "message": format!("ReplicaSet \"{set}\" {message}"),
                },
            ],
        });
        view
    }

    pub(super) fn pod_views(&self, nodes: &[String]) -> impl Iterator<Item = Value> {
        self.pods.iter().map(|pod| self.pod_view(pod, nodes))
    }

    fn pod_view(&self, pod: &Pod, nodes: &[String]) -> Value {
        let template = &self.object["spec"]["template"];
        let mut metadata = template["metadata"].clone();
        metadata["name"] = json!(pod.name);
        metadata["namespace"] = self.object["metadata"]["namespace"].clone();
        metadata["uid"] = json!(pod.uid);
        metadata["creationTimestamp"] = json!(time(pod.created_at));
        metadata["labels"]["pod-template-hash"] = json!(self.hash_of(pod.revision));
        metadata["ownerReferences"] = json!([{
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": format!("{}-{}", self.text("/metadata/name"), self.hash_of(pod.revision)),
            "controller": true,
        }]);
        let mut spec = template["spec"].clone();
        let (scheduler, waits) = match &pod.binding {
            Binding::Fargate { profile } => {
                metadata["labels"][PROFILE_LABEL] = json!(profile);
                let waits = "Pod provisioning is under way on Fargate.".to_owned();
                ("fargate-scheduler", waits)
            }
            Binding::Nodes if nodes.is_empty() => {
                let waits = "no nodes available to schedule pods".to_owned();
                ("default-scheduler", waits)
            }
            Binding::Nodes => ("default-scheduler", "the pod is starting".to_owned()),
        };
        spec["schedulerName"] = json!(scheduler);
        let status = if let Some((node, _)) = &pod.running {
            spec["nodeName"] = json!(node);
            json!({
                "phase": "Running",
                "podIP": address(&pod.uid),
                "conditions": [
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "Ready", "status": "True"},
                ],
            })
        } else {
            json!({
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": waits},
                ],
            })
        };
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status,
        })
    }

    fn hash(&self) -> String {
        self.hash_of(self.revision)
    }

    /// Of the pods of one revision.
    fn hash_of(&self, revision: i64) -> String {
        let text = format!("{}/{revision}", self.text("/metadata/uid"));
        hex(&Sha256::digest(text.as_bytes())[..5])
    }
}

impl Pod {
    fn settle(&mut self, ground: &Ground<'_>) {
        match &self.binding {
            Binding::Fargate { .. } => {
                let from = self.made + ground.host.scale(FARGATE_START);
                if self.running.is_none() && from <= ground.now {
                    let address = address(&self.uid).replace('.', "-");
                    let node = format!("fargate-ip-{address}.{}.compute.internal", ground.region);
                    self.running = Some((node, from));
                }
            }
            Binding::Nodes => {
                // Without its node a pod waits for another.
                self.running
                    .take_if(|(node, _)| !ground.nodes.contains(node));
                let from = self.made + ground.host.scale(NODE_START);
                if self.running.is_none() && from <= ground.now {
                    self.running = ground.nodes.first().map(|node| (node.clone(), from));
                }
            }
        }
    }
}

fn has_label(labels: &Value, key: &str, value: &str) -> bool {
    let labels = labels.as_object().into_iter().flatten();
    labels
        .into_iter()
        .any(|(k, v)| glob(key, k) && v.as_str().is_some_and(|v| glob(value, v)))
}

/// An address that follows from a text.
pub(super) fn address(seed: &str) -> String {
    let digest = Sha256::digest(seed.as_bytes());
    format!("192.168.{}.{}", digest[0], digest[1])
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
