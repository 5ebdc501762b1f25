//! What a cluster's Kubernetes API knows, and how add-ons and the clock change it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::addon::{Addon, pod_labels};
use crate::sim::clock::{fresh_id, wall};

use super::balancers::Balancer;
use super::workload::{COMPUTE_TYPE, Ground, Workload};

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const SYSTEM: &str = "kube-system";
/// The add-ons with pods of their own to place: the others follow the nodes.
const ADDONS: [&str; 2] = ["coredns", "metrics-server"];

/// The plural of a kind, a namespace (empty for what has none) and a name.
pub(in crate::sim) type Key = (&'static str, String, String);

#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Kube {
    /// Counts all changes.
    pub(super) version: u64,
    /// Services, ingresses and namespaces.
    pub(super) objects: BTreeMap<Key, Value>,
    /// Deployments by namespace and name.
    pub(super) workloads: BTreeMap<(String, String), Workload>,
    /// The load balancers of Services and Ingresses.
    pub(super) balancers: BTreeMap<Key, Balancer>,
    /// What was made of add-ons' settings: by name, in words that differ when they do.
    applied: BTreeMap<String, String>,
}

impl Kube {
    /// That of a new cluster.
    pub(in crate::sim) fn new(created_at: DateTime<Utc>) -> Self {
        let namespace = |name: &str| {
            let key = ("namespaces", String::new(), name.to_owned());
            (key, super::objects::namespace(name, created_at))
        };
        let mut kube = Self {
            version: 1,
            objects: NAMESPACES.into_iter().map(namespace).collect(),
            ..Self::default()
        };
        for name in NAMESPACES {
            kube.add_default_account(name);
        }
        kube
    }

    /// The `ServiceAccount` that every namespace has.
    pub(super) fn add_default_account(&mut self, namespace: &str) {
        let key = (
            "serviceaccounts",
            namespace.to_owned(),
            "default".to_owned(),
        );
        let metadata = json!({
            "name": "default",
            "namespace": namespace,
            "uid": fresh_id().to_string(),
            "creationTimestamp": super::workload::time(wall()),
            "resourceVersion": self.version.to_string(),
        });
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
        self.objects.insert(key, account);
    }

    /// That of a cluster that has been in use: `CoreDNS` runs on a node.
    pub(in crate::sim) fn in_use(created_at: DateTime<Utc>, ground: &Ground<'_>) -> Self {
        let mut kube = Self::new(created_at);
        kube.install("coredns", None, ground);
        let node = ground.nodes.first().cloned().unwrap_or_default();
        let workloads = std::mem::take(&mut kube.workloads).into_iter();
        kube.workloads = workloads
            .map(|(key, workload)| (key, workload.settled(created_at, &node)))
            .collect();
        kube
    }

    /// A Deployment that no add-on looks after, as in a cluster with self-managed add-ons.
    pub(in crate::sim) fn install(
        &mut self,
        name: &str,
        addon: Option<&Addon>,
        ground: &Ground<'_>,
    ) {
        let key = (SYSTEM.to_owned(), name.to_owned());
        self.version += 1;
        if let Some(there) = self.workloads.get_mut(&key) {
            let object = configured(there.object.clone(), name, addon);
            there.change(object, ground);
            there.of_addon |= addon.is_some();
            return;
        }
        let mut workload = Workload::new(configured(deployment(name), name, addon), ground);
        workload.of_addon = addon.is_some();
        self.workloads.insert(key, workload);
    }

