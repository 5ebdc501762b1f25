//! The tags of a profile that is there and is otherwise as asked for: set in place.
//!
//! AWS changes nothing but the tags of a profile. Those that are asked for are set; others are left, as
//! AWS, eksctl and whoever tags for costs put theirs on any profile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::failures::also_said;
use super::profile_creation::{Asking, Kept, ProfileCreation};
use super::refused;
use crate::aws::Class;
use crate::domain::{FargateProfile, Warning};
use crate::queue::Verdict;
use crate::queue::lease::Note;

/// How much of a tag's value is told.
const LONGEST_VALUE: usize = 40;
/// How much is told of all.
const LONGEST_LIST: usize = 1_500;

impl ProfileCreation<'_> {
    /// Sets what is missing of the tags, and tells so once, however often the step runs.
    pub(super) async fn set_tags(
        &self,
        mut profile: FargateProfile,
        asking: Asking,
    ) -> Result<FargateProfile, Verdict> {
        let mut asking = asking.named(profile.name.clone());
        let missing = self.missing_tags(&profile);
        if !missing.is_empty() {
            asking.tagging = Some(warning(&profile, &missing));
            asking.tags_told = false;
            self.note_tagging(&asking).await?;
            self.ask_for_tags(&profile, missing.clone(), &asking)
                .await?;
            profile.tags.extend(missing);
        }
        if let Some(told) = asking.tagging.clone()
            && !asking.tags_told
        {
            asking.tags_told = true;
            let message = format!("Fargate profile {} has its tags.", profile.name);
            let note = Note {
                message,
                warnings: vec![json!(Warning::new("tags_updated", told))],
                ..Note::default()
            };
            let (step, data) = (self.keep)(Kept::Asking(asking));
            self.context.note(step, &data, note).await?;
        }
        Ok(profile)
    }

    fn missing_tags(&self, profile: &FargateProfile) -> BTreeMap<String, String> {
        let asked = self.spec.tags.iter();
        asked
            .filter(|(key, value)| profile.tags.get(*key) != Some(*value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    async fn note_tagging(&self, asking: &Asking) -> Result<(), Verdict> {
        let note = Note {
            message: format!(
                "Asking AWS to set the tags of Fargate profile {}.",
                asking.name
            ),
            profile_name: Some(asking.name.clone()),
            ..Note::default()
        };
        // Tags that are not there yet say that AWS has not done it, so that a cancel changes nothing.
        if self.note(asking, note).await? {
            Ok(())
        } else {
            Err(Verdict::Canceled)
        }
    }

    async fn ask_for_tags(
        &self,
        profile: &FargateProfile,
        tags: BTreeMap<String, String>,
        asking: &Asking,
    ) -> Result<(), Verdict> {
        let (context, name) = (self.context, &profile.name);
        let Err(refusal) = context.eks.tag_profile(profile, tags).await else {
            return Ok(());
        };
        match refusal.class {
            Class::NotFound | Class::ProfileNotFound => {
                let words = format!("Fargate profile {name} has just gone");
                let mut asking = asking.clone();
                asking.tagging = None;
                Err(self.wait_for_cluster(&asking, &words))
            }
            Class::ClusterBusy => Err(self.wait_for_cluster(asking, &refusal.message)),
            _ => match refused::verdict(context, refusal).await {
                Verdict::Fail(failure) => {
                    let there = format!(
                        "Fargate profile {name} is there, as asked for but for these tags, and was left \
                         as it is"
                    );
                    Err(Verdict::Fail(also_said(failure, &there)))
                }
                other => Err(other),
            },
        }
    }
}

/// What was set, and what was there before.
fn warning(profile: &FargateProfile, missing: &BTreeMap<String, String>) -> String {
    let short = |value: &str| -> String {
        let kept: String = value.chars().take(LONGEST_VALUE).collect();
        let cut = if kept.len() < value.len() { "..." } else { "" };
        format!("{kept}{cut}")
    };
    let mut list = String::new();
    for (told, (key, value)) in missing.iter().enumerate() {
        let was = match profile.tags.get(key) {
            Some(was) => format!("was {}", short(was)),
            None => "new".to_owned(),
        };
        if list.len() > LONGEST_LIST {
            let _ = write!(list, " and {} more", missing.len() - told);
            break;
        }
        let comma = if told == 0 { "" } else { ", " };
        let _ = write!(list, "{comma}{key}={} ({was})", short(value));
    }
    format!(
        "Fargate profile {} is there and was kept, with its pods; of its tags these were set: {list}; \
         its other tags were left",
        profile.name
    )
}
