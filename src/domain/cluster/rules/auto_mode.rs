//! EKS Auto Mode.

use super::references::check_iam_arn;
use crate::domain::cluster::spec::{AutoModeSpec, NodegroupSpec};
use crate::domain::eksctl::{Addon, AutoModeConfig};
use crate::domain::invalid::{Invalid, quoted};

/// The node pools that EKS knows.
const NODE_POOLS: [&str; 2] = ["general-purpose", "system"];
/// Add-ons whose work Auto Mode does.
const REPLACED: [&str; 3] = ["vpc-cni", "kube-proxy", "coredns"];

/// Auto Mode, if it is on.
pub(super) fn of(config: Option<AutoModeConfig>, wrong: &mut Vec<Invalid>) -> Option<AutoModeSpec> {
    let config = config?;
    let (role, boundary) = (config.node_role_arn, config.permissions_boundary_arn);
    let given = [
        ("nodeRoleARN", role.is_some()),
        ("permissionsBoundaryARN", boundary.is_some()),
    ];
    let given = given.iter().filter(|(_, given)| *given);
    if !config.enabled.unwrap_or_default() {
        let pools = config.node_pools.is_some_and(|pools| !pools.is_empty());
        let pools = Some(&("nodePools", pools))
            .filter(|(_, given)| *given)
            .copied();
        for (name, _) in given.copied().chain(pools) {
            let message = "this is for Auto Mode, which is off: remove it, or set enabled to true";
            wrong.push(Invalid::new(format!("/autoModeConfig/{name}"), message));
        }
        return None;
    }
    let default = || NODE_POOLS.map(str::to_owned).into();
    let pools: Vec<String> = config.node_pools.unwrap_or_else(default);
    if pools.is_empty() {
        for (name, _) in given {
            let message = "without node pools no node has this role: remove it, or name nodePools";
            wrong.push(Invalid::new(format!("/autoModeConfig/{name}"), message));
        }
    }
    check_pools(&pools, wrong);
    if let Some(arn) = &role {
        check_iam_arn(arn, "role", "/autoModeConfig/nodeRoleARN", wrong);
    }
    if let Some(arn) = &boundary {
        const AT: &str = "/autoModeConfig/permissionsBoundaryARN";
        check_iam_arn(arn, "policy", AT, wrong);
        if role.is_some() {
            let message = "a permissions boundary is for a role that is created, and nodeRoleARN \
                           names one that exists: remove one of the two";
            wrong.push(Invalid::new(AT, message));
        }
    }
    Some(AutoModeSpec {
        node_pools: pools,
        node_role: role,
        permissions_boundary: boundary,
    })
}

fn check_pools(pools: &[String], wrong: &mut Vec<Invalid>) {
    const AT: &str = "/autoModeConfig/nodePools";
    if pools.len() > 10 {
        wrong.push(Invalid::new(AT, "at most 10 entries"));
        return;
    }
    for (i, pool) in pools.iter().enumerate() {
        let message = if !NODE_POOLS.contains(&pool.as_str()) {
            format!(
                "invalid node pool {}: expected {}",
                quoted(pool),
                NODE_POOLS.join(" or ")
            )
        } else if pools[..i].contains(pool) {
            format!("node pool {pool} is listed twice")
        } else {
            continue;
        };
        wrong.push(Invalid::new(format!("{AT}/{i}"), message));
    }
}

/// Nodegroups need the add-ons that Auto Mode does without, and come once these are there.
pub(super) fn check_nodegroups(nodegroups: &[NodegroupSpec], wrong: &mut Vec<Invalid>) {
    if let Some(nodegroup) = nodegroups.first() {
        let message = "EKS Auto Mode starts the nodes: remove the nodegroups, and add them once the \
                       cluster is there and has the add-ons vpc-cni, kube-proxy and coredns";
        let at = format!("/{}", nodegroup.kind.list());
        wrong.push(Invalid::new(at, message));
    }
}

/// Whether Auto Mode does the work of an add-on.
pub(super) fn replaces(addon: &str) -> bool {
    REPLACED.contains(&addon)
}

/// Add-ons whose work Auto Mode does are for pods that are elsewhere.
pub(super) fn check_addons(addons: &[Addon], elsewhere: bool, wrong: &mut Vec<Invalid>) {
    let replaced = |addon: &Addon| !elsewhere && replaces(&addon.name);
    let addons = addons.iter().enumerate();
    for (i, addon) in addons.filter(|(_, addon)| replaced(addon)) {
        let message = format!(
            "Auto Mode does the work of add-on {}, which is for Fargate profiles and hybrid nodes: \
             remove it, or have some of these",
            addon.name
        );
        wrong.push(Invalid::new(format!("/addons/{i}/name"), message));
    }
}
