//! Deletes CloudFormation stacks, some at once, and says what failed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failures::{failure, stack_failed};
use super::refused;
use super::stack_creation::failing;
use crate::aws::cloudformation::{CloudFormation, Stack, StackChange};
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::queue::{Failure, Verdict};

/// What the job knows of the stacks that it deletes: by their ids, since names come again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Deleting {
    /// AWS has accepted.
    accepted: BTreeSet<String>,
    /// How often each was asked for again, after it had failed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    again: BTreeMap<String, u32>,
}

/// Where the deletion of a stack stands.
pub(super) enum Standing {
    /// To be asked for.
    There,
    /// AWS is at it.
    Waits,
    /// AWS could not.
    Failed(Failure),
}

impl Deleting {
    /// Where a stack that is there stands.
    pub(super) async fn standing(
        &self,
        context: &Context<'_>,
        stack: &Stack,
    ) -> Result<Standing, Verdict> {
        match stack.status.as_str() {
            "DELETE_IN_PROGRESS" => Ok(Standing::Waits),
            "DELETE_FAILED" if self.accepted.contains(&stack.id) => {
                let why = failing(context, stack, StackChange::Delete).await?;
                let message = format!(
                    "CloudFormation could not delete stack {}: {why}; mend the cause, then retry \
                     the job",
                    stack.name
                );
                Ok(Standing::Failed(stack_failed(&message)))
            }
            _ => Ok(Standing::There),
        }
    }

    /// A deletion that failed is to be asked for again, its cause being mended. False when that was
    /// tried often enough.
    pub(super) fn again(&mut self, id: &str) -> bool {
        const MOST: u32 = 3;
        let tried = self.again.entry(id.to_owned()).or_default();
        *tried += 1;
        self.accepted.remove(id);
        *tried <= MOST
    }

    /// Asks. Note it first. The refusal is that of a stack that is at another change.
    pub(super) async fn ask(
        &mut self,
        context: &Context<'_>,
        stack: &Stack,
    ) -> Result<Result<(), Refusal>, Verdict> {
        let again = self.again.get(&stack.id);
        let change = again.map_or_else(|| stack.id.clone(), |n| format!("{}#{n}", stack.id));
        match delete_with(context, stack, &change).await {
            Err(refusal) if refusal.class == Class::ClusterBusy => Ok(Err(refusal)),
            Err(refusal) if refusal.class == Class::Protected => {
                Err(Verdict::Fail(protected(stack, &refusal)))
            }
            Err(refusal) => Err(refused::verdict(context, refusal).await),
            Ok(()) => {
                self.accepted.insert(stack.id.clone());
                Ok(Ok(()))
            }
        }
    }
}

/// Asks for the deletion of a stack, whose termination protection is lifted just before, as eksctl
/// does. Note it first. What was asked for before, or is gone, is no refusal.
pub(super) async fn delete(context: &Context<'_>, stack: &Stack) -> Result<(), Refusal> {
    delete_with(context, stack, &stack.id).await
}

/// The same; `change` tells it from other deletions of the stack by this job.
async fn delete_with(context: &Context<'_>, stack: &Stack, change: &str) -> Result<(), Refusal> {
    let stacks = context.stacks();
    let token = context.client_request_token(change);
    if stack.protected {
        lift(&stacks, stack).await?;
    }
    let mut asked = stacks.delete_stack(&stack.id, &token).await;
    if asked.as_ref().err().map(|refusal| refusal.class) == Some(Class::Protected) {
        // It was protected after it was looked at, or AWS has not spread the lifting yet.
        lift(&stacks, stack).await?;
        asked = stacks.delete_stack(&stack.id, &token).await;
    }
    match asked {
        // A token that was used says that it has been asked for.
        Err(refusal) if refusal.class == Class::AlreadyExists => Ok(()),
        asked => asked,
    }
}

async fn lift(stacks: &CloudFormation, stack: &Stack) -> Result<(), Refusal> {
    match stacks.protect_stack(&stack.id, false).await {
        Err(refusal) if refusal.class == Class::NotFound => Ok(()),
        lifted => lifted,
    }
}

fn protected(stack: &Stack, refusal: &Refusal) -> Failure {
    let name = &stack.name;
    failure(
        ErrorCode::Protected,
        format!(
            "stack {name} has termination protection again after it was lifted twice: {}; find out \
             who sets it, lift it (aws cloudformation update-termination-protection \
             --no-enable-termination-protection --stack-name {name}), then retry the job",
            refusal.message.trim_end_matches('.')
        ),
    )
}

/// One stack by its name or id, if it is there.
pub(super) async fn stack(
    context: &Context<'_>,
    name_or_id: &str,
) -> Result<Option<Stack>, Verdict> {
    match context.stacks().stack(name_or_id).await {
        Ok(stack) => Ok(stack),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}
