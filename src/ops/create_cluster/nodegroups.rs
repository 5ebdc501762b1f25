//! The stacks of the nodegroups: all are asked for, then all are followed, also when one has failed,
//! and then their nodes.

use super::stack::{At, Purpose, bring_up};
use super::{Creating, Refused, STACK, ready_nodes};
use crate::ops::failures::together;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let (mut failed, mut waits) = (Vec::new(), Vec::new());
    for nodegroup in &spec.nodegroups {
        let stack = spec.nodegroup_stack(nodegroup);
        // AWS refused it at an earlier look.
        if let Some(refused) = creating.stage.kept.work.refused.get(&stack) {
            failed.push(refused.failure());
            continue;
        }
        let hold = !failed.is_empty();
        match bring_up(creating, Purpose::Nodegroup(nodegroup), hold).await {
            Ok(At::Complete(_) | At::Held) => {}
            Ok(At::Waits(message)) => waits.push(message),
            Ok(At::Failed(failure)) => failed.push(failure),
            Err(Verdict::Fail(failure)) => {
                let refused = Refused::of(&failure);
                creating.stage.kept.work.refused.insert(stack, refused);
                failed.push(failure);
            }
            Err(verdict) => return Err(verdict),
        }
    }
    // What is under way is followed to its end, also when another one has failed.
    if !waits.is_empty() {
        return Err(creating.stage.later(&STACK, waits.join(" ")));
    }
    if let Some(failure) = together(failed) {
        return Err(Verdict::Fail(failure));
    }
    ready_nodes::follow(creating).await?;
    Ok("All nodegroups are there.".to_owned())
}
