//! The Fargate profiles, one after the other, each until it is ACTIVE.

use serde_json::{Value, json};

use super::{Creating, Creation};
use crate::domain::cluster::ClusterStep;
use crate::domain::{ErrorCode, FargateProfile, ProfileSpec, RoleArn};
use crate::ops::failures::failure;
use crate::ops::profile_creation::{Kept, ProfileCreation, health_warnings};
use crate::ops::refused;
use crate::ops::stage;
use crate::queue::Verdict;
use crate::queue::lease::Note;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let profiles = &creating.spec.fargate_profiles;
    let Some(profile) = profiles.get(creating.stage.kept.work.profiles) else {
        return Ok(format!(
            "All {} Fargate profiles are ACTIVE.",
            profiles.len()
        ));
    };
    let made = create(creating, profile).await?;
    let work = &mut creating.stage.kept.work;
    work.profiles += 1;
    work.asking = None;
    let message = format!("Fargate profile {} is ACTIVE.", made.name);
    let warnings = health_warnings(&made);
    if !warnings.is_empty() {
        let stage = &mut creating.stage;
        // The next step begins after this profile, so that nothing is told twice.
        stage.kept.followed = None;
        let note = Note {
            message: message.clone(),
            warnings,
            ..Note::default()
        };
        stage.context.note(stage.step, &stage.kept, note).await?;
    }
    // The next one, by a step of its own.
    Err(creating.stage.then(creating.stage.step, message))
}

/// As far as it goes now; `Ok` means ACTIVE.
async fn create(creating: &Creating<'_>, profile: &ProfileSpec) -> Result<FargateProfile, Verdict> {
    let context = creating.stage.context;
    let role = role(creating, profile)?;
    let name = profile.name.as_ref().map(ToString::to_string);
    let name = name.unwrap_or_default();
    let kept = &creating.stage.kept;
    let keep = |next| keep(kept, next);
    let creation = ProfileCreation {
        context,
        spec: profile,
        role: &role,
        client_request_token: context.client_request_token(&format!("profile {name}")),
        keep: &keep,
    };
    if let Some(followed) = kept.followed.clone() {
        return creation.follow(&name, followed).await;
    }
    let asking = kept.work.asking.clone().unwrap_or_default();
    let asking = asking.named(name.clone());
    if let Some(existing) = creation.existing(&name).await? {
        return creation.compare(existing, &asking).await;
    }
    if let Some(words) = refused::still_deleting(context).await? {
        return Err(creation.wait_for_cluster(&asking, &words));
    }
    let note = Note {
        message: format!("Asking AWS to create Fargate profile {name}."),
        ..Note::default()
    };
    if !creation.note(&asking, note).await? {
        return Err(Verdict::Canceled);
    }
    creation.ask(asking).await
}

fn keep(kept: &stage::Kept<Creation>, next: Kept) -> (&'static str, Value) {
    let mut kept = kept.clone();
    (kept.work.asking, kept.followed) = match next {
        Kept::Asking(asking) => (Some(asking), None),
        Kept::Following(followed) => (None, Some(followed)),
    };
    (ClusterStep::FargateProfiles.as_str(), json!(kept))
}

/// Its own, or that of the config or the account, or that of the cluster's stack.
fn role(creating: &Creating<'_>, profile: &ProfileSpec) -> Result<RoleArn, Verdict> {
    let given = profile.pod_execution_role_arn.as_ref();
    let given = given.or(creating.spec.pod_execution_role.as_ref());
    let role = given.or(creating.stage.kept.work.role.as_ref());
    role.cloned().ok_or_else(|| {
        let message = "the cluster's stack has no pod execution role, though it was made for one";
        Verdict::Fail(failure(ErrorCode::RoleNotUsable, message))
    })
}
