//! The role of the pods of a cluster's profiles, for profiles that name none: found, or made.
//!
//! It is looked for where eksctl has it: output `FargatePodExecutionRoleARN` of the cluster's stack,
//! then of the stack of the role alone, which is made when there is none. Looks first, then acts: run
//! twice, it comes to the same end.

pub(super) mod removal;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failures::{failure, stack_failed};
use super::following::Pace;
use super::patience::Waited;
use super::profile_creation::Keep;
use super::refused;
use super::stack_creation::failing;
use super::stack_deletion;
use crate::aws::Class;
use crate::aws::cloudformation::{NewStack, Stack, StackChange};
use crate::domain::cluster::{names, template};
use crate::domain::{ClusterName, ErrorCode, RoleArn};
use crate::queue::backoff::Backoff;
use crate::queue::lease::Note;
use crate::queue::verdict::Again;
use crate::queue::{Verdict, Wait};

/// A stack of one role takes half a minute.
const STACK: Pace = Pace {
    delays: Backoff::millis(&[5_000, 5_000, 10_000, 10_000, 15_000, 20_000]),
    longest: std::time::Duration::from_mins(20),
};

/// A role to be found, or made.
pub(super) struct RoleCreation<'a> {
    pub(super) context: &'a Context<'a>,
    /// Of a role that has to be made.
    pub(super) permissions_boundary: Option<&'a str>,
    /// By which step the job goes on, and what that has to know.
    pub(super) keep: Keep<'a, Making>,
}

/// What has to be known from one look to the next; nothing at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Making {
    /// AWS was asked for the stack, when there was none.
    asked: bool,
    /// The stack that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    /// What an earlier try left, and is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    remains: Option<String>,
    waited: Waited,
}

