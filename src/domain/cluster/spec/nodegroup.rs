//! A nodegroup whose every field has been checked.

use crate::domain::cluster::ec2_instance::{self, Arch, Variant};
use crate::domain::cluster::image::ImageFamily;
use crate::domain::eksctl::nodegroup::{
    CapacityReservation, InstanceMarketOptions, InstanceSelector, LaunchTemplate,
    MetricsCollection, NodeGroupIam, NodeGroupInstancesDistribution, NodeGroupNodeRepairConfig,
    NodeGroupSgs, NodeGroupTaint, NodeGroupUpdateConfig, Placement, VolumeMapping,
};
use crate::domain::macros::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

open_enum! {
    /// Who looks after a nodegroup.
    NodegroupKind as "kind of nodegroup" {
        /// EKS.
        Managed => "managed",
        /// An autoscaling group of the account's own.
        SelfManaged => "self_managed",
    }
}

impl NodegroupKind {
    /// The list of the config that holds nodegroups of this kind.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Managed => "managedNodeGroups",
            Self::SelfManaged => "nodeGroups",
        }
    }
}

/// A nodegroup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodegroupSpec {
    /// Who looks after it.
    pub kind: NodegroupKind,
    /// Its name, which occurs once.
    pub name: String,
    /// The EC2 instance type; empty where types are looked up, or a launch template names it.
    pub instance_type: String,
    /// The instance types, if there can be more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// By what the types are looked up before anything is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<InstanceSelector>,
    /// On-demand and spot instances of a self-managed nodegroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<NodeGroupInstancesDistribution>,
    /// Whether the nodes of a managed nodegroup are spot instances.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spot: bool,
    /// How many nodes to begin with; `min` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
    /// The fewest nodes.
    pub min: u32,
    /// The most nodes.
    pub max: u32,
    /// What the nodes run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub image: ImageSpec,
    /// A launch template that exists, in place of one that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_template: Option<GivenTemplate>,
    /// The size of a node's disk in GiB.
    pub volume_gib: u32,
    /// What else is asked of that disk.
    #[serde(default, skip_serializing_if = "is_default")]
    pub volume: VolumeSpec,
    /// More disks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_volumes: Vec<VolumeMapping>,
    /// Whether its nodes are in private subnets.
    pub private_networking: bool,
    /// In which of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: PlaceSpec,
    /// Security groups.
    #[serde(default, skip_serializing_if = "is_default")]
    pub groups: NodeGroupSgs,
    /// Who can log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshSpec>,
    /// The role of its nodes, without the boundary.
    #[serde(default, skip_serializing_if = "is_default")]
    pub role: NodeGroupIam,
    /// The permissions boundary of the role of its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_permissions_boundary: Option<String>,
    /// Kubernetes labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints of its nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<NodeGroupTaint>,
    /// AWS tags of its nodes.
    pub tags: BTreeMap<String, String>,
    /// What the instances are called, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// What their names begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_prefix: Option<String>,
    /// How nodes join the cluster.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bootstrap: BootstrapSpec,
    /// What is asked of the instances themselves.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hardware: HardwareSpec,
    /// What is asked of the autoscaling group of a self-managed nodegroup.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scaling: ScalingSpec,
    /// How EKS renews nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<NodeGroupUpdateConfig>,
    /// How EKS repairs nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<NodeGroupNodeRepairConfig>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What nodes run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageSpec {
    /// The family of images.
    pub family: ImageFamily,
    /// An image of the caller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The device of that image's first disk, once it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_device: Option<String>,
    /// The release of EKS's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

/// A launch template that exists, and what was found in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GivenTemplate {
    /// Its id and version.
    pub named: LaunchTemplate,
    /// The instance type that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Whether it names an image.
    pub has_image: bool,
}

/// What is asked of the first disk, besides its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSpec {
    /// Such as `gp3`.
    pub kind: String,
    /// The device's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// With which key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Reads and writes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<u32>,
    /// MiB a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
}

impl Default for VolumeSpec {
    fn default() -> Self {
        Self {
            kind: "gp3".to_owned(),
            name: None,
            encrypted: None,
            kms_key: None,
            iops: None,
            throughput: None,
        }
    }
}

/// In which subnets the nodes are; all of the cluster's if nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlaceSpec {
    /// The zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Local zones, in place of the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_zones: Vec<String>,
    /// Subnets, by id, name or zone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
}

impl PlaceSpec {
    /// The zones that are named, of either kind.
    #[must_use]
    pub fn named_zones(&self) -> &[String] {
        if self.local_zones.is_empty() {
            &self.zones
        } else {
            &self.local_zones
        }
    }

    /// Whether zones or subnets are named.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        !(self.zones.is_empty() && self.local_zones.is_empty() && self.subnets.is_empty())
    }
}