    /// Carries out what add-ons were configured to be since the last look.
    pub(in crate::sim) fn follow_addons(
        &mut self,
        addons: &BTreeMap<String, Addon>,
        ground: &Ground<'_>,
    ) {
        for name in ADDONS {
            let Some(addon) = addons.get(name) else {
                self.applied.remove(name);
                continue;
            };
            let wanted = format!("{} {:?}", addon.version, addon.configuration);
            if self.applied.get(name) != Some(&wanted) {
                // An add-on that was there before anybody looked has changed nothing since.
                let first = !self.applied.contains_key(name);
                let key = (SYSTEM.to_owned(), name.to_owned());
                let untouched = first && addon.configuration.is_none();
                match self.workloads.get_mut(&key).filter(|_| untouched) {
                    Some(there) => there.of_addon = true,
                    None => self.install(name, Some(addon), ground),
                }
                self.applied.insert(name.to_owned(), wanted);
            }
        }
    }

    /// An add-on has ended, and takes what it had made along.
    pub(in crate::sim) fn addon_is_gone(&mut self, name: &str) {
        let key = (SYSTEM.to_owned(), name.to_owned());
        if self.workloads.get(&key).is_some_and(|one| one.of_addon) {
            self.workloads.remove(&key);
            self.version += 1;
        }
        self.applied.remove(name);
    }

    /// Brings pods and load balancers up to now.
    pub(in crate::sim) fn settle(&mut self, ground: &Ground<'_>) {
        for workload in self.workloads.values_mut() {
            workload.settle(ground);
        }
        self.settle_balancers(ground.now);
    }

    /// Whether the pods of an add-on all serve; none when it has no Deployment.
    pub(in crate::sim) fn runs(&self, addon: &str) -> Option<bool> {
        let key = (SYSTEM.to_owned(), addon.to_owned());
        self.workloads.get(&key).map(Workload::runs)
    }

    /// Whether the pods of an add-on run or can come to run; none when it has no Deployment.
    pub(in crate::sim) fn has_place(&self, addon: &str, nodes: bool) -> Option<bool> {
        let key = (SYSTEM.to_owned(), addon.to_owned());
        self.workloads.get(&key).map(|one| one.has_place(nodes))
    }

    /// Makes the pods of an add-on's Deployment anew, as `kubectl rollout restart` does.
    pub(in crate::sim) fn restart(&mut self, addon: &str, at: DateTime<Utc>, ground: &Ground<'_>) {
        let key = (SYSTEM.to_owned(), addon.to_owned());
        if let Some(workload) = self.workloads.get_mut(&key) {
            let mut object = workload.object.clone();
            let annotations = &mut object["spec"]["template"]["metadata"]["annotations"];
            annotations["kubectl.kubernetes.io/restartedAt"] = json!(at.to_rfc3339());
            workload.change(object, ground);
            self.version += 1;
        }
    }
}

/// As an add-on's configuration says.
fn configured(mut object: Value, name: &str, addon: Option<&Addon>) -> Value {
    let Some(addon) = addon else { return object };
    let settings = addon.configuration.as_deref().unwrap_or("{}");
    let settings: Value = serde_saphyr::from_str(settings).unwrap_or_default();
    if let Some(replicas) = settings["replicaCount"].as_u64() {
        object["spec"]["replicas"] = json!(replicas);
    }
    let annotations = &mut object["spec"]["template"]["metadata"]["annotations"];
    if name == "coredns" {
        let kind = if addon.wants_fargate() {
            "fargate"
        } else {
            "ec2"
        };
        annotations[COMPUTE_TYPE] = json!(kind);
    }
    for (key, value) in settings["podAnnotations"].as_object().into_iter().flatten() {
        annotations[key] = value.clone();
    }
    object
}

/// The Deployment of an add-on, as it is at first.
fn deployment(name: &str) -> Value {
    let labels: BTreeMap<&str, &str> = pod_labels(name)
        .unwrap_or_default()
        .iter()
        .copied()
        .collect();
    let mut annotations = json!({});
    if name == "coredns" {
        annotations[COMPUTE_TYPE] = json!("ec2");
    }
    json!({
        "metadata": {"name": name, "namespace": SYSTEM, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate"},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {"containers": [{"name": name, "image": format!("eks/{name}")}]},
            },
        },
    })
}
