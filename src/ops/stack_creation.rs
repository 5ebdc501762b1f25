//! Makes one CloudFormation stack: looks what is there of it, asks, and says what failed.
//!
//! A stack that this service made carries a digest of the cluster it was made for. By that a later
//! job knows the stack of an earlier try of the same, and takes it; and what a failed try left
//! behind, which it deletes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::asked_by::{Change, asked_by};
use super::context::Context;
use super::failures::{failure, stack_failed};
use super::refused;
use super::stack_deletion;
use crate::aws::Class;
use crate::aws::cloudformation::{NewStack, Stack, StackChange};
use crate::domain::ErrorCode;
use crate::domain::cluster::{ClusterSpec, names};
use crate::queue::{Failure, Verdict};

/// The tag that holds the digest.
const SPEC_TAG: &str = "fargate-fleet/spec";

/// One stack to be made.
pub(super) struct StackCreation<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) name: &'a str,
    /// Of the cluster it is made for: see [`digest`].
    pub(super) digest: &'a str,
}

/// What the job knows of the stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Making {
    /// The job asked for it, when nothing was there.
    pub(super) asked: bool,
    /// The stack that it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The remains that it asked to be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remains: Option<String>,
}

/// Where a stack stands.
pub(super) enum Standing {
    /// To be asked for.
    Absent,
    /// AWS is at it: in a sentence.
    Waits(String),
    /// An earlier try failed: to be deleted before it is asked for.
    Remains(Stack),
    /// This try has failed, with nothing left under way.
    Failed(Failure),
    /// Made.
    Complete(Stack),
}

