//! CoreDNS onto Fargate, where a profile catches it.

use serde_json::json;

use super::Creating;
use crate::ops::coredns::{CoreDns, Moving};
use crate::ops::stage::Kept;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let (step, kept) = (creating.stage.step, creating.stage.kept.clone());
    let moving = kept.work.coredns.clone().unwrap_or_default();
    let keep = |moving: Moving| {
        let mut kept: Kept<_> = kept.clone();
        kept.work.coredns = Some(moving);
        (step, json!(kept))
    };
    let coredns = CoreDns {
        context: creating.stage.context,
        keep: &keep,
    };
    coredns.onto_fargate(moving).await?;
    Ok("CoreDNS was seen to.".to_owned())
}
