//! Deletes an access entry.
//!
//! Steps:
//! - `start`: the entry is there, and not the fleet's own.
//! - `delete`: notes that AWS is being asked, then asks. From here on, "not found" means done.

use serde_json::{Value, json};

use super::access_entry::{access_entries, look, not_of_the_fleet};
use super::context::Context;
use super::failures::{failure, not_found};
use super::refused::{self, Since};
use crate::aws::Class;
use crate::domain::ErrorCode;
use crate::domain::access_entry::{AccessEntry, PrincipalArn};
use crate::domain::job_input::{JobResult, PrincipalInput};
use crate::domain::warnings::Warning;
use crate::queue::Verdict;
use crate::queue::lease::Note;

pub(super) async fn step(context: &Context<'_>) -> Result<Verdict, Verdict> {
    let PrincipalInput { principal_arn } = context.input()?;
    not_of_the_fleet(context, &principal_arn)?;
    match context.job.step.as_str() {
        "start" if context.job.cancel_requested => Err(Verdict::Canceled),
        "start" => start(context, &principal_arn).await,
        "delete" => resume(context, &principal_arn).await,
        other => {
            let message = format!("a deletion of an access entry has no step {other}");
            Err(Verdict::Fail(failure(ErrorCode::Internal, message)))
        }
    }
}

async fn start(context: &Context<'_>, principal: &PrincipalArn) -> Result<Verdict, Verdict> {
    let Some(entry) = look(context, principal.as_str()).await? else {
        let message = format!(
            "there is no access entry of {principal} on cluster {}",
            context.cluster
        );
        return Err(Verdict::Fail(not_found("access_entry", message)));
    };
    ask(context, principal, (Since::default(), warnings(&entry))).await
}

/// `delete` was noted, and perhaps AWS was asked, before the worker died or the cluster was busy.
async fn resume(context: &Context<'_>, principal: &PrincipalArn) -> Result<Verdict, Verdict> {
    if look(context, principal.as_str()).await?.is_none() {
        return Ok(done(context, principal));
    }
    if context.job.cancel_requested {
        return Err(Verdict::Canceled);
    }
    ask(context, principal, (context.data()?, Vec::new())).await
}

async fn ask(
    context: &Context<'_>,
    principal: &PrincipalArn,
    (busy, warnings): (Since, Vec<Value>),
) -> Result<Verdict, Verdict> {
    let note = Note {
        message: format!("Asking AWS to delete the access entry of {principal}."),
        warnings,
        ..Note::default()
    };
    if !context.note_asking("delete", &busy, note).await? {
        return Err(Verdict::Canceled);
    }
    match access_entries(context).delete(principal.as_str()).await {
        Ok(()) => Ok(done(context, principal)),
        Err(refusal) if refusal.class == Class::NotFound => Ok(done(context, principal)),
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            let keep = |busy: Since| ("delete", json!(busy));
            Err(refused::busy(context, busy, &refusal.message, keep))
        }
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// Nodes that EKS knows no more are lost.
fn warnings(entry: &AccessEntry) -> Vec<Value> {
    let kind = entry.kind.as_deref().unwrap_or("STANDARD");
    if kind == "STANDARD" {
        return Vec::new();
    }
    let message = format!(
        "the access entry was of type {kind}: what runs under {} can't join the cluster any more, \
         and what has joined loses it",
        entry.principal_arn
    );
    vec![json!(Warning::new("node_access_entry_deleted", message))]
}

fn done(context: &Context<'_>, principal: &PrincipalArn) -> Verdict {
    Verdict::Done {
        message: format!(
            "The access entry of {principal} on cluster {} is gone.",
            context.cluster
        ),
        result: json!(JobResult::default()),
    }
}
