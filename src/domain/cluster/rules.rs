//! When a cluster is fit to be created. Everything that can be known without AWS is looked at
//! here, and all that is wrong is told at once.

mod access;
mod addon_roles;
mod addons;
mod auto_mode;
mod capabilities;
mod control_plane;
mod identity;
mod kubernetes_names;
mod kubernetes_network;
mod logging;
mod nodegroups;
mod private_cluster;
mod references;
mod remote_network;
mod roles;
mod service_role;
mod settings;
mod stacks;
mod tags;
mod vpc;
mod vpc_settings;
mod windows;
mod workloads;

use super::kubernetes_version;
use super::spec::{ClusterSpec, NodegroupKind};
use crate::domain::eksctl::checks::{keep, valid_profiles, wrong_head, wrong_policy_arn};
use crate::domain::eksctl::{ClusterConfig, ClusterIam, ClusterMeta};
use crate::domain::ids::{ClusterName, Region};
use crate::domain::invalid::Invalid;
use crate::domain::profile::{ProfileInput, ProfileSpec};
use crate::domain::profile_name::default_profile;
use crate::domain::role_arn::RoleArn;

#[expect(clippy::too_many_lines, reason = "a line for each section of a config")]
pub(super) fn check(mut config: ClusterConfig, fargate: bool) -> Result<ClusterSpec, Vec<Invalid>> {
    let mut wrong = wrong_head(config.api_version.as_deref(), config.kind.as_deref());
    let metadata = metadata(std::mem::take(&mut config.metadata), &mut wrong);
    let (tags, region) = (&metadata.tags, metadata.region.as_ref());
    let settings = settings::of(&mut config, (fargate, region), &mut wrong);
    let mut iam = config.iam.unwrap_or_default();
    let with_oidc = iam.with_oidc.unwrap_or_default();
    let (service_role, service_role_permissions_boundary) = service_role::of(&iam, &mut wrong);
    let without_pod_security_groups = iam.vpc_resource_controller_policy == Some(false);
    let service_accounts = std::mem::take(&mut iam.service_accounts);
    let pod_identities = std::mem::take(&mut iam.pod_identity_associations);
    let (pod_execution_role, role_permissions_boundary) = role(iam, &mut wrong);
    let endpoint = settings.endpoint(vpc::endpoint(config.vpc.as_ref(), &mut wrong));
    let network = vpc::network(config.vpc, config.availability_zones, region, &mut wrong);
    let logging = logging::of(config.cloud_watch, &mut wrong);
    let access = access::of(config.access_config.unwrap_or_default(), &mut wrong);
    let addons_config = config.addons_config.unwrap_or_default();
    let disabled = addons_config.disable_default_addons.unwrap_or_default();
    let mut addons = addons::of(config.addons, (disabled, region), &mut wrong);
    settings.drop_replaced(&mut addons);
    let service_accounts = workloads::service_accounts(service_accounts, with_oidc, &mut wrong);
    let pod_identities = workloads::pod_identities(pod_identities, &mut wrong);
    let auto = addons_config.auto_apply_pod_identity_associations == Some(true);
    addon_roles::settle(&mut addons, auto, &pod_identities, &mut wrong);
    let identity_mappings = identity::mappings(config.iam_identity_mappings, &access, &mut wrong);
    let identity_providers = identity::providers(config.identity_providers, &mut wrong);
    let capabilities = capabilities::of(config.capabilities, region, &mut wrong);
    capabilities::check_use(&capabilities, &access, &mut wrong);
    let fargate_profiles = profiles(config.fargate_profiles, fargate, &mut wrong);
    let name = metadata.name.as_ref();
    let kinds = [
        (NodegroupKind::SelfManaged, config.node_groups),
        (NodegroupKind::Managed, config.managed_node_groups),
    ];
    let nodegroups = nodegroups::of(kinds, name, tags, &mut wrong);
    vpc::check_use(&network, &fargate_profiles, &nodegroups, &mut wrong);
    let local_zones = &settings.vpc.local_zones;
    nodegroups::check_place((&network, region), local_zones, &nodegroups, &mut wrong);
    windows::enable_ipam(&mut addons, &nodegroups);
    access::check_use(&access, &nodegroups, &mut wrong);
    settings.check_use(&network, &nodegroups, &mut wrong);
    match (metadata.name, metadata.region) {
        (Some(name), Some(region)) if wrong.is_empty() => finished(ClusterSpec {
            name,
            region,
            version: metadata.version,
            tags: metadata.tags,
            network,
            vpc: settings.vpc,
            private: settings.private,
            control_plane: settings.control_plane,
            endpoint,
            logging,
            access,
            with_oidc,
            service_role,
            service_role_permissions_boundary,
            without_pod_security_groups,
            pod_execution_role,
            role_permissions_boundary,
            addons,
            fargate_profiles,
            nodegroups,
            service_accounts,
            pod_identities,
            identity_mappings,
            identity_providers,
            capabilities,
        }),
        _ => Err(wrong),
    }
}

