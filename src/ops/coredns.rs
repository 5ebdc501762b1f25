//! `CoreDNS` moved onto Fargate, once a profile catches its pods.
//!
//! Where it is a managed add-on, by the add-on's configuration; otherwise by an annotation of its
//! Deployment, through the cluster's Kubernetes API. Being configured is not enough: pods that are
//! older than the profile that catches them wait forever, so that they are made anew where CoreDNS is
//! not well although it is configured. What counts in the end is its health.
//!
//! Looks first, then acts: run twice, it comes to the same end. What keeps it where it is does the job
//! no harm: it is a warning, which says what to run by hand.

mod addon;
mod by_hand;
mod deployment;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::following::Pace;
use super::list_fargate_profiles::all_profiles;
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

/// A pod on Fargate needs a minute or two, and there are two of them; EKS may take another twenty
/// until it calls the add-on well.
const MOVE: Pace = Pace {
    delays: DELAYS,
    longest: Duration::from_mins(30),
};

/// What EKS itself is at: it takes up to twenty minutes until it gives up on pods that do not run.
const SETTLE: Pace = Pace {
    delays: DELAYS,
    longest: Duration::from_mins(45),
};

const DELAYS: Backoff = Backoff::millis(&[
    5_000, 5_000, 10_000, 10_000, 15_000, 20_000, 30_000, 30_000, 60_000,
]);

/// `CoreDNS` of the job's cluster.
pub(super) struct CoreDns<'a> {
    pub(super) context: &'a Context<'a>,
    /// Whether the job has made a profile that catches it: then its pods may be too old.
    pub(super) new_profile: bool,
    /// By which step the job goes on, and what that has to know.
    pub(super) keep: Keep<'a, Moving>,
}

/// What has to be known from one look to the next; nothing at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Moving {
    /// The change was asked for, or is about to be.
    asked: bool,
    /// AWS, or the cluster, has accepted it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
    /// The mark by which its pods are made anew, once that has been decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<String>,
    /// The caller was told why it was not made.
    told: bool,
    waited: Waited,
    /// For an API that does not answer as it should.
    trouble: Waited,
}

impl Moving {
    /// Of an add-on that the job itself makes for Fargate, after its profiles.
    pub(super) fn made() -> Self {
        Self {
            asked: true,
            accepted: true,
            ..Self::default()
        }
    }

    /// Accepted: from here on it is waited for anew.
    fn accepted(self) -> Self {
        Self {
            accepted: true,
            waited: Waited::default(),
            ..self
        }
    }
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
    let existing = existing.iter().filter(|profile| stays(profile));
    catches(&new.selectors) || existing.map(|one| &one.selectors).any(|all| catches(all))
}

/// What to say before a profile is deleted that is the last one to catch CoreDNS.
pub(super) async fn coredns_left(
    context: &Context<'_>,
    profile: &FargateProfile,
) -> Result<Option<Warning>, Verdict> {
    if !catches(&profile.selectors) {
        return Ok(None);
    }
    let others = match all_profiles(context).await {
        Ok(all) => all.into_iter().filter(|one| one.name != profile.name),
        Err(refusal) if refused::passes(refusal.class) => {
            return Err(refused::verdict(context, refusal).await);
        }
        // The deletion itself tells what is wrong.
        Err(_) => return Ok(None),
    };
    let mut staying = others.filter(stays);
    if staying.any(|one| catches(&one.selectors)) {
        return Ok(None);
    }
    let message = format!(
        "no other Fargate profile catches CoreDNS: its pods on Fargate end with profile {}, and until \
         another profile catches new ones, or they can run on nodes, names are not resolved in cluster \
         {}",
        profile.name, context.cluster
    );
    Ok(Some(Warning::new("coredns_not_caught", message)))
}

fn stays(profile: &FargateProfile) -> bool {
    !matches!(
        profile.status.as_deref(),
        Some("DELETING" | "DELETE_FAILED" | "CREATE_FAILED")
    )
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

    /// The mark of a rollout that this job has begun, or begins now.
    fn restart(&self, moving: &Moving) -> String {
        let now = || {
            let now = self.context.job.claimed_at;
            now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        };
        moving.restart.clone().unwrap_or_else(now)
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
        pace: &Pace,
        (wait, what): (Wait, String),
        by_hand: String,
    ) -> Result<Standing, Verdict> {
        let Some((after, waited)) = moving.waited.again(self.context, pace) else {
            let minutes = pace.longest.as_secs() / 60;
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
