//! What is allowed of a cluster to create, but likely not meant.

mod nodegroups;

use super::kubernetes_version;
use super::spec::{AuthenticationMode, ClusterSpec, NatMode, NetworkSpec};
use crate::domain::access_entry::AccessEntrySpec;
use crate::domain::profile::{FargateProfile, ProfileSpec};
use crate::domain::warnings::{Warning, profile_warnings};

pub(super) fn of(spec: &ClusterSpec) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = kubernetes_version::warning(&spec.version)
        .into_iter()
        .collect();
    let no_nat = matches!(
        &spec.network,
        NetworkSpec::Own {
            nat: NatMode::Disable,
            ..
        }
    );
    let no_nat = no_nat && !spec.control_plane.ipv6 && spec.private.is_none();
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
    warnings.extend(role_warnings(spec));
    warnings.extend(access_warning(spec));
    warnings.extend(network_warnings(spec));
    let has_own_dns = spec.control_plane.auto_mode.is_some() && spec.fargate_profiles.is_empty();
    if spec.coredns().is_none() && !has_own_dns {
        let message = "without the add-on coredns nothing on the cluster finds services by name, \
                       unless it gets another DNS server";
        warnings.push(Warning::new("no_coredns", message));
    } else if spec.coredns_on_fargate() && !spec.coredns_goes_to_fargate() {
        let message = "the settings of the add-on coredns keep it off Fargate, although a profile \
                       catches it";
        warnings.push(Warning::new("coredns_not_on_fargate", message));
    }
    let has_nodes = spec.control_plane.has_node_pools() || spec.control_plane.remote.is_some();
    if spec.fargate_profiles.is_empty() && spec.nodegroups.is_empty() && !has_nodes {
        let message = "without Fargate profiles and nodegroups nothing can run on the cluster";
        warnings.push(Warning::new("nothing_to_run_on", message));
    }
    warnings.extend(nodegroups::of(spec));
    let mut before: Vec<FargateProfile> = Vec::new();
    for profile in &spec.fargate_profiles {
        warnings.extend(profile_warnings(profile, &before));
        before.push(as_created(profile));
    }
    warnings
}

/// Roles that reach nobody.
fn role_warnings(spec: &ClusterSpec) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let by_pod_identity = !spec.pod_identities.is_empty()
        || spec
            .addons
            .iter()
            .any(|addon| addon.recommended_roles || !addon.pod_identities.is_empty());
    if by_pod_identity && !spec.fargate_profiles.is_empty() {
        let message = "pods on Fargate get no role by EKS Pod Identity, as AWS has no agent there:                        give theirs by iam.serviceAccounts";
        warnings.push(Warning::new("pod_identity_not_on_fargate", message));
    }
    let unused = spec
        .addons
        .iter()
        .filter(|addon| addon.never_calls_aws() && addon.has_own_roles());
    let unused: Vec<&str> = unused.map(|addon| addon.name.as_str()).collect();
    if !unused.is_empty() {
        let message = format!(
            "the add-ons {} call nothing of AWS, so no roles are made for them",
            unused.join(", ")
        );
        warnings.push(Warning::new("addon_role_ignored", message));
    }
    let untrusted = spec.addons.iter();
    let untrusted = untrusted.filter(|addon| {
        let by_issuer = addon.role.is_some() || addon.service_account_role.is_some();
        by_issuer && !spec.with_oidc && !addon.never_calls_aws()
    });
    let untrusted: Vec<&str> = untrusted.map(|addon| addon.name.as_str()).collect();
    if !untrusted.is_empty() {
        let message = format!(
            "the add-ons {} can't act under roles of their own, as iam.withOIDC is off: no role is made \
             for them, and one that is given reaches nobody before IAM trusts the cluster's issuer",
            untrusted.join(", ")
        );
        warnings.push(Warning::new("addon_role_untrusted", message));
    }
    let in_the_cluster = !spec.identity_mappings.is_empty()
        || spec.service_accounts.iter().any(|one| !one.role_only)
        || spec.pod_identities.iter().any(|one| one.create);
    if in_the_cluster && (!spec.access.creator_admin || !spec.endpoint.public) {
        let message = "ServiceAccounts and the ConfigMap aws-auth are made through the Kubernetes API, \
                       which this service may not reach or use in this cluster: then they are left out, \
                       and the job says how to make them";
        warnings.push(Warning::new("kubernetes_api_needed", message));
    }
    warnings
}

/// A cluster is of little use to people who can't get in.
fn access_warning(spec: &ClusterSpec) -> Option<Warning> {
    if spec.access.entries.iter().any(AccessEntrySpec::lets_in) {
        return None;
    }
    let mend = if spec.access.mode == AuthenticationMode::ConfigMap {
        "set accessConfig.authenticationMode to API_AND_CONFIG_MAP and name others in \
         accessConfig.accessEntries, or add them to the ConfigMap aws-auth with the credentials of \
         that role"
    } else {
        "name others in accessConfig.accessEntries, or in the account's clusterAdminARNs, which \
         holds for every cluster that is made there; once the cluster is there, PUT \
         .../access-entries/{principalArn} lets them in"
    };
    let who = if spec.access.creator_admin {
        "nobody but the fleet's role in the account"
    } else {
        "nobody"
    };
    let message = format!("{who} can use the cluster: {mend}");
    Some(Warning::new("only_the_fleet_can_use_it", message))
}

fn network_warnings(spec: &ClusterSpec) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let own = matches!(&spec.network, NetworkSpec::Own { .. });
    let vpc = &spec.vpc;
    let given = !vpc.control_plane_subnets.is_empty()
        || !vpc.control_plane_groups.is_empty()
        || vpc.shared_node_group.is_some();
    if own && given {
        let message = "the control plane's subnets and the security groups exist, and are of another \
                       VPC than the one that is created: AWS refuses that; name their VPC in vpc.id \
                       and its subnets in vpc.subnets";
        warnings.push(Warning::new("parts_of_another_vpc", message));
    }
    let extra = !vpc.extra_cidrs.is_empty() || !vpc.extra_ipv6_cidrs.is_empty();
    if extra && !vpc.control_plane_groups.is_empty() {
        let message = "a security group that exists keeps its rules: vpc.extraCIDRs and \
                       vpc.extraIPv6CIDRs are passed over";
        warnings.push(Warning::new("extra_cidrs_not_used", message));
    }
    let remote = spec.control_plane.remote.as_ref();
    if remote.is_some_and(|remote| remote.gateway.is_none()) {
        let message = "no gateway leads to the networks of remoteNetworkConfig: hybrid nodes join once \
                       the VPC has routes there; vpcGatewayID makes them";
        warnings.push(Warning::new("no_way_to_remote_networks", message));
    }
    if spec
        .private
        .as_ref()
        .is_some_and(|private| private.services.is_empty())
    {
        let message = "no VPC endpoints are made, since skipEndpointCreation is true: without those \
                       for EC2, ECR, S3 and STS no node joins and no image is pulled";
        warnings.push(Warning::new("no_vpc_endpoints", message));
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
