//! `CoreDNS` moved onto Fargate, once a profile catches its pods.
//!
//! Where it is a managed add-on, by the add-on's configuration; otherwise by an annotation of its
//! Deployment, through the cluster's Kubernetes API. Looks first, then acts: run twice, it comes to
//! the same end. What keeps it where it is does the job no harm: it is a warning, which says what to
//! run by hand.

mod addon;
mod by_hand;
mod deployment;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::following::Pace;
use super::patience::Waited;
use super::profile_creation::Keep;
use super::refused;
use crate::aws::Refusal;
use crate::domain::cluster::coredns;
use crate::domain::{FargateProfile, ProfileSpec, Selector, Warning};
use crate::queue::backoff::Backoff;
use crate::queue::lease::Note;
use crate::queue::verdict::Again;
use crate::queue::{Verdict, Wait};

/// A pod on Fargate needs a minute or two, and there are two of them.
const MOVE: Pace = Pace {
    delays: Backoff::millis(&[5_000, 5_000, 10_000, 10_000, 15_000, 20_000]),
    longest: Duration::from_mins(10),
};

/// `CoreDNS` of the job's cluster.
pub(super) struct CoreDns<'a> {
    pub(super) context: &'a Context<'a>,
    /// By which step the job goes on, and what that has to know.
    pub(super) keep: Keep<'a, Moving>,
}

/// What has to be known from one look to the next; nothing at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Moving {
    /// The change was asked for.
    asked: bool,
    /// The caller was told why it was not made.
    told: bool,
    waited: Waited,
    /// For an API that does not answer as it should.
    trouble: Waited,
}

/// Where it stands.
enum Standing {
    /// It runs on Fargate, as far as is known.
    Done,
    /// It can't be moved from here.
    Stays(Reason),
}

/// Why `CoreDNS` was not moved.
struct Reason {
    why: String,
    by_hand: String,
}

/// Whether profiles make it necessary: a new one, or those that are there and stay.
pub(super) fn is_caught(new: &ProfileSpec, existing: &[FargateProfile]) -> bool {
    let stays = |profile: &&FargateProfile| {
        !matches!(
            profile.status.as_deref(),
            Some("DELETING" | "DELETE_FAILED" | "CREATE_FAILED")
        )
    };
    let existing = existing.iter().filter(stays);
    catches(&new.selectors) || existing.map(|one| &one.selectors).any(|all| catches(all))
}

fn catches(selectors: &[Selector]) -> bool {
    selectors.iter().any(coredns::catches)
}

impl CoreDns<'_> {
    /// Moves it, and waits until it runs. `Ok` means that there is no more to do: that it is done, or
    /// that the caller was told why not.
    pub(super) async fn onto_fargate(&self, moving: Moving) -> Result<(), Verdict> {
        if moving.told {
            return Ok(());
        }
        let cluster = self.context.cluster;
        let standing = match self.context.clusters().addon(cluster, coredns::NAME).await {
            Ok(Some(addon)) => self.addon(&addon, &moving).await?,
            Ok(None) => self.deployment(&moving).await?,
            Err(refusal) => {
                self.refused(refusal, by_hand::addon(self.context, None))
                    .await?
            }
        };
        match standing {
            Standing::Done => Ok(()),
            Standing::Stays(reason) => self.tell(moving, reason).await,
        }
    }

    /// Notes that the change is being asked for. A cancel is honoured as long as the job has asked
    /// for nothing.
    async fn note(&self, moving: &Moving) -> Result<(), Verdict> {
        let before = self.context.job.asked || self.context.lease.progress().asked;
        let note = Note {
            message: "Moving CoreDNS onto Fargate.".to_owned(),
            ..Note::default()
        };
        let (step, data) = (self.keep)(moving.clone());
        if self.context.note_asking(step, &data, note).await? || before {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    /// What passes is waited for; all else is for a person to see to.
    async fn refused(&self, refusal: Refusal, by_hand: String) -> Result<Standing, Verdict> {
        if refused::passes(refusal.class) {
            return Err(refused::verdict(self.context, refusal).await);
        }
        let (action, words) = (refusal.action, refusal.message.trim_end_matches('.'));
        let why = format!("AWS refused {action}: {words}");
        Ok(Standing::Stays(Reason { why, by_hand }))
    }

    /// One more look later, unless it has gone on for too long.
    fn later(
        &self,
        moving: &Moving,
        (wait, what): (Wait, String),
        by_hand: String,
    ) -> Result<Standing, Verdict> {
        let Some((after, waited)) = moving.waited.again(self.context, &MOVE) else {
            let minutes = MOVE.longest.as_secs() / 60;
            let why = format!("it has not come to its end in {minutes} minutes: {what}");
            return Ok(Standing::Stays(Reason { why, by_hand }));
        };
        let moving = Moving {
            waited,
            ..moving.clone()
        };
        Err(self.again(after, &moving, (wait, what)))
    }

    fn again(&self, after: Duration, moving: &Moving, (wait, what): (Wait, String)) -> Verdict {
        let (step, step_data) = (self.keep)(moving.clone());
        Verdict::Again(Box::new(Again {
            after,
            step: step.to_owned(),
            step_data,
            wait,
            message: format!("Waits for CoreDNS on Fargate: {what}."),
            accepted: moving.asked || self.context.job.accepted,
        }))
    }

    async fn tell(&self, moving: Moving, Reason { why, by_hand }: Reason) -> Result<(), Verdict> {
        const LONGEST_WHY: usize = 1_500;
        let why: String = why.chars().take(LONGEST_WHY).collect();
        let message = format!("CoreDNS was not moved onto Fargate: {why}. By hand: {by_hand}");
        let warning = Warning::new("coredns_not_on_fargate", message);
        let told = Moving {
            told: true,
            ..moving
        };
        self.context.tell((self.keep)(told), &warning).await
    }
}
