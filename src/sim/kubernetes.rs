//! The Kubernetes API of each simulated cluster, under `/_kubernetes/{account}/{region}/{cluster}` of
//! the simulator's own address, which is the cluster's `endpoint` unless a test names another.
//!
//! | file | what |
//! |---|---|
//! | `request` | paths become verbs and objects |
//! | `token` | who calls: the token of `aws eks get-token` |
//! | `rights` | what they may do: access entries and their policies |
//! | `state` | what a cluster's API knows; how add-ons change it |
//! | `workload` | Deployments and their pods, and where pods are bound |
//! | `nodes` | nodes of Fargate pods and of nodegroups |
//! | `balancers` | load balancers of Services and Ingresses |
//! | `objects`, `merge`, `list`, `status` | what is refused, patches, lists, failures |
//! | `discovery` | what the API is and has |

mod balancers;
mod discovery;
mod list;
mod merge;
mod nodes;
mod objects;
mod request;
mod rights;
mod state;
mod status;
mod token;
mod workload;

use std::time::Duration;

use serde_json::{Value, json};

use super::caller::Caller;
use super::clock::wall;
use super::cluster::Cluster;
use super::error::AwsError;
use super::session::Key;
use super::wire::Inbound;
use super::world::World;

use list::{Selection, key};
use request::{DEPLOYMENTS, EVENTS, NAMESPACES, NODES, Object, PODS, Resource, Verb, What};
use token::Who;

pub(super) use nodes::node_name;
pub(super) use request::Target;
pub(super) use state::Kube;
pub(super) use status::Status;
pub(super) use token::principal;
pub(super) use workload::Ground;

/// A status and a body.
pub(super) type Reply = Result<(u16, Value), Status>;

impl World {
    /// Who calls, as the record has it.
    pub(super) fn kubernetes_caller(&self, inbound: &Inbound, target: &Target) -> Caller {
        let key = inbound.authorization.as_deref().and_then(token::access_key);
        let session = match key.map(|key| self.sessions.look_up(&key)) {
            Some(Key::Live(session) | Key::Expired(Some(session))) => Some(session),
            _ => None,
        };
        Caller {
            account: target.account.clone(),
            region: target.region.clone(),
            service: "kubernetes".to_owned(),
            session,
            role: None,
        }
    }

    /// Serves one call to a cluster's API.
    pub(super) fn kubernetes(&mut self, inbound: &Inbound, target: &Target, seq: u64) -> Reply {
        let (verb, object) = match &target.what {
            What::Discovery(path) => return discovery::answer(path),
            What::Unknown => return Err(Status::no_route()),
            What::Object(verb, object) => (*verb, object),
        };
        let now = self.clock.now();
        let settle = self.clock.scale(self.options.settle_time);
        let who = token::identify(
            &self.sessions,
            inbound.authorization.as_deref(),
            &target.cluster,
            wall(),
        );
        let who = who.map_err(|why| {
            tracing::debug!(cluster.name = target.cluster, %why, "a token that the cluster does not take");
            Status::unauthorized()
        })?;
        let (account, region) = (&target.account, &target.region);
        let cluster = self.accounts.cluster(account, region, &target.cluster);
        let ready =
            |cluster: &&mut Cluster| !matches!(cluster.status.as_str(), "CREATING" | "FAILED");
        let cluster = cluster.filter(ready).ok_or_else(Status::no_route)?;
        cluster.settle(now, settle);
        let call = Call {
            verb,
            object,
            inbound,
            now,
        };
        let reply = call.perform(cluster, &who)?;
        cluster.settle(now, settle);
        if !verb.is_read() {
            self.recorder.changed(seq);
        }
        Ok(reply)
    }
}

/// One call about objects.
struct Call<'a> {
    verb: Verb,
    object: &'a Object,
    inbound: &'a Inbound,
    now: Duration,
}

