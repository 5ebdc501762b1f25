//! CloudFormation: the stacks that make a cluster's network, roles and nodegroups.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudformation::types::{
    Capability, ResourceStatus, StackEvent, StackStatus, StackSummary as SdkSummary, Tag,
};
use chrono::{DateTime, Utc};

use super::caller::{Caller, Service};
use super::clients::Clients;
use super::convert::{time, unanswered};
use super::refusal::{Class, Refusal};

/// The stacks of a region, seen through one session by one step of a job.
pub struct CloudFormation {
    caller: Caller,
}

/// A stack to be made.
#[derive(Debug, Clone)]
pub struct NewStack {
    /// Its name.
    pub name: String,
    /// JSON or YAML.
    pub template: String,
    /// For the stack and all that it makes.
    pub tags: BTreeMap<String, String>,
    /// Whether the template makes roles, named or not.
    pub makes_roles: bool,
    /// The same token never makes two.
    pub client_request_token: String,
}

/// A stack as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its ARN: finds it also when it is deleted, which its name does not.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Such as `CREATE_COMPLETE`; unknown ones pass through.
    pub status: String,
    /// Why, when AWS says so.
    pub status_reason: Option<String>,
    /// What the template puts out.
    pub outputs: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// What it puts out under these names for other stacks.
    pub exports: Vec<String>,
    /// Whether CloudFormation refuses to delete it.
    pub protected: bool,
}

/// A line of the list of stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackSummary {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
}

/// Something that a stack holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackResource {
    /// Its own id, such as `vpc-...`.
    pub id: String,
    /// Such as `AWS::EC2::VPC`.
    pub resource_type: String,
}

/// Which change of a stack is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackChange {
    /// Its creation.
    Create,
    /// Its latest deletion.
    Delete,
}

/// A resource that CloudFormation could not make or delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Such as `AWS::EC2::NatGateway`.
    pub resource_type: String,
    /// In the words of the service that refused.
    pub reason: String,
}

impl CloudFormation {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// Asks for a new stack and answers its id. A failed creation rolls back and leaves the stack
    /// with its events.
    pub async fn create_stack(&self, new: NewStack) -> Result<String, Refusal> {
        const ACTION: &str = "CreateStack";
        let tag = |(key, value)| Tag::builder().key(key).value(value).build();
        let capabilities = new
            .makes_roles
            .then(|| vec![Capability::CapabilityNamedIam]);
        let answer = self
            .caller
            .mutate(Service::CloudFormation, ACTION, |aws| {
                aws.cloudformation()
                    .create_stack()
                    .stack_name(new.name)
                    .template_body(new.template)
                    .set_capabilities(capabilities)
                    .set_tags(Some(new.tags.into_iter().map(tag).collect()))
                    // As eksctl makes every stack.
                    .enable_termination_protection(true)
                    .client_request_token(new.client_request_token)
                    .send()
            })
            .await?;
        answer.stack_id.ok_or_else(|| unanswered(ACTION))
    }