impl RoleCreation<'_> {
    /// The role; or how to go on until there is one.
    pub(super) async fn role(&self, making: Making) -> Result<RoleArn, Verdict> {
        let cluster = cluster(self.context)?;
        if making == Making::default() {
            let of_cluster = names::cluster_stack(&cluster);
            let of_cluster = found(self.context, &of_cluster).await?;
            if let Some(role) = of_cluster.as_ref().and_then(role_of) {
                return parsed(&names::cluster_stack(&cluster), role);
            }
        }
        let name = names::fargate_role_stack(&cluster);
        let Some(stack) = found(self.context, &name).await? else {
            return Err(self.absent(&cluster, name, making).await);
        };
        match stack.status.as_str() {
            "CREATE_IN_PROGRESS" | "REVIEW_IN_PROGRESS" => {
                let stack = making.asked.then_some(stack.id);
                let words = under_way(&name);
                Err(self.later(Making { stack, ..making }, words))
            }
            "DELETE_IN_PROGRESS" => {
                let words = format!("Waits for CloudFormation, which is deleting stack {name}.");
                Err(self.later(making, words))
            }
            "ROLLBACK_IN_PROGRESS" => {
                let why = failing(self.context, &stack, StackChange::Create).await?;
                let words = format!("CloudFormation could not make stack {name}: {why}.");
                Err(self.later(making, words))
            }
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => {
                Err(self.failed(stack, making).await)
            }
            _ => match role_of(&stack) {
                Some(role) => parsed(&name, role),
                None => Err(fail(format!(
                    "stack {name} is there in status {} and names no pod execution role; name one for \
                     the profile, or delete the stack",
                    stack.status
                ))),
            },
        }
    }

    async fn absent(&self, cluster: &ClusterName, name: String, making: Making) -> Verdict {
        if making.stack.is_some() {
            return fail(format!(
                "stack {name} was deleted by someone else while it was made; retry the job"
            ));
        }
        match self.ask(cluster, name, making).await {
            Ok(later) | Err(later) => later,
        }
    }

    /// Asks for the stack, after noting so.
    async fn ask(
        &self,
        cluster: &ClusterName,
        name: String,
        making: Making,
    ) -> Result<Verdict, Verdict> {
        let mut making = Making {
            asked: true,
            ..making
        };
        let message = format!("Asking AWS for stack {name}, which makes a pod execution role.");
        self.note(&making, message).await?;
        let new = NewStack {
            name: name.clone(),
            template: template::fargate_role(cluster, self.permissions_boundary).to_string(),
            tags: names::stack_tags(cluster),
            makes_roles: true,
            client_request_token: self.context.client_request_token(&name),
        };
        match self.context.stacks().create_stack(new).await {
            Ok(id) => making.stack = Some(id),
            // The next look tells what there is.
            Err(refusal) if refusal.class == Class::AlreadyExists => {}
            Err(refusal) => return Err(refused::verdict(self.context, refusal).await),
        }
        Ok(self.later(making, under_way(&name)))
    }

    /// A stack that has failed: at this try, or at one before it.
    async fn failed(&self, stack: Stack, making: Making) -> Verdict {
        let own = making.asked && making.stack.as_ref().is_none_or(|id| *id == stack.id);
        let undeletable =
            stack.status == "DELETE_FAILED" && making.remains.as_ref() == Some(&stack.id);
        let judged = if own {
            self.given_up(&stack).await
        } else if undeletable {
            self.stuck(&stack).await
        } else {
            self.clear(stack, making).await
        };
        judged.unwrap_or_else(|verdict| verdict)
    }

    async fn given_up(&self, stack: &Stack) -> Result<Verdict, Verdict> {
        let why = failing(self.context, stack, StackChange::Create).await?;
        let (name, status) = (&stack.name, &stack.status);
        Ok(not_stabilized(&format!(
            "CloudFormation could not make stack {name}, which makes the pod execution role: {why}; \
             the stack is left in {status}; mend the cause, then retry the job, which makes it anew"
        )))
    }

    async fn stuck(&self, stack: &Stack) -> Result<Verdict, Verdict> {
        let why = failing(self.context, stack, StackChange::Delete).await?;
        let name = &stack.name;
        Ok(not_stabilized(&format!(
            "CloudFormation could not delete what an earlier try left of stack {name}: {why}; \
             delete it by hand, then retry the job"
        )))
    }

    /// Asks for the deletion of what an earlier try left, after noting so.
    async fn clear(&self, stack: Stack, making: Making) -> Result<Verdict, Verdict> {
        let name = stack.name.clone();
        if !names::are_of(&stack.tags, self.context.cluster) {
            return Err(fail(format!(
                "stack {name} is there in status {}, and is another cluster's; name a role for the \
                 profile",
                stack.status
            )));
        }
        let message = format!("Asking AWS to delete what an earlier try left of stack {name}.");
        self.note(&making, message).await?;
        if let Err(refusal) = stack_deletion::delete(self.context, &stack).await {
            return Err(refused::verdict(self.context, refusal).await);
        }
        let making = Making {
            remains: Some(stack.id),
            ..making
        };
        let words = format!("CloudFormation is deleting what an earlier try left of stack {name}.");
        Ok(self.later(making, words))
    }

    /// A cancel that comes before AWS has accepted anything is honoured.
    async fn note(&self, making: &Making, message: String) -> Result<(), Verdict> {
        let note = Note {
            message,
            ..Note::default()
        };
        let (step, data) = (self.keep)(making.clone());
        if self.context.note_asking(step, &data, note).await? {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    fn later(&self, making: Making, message: String) -> Verdict {
        let Some((after, waited)) = making.waited.again(self.context, &STACK) else {
            let minutes = STACK.longest.as_secs() / 60;
            return Verdict::Fail(failure(
                ErrorCode::DeadlineExceeded,
                format!("AWS has not finished in {minutes} minutes: {message}"),
            ));
        };
        let accepted = making.stack.is_some() || making.remains.is_some();
        let (step, step_data) = (self.keep)(Making { waited, ..making });
        Verdict::Again(Box::new(Again {
            after,
            step: step.to_owned(),
            step_data,
            wait: Wait::Poll,
            message,
            accepted: accepted || self.context.job.accepted,
        }))
    }
}

fn cluster(context: &Context<'_>) -> Result<ClusterName, Verdict> {
    ClusterName::parse(context.cluster)
        .map_err(|error| Verdict::Fail(failure(ErrorCode::Internal, error.message())))
}

async fn found(context: &Context<'_>, name: &str) -> Result<Option<Stack>, Verdict> {
    match context.stacks().stack(name).await {
        Ok(stack) => Ok(stack),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// The role that a stack puts out.
fn role_of(stack: &Stack) -> Option<&str> {
    let role = stack.outputs.get(names::POD_EXECUTION_ROLE_OUTPUT)?;
    Some(role.as_str()).filter(|role| !role.is_empty())
}

fn parsed(stack: &str, role: &str) -> Result<RoleArn, Verdict> {
    RoleArn::parse(role).map_err(|error| {
        let output = names::POD_EXECUTION_ROLE_OUTPUT;
        fail(format!("output {output} of stack {stack}: {error}"))
    })
}

fn fail(message: String) -> Verdict {
    Verdict::Fail(failure(ErrorCode::Conflict, message))
}

fn not_stabilized(message: &str) -> Verdict {
    Verdict::Fail(stack_failed(message))
}

fn under_way(name: &str) -> String {
    format!("CloudFormation is making the pod execution role, by stack {name}.")
}
