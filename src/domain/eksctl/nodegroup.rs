//! An entry of `nodeGroups` or `managedNodeGroups`.
//!
//! One type for both lists: `keys` says which key may stand in which.
//!
//! | file | what |
//! |---|---|
//! | `groups` | security groups |
//! | `iam` | the role of the nodes |
//! | `instances` | which instances, and on what terms |
//! | `scaling` | how the autoscaling group and EKS renew and repair nodes |
//! | `ssh` | who can log in |
//! | `taints` | what keeps pods away |
//! | `volumes` | disks |

pub mod groups;
pub mod iam;
pub mod instances;
pub mod scaling;
pub mod ssh;
pub mod taints;
pub mod volumes;

pub use groups::NodeGroupSgs;
pub use iam::{NodeGroupIam, NodeGroupIamAddonPolicies};
pub use instances::{
    CapacityReservation, CapacityReservationTarget, InstanceMarketOptions, InstanceSelector,
    LaunchTemplate, NodeGroupBottlerocket, NodeGroupInstancesDistribution, Placement,
};
pub use scaling::{
    MetricsCollection, NodeGroupNodeRepairConfig, NodeGroupUpdateConfig, NodeRepairConfigOverride,
};
pub use ssh::NodeGroupSsh;
pub use taints::NodeGroupTaint;
pub use volumes::VolumeMapping;

use crate::domain::schema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, Object, Type};

/// The most nodes of one nodegroup.
pub const MAX_NODES: u32 = 1000;

