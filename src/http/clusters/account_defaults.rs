//! What an account gives to every cluster that is created in it, and what must hold between the two.

use crate::db::accounts::Account;
use crate::domain::account::wrong_boundary;
use crate::domain::cluster::ClusterSpec;
use crate::domain::cluster::spec::NodegroupKind;
use crate::domain::{Invalid, PrincipalArn};

/// The cluster with the account's cluster admins and permissions boundary; or all that is wrong with
/// its own access entries and boundaries in this account.
pub(super) fn applied(spec: ClusterSpec, account: &Account) -> Result<ClusterSpec, Vec<Invalid>> {
    let mut wrong = misplaced_entries(&spec, account);
    wrong.extend(misplaced_boundaries(&spec, account));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let admins = account.cluster_admin_arns.iter();
    let admins = admins.filter_map(|arn| PrincipalArn::parse(arn.as_str()).ok());
    let boundary = account.permissions_boundary_arn.as_deref();
    let spec = spec.with_cluster_admins(admins.collect());
    Ok(spec.with_default_boundary(boundary))
}

fn misplaced_entries(spec: &ClusterSpec, account: &Account) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    for (i, entry) in spec.access.entries.iter().enumerate() {
        let at = format!("/accessConfig/accessEntries/{i}");
        let told = entry.misplaced(&account.account_id, spec.region.partition());
        wrong.extend(told.into_iter().map(|invalid| invalid.under(&at)));
        let own = entry.principal_arn.as_str() == account.role_arn;
        if own && !entry.is_cluster_admin() {
            let message = format!(
                "{} is the role by which the fleet itself works in the account, and administers the \
                 cluster that it creates: remove the entry, lest the fleet be shut out",
                entry.principal_arn
            );
            wrong.push(Invalid::new(format!("{at}/principalARN"), message));
        }
    }
    wrong
}

fn misplaced_boundaries(spec: &ClusterSpec, account: &Account) -> Vec<Invalid> {
    let (id, partition) = (account.account_id.as_str(), spec.region.partition());
    let of_cluster = [
        (
            "/iam/serviceRolePermissionsBoundary",
            &spec.service_role_permissions_boundary,
        ),
        (
            "/iam/fargatePodExecutionRolePermissionsBoundary",
            &spec.role_permissions_boundary,
        ),
    ];
    let of_cluster = of_cluster.map(|(at, boundary)| (at.to_owned(), boundary));
    let kinds = [
        (NodegroupKind::SelfManaged, "/nodeGroups"),
        (NodegroupKind::Managed, "/managedNodeGroups"),
    ];
    let of_nodegroups = kinds.into_iter().flat_map(|(kind, list)| {
        let nodegroups = spec.nodegroups.iter().filter(move |one| one.kind == kind);
        nodegroups.enumerate().map(move |(i, one)| {
            let at = format!("{list}/{i}/iam/instanceRolePermissionsBoundary");
            (at, &one.role_permissions_boundary)
        })
    });
    let all = of_cluster.into_iter().chain(of_nodegroups);
    all.filter_map(|(at, boundary)| wrong_boundary(&at, boundary.as_deref()?, id, partition))
        .collect()
}
