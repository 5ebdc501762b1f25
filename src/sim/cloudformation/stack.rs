//! A stack: its resources, what became of each, and the events that tell of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::template::Template;
use crate::sim::caller::Caller;
use crate::sim::clock::{fresh_id, wall};

/// CloudFormation's name for what a stack itself is.
pub(super) const STACK: &str = "AWS::CloudFormation::Stack";

/// What is being done to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Stage {
    Creating,
    RollingBack,
    Deleting,
    /// Nothing.
    Still,
}

/// What a failed creation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum OnFailure {
    Rollback,
    Delete,
    DoNothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Status {
    Creating,
    Created,
    CreateFailed,
    Deleting,
    Deleted,
    DeleteFailed,
    DeleteSkipped,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATE_IN_PROGRESS",
            Self::Created => "CREATE_COMPLETE",
            Self::CreateFailed => "CREATE_FAILED",
            Self::Deleting => "DELETE_IN_PROGRESS",
            Self::Deleted => "DELETE_COMPLETE",
            Self::DeleteFailed => "DELETE_FAILED",
            Self::DeleteSkipped => "DELETE_SKIPPED",
        }
    }

    /// Whether there is nothing left to delete.
    pub(super) fn is_gone(self) -> bool {
        matches!(self, Self::Deleted | Self::DeleteSkipped)
    }
}

