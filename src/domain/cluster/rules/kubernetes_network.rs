//! The addresses of Kubernetes itself.

use super::control_plane::one_of;
use crate::domain::cluster::network::DEFAULT_CIDR;
use crate::domain::cluster::spec::ControlPlaneSpec;
use crate::domain::eksctl::{ClusterConfig, KubernetesNetworkConfig};
use crate::domain::ids::{Partition, Region};
use crate::domain::invalid::{Invalid, quoted};
use ipnet::Ipv4Net;

const AT: &str = "/kubernetesNetworkConfig";
const CIDR_AT: &str = "/kubernetesNetworkConfig/serviceIPv4CIDR";
const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
/// The prefixes that EKS takes for services.
const SERVICE_PREFIXES: std::ops::RangeInclusive<u8> = 12..=24;
/// Where AWS wants addresses that are nobody else's.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

pub(super) fn of(
    config: &mut ClusterConfig,
    region: Option<&Region>,
    control_plane: &mut ControlPlaneSpec,
    wrong: &mut Vec<Invalid>,
) {
    let network = config.kubernetes_network_config.take().unwrap_or_default();
    let KubernetesNetworkConfig {
        ip_family,
        service_ipv4_cidr,
    } = network;
    let family = ip_family.as_deref().filter(|family| !family.is_empty());
    let known = FAMILIES
        .into_iter()
        .find(|known| family.is_some_and(|family| known.eq_ignore_ascii_case(family)));
    one_of(
        known.or(family),
        &FAMILIES,
        &format!("{AT}/ipFamily"),
        wrong,
    );
    control_plane.ipv6 = known == Some("IPv6");
    if let Some(cidr) = &service_ipv4_cidr {
        if control_plane.ipv6 {
            let message = "services of an IPv6 cluster have IPv6 addresses, which EKS chooses: \
                           remove this";
            wrong.push(Invalid::new(CIDR_AT, message));
        } else {
            check_services(cidr, config, wrong);
        }
    }
    control_plane.service_cidr = service_ipv4_cidr;
    if control_plane.ipv6 {
        check_ipv6(config, region, wrong);
    }
}

fn check_services(cidr: &str, config: &ClusterConfig, wrong: &mut Vec<Invalid>) {
    let net = cidr.parse::<Ipv4Net>().ok();
    let net = net.filter(|net| {
        SERVICE_PREFIXES.contains(&net.prefix_len())
            && net.addr() == net.network()
            && is_private(*net)
    });
    let Some(net) = net else {
        let message = format!(
            "invalid addresses {}: expected a network within {}, from /{} to /{}",
            quoted(cidr),
            PRIVATE.join(", "),
            SERVICE_PREFIXES.start(),
            SERVICE_PREFIXES.end()
        );
        wrong.push(Invalid::new(CIDR_AT, message));
        return;
    };
    if let Some(vpc) = vpc_of(config)
        && overlap(net, vpc)
    {
        let message = format!("{net} overlaps with the VPC's {vpc}: choose another network");
        wrong.push(Invalid::new(CIDR_AT, message));
    }
}

/// The addresses of the VPC, where they are known.
pub(super) fn vpc_of(config: &ClusterConfig) -> Option<Ipv4Net> {
    let vpc = config.vpc.as_ref();
    let given = vpc.and_then(|vpc| vpc.cidr.as_deref());
    let exists = vpc.is_some_and(|vpc| {
        let subnets = vpc.subnets.as_ref();
        vpc.id.is_some()
            || subnets.is_some_and(|all| !all.private.0.is_empty() || !all.public.0.is_empty())
    });
    let known = given.or_else(|| (!exists).then_some(DEFAULT_CIDR));
    known.and_then(|cidr| cidr.parse().ok())
}

pub(super) fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// Whether a network is of those that belong to nobody.
pub(super) fn is_private(net: Ipv4Net) -> bool {
    let private = PRIVATE
        .iter()
        .filter_map(|text| text.parse::<Ipv4Net>().ok());
    private.into_iter().any(|private| private.contains(&net))
}

/// What eksctl, and EKS, want of an IPv6 cluster.
fn check_ipv6(config: &ClusterConfig, region: Option<&Region>, wrong: &mut Vec<Invalid>) {
    let at = format!("{AT}/ipFamily");
    if region.is_some_and(|region| region.partition() == Partition::AwsCn) {
        let message = "EKS has no IPv6 clusters in China: remove it";
        wrong.push(Invalid::new(at.as_str(), message));
    }
    let auto = config.auto_mode_config.as_ref();
    if auto.is_some_and(|auto| auto.enabled.unwrap_or_default()) {
        return;
    }
    let has = |name: &str| config.addons.iter().any(|addon| addon.name == name);
    if !has("coredns") {
        let message =
            "an IPv6 cluster needs the add-on coredns: name it in addons, or use Auto Mode";
        wrong.push(Invalid::new(at.as_str(), message));
    }
    let oidc = config.iam.as_ref().and_then(|iam| iam.with_oidc);
    if has("vpc-cni") && !has("eks-pod-identity-agent") && !oidc.unwrap_or_default() {
        let message = "the add-on vpc-cni of an IPv6 cluster needs a role of its own: set \
                       iam.withOIDC to true, or name the add-on eks-pod-identity-agent";
        wrong.push(Invalid::new(at, message));
    }
}
