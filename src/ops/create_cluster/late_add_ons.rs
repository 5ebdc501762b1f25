//! metrics-server, and the other add-ons that need something to run on. Then all add-ons are waited
//! for: one that does not come up is a warning, since the cluster is there.

use std::time::Duration;

use serde_json::{Value, json};

use super::Creating;
use super::add_ons::{self, Look};
use crate::domain::Addon;
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::warnings::Warning;
use crate::ops::following::Pace;
use crate::queue::Verdict;
use crate::queue::backoff::Backoff;

/// How long add-ons are waited for. Pods on Fargate start within two minutes, but EKS takes up to
/// twenty to call an add-on ACTIVE, or to give up on it.
const LONGEST: Duration = Duration::from_mins(30);
const PACE: Pace = Pace {
    delays: Backoff::millis(&[5_000, 10_000, 10_000, 15_000, 20_000, 30_000, 60_000]),
    longest: Duration::from_hours(1),
};

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let late: Vec<&AddonSpec> = creating.spec.late_addons().collect();
    add_ons::create_all(creating, &late).await?;
    let mut idle = Vec::new();
    let spec = creating.spec;
    for addon in &spec.addons {
        let found = match add_ons::look(creating, addon).await? {
            Look::There(found) => Some(found),
            Look::Absent => None,
            Look::Skipped => continue,
        };
        let status = found.as_ref().and_then(|addon| addon.status.as_deref());
        if status != Some("ACTIVE") {
            idle.push((addon.name.as_str(), found));
        }
    }
    if idle.is_empty() {
        return Ok("All add-ons are ACTIVE.".to_owned());
    }
    let names: Vec<&str> = idle.iter().map(|(name, _)| *name).collect();
    if waits(creating) {
        let message = format!("Waits for add-ons {}.", names.join(", "));
        return Err(creating.stage.later(&PACE, message));
    }
    let warnings: Vec<Value> = idle
        .iter()
        .map(|(name, addon)| warning(name, addon.as_deref()))
        .collect();
    let message = format!("Add-ons {} are not ACTIVE yet.", names.join(", "));
    creating.stage.warn(&message, warnings).await?;
    Ok(message)
}

/// Where nothing can run, nothing is waited for.
fn waits(creating: &Creating<'_>) -> bool {
    let (context, spec) = (creating.stage.context, creating.spec);
    let somewhere = !(spec.fargate_profiles.is_empty() && spec.nodegroups.is_empty())
        || spec.control_plane.has_node_pools();
    let followed = creating.stage.kept.followed.as_ref();
    let lasted = followed.map_or(Duration::ZERO, |followed| followed.lasted(context));
    somewhere && lasted < context.scaled(LONGEST)
}

fn warning(name: &str, addon: Option<&Addon>) -> Value {
    let status = addon
        .and_then(|addon| addon.status.as_deref())
        .unwrap_or("gone");
    let issues = addon
        .map(|addon| addon.health_issues.as_slice())
        .unwrap_or_default();
    let why: Vec<&str> = issues.iter().map(|issue| issue.message.as_str()).collect();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(": {}", why.join("; "))
    };
    let message = format!("add-on {name} is {status}, and was not waited for any longer{why}");
    json!(Warning::new("addon_not_active", message))
}
