//! The access entries, one after the other: who may use the cluster beside the role that makes it.

use serde_json::json;

use super::Creating;
use crate::ops::access_entry::{Waiting, Wanted};
use crate::ops::stage::Kept;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let entries = &creating.spec.access.entries;
    let work = &creating.stage.kept.work;
    let Some(entry) = entries.get(work.entries) else {
        let count = entries.len();
        return Ok(format!("The cluster's access entries are there: {count}."));
    };
    let (step, kept) = (creating.stage.step, creating.stage.kept.clone());
    let keep = |waiting: Waiting| {
        let mut kept: Kept<_> = kept.clone();
        kept.work.letting_in = Some(waiting);
        (step, json!(kept))
    };
    let wanted = Wanted {
        context: creating.stage.context,
        spec: entry,
        keep: &keep,
    };
    let waiting = work.letting_in.clone().unwrap_or_default();
    wanted.bring_about(&waiting).await?;
    let message = format!("{} is let in.", entry.principal_arn);
    let work = &mut creating.stage.kept.work;
    work.entries += 1;
    work.letting_in = None;
    // The next one, by a step of its own.
    Err(creating.stage.then(step, message))
}
