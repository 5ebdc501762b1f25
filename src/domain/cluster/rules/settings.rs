//! What is set of the control plane and of the network, beyond what every cluster has.

use super::vpc_settings;
use super::{auto_mode, control_plane, kubernetes_network, private_cluster, remote_network};
use crate::domain::cluster::spec::{
    AddonSpec, ControlPlaneSpec, EndpointSpec, NetworkSpec, NodegroupSpec, PrivateSpec, VpcSpec,
};
use crate::domain::eksctl::ClusterConfig;
use crate::domain::ids::Region;
use crate::domain::invalid::Invalid;

/// All that is set.
pub(super) struct Settings {
    pub(super) control_plane: ControlPlaneSpec,
    pub(super) vpc: VpcSpec,
    pub(super) private: Option<PrivateSpec>,
}

/// Takes its sections out of the config; `vpc` stays for who reads the addresses and subnets.
pub(super) fn of(
    config: &mut ClusterConfig,
    (fargate, region): (bool, Option<&Region>),
    wrong: &mut Vec<Invalid>,
) -> Settings {
    let mut control_plane = control_plane::of(config, region, wrong);
    let ipv6 = config.kubernetes_network_config.as_ref();
    let ipv6 = ipv6.and_then(|network| network.ip_family.as_deref());
    let ipv6 = ipv6.is_some_and(|family| family.eq_ignore_ascii_case("IPv6"));
    let vpc = vpc_settings::of(config, ipv6, region, wrong);
    let private = private_cluster::of(config, wrong);
    kubernetes_network::of(config, region, &mut control_plane, wrong);
    control_plane.remote = remote_network::of(config, &control_plane, wrong);
    control_plane.auto_mode = auto_mode::of(config.auto_mode_config.take(), wrong);
    if control_plane.auto_mode.is_some() {
        let profiles = fargate || !config.fargate_profiles.is_empty();
        let elsewhere = profiles || control_plane.remote.is_some();
        auto_mode::check_addons(&config.addons, elsewhere, wrong);
    }
    Settings {
        control_plane,
        vpc,
        private,
    }
}

impl Settings {
    /// Where the Kubernetes API can be reached from. That of a private cluster is public until all
    /// else is done: who makes the cluster is not in its network.
    pub(super) fn endpoint(&self, asked: EndpointSpec) -> EndpointSpec {
        EndpointSpec {
            private: asked.private || self.private.is_some(),
            ..asked
        }
    }

    /// Leaves out the add-ons that nobody asked for and whose work Auto Mode does.
    pub(super) fn drop_replaced(&self, addons: &mut Vec<AddonSpec>) {
        if self.control_plane.auto_mode.is_some() {
            addons.retain(|addon| !addon.by_default || !auto_mode::replaces(&addon.name));
        }
    }

    /// Whether the rest of the cluster goes with them.
    pub(super) fn check_use(
        &self,
        network: &NetworkSpec,
        nodegroups: &[NodegroupSpec],
        wrong: &mut Vec<Invalid>,
    ) {
        private_cluster::check_use(self.private.as_ref(), network, nodegroups, wrong);
        if self.control_plane.auto_mode.is_some() {
            auto_mode::check_nodegroups(nodegroups, wrong);
        }
    }
}

#[cfg(test)]
mod tests;
