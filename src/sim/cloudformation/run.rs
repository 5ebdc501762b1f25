//! The stack engine: brings stacks up to the simulated time, one change of a resource after another.
//!
//! Nothing runs in the background. Whoever looks at an account first lets everything happen in it
//! that should have happened by now, each at its own time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::eval::Scope;
use super::kind::Kind;
use super::stack::{Made, OnFailure, Output, Stack, Stage, Status};
use crate::sim::access::authorize;
use crate::sim::faults::Subject;
use crate::sim::world::World;
use crate::sim::zones;

/// How long a resource that can't be made, or can't be deleted, takes to fail.
const FAILS_AFTER: Duration = Duration::from_secs(5);

/// How many deleted stacks of a region are remembered.
const MOST_DELETED: usize = 50;

impl World {
    /// Lets everything happen in an account that should have happened by now.
    pub(in crate::sim) fn catch_up(&mut self, account: &str) {
        let now = self.clock.now();
        for region in self.stacks.at_work(account) {
            for index in 0..self.stacks.of(account, &region).len() {
                let mut stack = self.stacks.entry(account, &region).remove(index);
                self.run(&mut stack, now);
                self.stacks.entry(account, &region).insert(index, stack);
            }
            forget(self.stacks.entry(account, &region));
        }
        self.accounts.leave(account, now);
    }

    /// Brings a stack, which is not among the others meanwhile, up to a time.
    pub(super) fn run(&mut self, stack: &mut Stack, now: Duration) {
        stack.seen_at = now;
        while stack.stage != Stage::Still {
            self.begin(stack);
            match stack.next_due() {
                Some(due) if due <= now => {
                    stack.at = stack.at.max(due);
                    self.finish(stack, due);
                }
                Some(_) => break,
                None => self.conclude(stack),
            }
        }
    }

    /// Begins whatever can begin.
    fn begin(&mut self, stack: &mut Stack) {
        match stack.stage {
            Stage::Creating => {
                for logical in stack.creatable() {
                    self.begin_making(stack, &logical);
                }
            }
            Stage::RollingBack | Stage::Deleting => loop {
                // What was never made is gone at once, and may have been all that others wait for.
                let next = stack.deletable();
                if next.is_empty() {
                    break;
                }
                for logical in next {
                    self.begin_unmaking(stack, &logical);
                }
            },
            Stage::Still => {}
        }
    }

    fn begin_making(&mut self, stack: &mut Stack, logical: &str) {
        let Some(kind) = stack.template.resources.get(logical).map(|one| one.kind) else {
            return;
        };
        stack.resources.insert(
            logical.to_owned(),
            Made {
                kind: kind.name,
                status: Status::Creating,
                reason: None,
                changed_at: stack.stamp(),
                physical: String::new(),
                attributes: BTreeMap::new(),
                properties: Value::Null,
                until: None,
                doom: None,
            },
        );
        stack.set_resource(logical, Status::Creating, None);
        let made = self.create_resource(stack, logical, kind);
        let seconds = Duration::from_secs(kind.create_seconds);
        let takes = self
            .clock
            .scale(if made.is_ok() { seconds } else { FAILS_AFTER });
        let until = stack.at + takes;
        if let Some(resource) = stack.resources.get_mut(logical) {
            resource.until = Some(until);
            resource.doom = made.err();
            if resource.doom.is_none() {
                let reason = Some("Resource creation Initiated".to_owned());
                stack.set_resource(logical, Status::Creating, reason);
            }
        }
    }

    /// Makes a resource, whose change is under way from now on; the error says why not.
    fn create_resource(
        &mut self,
        stack: &mut Stack,
        logical: &str,
        kind: &'static Kind,
    ) -> Result<(), String> {
        let properties = self.properties(stack, logical)?;
        super::schema::check(kind.name, logical, &properties)?;
        let place = (stack.caller.account.as_str(), stack.caller.region.as_str());
        super::iam_rules::check(kind.name, place, &properties)?;
        if let Some(why) = self.resource_fault("CreateResource", stack, logical) {
            return Err(why);
        }
        let physical = physical_id(stack, logical, kind, &properties);
        allowed(stack, kind.create, kind, (&physical, None))?;
        self.rights_to_make(stack, kind, logical, (&physical, &properties))?;
        let (physical, attributes) = self.make(stack, kind, logical, &physical, &properties)?;
        if let Some(made) = stack.resources.get_mut(logical) {
            made.physical = physical;
            made.attributes = attributes;
            made.properties = properties.clone();
        }
        if kind.name == "AWS::EC2::VPCCidrBlock" {
            self.learn_ipv6(stack, &properties);
        }
        Ok(())
    }

