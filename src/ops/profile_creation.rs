//! Creates one Fargate profile: compares with what is there, asks, and judges how it goes. Shared by
//! the jobs that create profiles; each says what it keeps from one step to the next.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::Context;
use super::failures::{not_found, not_stabilized};
use super::following::{CREATION, DELETION, Followed, is_another, look_later};
use super::profile_state::{self, Stuck};
use super::refused::{self, Since};
use crate::aws::{Class, NewProfile};
use crate::domain::{FargateProfile, ProfileSpec, RoleArn, Warning};
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// What has to be known before AWS has accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Asking {
    pub(super) name: String,
    busy: Since,
    spreading: Since,
    /// AWS was asked to set tags of a profile that is there: what the caller is to be told of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tagging: Option<String>,
    /// The caller was told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) tags_told: bool,
}

impl Asking {
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
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

/// From what has to be kept to the job's next step, and its data.
pub(super) type Keep<'a, K> = &'a (dyn Fn(K) -> (&'static str, Value) + Sync);

/// One profile to be created. `Ok` always means that it is ACTIVE.
pub(super) struct ProfileCreation<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) spec: &'a ProfileSpec,
    pub(super) role: &'a RoleArn,
    /// The same token never makes two.
    pub(super) client_request_token: String,
    pub(super) keep: Keep<'a, Kept>,
}

impl ProfileCreation<'_> {
    /// See [`existing`].
    pub(super) async fn existing(&self, name: &str) -> Result<Option<FargateProfile>, Verdict> {
        existing(self.context, name).await
    }

    /// Whether it is the profile asked for, and not on its way out.
    pub(super) fn is_wanted(&self, existing: &FargateProfile) -> bool {
        let going = matches!(
            existing.status.as_deref(),
            Some("DELETING" | "DELETE_FAILED")
        );
        !going && self.spec.same_as(existing, self.role).is_empty()
    }

    /// The same profile is adopted, a different one is a conflict. One that differs in its tags alone
    /// gets them where it stands: a deletion for their sake would end its pods.
    pub(super) async fn compare(
        &self,
        existing: FargateProfile,
        asking: &Asking,
    ) -> Result<FargateProfile, Verdict> {
        let context = self.context;
        if existing.status.as_deref() == Some("DELETING") {
            let words = profile_state::told(context, &existing).await?;
            return Err(self.wait_until_gone(asking, &words));
        }
        let differences = self.spec.same_as(&existing, self.role);
        let same = differences.iter().all(|one| one.field == "tags");
        if let Some(stuck) = Stuck::of(&existing) {
            let met = (&existing, stuck, same);
            return Err(Verdict::Fail(profile_state::stuck(context, met).await?));
        }
        if same {
            let tagged = self.set_tags(existing, asking.clone()).await?;
            return self.judge(tagged, None).await;
        }
        let failure = profile_state::different(context, &existing, &differences).await?;
        Err(Verdict::Fail(failure))
    }

    /// Notes that AWS is being asked; false when a cancel is waiting.
    pub(super) async fn note(&self, asking: &Asking, note: Note) -> Result<bool, Verdict> {
        let (step, data) = (self.keep)(Kept::Asking(asking.clone()));
        self.context.note_asking(step, &data, note).await
    }

    /// Asks. Note it first.
    pub(super) async fn ask(&self, asking: Asking) -> Result<FargateProfile, Verdict> {
        let context = self.context;
        let new = NewProfile {
            name: asking.name.clone(),
            pod_execution_role_arn: self.role.to_string(),
            selectors: self.spec.selectors.clone(),
            subnets: self.spec.subnets.clone(),
            tags: self.spec.tags.clone(),
            client_request_token: self.client_request_token.clone(),
        };
        let refusal = match context.eks.create_profile(new).await {
            Ok(profile) => return self.judge(profile, None).await,
            Err(refusal) => refusal,
        };
        match refusal.class {
            Class::AlreadyExists => self.exists(&asking).await,
            Class::ClusterBusy => Err(self.wait_for_cluster(&asking, &refusal.message)),
            Class::RoleNotUsable => {
                let spreading = asking.spreading;
                let keep = |spreading| {
                    (self.keep)(Kept::Asking(Asking {
                        spreading,
                        ..asking
                    }))
                };
                Err(refused::role_not_usable(context, spreading, &refusal, keep))
            }
            _ => Err(refused::verdict(context, refusal).await),
        }
    }

