//! Clusters without a way to or from the internet.

use crate::domain::cluster::spec::{NetworkSpec, NodegroupSpec, PrivateSpec};
use crate::domain::cluster::vpc_endpoints::{LOGS, OPTIONAL, REQUIRED};
use crate::domain::eksctl::{ClusterConfig, PrivateCluster};
use crate::domain::invalid::{Invalid, quoted};

const SERVICES_AT: &str = "/privateCluster/additionalEndpointServices";

/// What is private, if it is.
pub(super) fn of(config: &mut ClusterConfig, wrong: &mut Vec<Invalid>) -> Option<PrivateSpec> {
    let input = config.private_cluster.take()?;
    let PrivateCluster {
        enabled,
        skip_endpoint_creation,
        additional_endpoint_services: additional,
    } = input;
    check_services(&additional, wrong);
    let skip = skip_endpoint_creation.unwrap_or_default();
    if !enabled.unwrap_or_default() {
        return None;
    }
    if skip && !additional.is_empty() {
        let message = "no endpoints are made where skipEndpointCreation is true: remove one of the \
                       two";
        wrong.push(Invalid::new(SERVICES_AT, message));
    }
    let vpc = config.vpc.as_ref();
    if vpc.is_some_and(|vpc| vpc.cluster_endpoints.is_some()) {
        let message = "the Kubernetes API of a private cluster is reached from inside the VPC alone: \
                       remove this";
        wrong.push(Invalid::new("/vpc/clusterEndpoints", message));
    }
    if !config.local_zones.is_empty() {
        let message = "a private cluster has no subnets in local zones: remove them";
        wrong.push(Invalid::new("/localZones", message));
    }
    let logging = config.cloud_watch.as_ref();
    let logging = logging.and_then(|watch| watch.cluster_logging.as_ref());
    let logs = logging.is_some_and(|logging| !logging.enable_types.is_empty());
    let logs = logs && !additional.iter().any(|service| service == LOGS);
    let services = REQUIRED.iter().map(|service| (*service).to_owned());
    let services = services
        .chain(additional)
        .chain(logs.then(|| LOGS.to_owned()));
    Some(PrivateSpec {
        services: services.filter(|_| !skip).collect(),
    })
}

fn check_services(services: &[String], wrong: &mut Vec<Invalid>) {
    if services.len() > 10 {
        wrong.push(Invalid::new(SERVICES_AT, "at most 10 entries"));
        return;
    }
    for (i, service) in services.iter().enumerate() {
        let message = if !OPTIONAL.contains(&service.as_str()) {
            format!(
                "invalid service {}: expected one of {}",
                quoted(service),
                OPTIONAL.join(", ")
            )
        } else if services[..i].contains(service) {
            format!("service {service} is listed twice")
        } else {
            continue;
        };
        wrong.push(Invalid::new(format!("{SERVICES_AT}/{i}"), message));
    }
}

/// Whether the subnets and the nodegroups are private too.
pub(super) fn check_use(
    private: Option<&PrivateSpec>,
    network: &NetworkSpec,
    nodegroups: &[NodegroupSpec],
    wrong: &mut Vec<Invalid>,
) {
    if private.is_none() {
        return;
    }
    if let NetworkSpec::Existing { private, .. } = network
        && private.is_empty()
    {
        let message = "a private cluster is in private subnets: name them";
        wrong.push(Invalid::new("/vpc/subnets/private", message));
    }
    let mut of_kind = std::collections::BTreeMap::new();
    for nodegroup in nodegroups {
        let list = nodegroup.kind.list();
        let i = of_kind.entry(list).or_insert(0_usize);
        if !nodegroup.private_networking {
            let message = "nodes of a private cluster are in private subnets: set \
                           privateNetworking to true";
            let at = format!("/{list}/{i}/privateNetworking");
            wrong.push(Invalid::new(at, message));
        }
        *i += 1;
    }
}