    /// A stack by its name or id; none when there is none of that name, or it was deleted.
    pub async fn stack(&self, name_or_id: &str) -> Result<Option<Stack>, Refusal> {
        let answer = self
            .caller
            .read(Service::CloudFormation, "DescribeStacks", |aws| {
                aws.cloudformation()
                    .describe_stacks()
                    .stack_name(name_or_id)
                    .send()
            })
            .await;
        match answer {
            Ok(page) => {
                let found = page.stacks.unwrap_or_default().into_iter().next();
                Ok(found.map(stack).filter(|stack| stack.status != GONE))
            }
            Err(refusal) if refusal.class == Class::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// What failed in a change of a stack, the first failure first. What was only given up because
    /// something else had failed is left out.
    pub async fn failed_resources(
        &self,
        stack_id: &str,
        change: StackChange,
    ) -> Result<Vec<FailedResource>, Refusal> {
        let mut failed = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.cloudformation()
                .describe_stack_events()
                .stack_name(stack_id)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(
                Service::CloudFormation,
                "DescribeStackEvents",
                call,
                |page| {
                    let events = page.stack_events.unwrap_or_default();
                    let ended = collect(&mut failed, events, change);
                    page.next_token.filter(|_| !ended)
                },
            )
            .await?;
        // AWS lists the latest first.
        failed.reverse();
        Ok(failed)
    }

    /// Asks for a stack to be deleted. One that is gone already is no error.
    pub async fn delete_stack(
        &self,
        name_or_id: &str,
        client_request_token: &str,
    ) -> Result<(), Refusal> {
        let asked = self
            .caller
            .mutate(Service::CloudFormation, "DeleteStack", |aws| {
                aws.cloudformation()
                    .delete_stack()
                    .stack_name(name_or_id)
                    .client_request_token(client_request_token)
                    .send()
            })
            .await;
        match asked {
            Err(refusal) if refusal.class != Class::NotFound => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Sets or lifts the protection of a stack against its deletion. What is so already stays so.
    pub async fn protect_stack(&self, name_or_id: &str, protected: bool) -> Result<(), Refusal> {
        self.caller
            .mutate(
                Service::CloudFormation,
                "UpdateTerminationProtection",
                |aws| {
                    aws.cloudformation()
                        .update_termination_protection()
                        .stack_name(name_or_id)
                        .enable_termination_protection(protected)
                        .send()
                },
            )
            .await
            .map(drop)
    }

    /// The names of the stacks that import an export, over all pages.
    pub async fn importers(&self, export: &str) -> Result<Vec<String>, Refusal> {
        let mut stacks = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.cloudformation()
                .list_imports()
                .export_name(export)
                .set_next_token(token)
                .send()
        };
        let listed = self
            .caller
            .pages(Service::CloudFormation, "ListImports", call, |page| {
                stacks.extend(page.imports.unwrap_or_default());
                page.next_token
            })
            .await;
        match listed {
            // AWS's way of saying that there is none.
            Err(refusal) if refusal.message.contains("not imported") => Ok(Vec::new()),
            listed => listed.map(|()| stacks),
        }
    }

    /// The ids of what a stack holds, and what each is: `AWS::EC2::VPC`.
    pub async fn resources(&self, name_or_id: &str) -> Result<Vec<StackResource>, Refusal> {
        let answer = self
            .caller
            .read(Service::CloudFormation, "DescribeStackResources", |aws| {
                aws.cloudformation()
                    .describe_stack_resources()
                    .stack_name(name_or_id)
                    .send()
            })
            .await;
        match answer {
            Ok(page) => {
                let resources = page.stack_resources.unwrap_or_default().into_iter();
                Ok(resources.filter_map(resource).collect())
            }
            Err(refusal) if refusal.class == Class::NotFound => Ok(Vec::new()),
            Err(refusal) => Err(refusal),
        }
    }

    /// The stacks whose names begin with `eksctl-<cluster>-`, over all pages. A cluster whose name
    /// begins with this one's and a `-` has its stacks among them.
    pub async fn stacks_of(&self, cluster: &str) -> Result<Vec<StackSummary>, Refusal> {
        let prefix = format!("eksctl-{cluster}-");
        let mut stacks = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.cloudformation()
                .list_stacks()
                .set_stack_status_filter(Some(there()))
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::CloudFormation, "ListStacks", call, |page| {
                let summaries = page.stack_summaries.unwrap_or_default();
                let summaries = summaries.into_iter().map(summary);
                stacks.extend(summaries.filter(|stack| stack.name.starts_with(&prefix)));
                page.next_token
            })
            .await?;
        Ok(stacks)
    }
}

const GONE: &str = "DELETE_COMPLETE";

/// Every status but that of deleted stacks, which AWS lists for 90 days.
fn there() -> Vec<StackStatus> {
    let all = StackStatus::values()
        .iter()
        .filter(|status| **status != GONE);
    all.map(|status| StackStatus::from(*status)).collect()
}

fn stack(stack: aws_sdk_cloudformation::types::Stack) -> Stack {
    let outputs = stack.outputs.unwrap_or_default();
    let exports = outputs
        .iter()
        .filter_map(|output| output.export_name.clone());
    let exports = exports.collect();
    let outputs = outputs.into_iter();
    let tags = stack.tags.unwrap_or_default().into_iter();
    Stack {
        id: stack.stack_id.unwrap_or_default(),
        name: stack.stack_name.unwrap_or_default(),
        status: status(stack.stack_status.as_ref()),
        status_reason: stack.stack_status_reason,
        outputs: outputs
            .filter_map(|output| Some((output.output_key?, output.output_value?)))
            .collect(),
        tags: tags
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect(),
        created_at: stack.creation_time.and_then(time),
        exports,
        protected: stack.enable_termination_protection.unwrap_or_default(),
    }
}

/// None of what was deleted, or never made.
fn resource(one: aws_sdk_cloudformation::types::StackResource) -> Option<StackResource> {
    let gone = one.resource_status == Some(ResourceStatus::DeleteComplete);
    Some(StackResource {
        id: one.physical_resource_id.filter(|_| !gone)?,
        resource_type: one.resource_type.unwrap_or_default(),
    })
}

fn summary(summary: SdkSummary) -> StackSummary {
    StackSummary {
        id: summary.stack_id.unwrap_or_default(),
        name: summary.stack_name.unwrap_or_default(),
        status: status(summary.stack_status.as_ref()),
    }
}

fn status(status: Option<&StackStatus>) -> String {
    status.map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned())
}

/// Takes the failures of one page, latest first; true when the change's beginning was reached.
fn collect(failed: &mut Vec<FailedResource>, events: Vec<StackEvent>, change: StackChange) -> bool {
    let (begun, failure) = match change {
        StackChange::Create => (
            ResourceStatus::CreateInProgress,
            ResourceStatus::CreateFailed,
        ),
        StackChange::Delete => (
            ResourceStatus::DeleteInProgress,
            ResourceStatus::DeleteFailed,
        ),
    };
    for event in events {
        // The stack's own events bear its id; what they say of a failure is only its resources' names.
        if event.physical_resource_id == event.stack_id {
            if event.resource_status.as_ref() == Some(&begun) {
                return true;
            }
        } else if event.resource_status.as_ref() == Some(&failure) {
            failed.extend(failed_resource(event));
        }
    }
    false
}

fn failed_resource(event: StackEvent) -> Option<FailedResource> {
    let reason = event.resource_status_reason.unwrap_or_default();
    let given_up = ["resource creation cancelled", "resource deletion cancelled"];
    let lower = reason.to_ascii_lowercase();
    (!given_up.iter().any(|words| lower.starts_with(words))).then(|| FailedResource {
        logical_id: event.logical_resource_id.unwrap_or_default(),
        resource_type: event.resource_type.unwrap_or_default(),
        reason,
    })
}
