//! The Kubernetes `ServiceAccounts` that have roles by the cluster's OIDC issuer: their roles' stacks, then
//! they themselves, with the annotation that names the role.

use std::collections::BTreeMap;

use super::in_cluster::{self, What};
use super::{Creating, roles};
use crate::domain::cluster::RoleStack;
use crate::domain::cluster::spec::workload::ServiceAccountSpec;
use crate::kubernetes::{Kubernetes, KubernetesError, WantedServiceAccount};
use crate::queue::Verdict;

/// What EKS reads from a `ServiceAccount` to know its role.
const ROLE: &str = "eks.amazonaws.com/role-arn";

pub(super) async fn stage(creating: &mut Creating<'_>) -> Result<String, Verdict> {
    let spec = creating.spec;
    let accounts = spec.service_accounts.iter();
    let stacks: Vec<RoleStack> = accounts
        .filter_map(|account| spec.service_account_stack(account))
        .collect();
    let arns = roles::make(creating, &stacks).await?;
    let wanted: Vec<WantedServiceAccount> = spec
        .service_accounts
        .iter()
        .filter(|account| !account.role_only)
        .map(|account| {
            let stack = spec.service_account_stack(account);
            wanted(account, roles::arn(&account.role, stack.as_ref(), &arns))
        })
        .collect();
    make(creating, &wanted).await?;
    let count = spec.service_accounts.len();
    Ok(format!("ServiceAccounts were seen to: {count}."))
}

fn wanted(account: &ServiceAccountSpec, role: String) -> WantedServiceAccount {
    let mut annotations = account.annotations.clone();
    annotations.insert(ROLE.to_owned(), role);
    WantedServiceAccount {
        namespace: account.namespace.clone(),
        name: account.name.clone(),
        labels: account.labels.clone(),
        annotations,
    }
}

/// Makes `ServiceAccounts`, with their namespaces. `Ok` means that they are there, or that the caller was
/// told why not.
pub(super) async fn make(
    creating: &mut Creating<'_>,
    wanted: &[WantedServiceAccount],
) -> Result<(), Verdict> {
    if wanted.is_empty() {
        return Ok(());
    }
    let what = What {
        subject: "ServiceAccounts",
        code: "service_accounts_not_made",
        needs: "make namespaces and ServiceAccounts",
        by_hand: by_hand(wanted),
    };
    let Some((cluster, kubernetes)) = in_cluster::open(creating, &what).await? else {
        return Ok(());
    };
    for one in wanted {
        if let Err(error) = bring_about(creating, &kubernetes, one).await? {
            return in_cluster::trouble(creating, &cluster, &error, &what).await;
        }
    }
    in_cluster::done(creating);
    Ok(())
}

/// Looks first, and then acts.
async fn bring_about(
    creating: &Creating<'_>,
    kubernetes: &Kubernetes,
    wanted: &WantedServiceAccount,
) -> Result<Result<(), KubernetesError>, Verdict> {
    let missing = match kubernetes.lacks(wanted).await {
        Ok(missing) => missing,
        Err(error) => return Ok(Err(error)),
    };
    if !missing {
        return Ok(Ok(()));
    }
    let (namespace, name) = (&wanted.namespace, &wanted.name);
    let message = format!("Asking the cluster for ServiceAccount {namespace}/{name}.");
    creating.stage.note(message).await?;
    Ok(kubernetes.make_service_account(wanted).await)
}

fn by_hand(wanted: &[WantedServiceAccount]) -> String {
    let commands = wanted.iter().map(|one| {
        let (namespace, name) = (&one.namespace, &one.name);
        let role = one.annotations.get(ROLE).map_or_else(String::new, |role| {
            format!(" && kubectl -n {namespace} annotate serviceaccount {name} {ROLE}={role}")
        });
        format!("kubectl -n {namespace} create serviceaccount {name}{role}")
    });
    commands.collect::<Vec<_>>().join(" && ")
}

/// One without a role of its own: EKS Pod Identity needs no annotation.
pub(super) fn plain(namespace: &str, name: &str) -> WantedServiceAccount {
    WantedServiceAccount {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
    }
}
