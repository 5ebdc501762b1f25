//! The stack of the network, the roles and the control plane.

use super::stack::{At, Purpose, bring_up};
use super::{Creating, STACK};
use crate::aws::cloudformation::Stack;
use crate::domain::cluster::names;
use crate::domain::{ErrorCode, RoleArn};
use crate::ops::failures::failure;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    match bring_up(creating, Purpose::Cluster, false).await? {
        At::Complete(made) => complete(creating, &made),
        At::Failed(failure) => Err(Verdict::Fail(failure)),
        At::Waits(message) => Err(creating.stage.later(&STACK, message)),
        At::Held => Err(creating
            .stage
            .later(&STACK, "Waits for the cluster's stack.")),
    }
}

/// Keeps the pod execution role that the stack made.
fn complete(creating: &mut Creating<'_>, made: &Stack) -> Result<String, Verdict> {
    let role = made.outputs.get(names::POD_EXECUTION_ROLE_OUTPUT);
    let role = role.map(|role| RoleArn::parse(role.clone())).transpose();
    creating.stage.kept.work.role = role.map_err(|error| {
        let message = format!("stack {}: {}", made.name, error.message());
        Verdict::Fail(failure(ErrorCode::Internal, message))
    })?;
    Ok(format!("Stack {} is complete.", made.name))
}
