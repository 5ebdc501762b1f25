//! What is allowed of a cluster to create, but likely not meant.

use super::spec::{ClusterSpec, NatMode, NetworkSpec};
use crate::domain::profile::{FargateProfile, ProfileSpec};
use crate::domain::warnings::{Warning, profile_warnings};

pub(super) fn of(spec: &ClusterSpec) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let no_nat = matches!(
        &spec.network,
        NetworkSpec::Own {
            nat: NatMode::Disable,
            ..
        }
    );
    if no_nat && !spec.fargate_profiles.is_empty() {
        let message = "without a NAT gateway, pods on Fargate can pull images only through VPC \
                       endpoints, which are not created here";
        warnings.push(Warning::new("no_nat_gateway", message));
    }
    warnings.extend(endpoint_warnings(spec));
    if !spec.access.creator_admin {
        let message = "the creating role does not administer the cluster, so CoreDNS can't be \
                       moved onto Fargate through the Kubernetes API";
        warnings.push(Warning::new("no_creator_admin", message));
    }
    if spec.fargate_profiles.is_empty() && spec.nodegroups.is_empty() {
        let message = "without Fargate profiles and nodegroups nothing can run on the cluster";
        warnings.push(Warning::new("nothing_to_run_on", message));
    }
    let mut before: Vec<FargateProfile> = Vec::new();
    for profile in &spec.fargate_profiles {
        warnings.extend(profile_warnings(profile, &before));
        before.push(as_created(profile));
    }
    warnings
}

fn endpoint_warnings(spec: &ClusterSpec) -> Option<Warning> {
    let endpoint = &spec.endpoint;
    if !endpoint.public {
        let message = "the Kubernetes API can be reached only from inside the VPC; this service \
                       may not reach it";
        return Some(Warning::new("private_endpoint", message));
    }
    if !endpoint.private && !endpoint.public_cidrs.is_empty() {
        let message = "vpc.publicAccessCIDRs limits who reaches the Kubernetes API and \
                       clusterEndpoints.privateAccess is off: nodes and Fargate pods reach it only \
                       if the NAT gateway's address is listed";
        return Some(Warning::new("endpoint_unreachable", message));
    }
    None
}

fn as_created(profile: &ProfileSpec) -> FargateProfile {
    let name = profile.name.as_ref().map(ToString::to_string);
    FargateProfile {
        name: name.unwrap_or_default(),
        selectors: profile.selectors.clone(),
        ..FargateProfile::default()
    }
}
