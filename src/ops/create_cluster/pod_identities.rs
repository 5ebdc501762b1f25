//! Kubernetes `ServiceAccounts` with roles by EKS Pod Identity: the roles' stacks, the `ServiceAccounts`, and
//! the associations of the two.

use super::{Creating, roles, service_accounts};
use crate::aws::Class;
use crate::aws::pod_identities::NewAssociation;
use crate::domain::ErrorCode;
use crate::domain::cluster::RoleStack;
use crate::domain::cluster::spec::workload::PodIdentitySpec;
use crate::ops::failures::failure;
use crate::ops::patience::Waited;
use crate::ops::refused;
use crate::queue::Verdict;

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let identities = spec.pod_identities.iter();
    let stacks: Vec<RoleStack> = identities
        .filter_map(|identity| spec.pod_identity_stack(identity))
        .collect();
    let arns = roles::make(creating, &stacks).await?;
    let accounts: Vec<_> = spec
        .pod_identities
        .iter()
        .filter(|identity| identity.create)
        .map(|identity| service_accounts::plain(&identity.namespace, &identity.service_account))
        .collect();
    service_accounts::make(creating, &accounts).await?;
    for identity in &spec.pod_identities {
        let stack = spec.pod_identity_stack(identity);
        let role = roles::arn(&identity.role, stack.as_ref(), &arns);
        associate(creating, identity, &role).await?;
    }
    let count = spec.pod_identities.len();
    Ok(format!("Pod identity associations are there: {count}."))
}

/// Looks first, and then acts.
async fn associate(
    creating: &mut Creating<'_>,
    identity: &PodIdentitySpec,
    role: &str,
) -> Result<(), Verdict> {
    let context = creating.stage.context;
    let clusters = context.clusters();
    let place = (
        identity.namespace.as_str(),
        identity.service_account.as_str(),
    );
    let there = match clusters.pod_identity(creating.name(), place).await {
        Ok(there) => there,
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let full = identity.full_name();
    if let Some(there) = there {
        if there.role_arn == role {
            return Ok(());
        }
        let message = format!(
            "ServiceAccount {full} is associated with another role already, {}; delete that association \
             first (aws eks delete-pod-identity-association --association-id {})",
            there.role_arn, there.id
        );
        return Err(Verdict::Fail(failure(ErrorCode::AlreadyExists, message)));
    }
    let message = format!("Asking AWS to associate ServiceAccount {full} with its role.");
    creating.stage.note(message).await?;
    let new = NewAssociation {
        namespace: identity.namespace.clone(),
        service_account: identity.service_account.clone(),
        role_arn: role.to_owned(),
        target_role_arn: identity.target_role.clone(),
        disable_session_tags: identity.disable_session_tags,
        policy: identity.policy.clone(),
        tags: identity.tags.clone(),
        client_request_token: context.client_request_token(&format!("pod identity {full}")),
    };
    match clusters.create_pod_identity(creating.name(), new).await {
        Ok(()) => {
            creating.stage.kept.work.spreading = Waited::default();
            Ok(())
        }
        Err(refusal) if refusal.class == Class::ClusterBusy => {
            Err(creating.stage.busy(&refusal.message))
        }
        // The next look tells whose it is.
        Err(refusal) if refusal.class == Class::AlreadyExists => {
            Err(creating.stage.later(&super::SETTLING, refusal.message))
        }
        Err(refusal) => match roles::spreading(creating, &refusal) {
            Some(wait) => Err(wait),
            None => Err(refused::verdict(context, refusal).await),
        },
    }
}
