//! A cluster with its profiles, and the rule that only one thing of it changes at a time.

mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::access_entry::NewEntry;
use super::addon::{Addon, catches, pod_labels};
use super::arn;
use super::catalog;
use super::clock::{fresh_id, wall};
use super::details::Details;
use super::host::Host;
use super::kubernetes::{Ground, Kube, node_name};
use super::profile::{Change, Profile};
use super::selector::Selector;
use super::sts::FLEET_ROLE;

/// What keeps a cluster from taking another mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blocker {
    Profile {
        name: String,
        status: String,
    },
    Update {
        id: String,
    },
    /// EKS is not done with the last one yet, though nothing shows it.
    Settling {
        id: String,
    },
}

impl Blocker {
    /// It, if the call should not have been tried: nobody can see that a cluster still settles.
    pub(super) fn as_overlap(&self) -> Option<Self> {
        (!matches!(self, Self::Settling { .. })).then(|| self.clone())
    }

    /// As the record names it: the profile, or `update:<id>`.
    pub(super) fn record_name(&self) -> String {
        match self {
            Self::Profile { name, .. } => name.clone(),
            Self::Update { id } | Self::Settling { id } => format!("update:{id}"),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub name: String,
    pub arn: String,
    pub created_at: DateTime<Utc>,
    pub status: String,
    pub tags: BTreeMap<String, String>,
    pub profiles: BTreeMap<String, Profile>,
    /// A shown update, and until when it is under way.
    update: Option<(String, Duration)>,
    /// Until when mutations are refused after a profile turned active, and the id of that update.
    settling: Option<(String, Duration)>,
    /// What most clusters don't have.
    details: Option<Box<Details>>,
    /// The simulator that it lives in.
    pub host: Arc<Host>,
}

impl Cluster {
    pub(super) fn new(account: &str, region: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            arn: arn::cluster(account, region, name),
            created_at: wall(),
            status: "ACTIVE".to_owned(),
            tags: BTreeMap::new(),
            profiles: BTreeMap::new(),
            update: None,
            settling: None,
            details: None,
            host: Arc::default(),
        }
    }

    pub(super) fn region(&self) -> &str {
        arn::Arn::parse(&self.arn).map_or("", |arn| arn.region)
    }

    /// What is this cluster's own. One that has been there from the start has nodes and CoreDNS.
    pub(super) fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_with(|| {
            let id = fresh_id().to_string();
            let addon = Addon::settled(arn::addon(&self.arn, "coredns", &id), "coredns");
            let mut details = Details {
                addons: BTreeMap::from([("coredns".to_owned(), addon)]),
                other_nodes: true,
                nodes_ready: true,
                admins: fleet_role(&self.arn).into_iter().collect(),
                ..Details::default()
            };
            let region = arn::Arn::parse(&self.arn).map_or("", |arn| arn.region);
            let ground = Ground {
                now: Duration::ZERO,
                host: &self.host,
                region,
                profiles: &self.profiles,
                nodes: &ready_nodes(&details, &self.host, region, Duration::ZERO),
            };
            details.kube = Kube::in_use(self.created_at, &ground);
            Box::new(details)
        })
    }

    /// What its Kubernetes API knows, and what its pods can run on. Settle first.
    pub(super) fn with_kube<T>(
        &mut self,
        now: Duration,
        act: impl FnOnce(&mut Kube, &Ground<'_>) -> T,
    ) -> T {
        self.details();
        let region = arn::Arn::parse(&self.arn).map_or("", |arn| arn.region);
        let details = self.details.get_or_insert_default();
        let ground = Ground {
            now,
            host: &self.host,
            region,
            profiles: &self.profiles,
            nodes: &ready_nodes(details, &self.host, region, now),
        };
        act(&mut details.kube, &ground)
    }

    /// Whether all pods of an add-on that has pods of its own serve; none when it has no Deployment.
    /// Settle first.
    pub(super) fn addon_runs(&self, name: &str) -> Option<bool> {
        self.details.as_ref()?.kube.runs(name)
    }

    /// Makes the pods of an add-on anew, as a rollout that was asked for does.
    pub(super) fn restart_addon(&mut self, name: &str, now: Duration) {
        self.with_kube(now, |kube, ground| kube.restart(name, wall(), ground));
    }

    /// The add-ons of a cluster that has details.
    pub(super) fn addons(&self) -> Option<&BTreeMap<String, Addon>> {
        self.details.as_ref().map(|details| &details.addons)
    }

    pub(super) fn set_details(&mut self, details: Details) {
        self.details = Some(Box::new(details));
    }

    /// What is in it: profiles, and capabilities, add-ons, nodegroups and access entries that are its own.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> {
        let details = self.details.as_deref();
        let profiles = self.profiles.keys().map(|name| ("profile", name));
        let addons = details.into_iter().flat_map(|own| own.addons.keys());
        let nodegroups = details.into_iter().flat_map(|own| own.nodegroups.keys());
        let entries = details
            .into_iter()
            .flat_map(|own| own.access_entries.keys());
        let capabilities = details.into_iter().flat_map(|own| own.capabilities.keys());
        profiles
            .chain(capabilities.map(|name| ("capability", name)))
            .chain(
                addons
                    .filter(|_| !self.is_of_the_fleet())
                    .map(|name| ("addon", name)),
            )
            .chain(nodegroups.map(|name| ("nodegroup", name)))
            .chain(entries.map(|name| ("access-entry", name)))
            .map(|(kind, name)| format!("{kind}/{}/{name}", self.name))
            .chain(details.into_iter().flat_map(|own| {
                let balancers = own.kube.balancers();
                balancers.map(|((plural, namespace, name), _)| {
                    format!("load-balancer/{}/{plural}/{namespace}/{name}", self.name)
                })
            }))
    }

