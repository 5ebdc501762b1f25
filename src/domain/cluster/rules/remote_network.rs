//! The networks of hybrid nodes.

use super::control_plane::one_of;
use super::kubernetes_network::{is_private, overlap, vpc_of};
use super::references::{check_iam_arn, is_id};
use crate::domain::cluster::spec::{AuthenticationMode, ControlPlaneSpec, RemoteNetworkSpec};
use crate::domain::eksctl::{ClusterConfig, RemoteNetwork, RemoteNetworkConfig, RemoteNodesIam};
use crate::domain::invalid::{Invalid, quoted};
use ipnet::Ipv4Net;

const AT: &str = "/remoteNetworkConfig";
const PROVIDERS: [&str; 2] = ["SSM", "IRA"];
/// EKS's bound, of each kind.
const MAX_CIDRS: usize = 15;

/// The networks, if there are some.
pub(super) fn of(
    config: &mut ClusterConfig,
    control_plane: &ControlPlaneSpec,
    wrong: &mut Vec<Invalid>,
) -> Option<RemoteNetworkSpec> {
    let RemoteNetworkConfig {
        iam,
        vpc_gateway_id: gateway,
        remote_node_networks: nodes,
        remote_pod_networks: pods,
    } = config.remote_network_config.take()?;
    if nodes.is_empty() {
        let message = "name the network of the hybrid nodes, or remove remoteNetworkConfig";
        wrong.push(Invalid::new(format!("{AT}/remoteNodeNetworks"), message));
        return None;
    }
    if control_plane.ipv6 {
        let message = "hybrid nodes join IPv4 clusters alone: remove this, or ipFamily";
        wrong.push(Invalid::new(AT, message));
    }
    let mode = config.access_config.as_ref();
    let mode = mode.and_then(|access| access.authentication_mode.as_deref());
    if mode == Some(AuthenticationMode::ConfigMap.as_str()) {
        let message = "hybrid nodes are let in by access entries: set authenticationMode to \
                       API_AND_CONFIG_MAP or API";
        wrong.push(Invalid::new("/accessConfig/authenticationMode", message));
    }
    let taken = [
        vpc_of(config).map(|net| (net, "the VPC")),
        control_plane
            .service_cidr
            .as_deref()
            .and_then(|cidr| cidr.parse().ok())
            .map(|net| (net, "the services")),
    ];
    let taken: Vec<(Ipv4Net, &str)> = taken.into_iter().flatten().collect();
    let node_cidrs = cidrs(nodes, "remoteNodeNetworks", &taken, wrong);
    let pod_cidrs = cidrs(pods, "remotePodNetworks", &taken, wrong);
    check_gateway(gateway.as_deref(), config, wrong);
    // Each network is a route in each zone.
    if gateway.is_some() && node_cidrs.len() + pod_cidrs.len() > MAX_CIDRS {
        let message = format!("routes are made for at most {MAX_CIDRS} networks in all");
        wrong.push(Invalid::new(format!("{AT}/vpcGatewayID"), message));
    }
    Some(RemoteNetworkSpec {
        node_cidrs,
        pod_cidrs,
        gateway,
        role: role(iam.unwrap_or_default(), wrong),
    })
}

fn cidrs(
    networks: Vec<RemoteNetwork>,
    list: &str,
    taken: &[(Ipv4Net, &str)],
    wrong: &mut Vec<Invalid>,
) -> Vec<String> {
    let at = format!("{AT}/{list}");
    if networks.len() > 1 {
        let message = "one entry at most: list all its addresses in its cidrs";
        wrong.push(Invalid::new(at, message));
        return Vec::new();
    }
    let Some(network) = networks.into_iter().next() else {
        return Vec::new();
    };
    let at = format!("{at}/0/cidrs");
    if !(1..=MAX_CIDRS).contains(&network.cidrs.len()) {
        let message = format!("expected 1 to {MAX_CIDRS} networks");
        wrong.push(Invalid::new(at, message));
        return Vec::new();
    }
    for (i, cidr) in network.cidrs.iter().enumerate() {
        if let Some(message) = wrong_cidr(cidr, taken) {
            wrong.push(Invalid::new(format!("{at}/{i}"), message));
        }
    }
    network.cidrs
}

fn wrong_cidr(cidr: &str, taken: &[(Ipv4Net, &str)]) -> Option<String> {
    let net = cidr.parse::<Ipv4Net>().ok();
    let Some(net) = net.filter(|net| net.addr() == net.network() && is_private(*net)) else {
        return Some(format!(
            "invalid network {}: expected a private one, within 10.0.0.0/8, 172.16.0.0/12 or \
             192.168.0.0/16",
            quoted(cidr)
        ));
    };
    let (other, whose) = taken.iter().find(|(other, _)| overlap(net, *other))?;
    Some(format!(
        "{net} overlaps with the addresses of {whose}, {other}: choose others for one of them"
    ))
}

fn check_gateway(gateway: Option<&str>, config: &ClusterConfig, wrong: &mut Vec<Invalid>) {
    let Some(gateway) = gateway else { return };
    let at = format!("{AT}/vpcGatewayID");
    if !["tgw-", "vgw-"].iter().any(|prefix| is_id(gateway, prefix)) {
        let message = format!(
            "invalid gateway {}: expected a transit gateway (tgw-) or a virtual private gateway \
             (vgw-)",
            quoted(gateway)
        );
        wrong.push(Invalid::new(at.as_str(), message));
    }
    let vpc = config.vpc.as_ref();
    if vpc.is_some_and(|vpc| vpc.id.is_some() || vpc.subnets.is_some()) {
        let message = "a VPC that exists has routes of its own: remove this, and lead its routes to \
                       the gateway";
        wrong.push(Invalid::new(at, message));
    }
}

/// The role of the nodes, if it exists.
fn role(iam: RemoteNodesIam, wrong: &mut Vec<Invalid>) -> Option<String> {
    let provider = iam.provider.as_deref();
    let known = PROVIDERS
        .into_iter()
        .find(|known| provider.is_some_and(|text| known.eq_ignore_ascii_case(text)));
    let at = format!("{AT}/iam/provider");
    one_of(known.or(provider), &PROVIDERS, &at, wrong);
    if known == Some("IRA") && iam.role_arn.is_none() {
        let message = "the trust anchor and the profile of IAM Roles Anywhere are not made here: \
                       create them with a role, and name the role in roleARN; or use SSM";
        wrong.push(Invalid::new(at, message));
    }
    if let Some(arn) = &iam.role_arn {
        check_iam_arn(arn, "role", &format!("{AT}/iam/roleARN"), wrong);
    }
    iam.role_arn
}