    fn properties(&self, stack: &mut Stack, logical: &str) -> Result<Value, String> {
        let declared = stack.template.resources.get(logical);
        let declared = declared
            .map(|one| one.properties.clone())
            .unwrap_or_default();
        let (value, imported) = {
            let scope = self.scope(stack);
            (scope.value(&declared), scope.imported.into_inner())
        };
        stack.imported.extend(imported);
        value
    }

    fn scope<'a>(&self, stack: &'a Stack) -> Scope<'a> {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        Scope {
            account,
            region,
            stack_name: &stack.name,
            stack_id: &stack.id,
            mappings: &stack.template.mappings,
            parameters: stack
                .parameters
                .iter()
                .map(|one| {
                    let value = one.resolved.as_ref().unwrap_or(&one.value);
                    (one.key.as_str(), value.as_str())
                })
                .collect(),
            resources: stack
                .resources
                .iter()
                .map(|(name, made)| (name.as_str(), (made.physical.as_str(), &made.attributes)))
                .collect(),
            zones: zones::of(region)
                .into_iter()
                .map(|zone| zone.name)
                .collect(),
            exports: self.stacks.exports(account, region),
            imported: RefCell::default(),
        }
    }

    fn begin_unmaking(&mut self, stack: &mut Stack, logical: &str) {
        let Some(made) = stack.resources.get(logical).cloned() else {
            return;
        };
        let Some(kind) = Kind::find(made.kind) else {
            return;
        };
        if stack.retained.contains(logical) {
            stack.set_resource(logical, Status::DeleteSkipped, None);
            return;
        }
        if made.physical.is_empty() {
            // It was never made.
            stack.set_resource(logical, Status::Deleted, None);
            return;
        }
        stack.set_resource(logical, Status::Deleting, None);
        let begun = self.delete_resource(stack, logical, kind, &made);
        let seconds = Duration::from_secs(kind.delete_seconds);
        let takes = self
            .clock
            .scale(if begun.is_ok() { seconds } else { FAILS_AFTER });
        let until = stack.at + takes;
        if let Some(resource) = stack.resources.get_mut(logical) {
            resource.until = Some(until);
            resource.doom = begun.err();
        }
    }

    /// Begins to delete a resource; the error says why that can't be.
    fn delete_resource(
        &mut self,
        stack: &Stack,
        logical: &str,
        kind: &Kind,
        made: &Made,
    ) -> Result<(), String> {
        if let Some(why) = self.resource_fault("DeleteResource", stack, logical) {
            return Err(why);
        }
        let known = made.attributes.get("Arn").map(String::as_str);
        allowed(stack, kind.delete, kind, (&made.physical, known))?;
        super::rights::to_delete(stack, kind, &made.physical)?;
        self.unmake(stack, made)
    }

    /// Ends the changes that are due at this time.
    fn finish(&mut self, stack: &mut Stack, due: Duration) {
        let ended: Vec<String> = stack
            .resources
            .iter()
            .filter(|(_, made)| made.until == Some(due))
            .map(|(name, _)| name.clone())
            .collect();
        for logical in ended {
            let Some(made) = stack.resources.get_mut(&logical) else {
                continue;
            };
            // A failure before it may have cancelled this one.
            if made.until.take().is_none() {
                continue;
            }
            let (doom, made) = (made.doom.take(), made.clone());
            match (made.status, doom) {
                (Status::Creating, None) => {
                    self.made(stack, &made);
                    stack.set_resource(&logical, Status::Created, None);
                }
                (Status::Creating, Some(why)) => {
                    stack.set_resource(&logical, Status::CreateFailed, Some(why));
                    fail(stack);
                }
                (_, None) => {
                    self.unmade(stack, &made);
                    stack.set_resource(&logical, Status::Deleted, None);
                }
                (_, Some(why)) => stack.set_resource(&logical, Status::DeleteFailed, Some(why)),
            }
        }
    }

    /// Nothing is under way any more: what the stack has come to.
    fn conclude(&mut self, stack: &mut Stack) {
        let failed = stack.names_of(Status::DeleteFailed);
        let why =
            failed.map(|names| format!("The following resource(s) failed to delete: {names}. "));
        match stack.stage {
            Stage::Creating => match self.outputs(stack) {
                Ok(outputs) => {
                    stack.outputs = outputs;
                    stack.stage = Stage::Still;
                    stack.set_status("CREATE_COMPLETE", None);
                }
                Err(why) => after_failure(stack, &why),
            },
            Stage::RollingBack => {
                stack.stage = Stage::Still;
                let status = if why.is_some() {
                    "ROLLBACK_FAILED"
                } else {
                    "ROLLBACK_COMPLETE"
                };
                stack.set_status(status, why);
            }
            Stage::Deleting => {
                stack.stage = Stage::Still;
                if why.is_some() {
                    stack.set_status("DELETE_FAILED", why);
                    return;
                }
                stack.set_status("DELETE_COMPLETE", None);
                stack.deleted_at = Some(stack.stamp());
                stack.fold();
            }
            Stage::Still => {}
        }
    }

    fn outputs(&self, stack: &Stack) -> Result<Vec<Output>, String> {
        let scope = self.scope(stack);
        let output = |declared: &super::template::Output| {
            let export = declared.export.as_ref().map(|name| scope.text(name));
            let export = export.transpose()?;
            if let Some(name) = export
                .as_ref()
                .filter(|name| scope.exports.contains_key(*name))
            {
                return Err(format!(
                    "Export with name {name} is already exported by another stack."
                ));
            }
            Ok(Output {
                key: declared.key.clone(),
                value: scope.text(&declared.value)?,
                description: declared.description.clone(),
                export,
            })
        };
        stack.template.outputs.iter().map(output).collect()
    }

    fn resource_fault(&mut self, action: &str, stack: &Stack, logical: &str) -> Option<String> {
        let fault = self.faults.take(&Subject {
            action,
            service: None,
            account: &stack.caller.account,
            region: &stack.caller.region,
            cluster: stack.cluster(),
            profile: None,
            stack: Some(&stack.name),
            resource: Some(logical),
        })?;
        Some(
            fault
                .message
                .unwrap_or_else(|| "Injected by the simulator".to_owned()),
        )
    }
}