/// Who can log in to nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SshSpec {
    /// The key.
    pub key: SshKey,
    /// Whether port 22 is open.
    pub allow: bool,
    /// To these security groups alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// The key by which one logs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SshKey {
    /// An EC2 key pair that exists.
    Named(String),
    /// A public key, of which a key pair is made.
    Public(String),
    /// A file that is out of reach: nodes get none.
    File(String),
}

/// How nodes join the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BootstrapSpec {
    /// What is run before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What is run in place of what would make a node join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// The most pods on a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pods: Option<u32>,
    /// The address of the cluster's DNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_dns: Option<String>,
    /// Settings of the kubelet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubelet: Option<Map<String, Value>>,
    /// Settings of Bottlerocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottlerocket: Option<Map<String, Value>>,
    /// Whether Bottlerocket's admin container runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_container: Option<bool>,
}

/// What is asked of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HardwareSpec {
    /// What is asked of the service that tells instances about themselves.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: MetadataSpec,
    /// Whether the way to the disks is optimised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ebs_optimized: Option<bool>,
    /// Whether there are metrics of every minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_monitoring: Option<bool>,
    /// Whether Nitro enclaves can be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enclaves: Option<bool>,
    /// `standard` or `unlimited`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_credits: Option<String>,
    /// Elastic fabric adapters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efa: Option<EfaSpec>,
    /// The placement group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Which reserved capacity is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<CapacityReservation>,
    /// On what market the instances are bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<InstanceMarketOptions>,
}

/// Who may ask an instance about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataSpec {
    /// Also without a session's token.
    pub without_token: bool,
    /// Only pods on the host's network.
    pub not_pods: bool,
}

/// Elastic fabric adapters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EfaSpec {
    /// How many network cards the instances have, once that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cards: Option<u32>,
}

/// What is asked of an autoscaling group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScalingSpec {
    /// Metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricsCollection>,
    /// What it leaves out while it renews nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<String>,
    /// Target groups that nodes are put into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_groups: Vec<String>,
    /// Classic load balancers that nodes are put behind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<String>,
    /// The most seconds that an instance lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<u32>,
    /// Whether labels and taints become its tags.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tagged: bool,
}

impl NodegroupSpec {
    /// The instance types that are known, each once, in the caller's order.
    #[must_use]
    pub fn types(&self) -> Vec<&str> {
        if !self.instance_types.is_empty() {
            return self.instance_types.iter().map(String::as_str).collect();
        }
        let named = self.launch_template.as_ref();
        let named = named.and_then(|template| template.instance_type.as_deref());
        let own = Some(self.instance_type.as_str()).filter(|own| !own.is_empty());
        own.or(named).into_iter().collect()
    }

    /// Processor and accelerators of its instances: of the first type with accelerators, or else of
    /// the first.
    pub(in crate::domain::cluster) fn chip(&self) -> (Arch, Variant) {
        let types = self.types();
        let mut chips = types.iter().map(|one| ec2_instance::of(one));
        let accelerated = chips
            .clone()
            .find(|(_, variant)| *variant != Variant::Standard);
        let known = accelerated.or_else(|| chips.next());
        known.unwrap_or_else(|| self.selected_chip())
    }

    /// What the selector says of instances that are yet to be looked up.
    fn selected_chip(&self) -> (Arch, Variant) {
        let Some(selector) = &self.selector else {
            return (Arch::X86, Variant::Standard);
        };
        let arch = match selector.cpu_architecture.as_deref() {
            Some("arm64") => Arch::Arm,
            _ => Arch::X86,
        };
        let some = |count: Option<u32>| count.is_some_and(|count| count > 0);
        let variant = match (some(selector.gpus), some(selector.neuron_devices)) {
            (true, _) => Variant::Nvidia,
            (_, true) => Variant::Neuron,
            _ => Variant::Standard,
        };
        (arch, variant)
    }

    /// Why there is no image for its nodes with this version of Kubernetes.
    #[must_use]
    pub fn missing_image(&self, kubernetes: &str) -> Option<String> {
        let own = self.image.id.is_some() || self.launch_template.is_some();
        let family = self.image.family;
        (!own).then(|| family.missing_for(kubernetes)).flatten()
    }

    /// Whether its stack makes the role of its nodes.
    #[must_use]
    pub const fn makes_role(&self) -> bool {
        self.role.instance_role_arn.is_none() && self.role.instance_profile_arn.is_none()
    }

    /// Whether types have to be looked up before it can be made.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        self.selector.is_some() && self.instance_types.is_empty()
    }

    /// Who can log in by a key that nodes get.
    #[must_use]
    pub fn login(&self) -> Option<&SshSpec> {
        let ssh = self.ssh.as_ref();
        ssh.filter(|ssh| !matches!(ssh.key, SshKey::File(_)))
    }
}
