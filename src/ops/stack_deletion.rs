//! Deletes CloudFormation stacks, some at once, and says what failed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failures::failure;
use super::refused;
use super::stack_creation::failing;
use crate::aws::cloudformation::{Stack, StackChange};
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::queue::{Failure, Verdict};

/// What the job knows of the stacks that it deletes: by their ids, since names come again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Deleting {
    /// AWS has accepted.
    accepted: BTreeSet<String>,
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
                Ok(Standing::Failed(failure(ErrorCode::NotStabilized, message)))
            }
            _ => Ok(Standing::There),
        }
    }

    /// Asks. Note it first. The refusal is that of a stack that is at another change.
    pub(super) async fn ask(
        &mut self,
        context: &Context<'_>,
        stack: &Stack,
    ) -> Result<Result<(), Refusal>, Verdict> {
        let token = context.client_request_token(&stack.id);
        match context.stacks().delete_stack(&stack.id, &token).await {
            Err(refusal) if refusal.class == Class::ClusterBusy => Ok(Err(refusal)),
            Err(refusal) if refusal.class != Class::AlreadyExists => {
                Err(refused::verdict(context, refusal).await)
            }
            // A token that was used says that it has been asked for.
            _ => {
                self.accepted.insert(stack.id.clone());
                Ok(Ok(()))
            }
        }
    }
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