/// A nodegroup of a cluster to create, managed by EKS or self-managed. A key that only one of the two
/// has says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterNodeGroup)]
pub struct NodeGroup {
    /// The nodegroup's name.
    #[schema(
        min_length = 1,
        max_length = 63,
        pattern = "^[0-9A-Za-z][A-Za-z0-9-]*$",
        examples("ng-1")
    )]
    pub name: String,
    /// The EC2 instance type; m5.large if nothing else says which.
    #[schema(nullable = false, max_length = 32, examples("m5.large"))]
    pub instance_type: Option<String>,
    /// Instance types that will do, in this order (`managedNodeGroups`).
    #[serde(default)]
    #[schema(schema_with = instances::types)]
    pub instance_types: Vec<String>,
    /// By what to look instance types up.
    #[schema(nullable = false)]
    pub instance_selector: Option<InstanceSelector>,
    /// On-demand and spot instances of more than one type (`nodeGroups`).
    #[schema(nullable = false)]
    pub instances_distribution: Option<NodeGroupInstancesDistribution>,
    /// Whether the nodes are spot instances (`managedNodeGroups`).
    #[schema(nullable = false)]
    pub spot: Option<bool>,
    /// How many nodes to begin with.
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(2))]
    pub desired_capacity: Option<u32>,
    /// The fewest nodes; `desiredCapacity`, or 2, if it is absent.
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(1))]
    pub min_size: Option<u32>,
    /// The most nodes; `desiredCapacity`, or `minSize`, if it is absent.
    #[schema(nullable = false, minimum = 1, maximum = 1000, examples(4))]
    pub max_size: Option<u32>,
    /// What the nodes run: `AmazonLinux2023` (the default), `AmazonLinux2`, `Bottlerocket`,
    /// `BottlerocketFips`, `Ubuntu2204`, `UbuntuPro2404`, `WindowsServer2022CoreContainer`, ...
    #[schema(nullable = false, max_length = 64, examples("AmazonLinux2023"))]
    pub ami_family: Option<String>,
    /// An image of one's own; or `auto`, `auto-ssm` or `static` for the newest of the family.
    #[schema(nullable = false, max_length = 64, examples("ami-0a1b2c3d4e5f60718"))]
    pub ami: Option<String>,
    /// The release of EKS's image (`managedNodeGroups`); the newest if it is absent.
    #[schema(nullable = false, max_length = 64, examples("1.34.1-20260107"))]
    pub release_version: Option<String>,
    /// A launch template that exists (`managedNodeGroups`), in place of one that is made.
    #[schema(nullable = false)]
    pub launch_template: Option<LaunchTemplate>,
    /// The zones of its nodes; all of the cluster if it is absent.
    #[serde(default)]
    #[schema(schema_with = zones)]
    pub availability_zones: Vec<String>,
    /// The subnets of its nodes: ids, or names and zones of `vpc.subnets`.
    #[serde(default)]
    #[schema(schema_with = subnets)]
    pub subnets: Vec<String>,
    /// The local zones of its nodes (`nodeGroups`), of the `localZones` of the config.
    #[serde(default)]
    #[schema(schema_with = local_zones)]
    pub local_zones: Vec<String>,
    /// Whether its nodes are in private subnets.
    #[schema(nullable = false)]
    pub private_networking: Option<bool>,
    /// The security groups of its nodes.
    #[schema(nullable = false)]
    pub security_groups: Option<NodeGroupSgs>,
    /// Who can log in to its nodes.
    #[schema(nullable = false)]
    pub ssh: Option<NodeGroupSsh>,
    /// The role of its nodes.
    #[schema(nullable = false)]
    pub iam: Option<NodeGroupIam>,
    /// Kubernetes labels of its nodes.
    #[serde(default)]
    #[schema(schema_with = labels)]
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints of its nodes; a map of `key: value:effect` is read too.
    #[serde(default, deserialize_with = "taints::list_or_map")]
    #[schema(max_items = 50)]
    pub taints: Vec<NodeGroupTaint>,
    /// AWS tags of its nodes.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// Whether labels and taints become tags of the autoscaling group, for the cluster autoscaler
    /// (`nodeGroups`).
    #[serde(rename = "propagateASGTags")]
    #[schema(nullable = false)]
    pub propagate_asg_tags: Option<bool>,
    /// What the instances are called; `<cluster>-<nodegroup>-Node` if it is absent.
    #[schema(nullable = false, max_length = 128, examples("web"))]
    pub instance_name: Option<String>,
    /// What the instances' names begin with.
    #[schema(nullable = false, max_length = 64, examples("prod"))]
    pub instance_prefix: Option<String>,
    /// The size of a node's disk in GiB; 80 if it is absent.
    #[schema(nullable = false, minimum = 1, maximum = 16384, examples(80))]
    pub volume_size: Option<u32>,
    /// `gp3` (the default), `gp2`, `io1`, `io2`, `sc1` or `st1`.
    #[schema(nullable = false, max_length = 16, examples("gp3"))]
    pub volume_type: Option<String>,
    /// The device's name; that of the image if it is absent.
    #[schema(nullable = false, max_length = 64, examples("/dev/xvda"))]
    pub volume_name: Option<String>,
    /// Whether the disk is encrypted; as EC2 has it by default if it is absent.
    #[schema(nullable = false)]
    pub volume_encrypted: Option<bool>,
    /// The key it is encrypted with: an id, an alias or an ARN.
    #[serde(rename = "volumeKmsKeyID")]
    #[schema(nullable = false, max_length = 2048, examples("alias/nodes"))]
    pub volume_kms_key_id: Option<String>,
    /// Reads and writes a second.
    #[serde(rename = "volumeIOPS")]
    #[schema(nullable = false, minimum = 100, maximum = 256_000, examples(3000))]
    pub volume_iops: Option<u32>,
    /// MiB a second.
    #[schema(nullable = false, minimum = 125, maximum = 2000, examples(125))]
    pub volume_throughput: Option<u32>,
    /// More disks.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub additional_volumes: Vec<VolumeMapping>,
    /// Whether questions to the instance's metadata need a session's token; true if it is absent.
    #[serde(rename = "disableIMDSv1")]
    #[schema(nullable = false)]
    pub disable_imds_v1: Option<bool>,
    /// Whether pods are kept from the instance's metadata, unless they are on the host's network.
    #[serde(rename = "disablePodIMDS")]
    #[schema(nullable = false)]
    pub disable_pod_imds: Option<bool>,
    /// The most pods on a node.
    #[schema(nullable = false, minimum = 0, maximum = 1000, examples(50))]
    pub max_pods_per_node: Option<u32>,
    /// What is run before a node joins: lines for the shell.
    #[serde(default)]
    #[schema(schema_with = commands)]
    pub pre_bootstrap_commands: Vec<String>,
    /// What is run in place of what makes a node join; on Amazon Linux 2023, a `NodeConfig`.
    #[schema(
        nullable = false,
        max_length = 16384,
        examples("/etc/eks/bootstrap.sh prod-2")
    )]
    pub override_bootstrap_command: Option<String>,
    /// The address of the cluster's DNS (`nodeGroups`).
    #[serde(rename = "clusterDNS")]
    #[schema(nullable = false, max_length = 39, examples("169.254.20.10"))]
    pub cluster_dns: Option<String>,
    /// Settings of the kubelet (`nodeGroups`).
    #[schema(schema_with = kubelet)]
    pub kubelet_extra_config: Option<Map<String, Value>>,
    /// `containerd` (`nodeGroups`); others went with Kubernetes 1.24.
    #[schema(nullable = false, max_length = 32, examples("containerd"))]
    pub container_runtime: Option<String>,
    /// Settings of Bottlerocket.
    #[schema(nullable = false)]
    pub bottlerocket: Option<NodeGroupBottlerocket>,
    /// How many nodes may be away while they are renewed.
    #[schema(nullable = false)]
    pub update_config: Option<NodeGroupUpdateConfig>,
    /// Whether and how EKS repairs nodes (`managedNodeGroups`).
    #[schema(nullable = false)]
    pub node_repair_config: Option<NodeGroupNodeRepairConfig>,
    /// Which metrics of the autoscaling group `CloudWatch` gets (`nodeGroups`).
    #[serde(default, rename = "asgMetricsCollection")]
    #[schema(max_items = 10)]
    pub asg_metrics_collection: Vec<MetricsCollection>,
    /// What the autoscaling group leaves out while it renews nodes (`nodeGroups`).
    #[serde(default, rename = "asgSuspendProcesses")]
    #[schema(schema_with = scaling::processes)]
    pub asg_suspend_processes: Vec<String>,
    /// Target groups that the nodes are put into (`nodeGroups`).
    #[serde(default, rename = "targetGroupARNs")]
    #[schema(schema_with = scaling::target_groups)]
    pub target_group_arns: Vec<String>,
    /// Classic load balancers that the nodes are put behind (`nodeGroups`).
    #[serde(default)]
    #[schema(schema_with = scaling::load_balancers)]
    pub classic_load_balancer_names: Vec<String>,
    /// The most seconds that an instance lives; a day at least (`nodeGroups`).
    #[schema(
        nullable = false,
        minimum = 86400,
        maximum = 31_536_000,
        examples(604_800)
    )]
    pub max_instance_lifetime: Option<u32>,
    /// `standard` or `unlimited`, for T instances (`nodeGroups`).
    #[schema(nullable = false, max_length = 16, examples("unlimited"))]
    pub cpu_credits: Option<String>,
    /// Whether the way to the disks is optimised.
    #[schema(nullable = false)]
    pub ebs_optimized: Option<bool>,
    /// Whether there are metrics of every minute.
    #[schema(nullable = false)]
    pub enable_detailed_monitoring: Option<bool>,
    /// Whether every network card has an elastic fabric adapter.
    #[schema(nullable = false)]
    pub efa_enabled: Option<bool>,
    /// Whether Nitro enclaves can be made (`nodeGroups`).
    #[schema(nullable = false)]
    pub enclave_enabled: Option<bool>,
    /// The placement group of the instances.
    #[schema(nullable = false)]
    pub placement: Option<Placement>,
    /// Which reserved capacity is used.
    #[schema(nullable = false)]
    pub capacity_reservation: Option<CapacityReservation>,
    /// On what market the instances are bought.
    #[schema(nullable = false)]
    pub instance_market_options: Option<InstanceMarketOptions>,
}

