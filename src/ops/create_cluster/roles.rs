//! The stacks of workloads' roles: all are asked for, then all are followed, also when one has failed.

use std::collections::BTreeMap;

use super::stack::{Purpose, bring_up_all};
use super::{Creating, SETTLING};
use crate::aws::cloudformation::Stack;
use crate::aws::{Class, Refusal};
use crate::domain::ErrorCode;
use crate::domain::cluster::RoleStack;
use crate::domain::cluster::role_stack::{ROLE_OUTPUT, Trust};
use crate::domain::cluster::spec::AddonSpec;
use crate::domain::cluster::spec::role::RoleSource;
use crate::ops::failures::failure;
use crate::ops::following::Pace;
use crate::queue::backoff::Backoff;
use crate::queue::{Verdict, Wait};
use std::time::Duration;

/// IAM takes its time to tell EKS of a new role.
const SPREADING: Pace = Pace {
    delays: Backoff::millis(&[3_000, 5_000, 10_000]),
    longest: Duration::from_mins(2),
};

/// The ARNs of roles, by the names of their stacks.
pub(super) type Arns = BTreeMap<String, String>;

/// Brings stacks up. `Ok` means that all their roles are there.
pub(super) async fn make(
    creating: &mut Creating<'_>,
    stacks: &[RoleStack],
) -> Result<Arns, Verdict> {
    let purposes: Vec<Purpose<'_>> = stacks.iter().map(Purpose::Role).collect();
    let made = bring_up_all(creating, &purposes, &SETTLING).await?;
    let made = made.iter();
    made.map(|stack| Ok((stack.name.clone(), role_of(stack)?)))
        .collect()
}

fn role_of(stack: &Stack) -> Result<String, Verdict> {
    let role = stack.outputs.get(ROLE_OUTPUT).cloned();
    role.ok_or_else(|| {
        let message = format!("stack {} has no output {ROLE_OUTPUT}", stack.name);
        Verdict::Fail(failure(ErrorCode::Internal, message))
    })
}

/// The ARN of a workload's role.
pub(super) fn arn(source: &RoleSource, stack: Option<&RoleStack>, arns: &Arns) -> String {
    let made = || stack.and_then(|stack| arns.get(&stack.name)).cloned();
    match source {
        RoleSource::Given(arn) => arn.clone(),
        RoleSource::New(_) => made().unwrap_or_default(),
    }
}

/// The stacks that an add-on needs before it is made: those by the cluster's issuer only once IAM trusts
/// it, which is after the early ones are made.
pub(super) fn before(creating: &Creating<'_>, addon: &AddonSpec) -> Vec<RoleStack> {
    let stacks = creating.spec.addon_stacks(addon).into_iter();
    stacks
        .filter(|stack| addon.late || stack.trust == Trust::PodIdentity)
        .collect()
}

/// The roles of an add-on.
#[derive(Default)]
pub(super) struct AddonRoles {
    /// By the cluster's issuer.
    pub(super) by_issuer: Option<String>,
    /// By EKS Pod Identity: `ServiceAccount` and role.
    pub(super) by_pod_identity: Vec<(String, String)>,
}

/// Makes the roles of an add-on, if they are not there.
pub(super) async fn of_addon(
    creating: &mut Creating<'_>,
    addon: &AddonSpec,
) -> Result<AddonRoles, Verdict> {
    let stacks = before(creating, addon);
    let arns = make(creating, &stacks).await?;
    let spec = creating.spec;
    let made = spec.addon_role_stack(addon);
    let made = made.and_then(|stack| arns.get(&stack.name).cloned());
    let given = addon.service_account_role.as_ref().map(ToString::to_string);
    let identities = addon.pod_identities.iter().map(|one| {
        let stack = spec.addon_identity_stack(addon, one);
        let role = arn(&one.role, stack.as_ref(), &arns);
        (one.service_account.clone(), role)
    });
    Ok(AddonRoles {
        by_issuer: given.or(made),
        by_pod_identity: identities.collect(),
    })
}

/// A wait for IAM, if EKS may not know the new role yet.
pub(super) fn spreading(creating: &mut Creating<'_>, refusal: &Refusal) -> Option<Verdict> {
    let unknown = matches!(
        refusal.class,
        Class::RoleNotUsable | Class::InvalidParameter | Class::NotFound
    );
    if !unknown || !refusal.message.to_ascii_lowercase().contains("role") {
        return None;
    }
    let context = creating.stage.context;
    let waited = creating.stage.kept.work.spreading;
    let (after, waited) = waited.again(context, &SPREADING)?;
    creating.stage.kept.work.spreading = waited;
    let message = format!("EKS can't use the new role yet: {}", refusal.message);
    Some(creating.stage.park(after, Wait::Retry, message))
}
