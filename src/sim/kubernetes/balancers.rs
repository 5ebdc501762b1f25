//! The load balancers that Services and Ingresses get, and without which these don't go.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sim::clock::wall;
use crate::sim::host::Host;
use crate::sim::text::hex;

use super::state::{Key, Kube};
use super::workload::time;

/// How long a load balancer takes to be there, and to be gone, at AWS.
const MADE: Duration = Duration::from_secs(90);
const GONE: Duration = Duration::from_secs(30);
const OF_SERVICES: &str = "service.kubernetes.io/load-balancer-cleanup";
const OF_INGRESSES: &str = "ingress.k8s.aws/resources";

/// A load balancer as its Service or Ingress knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Balancer {
    /// As AWS knows it.
    pub name: String,
    /// When it answers.
    pub ready: Duration,
    /// When it is gone, if its deletion has begun.
    pub gone: Option<Duration>,
}

/// Whether an object gets a load balancer, and the finalizer that says so.
fn finalizer(plural: &str, object: &Value) -> Option<&'static str> {
    match plural {
        "services" => (object["spec"]["type"] == "LoadBalancer").then_some(OF_SERVICES),
        "ingresses" => {
            let class = object["spec"]["ingressClassName"].as_str();
            let annotation =
                object["metadata"]["annotations"]["kubernetes.io/ingress.class"].as_str();
            (class.or(annotation) == Some("alb")).then_some(OF_INGRESSES)
        }
        _ => None,
    }
}

impl Kube {
    /// The load balancers, with the kind, namespace and name of what they are for.
    pub(in crate::sim) fn balancers(&self) -> impl Iterator<Item = (&Key, &Balancer)> {
        self.balancers.iter()
    }

    /// An object was made: it may get a load balancer.
    pub(super) fn begin_balancer(&mut self, key: &Key, now: Duration, host: &Host) {
        let Some(object) = self.objects.get_mut(key) else {
            return;
        };
        let Some(finalizer) = finalizer(key.0, object) else {
            return;
        };
        object["metadata"]["finalizers"] = json!([finalizer]);
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let digest = Sha256::digest(uid.as_bytes());
        let name = hex(&digest[..16]);
        let balancer = Balancer {
            name: format!("a{}", &name[1..]),
            ready: now + host.scale(MADE),
            gone: None,
        };
        self.balancers.insert(key.clone(), balancer);
    }

    /// An object is to go; with a load balancer it stays until that is gone. Whether it stays.
    pub(super) fn end_balancer(&mut self, key: &Key, now: Duration, host: &Host) -> bool {
        let Some(balancer) = self.balancers.get_mut(key) else {
            return false;
        };
        balancer.gone.get_or_insert(now + host.scale(GONE));
        if let Some(object) = self.objects.get_mut(key) {
            let metadata = &mut object["metadata"];
            if metadata["deletionTimestamp"].is_null() {
                metadata["deletionTimestamp"] = json!(time(wall()));
            }
        }
        true
    }

    pub(super) fn settle_balancers(&mut self, now: Duration) {
        let due = |balancer: &Balancer| balancer.gone.is_some_and(|gone| gone <= now);
        let ended: Vec<Key> = self
            .balancers
            .iter()
            .filter(|(_, balancer)| due(balancer))
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            self.balancers.remove(&key);
            self.objects.remove(&key);
            self.version += 1;
        }
    }

    /// What the status of a Service or Ingress says of its load balancer.
    pub(super) fn balancer_status(&self, key: &Key, now: Duration, region: &str) -> Value {
        let balancer = self.balancers.get(key);
        let Some(balancer) = balancer.filter(|one| one.ready <= now) else {
            return json!({ "loadBalancer": {} });
        };
        let host = format!("{}.{region}.elb.amazonaws.com", balancer.name);
        json!({ "loadBalancer": { "ingress": [{ "hostname": host }] } })
    }
}