    /// Whether it is like those that are there from the start: its add-on shows only when looked at.
    fn is_of_the_fleet(&self) -> bool {
        self.details
            .as_ref()
            .is_none_or(|own| own.other_nodes && own.addons.keys().eq(["coredns"]))
    }

    /// Why EKS doesn't delete it, if so.
    pub(super) fn keeps_it(&self) -> Option<String> {
        let mut statuses: Vec<&str> = self.profiles.values().map(Profile::status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        if !statuses.is_empty() {
            let statuses = statuses.join("/");
            return Some(format!("Cluster has Fargate Profiles in {statuses} state"));
        }
        let details = self.details.as_ref()?;
        if !details.nodegroups.is_empty() {
            return Some("Cluster has nodegroups attached".to_owned());
        }
        (!details.capabilities.is_empty()).then(|| "Cluster has capabilities attached".to_owned())
    }

    /// The ARN of a new access entry; `None` when the principal has one.
    pub(super) fn add_access_entry(&mut self, principal: &str, kind: &str) -> Option<String> {
        self.add_entry(&NewEntry {
            principal: principal.to_owned(),
            kind: kind.to_owned(),
            ..NewEntry::default()
        })
    }

    /// Whether the pods of an add-on find a place to run on. Where its Deployment is known, the pods
    /// themselves say so.
    pub(super) fn can_run(&self, name: &str, addon: &Addon) -> bool {
        let Some(labels) = pod_labels(name) else {
            return true;
        };
        let Some(details) = &self.details else {
            return true;
        };
        if let Some(has_place) = details.kube.has_place(name, details.has_nodes()) {
            return has_place;
        }
        if details.has_nodes() {
            return true;
        }
        let active = self
            .profiles
            .values()
            .filter(|profile| profile.status() == "ACTIVE")
            .filter(|profile| profile.active_since <= addon.pods_since);
        active
            .flat_map(|profile| &profile.selectors)
            .any(|selector| catches(selector, labels))
    }

    /// Brings every profile up to `now`.
    pub(super) fn settle(&mut self, now: Duration, settle_time: Duration) {
        // Pods are bound by what there was when their add-on was changed.
        self.follow_addons(now);
        let mut activated: Option<Duration> = None;
        let mut gone: Vec<Selector> = Vec::new();
        self.profiles
            .retain(|_, profile| match profile.settle(now) {
                Change::Gone => {
                    gone.append(&mut profile.selectors);
                    false
                }
                Change::Activated(at) => {
                    activated = activated.max(Some(at));
                    true
                }
                Change::Nothing => true,
            });
        if let Some(at) = activated.filter(|_| !settle_time.is_zero()) {
            self.settling = Some((fresh_id().to_string(), at + settle_time));
        }
        if let Some(details) = &mut self.details {
            details
                .nodegroups
                .retain(|_, one| one.until.is_none_or(|until| now < until));
            details
                .capabilities
                .retain(|_, one| one.until.is_none_or(|until| now < until));
            details.settle_updates(now);
            details.settle_provider(now);
        }
        self.update.take_if(|(_, until)| *until <= now);
        self.settling.take_if(|(_, until)| *until <= now);
        self.settle_kubernetes(now);
        self.settle_addons(now, &gone);
    }

    fn follow_addons(&mut self, now: Duration) {
        if let Some(addons) = self.details.as_ref().map(|details| details.addons.clone()) {
            self.with_kube(now, |kube, ground| kube.follow_addons(&addons, ground));
        }
    }

    fn settle_kubernetes(&mut self, now: Duration) {
        if self.details.is_some() {
            self.with_kube(now, Kube::settle);
            let host = Arc::clone(&self.host);
            let details = self.details();
            details.nodes_ready = details.groups(&host).iter().any(|one| one.ready(now) > 0);
        }
    }

    /// The pods on Fargate end with the profile that caught them, and are made anew.
    fn settle_addons(&mut self, now: Duration, gone: &[Selector]) {
        let Some(addons) = self.addons() else { return };
        let running: BTreeSet<String> = addons
            .iter()
            .filter(|(name, addon)| {
                let runs = self.addon_runs(name).filter(|_| addon.is_being_created());
                runs.unwrap_or_else(|| self.can_run(name, addon))
            })
            .map(|(name, _)| name.clone())
            .collect();
        let Some(details) = &mut self.details else {
            return;
        };
        let Details {
            addons,
            kube,
            pod_identities,
            ..
        } = &mut **details;
        addons.retain(|name, addon| {
            let labels = pod_labels(name).unwrap_or_default();
            if gone.iter().any(|selector| catches(selector, labels)) {
                addon.roll_out(now);
            }
            let stays = addon.settle(now, running.contains(name));
            if !stays {
                kube.addon_is_gone(name);
                pod_identities.retain(|_, one| one.owner.as_ref() != Some(&addon.arn));
            }
            stays
        });
    }

    /// The minor version of its Kubernetes.
    pub(super) fn minor_version(&self) -> u32 {
        const FIRST: u32 = 34;
        let described = self.details.as_ref();
        let version = described.and_then(|own| own.described.get("version")?.as_str());
        version.and_then(catalog::minor).unwrap_or(FIRST)
    }

    pub(super) fn start_update(&mut self, until: Duration) {
        self.start_update_with(fresh_id().to_string(), until);
    }

    pub(super) fn start_update_with(&mut self, id: String, until: Duration) {
        self.update = Some((id, until));
    }

    /// The load balancers of its Services and Ingresses: the name of each, and its object.
    pub(super) fn balancers(&self) -> Vec<(String, String)> {
        let details = self.details.iter();
        let all = details.flat_map(|own| own.kube.balancers());
        all.map(|((plural, namespace, name), one)| {
            (one.name.clone(), format!("{plural}/{namespace}/{name}"))
        })
        .collect()
    }

    /// Why EKS doesn't delete it until that is changed; only of an active cluster.
    pub(super) fn protects_itself(&self) -> Option<String> {
        let protected = self.details.as_ref().is_some_and(|own| own.is_protected());
        (protected && self.status == "ACTIVE").then(|| {
            format!(
                "Cluster {} cannot be deleted because deletion protection is enabled",
                self.name
            )
        })
    }

    /// What is under way, other than the profile `except`. Settle first.
    pub(super) fn blocker(&self, except: Option<&str>) -> Option<Blocker> {
        let moving = self
            .profiles
            .iter()
            .find(|(name, profile)| profile.in_motion() && except != Some(name.as_str()))
            .map(|(name, profile)| Blocker::Profile {
                name: name.clone(),
                status: profile.status().to_owned(),
            });
        let update = self.update.as_ref().map(|(id, _)| id.clone());
        let settling = self.settling.as_ref().map(|(id, _)| id.clone());
        moving
            .or_else(|| update.map(|id| Blocker::Update { id }))
            .or_else(|| settling.map(|id| Blocker::Settling { id }))
    }
}

/// The role of the fleet in the account of a cluster.
fn fleet_role(cluster_arn: &str) -> Option<String> {
    let arn = arn::Arn::parse(cluster_arn)?;
    let (partition, account) = (arn.partition, arn.account);
    Some(format!("arn:{partition}:iam::{account}:role/{FLEET_ROLE}"))
}

/// The nodes that are Ready and no Fargate pod's.
fn ready_nodes(details: &Details, host: &Host, region: &str, now: Duration) -> Vec<String> {
    let groups = details.groups(host).into_iter();
    groups
        .flat_map(|group| {
            (0..group.ready(now)).map(move |number| node_name(&group.id, number, region))
        })
        .collect()
}

#[cfg(test)]
#[path = "cluster/tests.rs"]
mod tests;