fn labels() -> Object {
    let about = "Kubernetes labels of the nodes.";
    schema::text_map(about, 50, schema::text(63, ""), json!({"tier": "web"}))
}

fn zones() -> Array {
    let about = "Zones of the cluster.";
    schema::text_list(about, 8, schema::text(40, ""), json!(["eu-central-1a"]))
}

fn local_zones() -> Array {
    let about = "Local zones of the cluster.";
    schema::text_list(about, 8, schema::text(40, ""), json!(["us-west-2-lax-1a"]))
}

fn subnets() -> Array {
    let about = "Subnets, by id or by what they are called in `vpc.subnets`.";
    schema::text_list(about, 50, schema::text(128, ""), json!(["private-one"]))
}

fn commands() -> Array {
    let about = "Lines for the shell, run in this order before a node joins.";
    schema::text_list(
        about,
        50,
        schema::text(8192, ""),
        json!(["yum install -y jq"]),
    )
}

fn kubelet() -> Object {
    let about = "Settings of the kubelet, as in its `KubeletConfiguration` (`nodeGroups`).";
    free(about, json!({"kubeReserved": {"cpu": "300m"}}))
}

/// An object with whatever JSON can say in it.
fn free(about: &str, example: Value) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .max_properties(Some(100))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .examples([example])
        .build()
}