    async fn exists(&self, asking: &Asking) -> Result<FargateProfile, Verdict> {
        if let Some(existing) = self.existing(&asking.name).await? {
            return self.compare(existing, asking).await;
        }
        let words = format!("Fargate profile {} has just gone", asking.name);
        Err(self.wait_for_cluster(asking, &words))
    }

    /// Nothing of the name can be made before the profile that is being deleted is gone.
    fn wait_until_gone(&self, asking: &Asking, words: &str) -> Verdict {
        let words = format!("{words}; the new one is made when that is gone");
        let asking = asking.clone();
        refused::busy_for(
            self.context,
            (asking.busy, DELETION.longest),
            &words,
            |busy| (self.keep)(Kept::Asking(Asking { busy, ..asking })),
        )
    }

    /// See [`wait_for_cluster`].
    pub(super) fn wait_for_cluster(&self, asking: &Asking, words: &str) -> Verdict {
        wait_for_cluster(self.context, asking, words, self.keep)
    }

    /// Looks how far AWS has come.
    pub(super) async fn follow(
        &self,
        name: &str,
        followed: Followed,
    ) -> Result<FargateProfile, Verdict> {
        match self.existing(name).await? {
            Some(profile) if is_another(&profile, &followed) => {
                let asking = Asking::default().named(name.to_owned());
                self.compare(profile, &asking).await
            }
            Some(profile) => self.judge(profile, Some(followed)).await,
            None => Err(Verdict::Fail(not_found(
                "profile",
                format!("Fargate profile {name} was deleted by someone else while it was created"),
            ))),
        }
    }

    /// Where the profile stands. Without `followed` it is adopted or accepted just now.
    pub(super) async fn judge(
        &self,
        profile: FargateProfile,
        followed: Option<Followed>,
    ) -> Result<FargateProfile, Verdict> {
        let name = profile.name.clone();
        match profile.status.as_deref() {
            Some("ACTIVE") => Ok(profile),
            Some("CREATE_FAILED") => Err(Verdict::Fail(not_stabilized(
                &format!("AWS could not create Fargate profile {name}"),
                &profile,
                "it takes no pods; mend the cause, delete the profile, then ask for it again",
            ))),
            Some("DELETING" | "DELETE_FAILED") => Err(Verdict::Fail(
                profile_state::taken_away(self.context, &profile).await?,
            )),
            _ => {
                let followed = followed
                    .unwrap_or_else(|| Followed::from_now(self.context, profile.arn.clone()));
                let message = format!("AWS is creating Fargate profile {name}.");
                let keep = |followed| (self.keep)(Kept::Following(followed));
                Err(look_later(
                    self.context,
                    &CREATION,
                    followed,
                    (message, keep),
                ))
            }
        }
    }
}

/// What is wrong with a profile although it is ACTIVE.
pub(super) fn health_warnings(profile: &FargateProfile) -> Vec<Value> {
    let warnings = profile.health_issues.iter().map(|issue| {
        let about = if issue.resource_ids.is_empty() {
            String::new()
        } else {
            format!(" ({})", issue.resource_ids.join(", "))
        };
        let words: String = issue.message.chars().take(2_000).collect();
        let message = format!(
            "Fargate profile {} is ACTIVE, but has a health issue: {}: {words}{about}",
            profile.name, issue.code
        );
        json!(Warning::new("profile_health", message))
    });
    warnings.collect()
}

/// The profile of that name, if there is one.
pub(super) async fn existing(
    context: &Context<'_>,
    name: &str,
) -> Result<Option<FargateProfile>, Verdict> {
    match context.eks.profile(name).await {
        Ok(existing) => Ok(Some(existing)),
        Err(refusal) => match refused::told_apart(context, refusal).await {
            gone if gone.class == Class::ProfileNotFound => Ok(None),
            refusal => Err(refused::verdict(context, refusal).await),
        },
    }
}

/// The cluster is at work on another change: asks again later.
pub(super) fn wait_for_cluster(
    context: &Context<'_>,
    asking: &Asking,
    words: &str,
    keep: Keep<'_, Kept>,
) -> Verdict {
    refused::busy(context, asking.busy, words, |busy| {
        let asking = asking.clone();
        keep(Kept::Asking(Asking { busy, ..asking }))
    })
}