/// A resource whose creation has begun.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Made {
    pub kind: &'static str,
    pub status: Status,
    pub reason: Option<String>,
    pub changed_at: DateTime<Utc>,
    /// Empty before it is made.
    pub physical: String,
    pub attributes: BTreeMap<String, String>,
    /// The properties without functions.
    pub properties: Value,
    /// When the current change ends.
    pub until: Option<Duration>,
    /// Why it ends as failed.
    pub doom: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Event {
    pub id: String,
    pub logical: String,
    pub physical: String,
    pub kind: &'static str,
    pub at: DateTime<Utc>,
    pub status: &'static str,
    pub reason: Option<String>,
    pub token: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Parameter {
    pub key: String,
    pub value: String,
    /// What a parameter of type `AWS::SSM::Parameter::Value` came to.
    pub resolved: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Stack {
    pub id: String,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub status: &'static str,
    pub reason: Option<String>,
    pub stage: Stage,
    /// By whose rights it works.
    pub caller: Caller,
    pub template: Template,
    pub parameters: Vec<Parameter>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub on_failure: OnFailure,
    pub protected: bool,
    /// The token that it was created with, and that of the request being worked on.
    pub created_with: Option<String>,
    pub token: Option<String>,
    /// Resources that a deletion leaves alone.
    pub retained: BTreeSet<String>,
    pub resources: BTreeMap<String, Made>,
    pub outputs: Vec<Output>,
    pub imported: BTreeSet<String>,
    /// Oldest first.
    pub events: Vec<Event>,
    /// The simulated time up to which it was worked out, and that of the last look.
    pub at: Duration,
    pub seen_at: Duration,
}

impl Stack {
    /// The cluster that its tags say it belongs to.
    pub(in crate::sim) fn cluster(&self) -> Option<&str> {
        self.tags
            .get("alpha.eksctl.io/cluster-name")
            .map(String::as_str)
    }

    pub(in crate::sim) fn is_deleted(&self) -> bool {
        self.status == "DELETE_COMPLETE"
    }

    /// The time of day at which the simulated time was `self.at`; never before the last event.
    pub(super) fn stamp(&self) -> DateTime<Utc> {
        let then = wall() - self.seen_at.saturating_sub(self.at);
        self.events.last().map_or(then, |last| then.max(last.at))
    }

    pub(super) fn set_status(&mut self, status: &'static str, reason: Option<String>) {
        let at = self.stamp();
        self.status = status;
        self.reason.clone_from(&reason);
        self.events.push(Event {
            id: fresh_id().to_string(),
            logical: self.name.clone(),
            physical: self.id.clone(),
            kind: STACK,
            at,
            status,
            reason,
            token: self.token.clone(),
        });
    }

    pub(super) fn set_resource(&mut self, logical: &str, status: Status, reason: Option<String>) {
        let at = self.stamp();
        let Some(made) = self.resources.get_mut(logical) else {
            return;
        };
        made.status = status;
        made.changed_at = at;
        made.reason.clone_from(&reason);
        self.events.push(Event {
            id: format!("{logical}-{}-{}", status.name(), fresh_id()),
            logical: logical.to_owned(),
            physical: made.physical.clone(),
            kind: made.kind,
            at,
            status: status.name(),
            reason,
            token: self.token.clone(),
        });
    }

    /// When the next change of a resource ends.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.resources.values().filter_map(|made| made.until).min()
    }

    /// The resources whose creation can begin.
    pub(super) fn creatable(&self) -> Vec<String> {
        let is_there = |name: &String| {
            self.resources
                .get(name)
                .is_some_and(|made| made.status == Status::Created)
        };
        self.template
            .resources
            .iter()
            .filter(|(name, one)| {
                !self.resources.contains_key(*name) && one.needs.iter().all(is_there)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The resources whose deletion can begin: nothing that needs them is left.
    pub(super) fn deletable(&self) -> Vec<String> {
        let needed = |name: &String| {
            self.resources.iter().any(|(other, made)| {
                let needs = self.template.resources.get(other).map(|one| &one.needs);
                !made.status.is_gone() && needs.is_some_and(|needs| needs.contains(name))
            })
        };
        self.resources
            .iter()
            .filter(|(name, made)| {
                matches!(made.status, Status::Created | Status::CreateFailed) && !needed(name)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The names of the resources with this status: `[A, B]`.
    pub(super) fn names_of(&self, status: Status) -> Option<String> {
        let names: Vec<&str> = self
            .resources
            .iter()
            .filter(|(_, made)| made.status == status)
            .map(|(name, _)| name.as_str())
            .collect();
        (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
    }

    /// Forgets what only matters while it is there.
    pub(super) fn fold(&mut self) {
        self.template = Template {
            description: self.template.description.take(),
            ..Template::default()
        };
        self.outputs.clear();
        self.imported.clear();
        for made in self.resources.values_mut() {
            made.properties = Value::Null;
            made.attributes.clear();
        }
    }
}

/// The stacks of every account and region, oldest first.
#[derive(Debug, Default)]
pub(in crate::sim) struct Stacks(BTreeMap<String, BTreeMap<String, Vec<Stack>>>);

impl Stacks {
    pub(in crate::sim) fn of(&self, account: &str, region: &str) -> &[Stack] {
        self.0
            .get(account)
            .and_then(|regions| regions.get(region))
            .map_or(&[], Vec::as_slice)
    }

    pub(in crate::sim) fn entry(&mut self, account: &str, region: &str) -> &mut Vec<Stack> {
        self.0
            .entry(account.to_owned())
            .or_default()
            .entry(region.to_owned())
            .or_default()
    }

    /// The stack with this id, or with this name if it isn't deleted.
    pub(in crate::sim) fn find(&self, account: &str, region: &str, name: &str) -> Option<&Stack> {
        self.of(account, region)
            .iter()
            .find(|stack| stack.id == name || (stack.name == name && !stack.is_deleted()))
    }

    /// What the stacks of a place export.
    pub(super) fn exports(&self, account: &str, region: &str) -> BTreeMap<String, String> {
        let outputs = self
            .of(account, region)
            .iter()
            .flat_map(|stack| &stack.outputs);
        outputs
            .filter_map(|output| Some((output.export.clone()?, output.value.clone())))
            .collect()
    }

    /// The places of an account in which something is being worked on.
    pub(super) fn at_work(&self, account: &str) -> Vec<String> {
        let regions = self.0.get(account);
        regions
            .into_iter()
            .flatten()
            .filter(|(_, stacks)| stacks.iter().any(|stack| stack.stage != Stage::Still))
            .map(|(region, _)| region.clone())
            .collect()
    }

    /// Account, region and name of every stack that isn't deleted.
    pub(in crate::sim) fn all(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().flat_map(|(account, regions)| {
            regions.iter().flat_map(move |(region, stacks)| {
                let there = stacks.iter().filter(|stack| !stack.is_deleted());
                there.map(move |stack| (account.as_str(), region.as_str(), stack.name.as_str()))
            })
        })
    }

    pub(in crate::sim) fn clear(&mut self) {
        self.0.clear();
    }
}