impl Call<'_> {
    fn perform(&self, cluster: &mut Cluster, who: &Who) -> Reply {
        rights::authorize(cluster, who, self.verb, self.object)?;
        // Nothing of what is below an object is known here.
        if self.object.subresource.is_some() {
            return Err(Status::no_route());
        }
        match self.verb {
            Verb::Get => Ok((200, self.get(cluster)?)),
            Verb::List => {
                let selection = Selection::parse(&self.inbound.query)?;
                let (objects, version) = (self.all(cluster), cluster.details().kube.version);
                let list = selection.list(self.object.resource, objects, version)?;
                Ok((200, list))
            }
            Verb::Create => self.create(cluster),
            Verb::Patch | Verb::Update => self.change(cluster),
            Verb::Delete => self.delete(cluster),
            Verb::Watch | Verb::DeleteCollection => Err(Status::not_allowed()),
        }
    }

    fn resource(&self) -> &'static Resource {
        self.object.resource
    }

    fn name(&self) -> &str {
        self.object.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> &str {
        self.object.namespace.as_deref().unwrap_or_default()
    }

    fn key(&self, name: &str) -> state::Key {
        (
            self.resource().plural,
            self.namespace().to_owned(),
            name.to_owned(),
        )
    }

    fn place(&self, name: &str) -> (String, String) {
        (self.namespace().to_owned(), name.to_owned())
    }

    /// All objects of the kind and place, in order.
    fn all(&self, cluster: &mut Cluster) -> Vec<Value> {
        let (resource, now) = (self.resource(), self.now);
        let region = cluster.region().to_owned();
        let nodes = cluster.nodes(now);
        let version = cluster.details().kube.version.to_string();
        let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
        let mut all: Vec<Value> = cluster.with_kube(now, |kube, ground| match resource {
            one if *one == NODES => nodes.iter().map(nodes::Node::view).collect(),
            one if *one == PODS => {
                let workloads = kube.workloads.values();
                workloads
                    .flat_map(|workload| workload.pod_views(&names))
                    .collect()
            }
            one if *one == DEPLOYMENTS => {
                let workloads = kube.workloads.values();
                workloads.map(|workload| workload.view(ground)).collect()
            }
            one if *one == EVENTS => {
                let workloads = kube.workloads.values();
                let pods = workloads.flat_map(|workload| workload.pod_views(&names));
                pods.filter_map(|pod| unscheduled(&pod)).collect()
            }
            one => {
                let objects = kube.objects.iter().filter(|(key, _)| key.0 == one.plural);
                objects
                    .map(|(key, object)| {
                        let mut object = object.clone();
                        if [request::SERVICES, request::INGRESSES].contains(one) {
                            object["status"] = kube.balancer_status(key, now, &region);
                        }
                        object
                    })
                    .collect()
            }
        });
        let here = self.object.namespace.as_deref();
        all.retain(|one| here.is_none_or(|here| one["metadata"]["namespace"] == here));
        for one in &mut all {
            let metadata = &mut one["metadata"];
            if metadata["resourceVersion"].is_null() {
                metadata["resourceVersion"] = json!(version);
            }
        }
        all.sort_by_cached_key(key);
        all
    }

    fn get(&self, cluster: &mut Cluster) -> Result<Value, Status> {
        let name = self.name();
        let found = self.all(cluster).into_iter();
        found
            .into_iter()
            .find(|one| one["metadata"]["name"] == name)
            .ok_or_else(|| Status::not_found(self.resource(), name))
    }

    fn create(&self, cluster: &mut Cluster) -> Reply {
        let resource = self.resource();
        if [NODES, PODS, EVENTS].contains(resource) {
            return Err(Status::not_allowed());
        }
        let mut new = objects::new(self.object, &self.inbound.body)?;
        let name = new["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let place = self.place(&name);
        let key = self.key(&name);
        cluster.with_kube(self.now, |kube, ground| {
            let within = ("namespaces", String::new(), self.namespace().to_owned());
            if resource.namespaced && !kube.objects.contains_key(&within) {
                return Err(Status::not_found(&NAMESPACES, self.namespace()));
            }
            if kube.objects.contains_key(&key)
                || kube.workloads.contains_key(&place) && *resource == DEPLOYMENTS
            {
                return Err(Status::exists(resource, &name));
            }
            kube.version += 1;
            if *resource == DEPLOYMENTS {
                kube.workloads
                    .insert(place, workload::Workload::new(new, ground));
                return Ok(());
            }
            new["metadata"]["resourceVersion"] = json!(kube.version.to_string());
            kube.objects.insert(key.clone(), new);
            if *resource == NAMESPACES {
                kube.add_default_account(&key.2);
            }
            kube.begin_balancer(&key, ground.now, ground.host);
            Ok(())
        })?;
        let made = self
            .all(cluster)
            .into_iter()
            .find(|one| one["metadata"]["name"] == *name);
        Ok((201, made.unwrap_or_default()))
    }

    fn change(&self, cluster: &mut Cluster) -> Reply {
        let (resource, name) = (self.resource(), self.name());
        let before = self.get(cluster)?;
        let after = self.changed(&before)?;
        let asked = &after["metadata"]["resourceVersion"];
        if *asked != before["metadata"]["resourceVersion"] && !asked.is_null() {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Status::conflict(resource, name, why));
        }
        for (pointer, words) in [
            ("/metadata/name", "metadata.name"),
            ("/metadata/namespace", "metadata.namespace"),
            ("/metadata/uid", "metadata.uid"),
            ("/spec/selector/matchLabels", "spec.selector"),
        ] {
            if before.pointer(pointer) != after.pointer(pointer) {
                let why = format!("{words}: Invalid value: field is immutable");
                return Err(Status::invalid(resource, name, &why));
            }
        }
        objects::check(resource, name, &after)?;
        let (place, key) = (self.place(name), self.key(name));
        cluster.with_kube(self.now, |kube, ground| {
            kube.version += 1;
            if let Some(workload) = kube
                .workloads
                .get_mut(&place)
                .filter(|_| *resource == DEPLOYMENTS)
            {
                let mut object = json!({ "metadata": after["metadata"], "spec": after["spec"] });
                object["metadata"]["resourceVersion"] = Value::Null;
                workload.change(object, ground);
            } else if let Some(object) = kube.objects.get_mut(&key) {
                *object = after.clone();
                object["metadata"]["resourceVersion"] = json!(kube.version.to_string());
            }
        });
        let restarted = before.pointer("/spec/template") != after.pointer("/spec/template");
        if restarted && *resource == DEPLOYMENTS {
            self.tell_addon(cluster, name);
        }
        Ok((200, self.get(cluster)?))
    }

    /// The object as a patch or another version of it would have it.
    fn changed(&self, before: &Value) -> Result<Value, Status> {
        if ![
            &DEPLOYMENTS,
            &NAMESPACES,
            &request::SERVICES,
            &request::INGRESSES,
            &request::SERVICE_ACCOUNTS,
            &request::CONFIG_MAPS,
            &request::ROLES,
            &request::ROLE_BINDINGS,
        ]
        .contains(&self.resource())
        {
            return Err(Status::not_allowed());
        }
        let body = objects::parse(&self.inbound.body)?;
        if self.verb == Verb::Update {
            return Ok(body);
        }
        let kind = self.inbound.content_type.as_deref().unwrap_or_default();
        let strategic = match kind.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => false,
            "application/strategic-merge-patch+json" => true,
            other => return Err(Status::unsupported_media(other)),
        };
        let mut after = before.clone();
        merge::merge(&mut after, &body, strategic);
        Ok(after)
    }

    /// The health of an add-on follows its pods, which were made anew.
    fn tell_addon(&self, cluster: &mut Cluster, name: &str) {
        if self.namespace() == "kube-system"
            && let Some(addon) = cluster.details().addons.get_mut(name)
        {
            addon.roll_out(self.now);
        }
    }

    fn delete(&self, cluster: &mut Cluster) -> Reply {
        let (resource, name) = (self.resource(), self.name());
        if [NODES, NAMESPACES, EVENTS].contains(resource) {
            return Err(Status::not_allowed());
        }
        let before = self.get(cluster)?;
        self.check_precondition(&before)?;
        let (place, key) = (self.place(name), self.key(name));
        let stays = cluster.with_kube(self.now, |kube, ground| {
            kube.version += 1;
            if *resource == DEPLOYMENTS {
                kube.workloads.remove(&place);
            } else if *resource == PODS {
                for workload in kube.workloads.values_mut() {
                    workload.delete_pod(name, ground);
                }
            } else if kube.end_balancer(&key, ground.now, ground.host) {
                return true;
            } else {
                kube.objects.remove(&key);
            }
            false
        });
        if stays {
            return Ok((200, self.get(cluster)?));
        }
        let done = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": name, "kind": resource.plural, "uid": before["metadata"]["uid"]},
        });
        Ok((200, done))
    }

    /// Options of a deletion can say which object is meant.
    fn check_precondition(&self, before: &Value) -> Result<(), Status> {
        if self.inbound.body.is_empty() {
            return Ok(());
        }
        let options = objects::parse(&self.inbound.body)?;
        let wanted = &options["preconditions"]["uid"];
        if wanted.is_null() || *wanted == before["metadata"]["uid"] {
            return Ok(());
        }
        let why = "the UID in the precondition does not match the UID in record";
        Err(Status::conflict(self.resource(), self.name(), why))
    }
}

/// What the scheduler says of a pod that waits.
fn unscheduled(pod: &Value) -> Option<Value> {
    let message = pod.pointer("/status/conditions/0/message")?;
    let metadata = &pod["metadata"];
    let name = metadata["name"].as_str()?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": format!("{name}.scheduling"), "namespace": metadata["namespace"]},
        "involvedObject": {"kind": "Pod", "name": name, "namespace": metadata["namespace"]},
        "reason": "FailedScheduling",
        "type": "Warning",
        "message": message,
        "lastTimestamp": metadata["creationTimestamp"],
    }))
}

/// A failure that AWS's side of the simulator has words for, in Kubernetes' own.
pub(super) fn of_fault(error: &AwsError) -> Status {
    Status::injected(error.status, &error.message)
}

#[cfg(test)]
#[path = "kubernetes/tests.rs"]
mod tests;
