//! The add-on coredns: after the Fargate profiles, since these catch only pods that come after them.
//! Where one of them catches it, it is made for Fargate from the start, and waited for.

use serde_json::json;

use super::Creating;
use super::add_ons::{self, Look};
use crate::domain::cluster::coredns::made_for_fargate;
use crate::ops::coredns::{CoreDns, Moving};
use crate::ops::stage::Kept;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let Some(addon) = spec.coredns() else {
        return Ok("The cluster gets no add-on coredns.".to_owned());
    };
    let to_fargate = spec.coredns_goes_to_fargate();
    match add_ons::look(creating, addon).await? {
        Look::Absent => {
            let settings = addon.configuration.as_ref();
            let settings = if to_fargate {
                Some(made_for_fargate(settings).to_string())
            } else {
                settings.map(ToString::to_string)
            };
            creating.stage.kept.work.coredns = Some(Moving::made());
            add_ons::create(creating, addon, settings).await?;
        }
        Look::There(_) => {}
        Look::Skipped => return Ok("The cluster goes without add-on coredns.".to_owned()),
    }
    if creating.is_skipped(&addon.name) || !to_fargate {
        return Ok("Add-on coredns was asked for.".to_owned());
    }
    follow(creating).await?;
    Ok("CoreDNS was seen to.".to_owned())
}

async fn follow(creating: &Creating<'_>) -> Result<(), Verdict> {
    let (step, kept) = (creating.stage.step, creating.stage.kept.clone());
    let moving = kept.work.coredns.clone().unwrap_or_default();
    let keep = |moving: Moving| {
        let mut kept: Kept<_> = kept.clone();
        kept.work.coredns = Some(moving);
        (step, json!(kept))
    };
    let coredns = CoreDns {
        context: creating.stage.context,
        new_profile: true,
        keep: &keep,
    };
    coredns.onto_fargate(moving).await
}
