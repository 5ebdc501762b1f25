//! The network of a cluster: AWS is asked for its zones, or for the subnets that are to be used.

use super::Creating;
use crate::aws::Class;
use crate::domain::cluster::{AvailableZone, DescribedSubnet, NetworkPlan};
use crate::domain::{ErrorCode, Invalid};
use crate::ops::failures::{failure, from_refusal};
use crate::ops::refused;
use crate::queue::Verdict;

/// The network that was chosen before, or is now.
pub(super) async fn planned(creating: &mut Creating<'_>) -> Result<NetworkPlan, Verdict> {
    if let Some(chosen) = &creating.stage.kept.work.network {
        return Ok(chosen.clone());
    }
    let ids = creating.spec.network.subnet_ids();
    let (zones, subnets) = if ids.is_empty() {
        (zones(creating).await?, Vec::new())
    } else {
        (Vec::new(), subnets(creating, &ids).await?)
    };
    let seed = creating.stage.context.job.job_id.as_bytes();
    let chosen = NetworkPlan::of(creating.spec, &zones, &subnets, seed);
    let chosen = chosen.map_err(|wrong| refuse(&wrong))?;
    creating.stage.kept.work.network = Some(chosen.clone());
    Ok(chosen)
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

fn refuse(wrong: &[Invalid]) -> Verdict {
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    Verdict::Fail(failure(ErrorCode::InvalidParameter, wrong.join("; ")))
}
