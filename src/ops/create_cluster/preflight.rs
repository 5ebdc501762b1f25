//! What is looked up before anything is made: whether EKS makes clusters of this version and has these
//! add-ons, and where EC2 has these instance types. What does not fit is refused here, with what does.
//!
//! Reads only. What was found is kept, so that all later steps and tries make the same cluster. What
//! the account's role may not look up is a warning, unless the answer is needed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Creating, addon_needs, network, node_lookups};
use crate::aws::Refusal;
use crate::domain::cluster::addon_access::AddonNeeds;
use crate::domain::cluster::kubernetes_version::{self, resolve};
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::cluster::{ResolvedVersions, addon_version};
use crate::domain::warnings::Warning;
use crate::domain::{ErrorCode, Invalid};
use crate::ops::failures::{also_said, failure};
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let mut warnings = Vec::new();
    // What an earlier try asked for came to nothing.
    creating.stage.kept.work.closing = None;
    let context = creating.stage.context;
    // An earlier try may have made it: then its version counts.
    let there = match context.clusters().cluster(creating.name()).await {
        Ok(cluster) => cluster,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let kubernetes = match there.as_ref().and_then(|there| there.version.clone()) {
        Some(version) => version,
        None => kubernetes(creating, &mut warnings).await?,
    };
    let (addons, needs) = add_ons(creating, &kubernetes, &mut warnings).await?;
    if there.is_none() {
        network::planned(creating, &mut warnings).await?;
    }
    let nodegroups = node_lookups::found(creating, &kubernetes, &mut warnings).await?;
    let message = format!("AWS offers what is asked for; Kubernetes is {kubernetes}.");
    creating.stage.kept.work.resolved = ResolvedVersions {
        kubernetes: Some(kubernetes),
        addons,
        needs,
        nodegroups,
    };
    if !warnings.is_empty() {
        let warnings: Vec<Value> = warnings.iter().map(|warning| json!(warning)).collect();
        creating.stage.warn(&message, warnings).await?;
    }
    Ok(message)
}

/// The version to create.
async fn kubernetes(
    creating: &Creating<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<String, Verdict> {
    let asked = &creating.spec.version;
    let context = creating.stage.context;
    let offered = answered(creating, context.clusters().kubernetes_versions().await).await?;
    match offered {
        Ok(offered) if !offered.is_empty() => {
            resolve(asked, &offered).map_err(|wrong| refuse(&[wrong]))
        }
        Ok(_) => Ok(asked.clone()),
        Err(refusal) if asked == kubernetes_version::LATEST => {
            let advice = "name a version, or let the role eks:DescribeClusterVersions";
            Err(needed(creating, refusal, advice).await)
        }
        Err(refusal) => {
            let what = format!("whether EKS makes clusters of Kubernetes {asked}");
            warnings.push(unchecked(&what, "eks:DescribeClusterVersions", &refusal));
            Ok(asked.clone())
        }
    }
}

/// The versions of the add-ons that are asked for by less than a whole one, and what they need of IAM.
async fn add_ons(
    creating: &mut Creating<'_>,
    kubernetes: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Found, Verdict> {
    let spec = creating.spec;
    let (mut found, mut needs, mut wrong) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for addon in &spec.addons {
        let clusters = creating.stage.context.clusters();
        let offered = clusters.addon_versions(&addon.name, kubernetes).await;
        match answered(creating, offered).await? {
            Ok(offered) if offered.is_empty() && addon.by_default => {
                creating.skip(&addon.name);
                warnings.push(not_offered(addon, kubernetes));
            }
            Ok(offered) => {
                let versions: Vec<String> = offered.iter().map(|one| one.version.clone()).collect();
                match version_of(addon, kubernetes, &versions) {
                    Ok(version) => {
                        let about = (addon, offered.as_slice(), version.as_deref());
                        addon_needs::look(creating, about, &mut needs, warnings).await?;
                        found.extend(version.map(|version| (addon.name.clone(), version)));
                    }
                    Err(error) => wrong.push(error),
                }
            }
            Err(refusal) => {
                let unclear = |addon: &AddonSpec| {
                    let asked = addon.version.as_deref();
                    addon.recommended_roles
                        || asked.is_some_and(|asked| !addon_version::is_whole(asked))
                };
                if spec.addons.iter().any(unclear) {
                    let advice = "name whole versions of add-ons, or let the role \
                                  eks:DescribeAddonVersions";
                    return Err(needed(creating, refusal, advice).await);
                }
                let what = "whether EKS has the add-ons and their versions";
                warnings.push(unchecked(what, "eks:DescribeAddonVersions", &refusal));
                break;
            }
        }
    }
    if wrong.is_empty() {
        Ok((found, needs))
    } else {
        Err(refuse(&wrong))
    }
}

/// Versions and needs of add-ons, by name.
type Found = (BTreeMap<String, String>, BTreeMap<String, AddonNeeds>);

/// The version that is meant, if it is not the one that is written.
fn version_of(
    addon: &AddonSpec,
    kubernetes: &str,
    offered: &[String],
) -> Result<Option<String>, Invalid> {
    const SHOWN: usize = 12;
    let name = &addon.name;
    if offered.is_empty() {
        let message = format!("EKS has no add-on {name} for Kubernetes {kubernetes} here");
        return Err(Invalid::new("/addons", message));
    }
    let Some(asked) = addon.version.as_deref() else {
        return Ok(None);
    };
    if let Some(version) = addon_version::choose(asked, offered) {
        return Ok(Some(version.to_owned()).filter(|version| version != asked));
    }
    let shown: Vec<&str> = offered.iter().take(SHOWN).map(String::as_str).collect();
    let message = format!(
        "EKS has no version {asked} of add-on {name} for Kubernetes {kubernetes}; it has {}",
        shown.join(", ")
    );
    Err(Invalid::new("/addons", message))
}

fn not_offered(addon: &AddonSpec, kubernetes: &str) -> Warning {
    let message = format!(
        "EKS has no add-on {} for Kubernetes {kubernetes} here: the cluster does not get it",
        addon.name
    );
    Warning::new("addon_not_created", message)
}

/// What AWS says, or why it does not; what passes is waited for.
pub(super) async fn answered<T>(
    creating: &Creating<'_>,
    answer: Result<T, Refusal>,
) -> Result<Result<T, Refusal>, Verdict> {
    match answer {
        Err(refusal) if refused::passes(refusal.class) => {
            Err(refused::verdict(creating.stage.context, refusal).await)
        }
        answer => Ok(answer),
    }
}

/// Without this answer there is no telling what to make.
pub(super) async fn needed(creating: &Creating<'_>, refusal: Refusal, advice: &str) -> Verdict {
    match refused::verdict(creating.stage.context, refusal).await {
        Verdict::Fail(failure) => Verdict::Fail(also_said(failure, advice)),
        other => other,
    }
}

/// What was not looked at, and why.
pub(super) fn unchecked(what: &str, action: &str, refusal: &Refusal) -> Warning {
    let words: String = refusal.message.chars().take(1_000).collect();
    let message = format!(
        "it was not checked {what}: the role needs {action}. AWS says: {}",
        words.trim_end_matches('.')
    );
    Warning::new("not_checked", message)
}

pub(super) fn refuse(wrong: &[Invalid]) -> Verdict {
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    Verdict::Fail(failure(ErrorCode::InvalidParameter, wrong.join("; ")))
}