/// The cluster, if the names of all its parts go together, and its templates are short enough.
fn finished(spec: ClusterSpec) -> Result<ClusterSpec, Vec<Invalid>> {
    let mut wrong = nodegroups::check_templates(&spec);
    stacks::check(&spec, &mut wrong);
    if wrong.is_empty() {
        Ok(spec)
    } else {
        Err(wrong)
    }
}

struct Metadata {
    name: Option<ClusterName>,
    region: Option<Region>,
    version: String,
    tags: std::collections::BTreeMap<String, String>,
}

fn metadata(input: ClusterMeta, wrong: &mut Vec<Invalid>) -> Metadata {
    // Whoever asks for a cluster gives it a name, if the caller has not.
    let name = input.name.unwrap_or_default();
    let name = keep(wrong, "/metadata/name", ClusterName::parse(name));
    if name
        .as_ref()
        .is_some_and(|name| name.as_str().contains('_'))
    {
        let message = "the name of a cluster that is created here must not hold _, because its \
                       CloudFormation stacks are named after it: use - instead";
        wrong.push(Invalid::new("/metadata/name", message));
    }
    let region = keep(wrong, "/metadata/region", Region::parse(input.region));
    let version = kubernetes_version::asked(input.version).unwrap_or_else(|error| {
        wrong.push(error);
        String::new()
    });
    tags::check(&input.tags, "/metadata", wrong);
    Metadata {
        name,
        region,
        version,
        tags: input.tags,
    }
}

fn role(iam: ClusterIam, wrong: &mut Vec<Invalid>) -> (Option<RoleArn>, Option<String>) {
    let role = iam.fargate_pod_execution_role_arn.map(RoleArn::parse);
    let role = keep(wrong, "/iam/fargatePodExecutionRoleARN", role.transpose());
    // CloudFormation would look up what stands in such braces.
    if matches!(&role, Some(Some(arn)) if arn.as_str().contains("{{")) {
        let message = "the path of the role must not hold {{";
        wrong.push(Invalid::new("/iam/fargatePodExecutionRoleARN", message));
    }
    let boundary = iam.fargate_pod_execution_role_permissions_boundary;
    let at = "/iam/fargatePodExecutionRolePermissionsBoundary";
    wrong.extend(
        boundary
            .as_deref()
            .and_then(|arn| wrong_policy_arn(at, arn)),
    );
    if boundary.is_some() && role.as_ref().is_some_and(Option::is_some) {
        let message = "a permissions boundary is for a role that is created, and \
                       fargatePodExecutionRoleARN names one that exists: remove one of the two";
        wrong.push(Invalid::new(at, message));
    }
    (role.flatten(), boundary)
}

fn profiles(
    inputs: Vec<ProfileInput>,
    fargate: bool,
    wrong: &mut Vec<Invalid>,
) -> Vec<ProfileSpec> {
    if !fargate {
        return valid_profiles(inputs, wrong);
    }
    if !inputs.is_empty() {
        let message = "fargate=true asks for the default profile fp-default; to have the profiles \
                       of the file, leave fargate=true out";
        wrong.push(Invalid::new("/fargateProfiles", message));
    }
    vec![default_profile()]
}

#[cfg(test)]
mod tests;
