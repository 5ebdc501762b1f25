//! The control plane itself.

use super::draft::{Draft, attribute_of, tag};
use super::vpc::Subnets;
use super::{components, iam};
use crate::domain::cluster::spec::{AutoModeSpec, ClusterSpec};
use serde_json::{Map, Value, json};

const ID: &str = "ControlPlane";

/// Where the control plane is put.
pub(super) struct Place<'a> {
    pub(super) subnets: &'a Subnets,
    /// Whether the VPC is made here.
    pub(super) own: bool,
    pub(super) groups: &'a [Value],
}

pub(super) fn add(draft: &mut Draft, spec: &ClusterSpec, role: &Value, place: &Place<'_>) {
    let mut cluster = json!({
        "AccessConfig": {
            "AuthenticationMode": spec.access.mode.as_str(),
            "BootstrapClusterCreatorAdminPermissions": spec.access.creator_admin,
        },
        "BootstrapSelfManagedAddons": false,
        "KubernetesNetworkConfig": kubernetes_network(spec),
        "Name": spec.name,
        "ResourcesVpcConfig": network(spec, place),
        "RoleArn": role,
        "Tags": tags(spec),
        "Version": spec.version,
    });
    if !spec.logging.types.is_empty() {
        let types = spec.logging.types.iter().map(|name| json!({"Type": name}));
        let types: Vec<Value> = types.collect();
        cluster["Logging"] = json!({"ClusterLogging": {"EnabledTypes": types}});
    }
    add_settings(&mut cluster, spec);
    components::add(&mut cluster, &spec.control_plane);
    if let Some(auto) = &spec.control_plane.auto_mode {
        add_auto_mode(draft, &mut cluster, spec, auto);
    }
    draft.add_tagged(ID, "AWS::EKS::Cluster", cluster);
    draft.export("ARN", &attribute_of(ID, "Arn"));
    let authority = attribute_of(ID, "CertificateAuthorityData");
    draft.output("CertificateAuthorityData", &authority);
    let group = attribute_of(ID, "ClusterSecurityGroupId");
    draft.export("ClusterSecurityGroupId", &group);
    draft.export("Endpoint", &attribute_of(ID, "Endpoint"));
}

fn add_settings(cluster: &mut Value, spec: &ClusterSpec) {
    let settings = &spec.control_plane;
    if let Some(key) = &settings.secrets_key {
        cluster["EncryptionConfig"] =
            json!([{"Provider": {"KeyArn": key}, "Resources": ["secrets"]}]);
    }
    if let Some(kind) = &settings.support_type {
        cluster["UpgradePolicy"] = json!({"SupportType": kind});
    }
    if settings.zonal_shift {
        cluster["ZonalShiftConfig"] = json!({"Enabled": true});
    }
    if let Some(tier) = &settings.scaling_tier {
        cluster["ControlPlaneScalingConfig"] = json!({"Tier": tier});
    }
    if let Some(remote) = &settings.remote {
        let mut networks = json!({"RemoteNodeNetworks": [{"Cidrs": remote.node_cidrs}]});
        if !remote.pod_cidrs.is_empty() {
            networks["RemotePodNetworks"] = json!([{"Cidrs": remote.pod_cidrs}]);
        }
        cluster["RemoteNetworkConfig"] = networks;
    }
}

fn kubernetes_network(spec: &ClusterSpec) -> Value {
    let settings = &spec.control_plane;
    let family = if settings.ipv6 { "ipv6" } else { "ipv4" };
    let mut network = json!({"IpFamily": family});
    if let Some(cidr) = &settings.service_cidr {
        network["ServiceIpv4Cidr"] = json!(cidr);
    }
    if settings.auto_mode.is_some() {
        network["ElasticLoadBalancing"] = json!({"Enabled": true});
    }
    network
}

/// EKS takes Auto Mode's three parts together alone: nodes, load balancers and disks.
fn add_auto_mode(draft: &mut Draft, cluster: &mut Value, spec: &ClusterSpec, auto: &AutoModeSpec) {
    let mut compute = json!({"Enabled": true});
    if !auto.node_pools.is_empty() {
        compute["NodePools"] = json!(auto.node_pools);
    }
    if let Some(role) = &auto.node_role {
        compute["NodeRoleArn"] = json!(role);
    } else if auto.makes_role() {
        let boundary = auto.permissions_boundary.as_deref();
        let partition = spec.region.partition();
        compute["NodeRoleArn"] = iam::add_auto_mode_role(draft, partition, boundary);
    }
    cluster["ComputeConfig"] = compute;
    cluster["StorageConfig"] = json!({"BlockStorage": {"Enabled": true}});
}

fn network(spec: &ClusterSpec, place: &Place<'_>) -> Value {
    let mut network = Map::new();
    network.insert(
        "EndpointPrivateAccess".to_owned(),
        spec.endpoint.private.into(),
    );
    network.insert(
        "EndpointPublicAccess".to_owned(),
        spec.endpoint.public.into(),
    );
    network.insert("SecurityGroupIds".to_owned(), json!(place.groups));
    network.insert("SubnetIds".to_owned(), json!(subnets(spec, place)));
    if !spec.endpoint.public_cidrs.is_empty() {
        let cidrs = json!(spec.endpoint.public_cidrs);
        network.insert("PublicAccessCidrs".to_owned(), cidrs);
    }
    if let Some(mode) = &spec.vpc.egress_mode {
        network.insert("ControlPlaneEgressMode".to_owned(), json!(mode));
    }
    network.into()
}

/// Those that are named, or else all of the cluster's; the private ones alone if asked for, and under
/// Auto Mode in a VPC that is made here, as eksctl has it.
fn subnets(spec: &ClusterSpec, place: &Place<'_>) -> Vec<Value> {
    let named = &spec.vpc.control_plane_subnets;
    if !named.is_empty() {
        return named.iter().map(|id| json!(id)).collect();
    }
    let auto = place.own && spec.control_plane.auto_mode.is_some();
    let public = if auto || spec.vpc.control_plane_on_private_subnets {
        &[][..]
    } else {
        place.subnets.public.as_slice()
    };
    [public, place.subnets.private_ids().as_slice()].concat()
}

fn tags(spec: &ClusterSpec) -> Value {
    let tags = spec.tags.iter();
    tags.map(|(key, value)| tag(key, &json!(value))).collect()
}
