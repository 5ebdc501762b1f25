//! The role's stack, deleted when the last profile that used the role is gone.
//!
//! The profile's deletion stands whatever becomes of the role: what keeps the stack from being
//! deleted is a warning.

use serde::{Deserialize, Serialize};

use super::{STACK, cluster, role_of};
use crate::aws::cloudformation::{Stack, StackChange};
use crate::aws::{Class, Refusal};
use crate::domain::Warning;
use crate::domain::cluster::names;
use crate::ops::context::Context;
use crate::ops::list_fargate_profiles::all_profiles;
use crate::ops::patience::Waited;
use crate::ops::profile_creation::Keep;
use crate::ops::refused;
use crate::ops::stack_creation::failing;
use crate::ops::stack_deletion;
use crate::queue::lease::Note;
use crate::queue::verdict::Again;
use crate::queue::{Verdict, Wait};

/// What the names of all roles begin with that stacks of eksctl's form make.
const PREFIX: &str = "eksctl-";

/// A role that one of the cluster's profiles had.
pub(in crate::ops) struct RoleRemoval<'a> {
    pub(in crate::ops) context: &'a Context<'a>,
    /// Its ARN.
    pub(in crate::ops) role: &'a str,
    /// Whether to wait until the stack is gone.
    pub(in crate::ops) wait: bool,
    /// By which step the job goes on, and what that has to know.
    pub(in crate::ops) keep: Keep<'a, Removing>,
}

/// What has to be known from one look to the next; nothing at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ops) struct Removing {
    /// The stack that AWS is deleting.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    /// The caller was told why it stays.
    told: bool,
    waited: Waited,
}

/// How it ends.
enum End {
    /// There is nothing to delete, or it is still used.
    Kept,
    /// In words for the job's message.
    Removed(String),
    /// Why it stays although it should not.
    Stays(String),
}

impl RoleRemoval<'_> {
    /// Deletes the role's stack, if that is the cluster's own and nobody uses the role any more.
    /// Call it once the profile is gone, or its deletion was accepted. The answer is what to add to
    /// the job's message.
    pub(in crate::ops) async fn remove(&self, removing: Removing) -> Result<String, Verdict> {
        let end = match &removing.stack {
            _ if removing.told => End::Kept,
            Some(id) => self.follow(id, &removing).await?,
            None => self.begin(&removing).await?,
        };
        match end {
            End::Kept => Ok(String::new()),
            End::Removed(words) => Ok(format!(" {words}")),
            End::Stays(reason) => {
                self.tell(removing, &reason).await?;
                Ok(String::new())
            }
        }
    }

    async fn begin(&self, removing: &Removing) -> Result<End, Verdict> {
        let name = self.role.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(PREFIX) {
            return Ok(End::Kept);
        }
        let stack = match self.context.stacks().stack(&self.stack_name()?).await {
            Ok(stack) => stack.filter(|stack| role_of(stack) == Some(self.role)),
            Err(refusal) => return self.stays(refusal).await,
        };
        let Some(stack) = stack else {
            return Ok(End::Kept);
        };
        if stack.status == "DELETE_IN_PROGRESS" {
            return self.accepted(stack, removing);
        }
        match self.is_used().await {
            Ok(true) => Ok(End::Kept),
            Ok(false) => self.ask(stack, removing).await,
            Err(refusal) => self.stays(refusal).await,
        }
    }

    /// Whether a profile that is to stay has the role.
    async fn is_used(&self) -> Result<bool, Refusal> {
        let profiles = match all_profiles(self.context).await {
            Err(gone) if matches!(gone.class, Class::ClusterNotFound | Class::NotFound) => vec![],
            profiles => profiles?,
        };
        Ok(profiles.iter().any(|profile| {
            profile.pod_execution_role_arn.as_deref() == Some(self.role)
                && profile.status.as_deref() != Some("DELETING")
        }))
    }

    async fn ask(&self, stack: Stack, removing: &Removing) -> Result<End, Verdict> {
        let context = self.context;
        let before = context.job.asked || context.lease.progress().asked;
        let note = Note {
            message: format!(
                "Asking AWS to delete stack {}, whose role no profile uses any more.",
                stack.name
            ),
            ..Note::default()
        };
        let (step, data) = (self.keep)(removing.clone());
        if !context.note_asking(step, &data, note).await? && !before {
            return Err(Verdict::Canceled);
        }
        match stack_deletion::delete(context, &stack).await {
            Err(refusal) => self.stays(refusal).await,
            Ok(()) => self.accepted(stack, removing),
        }
    }

    fn accepted(&self, stack: Stack, removing: &Removing) -> Result<End, Verdict> {
        if !self.wait {
            let name = stack.name;
            let words =
                format!("AWS is deleting stack {name} too: no other profile uses its role.");
            return Ok(End::Removed(words));
        }
        let removing = Removing {
            stack: Some(stack.id),
            ..removing.clone()
        };
        self.later(&removing)
    }

    async fn follow(&self, id: &str, removing: &Removing) -> Result<End, Verdict> {
        let stack = match self.context.stacks().stack(id).await {
            Ok(stack) => stack,
            Err(refusal) => return self.stays(refusal).await,
        };
        let Some(stack) = stack else {
            let name = self.stack_name()?;
            let words = format!("So is stack {name}: no other profile used its role.");
            return Ok(End::Removed(words));
        };
        if stack.status == "DELETE_FAILED" {
            let why = failing(self.context, &stack, StackChange::Delete).await?;
            return Ok(End::Stays(format!("CloudFormation could not: {why}")));
        }
        self.later(removing)
    }

    fn later(&self, removing: &Removing) -> Result<End, Verdict> {
        let Some((after, waited)) = removing.waited.again(self.context, &STACK) else {
            let minutes = STACK.longest.as_secs() / 60;
            let reason = format!("CloudFormation has not finished in {minutes} minutes");
            return Ok(End::Stays(reason));
        };
        let name = self.stack_name()?;
        let (step, step_data) = (self.keep)(Removing {
            waited,
            ..removing.clone()
        });
        Err(Verdict::Again(Box::new(Again {
            after,
            step: step.to_owned(),
            step_data,
            wait: Wait::Poll,
            message: format!(
                "CloudFormation is deleting stack {name}, whose role no profile uses any more."
            ),
            accepted: true,
        })))
    }

    /// What passes is waited for; all else is for a person to see to.
    async fn stays(&self, refusal: Refusal) -> Result<End, Verdict> {
        if refused::passes(refusal.class) {
            return Err(refused::verdict(self.context, refusal).await);
        }
        let action = refusal.action;
        let words = refusal.message.trim_end_matches('.');
        Ok(End::Stays(format!("AWS refused {action}: {words}")))
    }

    async fn tell(&self, removing: Removing, reason: &str) -> Result<(), Verdict> {
        let (name, region) = (self.stack_name()?, &self.context.job.region);
        let message = format!(
            "stack {name}, whose role no profile uses any more, was not deleted: {reason}. To do it \
             by hand: aws cloudformation delete-stack --region {region} --stack-name {name}"
        );
        let removing = Removing {
            told: true,
            ..removing
        };
        let warning = Warning::new("role_not_deleted", message);
        self.context.tell((self.keep)(removing), &warning).await
    }

    fn stack_name(&self) -> Result<String, Verdict> {
        Ok(names::fargate_role_stack(&cluster(self.context)?))
    }
}
