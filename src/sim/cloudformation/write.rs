//! Stacks, events and resources as CloudFormation's answers have them.

use chrono::{DateTime, SecondsFormat, Utc};

use super::stack::{Event, Made, OnFailure, Stack};
use crate::sim::xml::Xml;

const ENTRY: &str = "member";

fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// One entry of `DescribeStacks`; `shown` is a status to show instead of the stack's own.
pub(super) fn stack(xml: &mut Xml, stack: &Stack, shown: Option<&str>) {
    let flag = |value: bool| if value { "true" } else { "false" };
    xml.text("StackId", &stack.id)
        .text("StackName", &stack.name)
        .maybe("Description", stack.template.description.as_ref())
        .text("CreationTime", date(stack.created_at))
        .maybe("DeletionTime", stack.deleted_at.map(date))
        .text("StackStatus", shown.unwrap_or(stack.status))
        .maybe("StackStatusReason", stack.reason.as_ref())
        .text(
            "DisableRollback",
            flag(stack.on_failure == OnFailure::DoNothing),
        )
        .text("EnableTerminationProtection", flag(stack.protected))
        .texts("NotificationARNs", ENTRY, Vec::<String>::new())
        .within("RollbackConfiguration", |_| {})
        .texts("Capabilities", ENTRY, &stack.capabilities)
        .list("Parameters", ENTRY, &stack.parameters, |x, one| {
            x.text("ParameterKey", &one.key)
                .text("ParameterValue", &one.value)
                .maybe("ResolvedValue", one.resolved.as_ref());
        })
        .list("Outputs", ENTRY, &stack.outputs, |x, one| {
            x.text("OutputKey", &one.key)
                .text("OutputValue", &one.value)
                .maybe("Description", one.description.as_ref())
                .maybe("ExportName", one.export.as_ref());
        })
        .list("Tags", ENTRY, &stack.tags, |x, (key, value)| {
            x.text("Key", key).text("Value", value);
        })
        .within("DriftInformation", |x| {
            x.text("StackDriftStatus", "NOT_CHECKED");
        });
}

/// One entry of `ListStacks`.
pub(super) fn summary(xml: &mut Xml, stack: &Stack) {
    xml.text("StackId", &stack.id)
        .text("StackName", &stack.name)
        .maybe("TemplateDescription", stack.template.description.as_ref())
        .text("CreationTime", date(stack.created_at))
        .maybe("DeletionTime", stack.deleted_at.map(date))
        .text("StackStatus", stack.status)
        .maybe("StackStatusReason", stack.reason.as_ref())
        .within("DriftInformation", |x| {
            x.text("StackDriftStatus", "NOT_CHECKED");
        });
}

/// One entry of `DescribeStackEvents`.
pub(super) fn event(xml: &mut Xml, stack: &Stack, event: &Event) {
    xml.text("StackId", &stack.id)
        .text("EventId", &event.id)
        .text("StackName", &stack.name)
        .text("LogicalResourceId", &event.logical)
        .text("PhysicalResourceId", &event.physical)
        .text("ResourceType", event.kind)
        .text("Timestamp", date(event.at))
        .text("ResourceStatus", event.status)
        .maybe("ResourceStatusReason", event.reason.as_ref())
        .maybe("ClientRequestToken", event.token.as_ref());
}

/// One entry of `DescribeStackResources`.
pub(super) fn resource(xml: &mut Xml, stack: &Stack, logical: &str, made: &Made) {
    let physical = Some(&made.physical).filter(|id| !id.is_empty());
    xml.text("StackName", &stack.name)
        .text("StackId", &stack.id)
        .text("LogicalResourceId", logical)
        .maybe("PhysicalResourceId", physical)
        .text("ResourceType", made.kind)
        .text("Timestamp", date(made.changed_at))
        .text("ResourceStatus", made.status.name())
        .maybe("ResourceStatusReason", made.reason.as_ref())
        .within("DriftInformation", |x| {
            x.text("StackResourceDriftStatus", "NOT_CHECKED");
        });
}
