//! Parts of the cluster's network that the config names: subnets of the control plane, security groups.
//! They have to be there, and in the VPC that the cluster is in.

use std::collections::BTreeSet;

use super::preflight::{answered, refuse, unchecked};
use super::{Creating, network};
use crate::aws::Class;
use crate::domain::cluster::NetworkPlan;
use crate::domain::warnings::Warning;
use crate::domain::{ErrorCode, Invalid};
use crate::ops::failures::from_refusal;
use crate::queue::Verdict;

pub(super) async fn check(
    creating: &Creating<'_>,
    plan: &NetworkPlan,
    warnings: &mut Vec<Warning>,
) -> Result<(), Verdict> {
    let vpc = match plan {
        NetworkPlan::Own { .. } => None,
        NetworkPlan::Existing { vpc_id, .. } => Some(vpc_id.as_str()),
    };
    let mut wrong = subnets(creating, vpc).await?;
    wrong.extend(groups(creating, vpc, warnings).await?);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(refuse(&wrong))
    }
}

async fn subnets(creating: &Creating<'_>, vpc: Option<&str>) -> Result<Vec<Invalid>, Verdict> {
    const AT: &str = "/vpc/controlPlaneSubnetIDs";
    let ids = &creating.spec.vpc.control_plane_subnets;
    let found = network::described(creating, ids).await?;
    let zones: BTreeSet<&str> = found.iter().map(|one| one.zone.as_str()).collect();
    let elsewhere = found
        .iter()
        .filter_map(|one| elsewhere(&one.id, &one.vpc_id, vpc));
    let mut wrong: Vec<Invalid> = elsewhere.map(|why| Invalid::new(AT, why)).collect();
    if !ids.is_empty() && zones.len() < 2 {
        let message = "the control plane needs subnets in at least two zones";
        wrong.push(Invalid::new(AT, message));
    }
    Ok(wrong)
}

async fn groups(
    creating: &Creating<'_>,
    vpc: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Invalid>, Verdict> {
    let settings = &creating.spec.vpc;
    let ids = settings.control_plane_groups.iter();
    let mut ids: Vec<String> = ids.chain(&settings.shared_node_group).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    let ec2 = creating.stage.context.eks.caller().ec2();
    match answered(creating, ec2.vpcs_of_groups(&ids).await).await? {
        Ok(found) => {
            let elsewhere = found.iter().filter_map(|(id, of)| elsewhere(id, of, vpc));
            Ok(elsewhere.map(|why| Invalid::new("/vpc", why)).collect())
        }
        Err(refusal) if refusal.class == Class::NotFound => {
            let failure = from_refusal(ErrorCode::InvalidParameter, &refusal);
            Err(Verdict::Fail(failure))
        }
        Err(refusal) => {
            let what = "whether the security groups are there";
            warnings.push(unchecked(what, "ec2:DescribeSecurityGroups", &refusal));
            Ok(Vec::new())
        }
    }
}

/// Why something of a VPC is of no use in the cluster's.
fn elsewhere(id: &str, of: &str, vpc: Option<&str>) -> Option<String> {
    match vpc {
        None => Some(format!(
            "{id} is of {of}, and the cluster gets a VPC of its own: name the VPC in vpc.id, and its \
             subnets in vpc.subnets"
        )),
        Some(vpc) if vpc != of => Some(format!("{id} is of {of}, and the cluster is in {vpc}")),
        Some(_) => None,
    }
}
