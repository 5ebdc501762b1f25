//! The stacks of the nodegroups: all are asked for, then all are followed, also when one has failed,
//! and then their nodes.

use super::stack::{Purpose, bring_up_all};
use super::{Creating, STACK, ready_nodes};
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let purposes: Vec<Purpose<'_>> = spec.nodegroups.iter().map(Purpose::Nodegroup).collect();
    bring_up_all(creating, &purposes, &STACK).await?;
    ready_nodes::follow(creating).await?;
    Ok("All nodegroups are there.".to_owned())
}
