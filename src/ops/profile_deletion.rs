//! Deletes one Fargate profile: asks, and judges how it goes. Shared by the jobs that delete
//! profiles; each says what it keeps from one step to the next.

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failures::not_stabilized;
use super::following::{DELETION, Followed, is_another, look_later};
use super::profile_creation::Keep;
use super::profile_state;
use super::refused::{self, Since};
use crate::aws::{Class, Refusal};
use crate::domain::FargateProfile;
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// What has to be known before AWS has accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Asking {
    arn: Option<String>,
    busy: Since,
}

impl Asking {
    /// Of a profile with this ARN.
    pub(super) fn of(arn: Option<String>) -> Self {
        let busy = Since::default();
        Self { arn, busy }
    }
}

/// What the job has to keep until its next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// AWS is to be asked, or has to be asked again.
    Asking(Asking),
    /// AWS has accepted.
    Following(Followed),
}

/// Where a deletion stands.
pub(super) enum Deletion {
    /// AWS is at it; the profile's ARN, if it is known.
    Accepted(Option<String>),
    /// The profile is not there any more: in a sentence.
    Gone(String),
}

/// One profile to be deleted.
pub(super) struct ProfileDeletion<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) name: &'a str,
    pub(super) keep: Keep<'a, Kept>,
}

impl ProfileDeletion<'_> {
    /// Notes that AWS is being asked; false when a cancel is waiting.
    pub(super) async fn note(&self, asking: &Asking) -> Result<bool, Verdict> {
        if let Some(words) = refused::still_deleting(self.context).await? {
            return Err(self.wait_for_cluster(asking, &words));
        }
        let note = Note {
            message: format!("Asking AWS to delete Fargate profile {}.", self.name),
            ..Note::default()
        };
        let (step, data) = (self.keep)(Kept::Asking(asking.clone()));
        self.context.note_asking(step, &data, note).await
    }

    /// Asks. Note it first.
    pub(super) async fn ask(&self, asking: Asking) -> Result<Deletion, Verdict> {
        let context = self.context;
        let refusal = match context.eks.delete_profile(self.name).await {
            Ok(()) => return Ok(Deletion::Accepted(asking.arn)),
            Err(refusal) => refusal,
        };
        match refusal.class {
            Class::ClusterBusy => Err(self.wait_for_cluster(&asking, &refusal.message)),
            Class::NotActive => match context.eks.profile(self.name).await {
                Ok(profile) if is_being_deleted(&profile) => Ok(Deletion::Accepted(profile.arn)),
                Ok(profile) => {
                    let told = profile_state::told(context, &profile).await?;
                    let words = refusal.message.trim_end_matches('.');
                    Err(self.wait_for_cluster(&asking, &format!("{words}: {told}")))
                }
                Err(refusal) => self.gone_or(refusal).await,
            },
            _ => self.gone_or(refusal).await,
        }
    }

    fn wait_for_cluster(&self, asking: &Asking, words: &str) -> Verdict {
        refused::busy(self.context, asking.busy, words, |busy| {
            let asking = asking.clone();
            (self.keep)(Kept::Asking(Asking { busy, ..asking }))
        })
    }

    /// One more look later.
    pub(super) fn wait(&self, followed: Followed) -> Verdict {
        let message = self.under_way();
        let keep = |followed| (self.keep)(Kept::Following(followed));
        look_later(self.context, &DELETION, followed, (message, keep))
    }

    /// What AWS is at.
    pub(super) fn under_way(&self) -> String {
        format!("AWS is deleting Fargate profile {}.", self.name)
    }

    /// Looks how far AWS has come. `Ok` means that the profile is gone, in a sentence.
    pub(super) async fn follow(&self, followed: Followed) -> Result<String, Verdict> {
        let name = self.name;
        let profile = match self.context.eks.profile(name).await {
            Ok(profile) => profile,
            Err(refusal) => {
                return match self.gone_or(refusal).await? {
                    Deletion::Gone(message) => Ok(message),
                    Deletion::Accepted(_) => Err(self.wait(followed)),
                };
            }
        };
        if profile.status.as_deref() == Some("DELETE_FAILED") {
            let what = format!("AWS could not delete Fargate profile {name}");
            let remedy = "it is in status DELETE_FAILED; mend the cause, then delete it again";
            return Err(Verdict::Fail(not_stabilized(&what, &profile, remedy)));
        }
        if is_another(&profile, &followed) {
            return Ok(format!(
                "Fargate profile {name} is gone; someone else has made a new one of that name."
            ));
        }
        Err(self.wait(followed))
    }

    /// Once we asked, a profile that is not there is what we wanted, whoever deleted it; a cluster
    /// that is not there has taken it along, since AWS deletes no cluster that has profiles.
    pub(super) async fn gone_or(&self, refusal: Refusal) -> Result<Deletion, Verdict> {
        let refusal = refused::told_apart(self.context, refusal).await;
        let name = self.name;
        match refusal.class {
            Class::ProfileNotFound => {
                Ok(Deletion::Gone(format!("Fargate profile {name} is gone.")))
            }
            Class::ClusterNotFound => Ok(Deletion::Gone(format!(
                "Fargate profile {name} is gone, and so is cluster {}.",
                self.context.cluster
            ))),
            _ => Err(refused::verdict(self.context, refusal).await),
        }
    }
}

/// Whether AWS is at it already.
pub(super) fn is_being_deleted(profile: &FargateProfile) -> bool {
    profile.status.as_deref() == Some("DELETING")
}
