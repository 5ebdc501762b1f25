//! The Fargate profiles, one after the other, each until it is gone: AWS deletes no cluster that has
//! some.

use serde_json::{Value, json};

use super::{PROFILES, Removal, Removing};
use crate::aws::Class;
use crate::domain::FargateProfile;
use crate::ops::following::Followed;
use crate::ops::profile_deletion::{Asking, Deletion, Kept, ProfileDeletion, is_being_deleted};
use crate::ops::refused;
use crate::ops::stage;
use crate::queue::Verdict;

pub(super) async fn stage(removing: &mut Removing<'_>) -> Result<String, Verdict> {
    let Some(name) = next(removing).await? else {
        return Ok("No Fargate profile is left.".to_owned());
    };
    let message = delete(removing, &name).await?;
    let work = &mut removing.stage.kept.work;
    (work.profile, work.asking) = (None, None);
    // The next one, by a step of its own.
    Err(removing.stage.then(PROFILES, message))
}

/// The one that is being deleted, or the first one that is there.
async fn next(removing: &Removing<'_>) -> Result<Option<String>, Verdict> {
    let context = removing.stage.context;
    if let Some(name) = &removing.stage.kept.work.profile {
        return Ok(Some(name.clone()));
    }
    match context.eks.profile_names().await {
        Ok(names) => Ok(names.into_iter().next()),
        Err(refusal) => match refused::told_apart(context, refusal).await {
            gone if gone.class == Class::ClusterNotFound => Ok(None),
            refusal => Err(refused::verdict(context, refusal).await),
        },
    }
}

/// As far as it goes now; `Ok` means that it is gone, in a sentence.
async fn delete(removing: &Removing<'_>, name: &str) -> Result<String, Verdict> {
    let context = removing.stage.context;
    let kept = &removing.stage.kept;
    let keep = |next| keep(kept, name, next);
    let deletion = ProfileDeletion {
        context,
        name,
        keep: &keep,
    };
    if let Some(followed) = kept.followed.clone() {
        return deletion.follow(followed).await;
    }
    let stands = match context.eks.profile(name).await {
        Ok(profile) if is_being_deleted(&profile) => Deletion::Accepted(profile.arn),
        Ok(profile) => ask(&deletion, kept.work.asking.clone(), profile).await?,
        Err(refusal) => deletion.gone_or(refusal).await?,
    };
    match stands {
        Deletion::Gone(message) => Ok(message),
        Deletion::Accepted(arn) => Err(deletion.wait(Followed::from_now(context, arn))),
    }
}

async fn ask(
    deletion: &ProfileDeletion<'_>,
    asking: Option<Asking>,
    profile: FargateProfile,
) -> Result<Deletion, Verdict> {
    let asking = asking.unwrap_or_else(|| Asking::of(profile.arn));
    if !deletion.note(&asking).await? {
        return Err(Verdict::Canceled);
    }
    deletion.ask(asking).await
}

fn keep(kept: &stage::Kept<Removal>, name: &str, next: Kept) -> (&'static str, Value) {
    let mut kept = kept.clone();
    kept.work.profile = Some(name.to_owned());
    (kept.work.asking, kept.followed) = match next {
        Kept::Asking(asking) => (Some(asking), None),
        Kept::Following(followed) => (None, Some(followed)),
    };
    (PROFILES, json!(kept))
}
