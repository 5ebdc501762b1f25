//! The stacks of the nodegroups: all are asked for, then all are followed.

use super::stack::{At, Purpose, bring_up};
use super::{Creating, STACK};
use crate::ops::failures::together;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let (mut failed, mut waits) = (Vec::new(), Vec::new());
    for nodegroup in &creating.spec.nodegroups {
        let hold = !failed.is_empty();
        match bring_up(creating, Purpose::Nodegroup(nodegroup), hold).await? {
            At::Complete(_) | At::Held => {}
            At::Waits(message) => waits.push(message),
            At::Failed(failure) => failed.push(failure),
        }
    }
    // What is under way is followed to its end, also when another one has failed.
    if !waits.is_empty() {
        return Err(creating.stage.later(&STACK, waits.join(" ")));
    }
    match together(failed) {
        Some(failure) => Err(Verdict::Fail(failure)),
        None => Ok("All nodegroups are there.".to_owned()),
    }
}