impl StackCreation<'_> {
    /// Looks where the stack stands.
    pub(super) async fn look(&self, making: &mut Making) -> Result<Standing, Verdict> {
        let found = match self.context.stacks().stack(self.name).await {
            Ok(found) => found,
            Err(refusal) => return Err(refused::verdict(self.context, refusal).await),
        };
        let Some(stack) = found else {
            return Ok(if making.id.is_some() {
                let words = "was deleted by someone else while it was made; retry the job";
                Standing::Failed(self.conflict(words))
            } else {
                Standing::Absent
            });
        };
        if stack.status == "DELETE_IN_PROGRESS" {
            return self.being_deleted(making).await;
        }
        let Some(digest) = stack.tags.get(SPEC_TAG) else {
            return Err(self.taken(&stack).await?);
        };
        let same = digest == self.digest;
        match stack.status.as_str() {
            "ROLLBACK_IN_PROGRESS" => Ok(Standing::Waits(self.rolling_back(&stack).await?)),
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => {
                self.failed(stack, making).await
            }
            "DELETE_FAILED" => self.not_deleted(&stack, making).await,
            _ if !same => Err(self.taken(&stack).await?),
            status if status.ends_with("_IN_PROGRESS") && !status.contains("CLEANUP") => {
                making.id = Some(stack.id);
                Ok(Standing::Waits(self.under_way()))
            }
            _ => Ok(Standing::Complete(stack)),
        }
    }

    /// A failed stack: of this job, or of an earlier one.
    async fn failed(&self, stack: Stack, making: &Making) -> Result<Standing, Verdict> {
        if !making.asked {
            return Ok(Standing::Remains(stack));
        }
        let why = failing(self.context, &stack, StackChange::Create).await?;
        let (name, status) = (self.name, &stack.status);
        let left = if stack.status == "ROLLBACK_COMPLETE" {
            "took back what it had made of it"
        } else {
            "did not take back all that it had made of it"
        };
        Ok(Standing::Failed(stack_failed(&format!(
            "CloudFormation could not make stack {name}: {why}; it {left}, and leaves the stack in \
             {status}; mend the cause, then retry the job, which deletes the stack and makes it anew"
        ))))
    }

    /// What the job itself asked to be deleted, or what a deletion of the cluster left.
    async fn not_deleted(&self, stack: &Stack, making: &Making) -> Result<Standing, Verdict> {
        if making.remains.as_ref() != Some(&stack.id) {
            return Err(self.taken(stack).await?);
        }
        let why = failing(self.context, stack, StackChange::Delete).await?;
        let name = self.name;
        Ok(Standing::Failed(stack_failed(&format!(
            "CloudFormation could not delete what an earlier try left of stack {name}: {why}; delete \
             it by hand, then retry the job"
        ))))
    }

    /// Whoever asked for it: the name is free when it is done.
    async fn being_deleted(&self, making: &Making) -> Result<Standing, Verdict> {
        let name = self.name;
        if making.remains.is_some() && !making.asked {
            return Ok(Standing::Waits(self.deleting()));
        }
        let who = asked_by(self.context, None, Change::Deletion).await?;
        let words = format!("is in status DELETE_IN_PROGRESS, {who}");
        Ok(if making.asked {
            let words = format!("{words}, while it was made; when it is gone, retry the job");
            Standing::Failed(self.conflict(&words))
        } else {
            Standing::Waits(format!(
                "Waits until CloudFormation has deleted stack {name}, which {words}."
            ))
        })
    }

    async fn rolling_back(&self, stack: &Stack) -> Result<String, Verdict> {
        let why = failing(self.context, stack, StackChange::Create).await?;
        let name = self.name;
        Ok(format!(
            "CloudFormation could not make stack {name}: {why}; it takes back what it had made."
        ))
    }

    /// Asks for the stack. Note it first.
    pub(super) async fn ask(
        &self,
        making: &mut Making,
        (template, mut tags): (Value, BTreeMap<String, String>),
    ) -> Result<String, Verdict> {
        tags.insert(SPEC_TAG.to_owned(), self.digest.to_owned());
        let new = NewStack {
            name: self.name.to_owned(),
            template: template.to_string(),
            tags,
            makes_roles: true,
            client_request_token: self.context.client_request_token(self.name),
        };
        match self.context.stacks().create_stack(new).await {
            Ok(id) => making.id = Some(id),
            // The next look tells whose it is.
            Err(refusal) if refusal.class == Class::AlreadyExists => {}
            Err(refusal) => return Err(refused::verdict(self.context, refusal).await),
        }
        Ok(self.under_way())
    }

    /// Asks for the deletion of what an earlier try left. Note it first.
    pub(super) async fn clear(
        &self,
        remains: &Stack,
        making: &mut Making,
    ) -> Result<String, Verdict> {
        if let Err(refusal) = stack_deletion::delete(self.context, remains).await {
            return Err(refused::verdict(self.context, refusal).await);
        }
        making.remains = Some(remains.id.clone());
        Ok(self.deleting())
    }

    fn under_way(&self) -> String {
        format!("CloudFormation is making stack {}.", self.name)
    }

    fn deleting(&self) -> String {
        let name = self.name;
        format!("CloudFormation is deleting what an earlier try left of stack {name}.")
    }

    fn conflict(&self, words: &str) -> Failure {
        failure(ErrorCode::Conflict, format!("stack {} {words}", self.name))
    }

    /// A stack of the name is there that can't be taken over: whose it is, and the way out.
    async fn taken(&self, stack: &Stack) -> Result<Verdict, Verdict> {
        let (name, status) = (self.name, &stack.status);
        let whose = match stack.tags.get(SPEC_TAG) {
            Some(digest) if digest == self.digest => "this service made it",
            Some(_) => "this service made it for a cluster with other settings",
            None if stack.tags.contains_key(names::CLUSTER_TAG) => "eksctl made it",
            None => "neither eksctl nor this service made it",
        };
        let way_out = match status.as_str() {
            "DELETE_FAILED" => {
                let why = failing(self.context, stack, StackChange::Delete).await?;
                format!(
                    "CloudFormation could not delete it: {why}; mend the cause and delete the cluster \
                     or the stack again, or choose another name"
                )
            }
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => format!(
                "it could not be made, and CloudFormation takes no change of it any more: delete it \
                 (aws cloudformation delete-stack --stack-name {name}), or choose another name"
            ),
            _ => "choose another name, or delete the cluster first".to_owned(),
        };
        Ok(Verdict::Fail(failure(
            ErrorCode::AlreadyExists,
            format!("stack {name} is there in status {status}, and {whose}; {way_out}"),
        )))
    }
}

/// Tells clusters apart, however often they are asked for.
pub(super) fn digest(spec: &ClusterSpec) -> String {
    let mut spec = spec.clone();
    // They are in no stack: whoever mends one asks for the rest of the cluster again, as it is.
    spec.access.entries.clear();
    spec.identity_mappings.clear();
    spec.identity_providers.clear();
    spec.logging.retention_days = None;
    for capability in &mut spec.capabilities {
        capability.access_policies.clear();
    }
    // By way of a value, whose keys are sorted.
    let text = serde_json::to_value(&spec).unwrap_or_default().to_string();
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What CloudFormation could not do, and why: the first failures, in a sentence.
pub(super) async fn failing(
    context: &Context<'_>,
    stack: &Stack,
    change: StackChange,
) -> Result<String, Verdict> {
    const TOLD: usize = 3;
    const LONGEST: usize = 500;
    let failed = match context.stacks().failed_resources(&stack.id, change).await {
        Ok(failed) => failed,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let told: Vec<String> = failed
        .iter()
        .take(TOLD)
        .map(|one| {
            let reason: String = one.reason.chars().take(LONGEST).collect();
            let reason = reason.trim_end_matches(['.', ' ']);
            format!("{} ({}): {reason}", one.logical_id, one.resource_type)
        })
        .collect();
    let silent = || "CloudFormation gave no reason".to_owned();
    Ok(if told.is_empty() {
        stack.status_reason.clone().unwrap_or_else(silent)
    } else {
        told.join("; ")
    })
}
