//! The network of a cluster: AWS is asked for its zones, or for the subnets that are to be used, and
//! which of these offer the nodegroups' instance types.

use super::Creating;
use super::preflight::{answered, refuse, unchecked};
use crate::aws::Class;
use crate::domain::ErrorCode;
use crate::domain::cluster::offerings::{self, Offerings, instance_types};
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
    let ids = spec.network.subnet_ids();
    let (zones, subnets) = if ids.is_empty() {
        (zones(creating).await?, Vec::new())
    } else {
        (Vec::new(), subnets(creating, &ids).await?)
    };
    let mut places: Vec<String> = zones
        .iter()
        .map(|zone| zone.name.clone())
        .chain(subnets.iter().map(|subnet| subnet.zone.clone()))
        .collect();
    places.sort_unstable();
    places.dedup();
    let offered = offered(creating, &places, warnings).await?;
    offerings::check(spec, &places, &offered).map_err(|wrong| refuse(&wrong))?;
    let seed = creating.stage.context.job.job_id.as_bytes();
    let chosen = NetworkPlan::of(spec, (&zones, &offered), &subnets, seed);
    let chosen = chosen.map_err(|wrong| refuse(&wrong))?;
    let used = Some(chosen.zones()).filter(|zones| !zones.is_empty());
    let used = used.unwrap_or(places);
    offerings::check(spec, &used, &offered).map_err(|wrong| refuse(&wrong))?;
    warnings.extend(offerings::warnings(spec, &used, &offered));
    creating.stage.kept.work.network = Some(chosen.clone());
    Ok(chosen)
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
    let ec2 = creating.stage.context.eks.caller().ec2();
    match answered(creating, ec2.offerings(&types, zones).await).await? {
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
    let zones = match context.eks.caller().ec2().availability_zones().await {
        Ok(zones) => zones.into_iter(),
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let zones = zones.map(|zone| AvailableZone {
        name: zone.name,
        id: zone.zone_id,
    });
    Ok(zones.collect())
}

async fn subnets(creating: &Creating<'_>, ids: &[&str]) -> Result<Vec<DescribedSubnet>, Verdict> {
    let context = creating.stage.context;
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let subnets = match context.eks.caller().ec2().subnets(&ids).await {
        Ok(subnets) => subnets.into_iter(),
        Err(refusal) if refusal.class == Class::NotFound => {
            let failure = from_refusal(ErrorCode::InvalidParameter, &refusal);
            return Err(Verdict::Fail(failure));
        }
        Err(refusal) => return Err(refused::verdict(context, refusal).await),
    };
    let subnets = subnets.map(|subnet| DescribedSubnet {
        id: subnet.id,
        vpc_id: subnet.vpc_id,
        zone: subnet.zone,
        cidr: subnet.cidr.unwrap_or_default(),
    });
    Ok(subnets.collect())
}
