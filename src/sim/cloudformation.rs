//! CloudFormation over the Query protocol: stacks are created, described and deleted. There are no
//! updates, change sets or nested stacks.

mod create;
mod effects;
mod eval;
mod iam_rules;
mod imports;
mod kind;
mod make_control_plane;
mod make_eks;
mod make_network;
mod make_vpc;
mod names;
mod node_rules;
mod properties;
mod protection;
mod rights;
mod run;
mod schema;
mod stack;
mod template;
mod write;

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::error::AwsError;
use super::page::PageRequest;
use super::query::{Form, no_operation, required, validation};
use super::world::{Arrival, World};
use super::xml::Xml;

pub(super) use stack::Stacks;
use stack::{Stack, Stage, Status};

/// Entries of a page.
const EVENTS_PER_PAGE: usize = 40;
const STACKS_PER_PAGE: usize = 20;

impl World {
    /// Serves one call; the answer is what the result's element holds.
    pub(super) fn cloudformation(
        &mut self,
        form: &Form,
        arrival: &Arrival,
    ) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        match form.action() {
            "CreateStack" => self.create_stack(form, arrival),
            "DescribeStacks" => self.describe_stacks(form, arrival),
            "DescribeStackEvents" => self.describe_events(form, caller),
            "DescribeStackResources" => self.describe_resources(form, caller),
            "ListStacks" => self.list_stacks(form, caller),
            "ListImports" => self.list_imports(form, caller),
            "DeleteStack" => self.delete_stack(form, arrival),
            "UpdateTerminationProtection" => self.update_protection(form, arrival),
            _ => Err(no_operation(form)),
        }
    }

    fn describe_stacks(&self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let shown = arrival.fault.set_status.as_deref();
        let mut xml = Xml::default();
        if let Some(name) = form.filled("StackName") {
            let stack = self.allowed_stack(caller, "DescribeStacks", name)?;
            let stack = stack.ok_or_else(|| no_stack(name))?;
            xml.list("Stacks", "member", [stack], |x, stack| {
                write::stack(x, stack, shown);
            });
            return Ok(xml.finish());
        }
        authorize(
            caller,
            "cloudformation:DescribeStacks",
            &stack_arn(caller, "*", "*"),
        )?;
        let stacks = self.stacks.of(&caller.account, &caller.region);
        let stacks = stacks.iter().filter(|stack| !stack.is_deleted());
        let (page, next) = page(form, "stacks", STACKS_PER_PAGE, stacks)?;
        xml.list("Stacks", "member", page, |x, stack| {
            write::stack(x, stack, shown);
        });
        xml.maybe("NextToken", next);
        Ok(xml.finish())
    }

    fn describe_events(&self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let name = required(form, "StackName", "stackName")?;
        let stack = self.allowed_stack(caller, "DescribeStackEvents", name)?;
        let stack = stack.ok_or_else(|| validation(format!("Stack [{name}] does not exist")))?;
        let newest_first = stack.events.iter().rev();
        let (page, next) = page(form, &stack.id, EVENTS_PER_PAGE, newest_first)?;
        let mut xml = Xml::default();
        xml.list("StackEvents", "member", page, |x, event| {
            write::event(x, stack, event);
        });
        xml.maybe("NextToken", next);
        Ok(xml.finish())
    }

    fn describe_resources(&self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        let name = required(form, "StackName", "stackName")?;
        let stack = self.allowed_stack(caller, "DescribeStackResources", name)?;
        let stack = stack.ok_or_else(|| no_stack(name))?;
        let wanted = form.filled("LogicalResourceId");
        let resources: Vec<_> = stack
            .resources
            .iter()
            .filter(|(logical, _)| wanted.is_none_or(|wanted| wanted == logical.as_str()))
            .collect();
        if let Some(wanted) = wanted.filter(|_| resources.is_empty()) {
            return Err(validation(format!(
                "Resource {wanted} does not exist for stack {name}"
            )));
        }
        let mut xml = Xml::default();
        xml.list(
            "StackResources",
            "member",
            resources,
            |x, (logical, made)| {
                write::resource(x, stack, logical, made);
            },
        );
        Ok(xml.finish())
    }

    fn list_stacks(&self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        authorize(
            caller,
            "cloudformation:ListStacks",
            &stack_arn(caller, "*", "*"),
        )?;
        let wanted = form.texts("StackStatusFilter.member");
        let stacks = self.stacks.of(&caller.account, &caller.region);
        let newest_first = stacks
            .iter()
            .rev()
            .filter(|stack| wanted.is_empty() || wanted.contains(&stack.status));
        let (page, next) = page(form, "list", STACKS_PER_PAGE, newest_first)?;
        let mut xml = Xml::default();
        xml.list("StackSummaries", "member", page, write::summary);
        xml.maybe("NextToken", next);
        Ok(xml.finish())
    }

    /// Deleting one that isn't there, or is being deleted, succeeds as well.
    fn delete_stack(&mut self, form: &Form, arrival: &Arrival) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let name = required(form, "StackName", "stackName")?;
        let (account, region) = (&caller.account, &caller.region);
        let Some(stack) = self.allowed_stack(caller, "DeleteStack", name)? else {
            return Ok(String::new());
        };
        if stack.is_deleted() || stack.stage == Stage::Deleting {
            return Ok(String::new());
        }
        if stack.protected {
            return Err(validation(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        let retained = form.texts("RetainResources.member");
        if !retained.is_empty() && stack.status != "DELETE_FAILED" {
            return Err(validation(format!(
                "Invalid operation on stack [{}]. When you delete a stack, specify which resources to \
                 retain only when the stack is in the DELETE_FAILED state.",
                stack.id
            )));
        }
        let id = stack.id.clone();
        let importer = self.importer(caller, stack);
        let now = self.clock.now();
        let stacks = self.stacks.entry(account, region);
        let Some(index) = stacks.iter().position(|stack| stack.id == id) else {
            return Ok(String::new());
        };
        let mut stack = stacks.remove(index);
        stack.caller = caller.clone();
        stack.retained = retained.into_iter().map(str::to_owned).collect();
        stack.token = form.filled("ClientRequestToken").map(str::to_owned);
        (stack.at, stack.seen_at) = (now, now);
        begin_deletion(&mut stack, importer);
        self.run(&mut stack, now);
        self.stacks.entry(account, region).insert(index, stack);
        self.recorder.changed(arrival.seq);
        Ok(String::new())
    }

    /// An export of the stack that another one imports, and that one's name.
    fn importer(&self, caller: &Caller, stack: &Stack) -> Option<(String, String)> {
        let others = self.stacks.of(&caller.account, &caller.region);
        let exports = stack
            .outputs
            .iter()
            .filter_map(|output| output.export.as_ref());
        exports
            .flat_map(|export| others.iter().map(move |other| (export, other)))
            .find(|(export, other)| other.id != stack.id && other.imported.contains(*export))
            .map(|(export, other)| (export.clone(), other.name.clone()))
    }

    /// The stack, if the caller may do this to it.
    fn allowed_stack(
        &self,
        caller: &Caller,
        action: &str,
        name: &str,
    ) -> Result<Option<&Stack>, AwsError> {
        let stack = self.stacks.find(&caller.account, &caller.region, name);
        let arn = stack.map_or_else(|| stack_arn(caller, name, "*"), |stack| stack.id.clone());
        authorize(caller, &format!("cloudformation:{action}"), &arn)?;
        Ok(stack)
    }
}

fn begin_deletion(stack: &mut Stack, importer: Option<(String, String)>) {
    stack.set_status("DELETE_IN_PROGRESS", Some("User Initiated".to_owned()));
    if let Some((export, by)) = importer {
        let why = format!("Export {export} cannot be deleted as it is in use by {by}");
        stack.stage = Stage::Still;
        stack.set_status("DELETE_FAILED", Some(why));
        return;
    }
    run::cancel(stack);
    stack.stage = Stage::Deleting;
    // What failed to be deleted before is tried again; what still is deleted goes on.
    for made in stack.resources.values_mut() {
        if made.status == Status::DeleteFailed {
            made.status = Status::Created;
        }
    }
}

fn stack_arn(caller: &Caller, name: &str, id: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let Caller {
        account, region, ..
    } = caller;
    let partition = partition(region);
    format!("arn:{partition}:cloudformation:{region}:{account}:stack/{name}/{id}")
}

fn id_alone(id: &str) -> String {
    let mut xml = Xml::default();
    xml.text("StackId", id);
    xml.finish()
}

fn no_stack(name: &str) -> AwsError {
    validation(format!("Stack with id {name} does not exist"))
}

/// A page of anything, by its place in the list.
fn page<'a, T>(
    form: &Form,
    scope: &str,
    size: usize,
    items: impl Iterator<Item = &'a T>,
) -> Result<(Vec<&'a T>, Option<String>), AwsError> {
    let request = PageRequest {
        max_results: Some(size),
        next_token: form.filled("NextToken").map(str::to_owned),
    };
    let items: Vec<&T> = items.collect();
    let names: Vec<String> = (0..items.len())
        .map(|index| format!("{index:06}"))
        .collect();
    let (names, next) = request
        .cut(scope, names.iter().map(String::as_str))
        .map_err(|error| validation(error.message))?;
    let indexes = names.iter().filter_map(|name| name.parse::<usize>().ok());
    Ok((
        indexes
            .filter_map(|index| items.get(index).copied())
            .collect(),
        next,
    ))
}

#[cfg(test)]
#[path = "cloudformation/tests.rs"]
mod tests;