/// A resource failed: cancels the others and goes on as the stack was told to.
fn fail(stack: &mut Stack) {
    let failed = stack.names_of(Status::CreateFailed).unwrap_or_default();
    cancel(stack);
    let why = format!("The following resource(s) failed to create: {failed}.");
    after_failure(stack, &why);
}

fn after_failure(stack: &mut Stack, why: &str) {
    let (status, stage, next) = match stack.on_failure {
        OnFailure::Rollback => (
            "ROLLBACK_IN_PROGRESS",
            Stage::RollingBack,
            "Rollback requested by user.",
        ),
        OnFailure::Delete => (
            "DELETE_IN_PROGRESS",
            Stage::Deleting,
            "Delete requested by user.",
        ),
        OnFailure::DoNothing => ("CREATE_FAILED", Stage::Still, ""),
    };
    stack.set_status(status, Some(format!("{why} {next}")));
    stack.stage = stage;
}

/// Ends every change of a stack that is under way: what was being created has failed.
pub(super) fn cancel(stack: &mut Stack) {
    let moving: Vec<String> = stack
        .resources
        .iter()
        .filter(|(_, made)| made.status == Status::Creating)
        .map(|(name, _)| name.clone())
        .collect();
    for logical in moving {
        if let Some(made) = stack.resources.get_mut(&logical) {
            (made.until, made.doom) = (None, None);
        }
        let why = Some("Resource creation cancelled".to_owned());
        stack.set_resource(&logical, Status::CreateFailed, why);
    }
}

/// Whether whoever works on the stack may do this to a resource.
fn allowed(
    stack: &Stack,
    action: &str,
    kind: &Kind,
    (physical, arn): (&str, Option<&str>),
) -> Result<(), String> {
    let resource = arn.map_or_else(
        || super::names::resource_arn(stack, kind, physical),
        str::to_owned,
    );
    authorize(&stack.caller, action, &resource)
        .map_err(|error| super::names::handler("AccessDenied", &error.message))
}

fn physical_id(stack: &Stack, logical: &str, kind: &Kind, properties: &Value) -> String {
    use super::kind::Id;
    let random = super::names::random_hex();
    match kind.id {
        Id::Hex(prefix) => format!("{prefix}{random}"),
        Id::Named(property) => {
            let name = properties.get(property).and_then(Value::as_str);
            name.map_or_else(
                || {
                    let suffix = random.to_uppercase();
                    let cut = |text: &str| text.chars().take(24).collect::<String>();
                    let mut stem = format!("{}-{logical}", stack.name);
                    // Names that CloudFormation makes up have at most 64 characters.
                    if stem.len() > 51 {
                        stem = format!("{}-{}", cut(&stack.name), cut(logical));
                    }
                    format!("{stem}-{}", suffix.chars().skip(4).collect::<String>())
                },
                str::to_owned,
            )
        }
    }
}

fn forget(stacks: &mut Vec<Stack>) {
    let mut deleted = stacks.iter().filter(|stack| stack.is_deleted()).count();
    stacks.retain(|stack| {
        let drop = stack.is_deleted() && deleted > MOST_DELETED;
        deleted -= usize::from(drop);
        !drop
    });
}
