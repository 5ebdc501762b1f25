//! The network of a cluster: AWS is asked for its zones, or for the subnets that are to be used, and
//! which of these offer the nodegroups' instance types.

use super::preflight::{answered, refuse, unchecked};
use super::{Creating, given_parts, vpc_endpoints};
use crate::aws::Class;
use crate::aws::ec2::{Subnet, Zone};
use crate::domain::ErrorCode;
use crate::domain::cluster::offerings::{self, Offerings, instance_types};
use crate::domain::cluster::zones::missing_local;
use crate::domain::cluster::{AvailableZone, DescribedSubnet, NetworkPlan};
use crate::domain::warnings::Warning;
use crate::ops::failures::from_refusal;
use crate::ops::refused;
use crate::queue::Verdict;

/// The network that was chosen before, or is now.
pub(super) async fn planned(
    creating: &mut Creating<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<NetworkPlan, Verdict> {
    if let Some(chosen) = &creating.stage.kept.work.network {
        return Ok(chosen.clone());
    }
    let spec = creating.spec;
    let seed = creating.stage.context.job.job_id.as_bytes();
    let unknown = Offerings::unknown();
    let given = if spec.network.given_subnets().next().is_some() {
        let subnets = subnets(creating).await?;
        let plan = NetworkPlan::of(spec, (&[], &unknown), &subnets, seed);
        Some(plan.map_err(|wrong| refuse(&wrong))?)
    } else {
        None
    };
    let zones = match given {
        Some(_) => Vec::new(),
        None => zones(creating).await?,
    };
    check_local_zones(creating).await?;
    let places = given
        .as_ref()
        .map_or_else(|| names(&zones), NetworkPlan::zones);
    let offered = offered(creating, &places, warnings).await?;
    offerings::check(spec, &places, &offered).map_err(|wrong| refuse(&wrong))?;
    let chosen = match given {
        Some(given) => given,
        None => {
            NetworkPlan::of(spec, (&zones, &offered), &[], seed).map_err(|wrong| refuse(&wrong))?
        }
    };
    let used = chosen.zones();
    offerings::check(spec, &used, &offered).map_err(|wrong| refuse(&wrong))?;
    warnings.extend(offerings::warnings(spec, &used, &offered));
    given_parts::check(creating, &chosen, warnings).await?;
    let chosen = vpc_endpoints::with_endpoints(creating, chosen, warnings).await?;
    creating.stage.kept.work.network = Some(chosen.clone());
    Ok(chosen)
}

fn names(zones: &[AvailableZone]) -> Vec<String> {
    let mut names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether the account has the local zones that are asked for.
async fn check_local_zones(creating: &Creating<'_>) -> Result<(), Verdict> {
    let asked = &creating.spec.vpc.local_zones;
    if asked.is_empty() {
        return Ok(());
    }
    let context = creating.stage.context;
    let there = match context.eks.caller().ec2().local_zones().await {
        Ok(there) => available(there),
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let wrong = missing_local(asked, &there);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(refuse(&wrong))
    }
}

fn available(zones: Vec<Zone>) -> Vec<AvailableZone> {
    let zones = zones.into_iter().map(|zone| AvailableZone {
        name: zone.name,
        id: zone.zone_id,
    });
    zones.collect()
}

/// Which of these zones offer the nodegroups' instance types. Who may not ask has to trust.
async fn offered(
    creating: &Creating<'_>,
    zones: &[String],
    warnings: &mut Vec<Warning>,
) -> Result<Offerings, Verdict> {
    let types = instance_types(creating.spec);
    if types.is_empty() {
        return Ok(Offerings::unknown());
    }
    let zones = [zones, creating.spec.vpc.local_zones.as_slice()].concat();
    let ec2 = creating.stage.context.eks.caller().ec2();
    match answered(creating, ec2.offerings(&types, &zones).await).await? {
        Ok(pairs) => Ok(Offerings::of(pairs)),
        Err(refusal) => {
            let what = "which zones offer the instance types of the nodegroups";
            let action = "ec2:DescribeInstanceTypeOfferings";
            warnings.push(unchecked(what, action, &refusal));
            Ok(Offerings::unknown())
        }
    }
}

async fn zones(creating: &Creating<'_>) -> Result<Vec<AvailableZone>, Verdict> {
    let context = creating.stage.context;
    match context.eks.caller().ec2().availability_zones().await {
        Ok(zones) => Ok(available(zones)),
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

/// The subnets that are named by their ids, and all of the VPC if others are to be found in it.
async fn subnets(creating: &Creating<'_>) -> Result<Vec<DescribedSubnet>, Verdict> {
    let (context, network) = (creating.stage.context, &creating.spec.network);
    let ids = network.subnet_ids().into_iter();
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    let mut found = described(creating, &ids).await?;
    if let Some(vpc) = network.to_look_through() {
        let all = context.eks.caller().ec2().subnets_in(vpc).await;
        let all = match all {
            Ok(all) => all.into_iter().map(DescribedSubnet::from),
            Err(refusal) => return Err(refused::verdict(context, refusal).await),
        };
        let others = all.filter(|one| !ids.contains(&one.id));
        found.extend(others);
    }
    Ok(found)
}

/// These subnets; one that is not there fails the job.
pub(super) async fn described(
    creating: &Creating<'_>,
    ids: &[String],
) -> Result<Vec<DescribedSubnet>, Verdict> {
    let context = creating.stage.context;
    match context.eks.caller().ec2().subnets(ids).await {
        Ok(subnets) => Ok(subnets.into_iter().map(DescribedSubnet::from).collect()),
        Err(refusal) if refusal.class == Class::NotFound => {
            let failure = from_refusal(ErrorCode::InvalidParameter, &refusal);
            Err(Verdict::Fail(failure))
        }
        Err(refusal) => Err(refused::verdict(context, refusal).await),
    }
}

impl From<Subnet> for DescribedSubnet {
    fn from(subnet: Subnet) -> Self {
        Self {
            id: subnet.id,
            vpc_id: subnet.vpc_id,
            zone: subnet.zone,
            cidr: subnet.cidr.unwrap_or_default(),
        }
    }
}
