//! One access entry, brought about: made, or changed in what differs. Shared by the jobs that make
//! them; each says what it keeps from one step to the next.
//!
//! Looks first, then acts: run twice, it comes to the same end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failures::{also_said, failure, from_refusal};
use super::following::Pace;
use super::patience::Waited;
use super::profile_creation::Keep;
use super::refused::{self, Since};
use crate::aws::{AccessEntries, Class, Refusal};
use crate::domain::ErrorCode;
use crate::domain::access_entry::{AccessEntry, AccessEntrySpec, Changes, PrincipalArn};
use crate::queue::backoff::Backoff;
use crate::queue::lease::Note;
use crate::queue::{Verdict, Wait};

/// IAM takes its time to tell EKS of a new role, and EKS to tell itself of a new entry.
const SPREADING: Pace = Pace {
    delays: Backoff::millis(&[3_000, 5_000, 10_000]),
    longest: Duration::from_mins(2),
};

/// What has to be known from one try to the next; nothing at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Waiting {
    busy: Since,
    spreading: Waited,
}

/// One access entry that is wanted.
pub(super) struct Wanted<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) spec: &'a AccessEntrySpec,
    /// By which step the job goes on, and what that has to know.
    pub(super) keep: Keep<'a, Waiting>,
}

impl Wanted<'_> {
    /// The entry as it is when it is as wanted; or how to go on until it is.
    pub(super) async fn bring_about(&self, waiting: &Waiting) -> Result<AccessEntry, Verdict> {
        let there = match self.look().await? {
            Some(there) => there,
            None => self.create(waiting).await?,
        };
        if !self.spec.is_type_of(&there) {
            return Err(self.of_another_type(&there));
        }
        let changes = self.spec.changes(&there);
        if changes == Changes::default() {
            return Ok(there);
        }
        self.change(waiting, &there, changes).await?;
        self.there(waiting).await
    }

    fn principal(&self) -> &str {
        self.spec.principal_arn.as_str()
    }

    fn entries(&self) -> AccessEntries {
        access_entries(self.context)
    }

    async fn look(&self) -> Result<Option<AccessEntry>, Verdict> {
        look(self.context, self.principal()).await
    }

    /// The entry, which was asked for a moment ago.
    async fn there(&self, waiting: &Waiting) -> Result<AccessEntry, Verdict> {
        match self.look().await? {
            Some(there) => Ok(there),
            None => Err(self
                .again(waiting, "EKS does not show the access entry yet")
                .unwrap_or_else(|| {
                    let principal = self.principal();
                    let why = format!(
                        "the access entry of {principal} was deleted by someone else while it was \
                         made; retry the job"
                    );
                    Verdict::Fail(failure(ErrorCode::Conflict, why))
                })),
        }
    }

    async fn create(&self, waiting: &Waiting) -> Result<AccessEntry, Verdict> {
        let principal = self.principal();
        let message = format!("Asking AWS for the access entry of {principal}.");
        self.note(waiting, message).await?;
        let token = self.context.client_request_token(principal);
        match self.entries().create(self.spec, token).await {
            Ok(()) => {}
            Err(refusal) if refusal.class == Class::AlreadyExists => {}
            Err(refusal) => return Err(self.refused(waiting, refusal).await),
        }
        self.there(waiting).await
    }

    async fn change(
        &self,
        waiting: &Waiting,
        there: &AccessEntry,
        changes: Changes,
    ) -> Result<(), Verdict> {
        let (principal, entries) = (self.principal(), self.entries());
        let message = format!("Asking AWS to change the access entry of {principal}.");
        self.note(waiting, message).await?;
        let refused = async |refusal| Err(self.refused(waiting, refusal).await);
        // First what lets in more, so that nobody is shut out in between.
        for policy in changes.associate {
            if let Err(refusal) = entries.associate(principal, policy).await {
                return refused(refusal).await;
            }
        }
        if let Some((groups, username)) = changes.names
            && let Err(refusal) = entries.update(principal, groups, username).await
        {
            return refused(refusal).await;
        }
        for policy in changes.disassociate {
            match entries.disassociate(principal, &policy).await {
                Err(refusal) if refusal.class != Class::NotFound => return refused(refusal).await,
                _ => {}
            }
        }
        let Some(arn) = &there.arn else { return Ok(()) };
        if !changes.tag.is_empty()
            && let Err(refusal) = entries.tag(arn, changes.tag).await
        {
            return refused(refusal).await;
        }
        if !changes.untag.is_empty()
            && let Err(refusal) = entries.untag(arn, changes.untag).await
        {
            return refused(refusal).await;
        }
        Ok(())
    }

    /// Notes that AWS is being asked for a change. A cancel is honoured as long as the job has asked
    /// for nothing.
    async fn note(&self, waiting: &Waiting, message: String) -> Result<(), Verdict> {
        let before = self.context.lease.progress().asked;
        let note = Note {
            message,
            ..Note::default()
        };
        let (step, data) = (self.keep)(waiting.clone());
        if self.context.note_asking(step, &data, note).await? || before {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    /// What a refusal means here: a wait, where it may pass.
    async fn refused(&self, waiting: &Waiting, refusal: Refusal) -> Verdict {
        let principal = self.principal();
        let says = |words: &str| refusal.message.contains(words);
        match refusal.class {
            Class::ClusterBusy => {
                let spreading = waiting.spreading;
                refused::busy(self.context, waiting.busy, &refusal.message, |busy| {
                    (self.keep)(Waiting { busy, spreading })
                })
            }
            Class::InvalidParameter if says("invalid principal") => {
                let remedy = format!(
                    "there is no {principal}, or it can't have an access entry: make it, or name \
                     another, then ask again"
                );
                self.again(waiting, &refusal.message)
                    .unwrap_or_else(|| unusable(&refusal, &remedy))
            }
            Class::InvalidParameter if says("authentication mode") => unusable(
                &refusal,
                "the cluster knows its users by the ConfigMap aws-auth alone, in which access \
                 entries can't be",
            ),
            Class::NotFound if says("policyArn") => unusable(
                &refusal,
                "see in aws eks list-access-policies which there are",
            ),
            Class::NotFound => self
                .again(waiting, &refusal.message)
                .unwrap_or_else(|| Verdict::Fail(from_refusal(ErrorCode::Conflict, &refusal))),
            _ => refused::verdict(self.context, refusal).await,
        }
    }

    /// The same once more, in a while; none when that has lasted too long.
    fn again(&self, waiting: &Waiting, words: &str) -> Option<Verdict> {
        let (after, spreading) = waiting.spreading.again(self.context, &SPREADING)?;
        let step = (self.keep)(Waiting {
            spreading,
            ..waiting.clone()
        });
        let message = format!("EKS does not take the access entry yet: {words}");
        Some(Context::wait(after, step, Wait::Retry, message))
    }

    fn of_another_type(&self, there: &AccessEntry) -> Verdict {
        let principal = self.principal();
        let (is, wanted) = (there.kind.as_deref().unwrap_or_default(), self.spec.kind);
        let message = format!(
            "the access entry of {principal} is of type {is}, which AWS can't change to {wanted}: \
             delete it first, then ask again"
        );
        Verdict::Fail(failure(ErrorCode::ImmutableField, message))
    }
}

/// A failure of what AWS does not know, and the way out.
pub(super) fn unusable(refusal: &Refusal, remedy: &str) -> Verdict {
    let failure = from_refusal(ErrorCode::InvalidParameter, refusal);
    Verdict::Fail(also_said(failure, remedy))
}

/// The access entries of the job's cluster.
pub(super) fn access_entries(context: &Context<'_>) -> AccessEntries {
    let cluster = context.cluster.to_owned();
    context.eks.caller().access_entries(cluster)
}

/// The entry of a principal, if there is one.
pub(super) async fn look(
    context: &Context<'_>,
    principal: &str,
) -> Result<Option<AccessEntry>, Verdict> {
    match access_entries(context).entry(principal).await {
        Ok(entry) => Ok(entry),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// Refuses what would shut the fleet out of the cluster.
pub(super) fn not_of_the_fleet(
    context: &Context<'_>,
    principal: &PrincipalArn,
) -> Result<(), Verdict> {
    if context.eks.caller().session().role_arn != principal.as_str() {
        return Ok(());
    }
    let message = format!(
        "{principal} is the role by which the fleet itself works in the account; its access entry is \
         left alone, lest the fleet be shut out of the cluster"
    );
    Err(Verdict::Fail(failure(ErrorCode::Conflict, message)))
}
