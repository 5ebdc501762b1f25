//! The document itself.

use super::access_config::AccessConfig;
use super::addon::{Addon, AddonsConfig};
use super::auto_mode::AutoModeConfig;
use super::capability::Capability;
use super::cloud_watch::ClusterCloudWatch;
use super::control_plane::{
    ControlPlaneScalingConfig, KubeApiServerConfig, KubeControllerManagerConfig,
    KubeSchedulerConfig, SecretsEncryption, UpgradePolicy, ZonalShiftConfig,
};
use super::iam::ClusterIam;
use super::identity::{IdentityMapping, IdentityProvider};
use super::keys::{self, Part};
use super::kubernetes_network::KubernetesNetworkConfig;
use super::metadata::ClusterMeta;
use super::nodegroup::NodeGroup;
use super::owners::{self, NamedArn};
use super::private_cluster::PrivateCluster;
use super::remote_network::RemoteNetworkConfig;
use super::vpc::ClusterVpc;
use crate::domain::decode::{document, json_tree, typed};
use crate::domain::invalid::Invalid;
use crate::domain::profile::ProfileInput;
use crate::domain::schema;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// eksctl's `ClusterConfig`. To create a cluster with `fargate=true` its `metadata` is enough; to create
/// profiles in a cluster, its head, `metadata` and `fargateProfiles` are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "apiVersion": "eksctl.io/v1alpha5",
    "kind": "ClusterConfig",
    "metadata": {"name": "prod-2", "region": "eu-central-1"},
    "nodeGroups": [{"name": "ng-1", "instanceType": "m5.large", "desiredCapacity": 1}],
    "fargateProfiles": [{"name": "fp-default", "selectors": [{"namespace": "default"}]}]
})))]
pub struct ClusterConfig {
    /// `eksctl.io/v1alpha5`, or absent.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = r"^eksctl\.io/v1alpha5$",
        examples("eksctl.io/v1alpha5")
    )]
    pub api_version: Option<String>,
    /// `ClusterConfig`, or absent.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^ClusterConfig$",
        examples("ClusterConfig")
    )]
    pub kind: Option<String>,
    /// What the cluster is called, and where it is.
    pub metadata: ClusterMeta,
    /// Roles, and the OIDC provider of the cluster.
    #[schema(nullable = false)]
    pub iam: Option<ClusterIam>,
    /// The network.
    #[schema(nullable = false)]
    pub vpc: Option<ClusterVpc>,
    /// The zones of a VPC of its own; without them they are chosen.
    #[serde(default)]
    #[schema(schema_with = zones)]
    pub availability_zones: Vec<String>,
    /// Local zones of the region, in which the VPC gets subnets too; the control plane stays out of
    /// them.
    #[serde(default)]
    #[schema(schema_with = local_zones)]
    pub local_zones: Vec<String>,
    /// The addresses of Kubernetes itself.
    #[schema(nullable = false)]
    pub kubernetes_network_config: Option<KubernetesNetworkConfig>,
    /// No way to or from the internet.
    #[schema(nullable = false)]
    pub private_cluster: Option<PrivateCluster>,
    /// EKS starts the nodes.
    #[schema(nullable = false)]
    pub auto_mode_config: Option<AutoModeConfig>,
    /// Hybrid nodes.
    #[schema(nullable = false)]
    pub remote_network_config: Option<RemoteNetworkConfig>,
    /// A key of the account's own for Secrets.
    #[schema(nullable = false)]
    pub secrets_encryption: Option<SecretsEncryption>,
    /// What becomes of the cluster when its version's standard support ends.
    #[schema(nullable = false)]
    pub upgrade_policy: Option<UpgradePolicy>,
    /// Whether AWS may move traffic out of an ailing zone.
    #[schema(nullable = false)]
    pub zonal_shift_config: Option<ZonalShiftConfig>,
    /// The size of a provisioned control plane.
    #[schema(nullable = false)]
    pub control_plane_scaling_config: Option<ControlPlaneScalingConfig>,
    /// Settings of kube-apiserver.
    #[serde(rename = "kubeAPIServerConfig")]
    #[schema(nullable = false)]
    pub kube_api_server_config: Option<KubeApiServerConfig>,
    /// Settings of kube-scheduler.
    #[schema(nullable = false)]
    pub kube_scheduler_config: Option<KubeSchedulerConfig>,
    /// Settings of kube-controller-manager.
    #[schema(nullable = false)]
    pub kube_controller_manager_config: Option<KubeControllerManagerConfig>,
    /// The control plane's logs.
    #[schema(nullable = false)]
    pub cloud_watch: Option<ClusterCloudWatch>,
    /// How callers of Kubernetes are known.
    #[schema(nullable = false)]
    pub access_config: Option<AccessConfig>,
    /// EKS add-ons besides, or with settings for, vpc-cni, kube-proxy, coredns and metrics-server,
    /// which every cluster gets; metrics-server only where AWS has it.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub addons: Vec<Addon>,
    /// Lines of the `ConfigMap` `aws-auth`, by which IAM principals are known in the cluster.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub iam_identity_mappings: Vec<IdentityMapping>,
    /// OIDC issuers whose tokens the cluster takes; EKS takes one.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub identity_providers: Vec<IdentityProvider>,
    /// What goes for all add-ons.
    #[schema(nullable = false)]
    pub addons_config: Option<AddonsConfig>,
    /// EKS capabilities (Argo CD, ACK, kro), created when all else is there.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub capabilities: Vec<Capability>,
    /// The Fargate profiles, created in this order.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub fargate_profiles: Vec<ProfileInput>,
    /// Nodegroups that EKS manages.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub managed_node_groups: Vec<NodeGroup>,
    /// Self-managed nodegroups: autoscaling groups.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub node_groups: Vec<NodeGroup>,
    /// Sections of the document that were not read, as they have nothing to do with Fargate.
    #[serde(skip)]
    #[schema(ignore)]
    pub passed_over: Vec<String>,
    /// The ARNs that it names, whose owners are looked at once the account is known.
    #[serde(skip)]
    #[schema(ignore)]
    pub arns: Vec<NamedArn>,
}

fn zones() -> utoipa::openapi::schema::Array {
    let about = "Zones of the region, at least two; without them they are chosen.";
    let example = serde_json::json!(["eu-central-1a", "eu-central-1b"]);
    schema::text_list(about, 8, schema::text(40, ""), example)
}

fn local_zones() -> utoipa::openapi::schema::Array {
    let about = "Local zones of the region, in which the VPC gets subnets too.";
    let example = serde_json::json!(["us-west-2-lax-1a"]);
    schema::text_list(about, 6, schema::text(40, ""), example)
}

impl ClusterConfig {
    /// Reads a YAML file of exactly one document, as eksctl's own reader takes it.
    pub fn from_yaml(text: &str, part: Part) -> Result<Self, Vec<Invalid>> {
        let (document, tree) = document(text)?;
        Self::from_tree(tree, part, |tree| document.typed(tree))
            .map_err(|wrong| document.placed(wrong))
    }

    /// Reads a JSON document.
    pub fn from_json(text: &str, part: Part) -> Result<Self, Vec<Invalid>> {
        Self::from_tree(json_tree(text.as_bytes())?, part, typed)
    }

    /// Gives the cluster a name, if it has none; whether it got one.
    pub fn name_if_absent(&mut self, make: impl FnOnce() -> String) -> bool {
        let absent = self.metadata.name.is_none();
        if absent {
            self.metadata.name = Some(make());
        }
        absent
    }

    fn from_tree(
        mut tree: Value,
        part: Part,
        typed: impl FnOnce(Value) -> Result<Self, Vec<Invalid>>,
    ) -> Result<Self, Vec<Invalid>> {
        if !tree.is_object() {
            let message =
                "expected a ClusterConfig: an object with metadata and what else is asked for";
            return Err(vec![Invalid::new("", message)]);
        }
        keys::drop_nulls(&mut tree);
        let passed_over = match part {
            Part::Whole => Vec::new(),
            Part::Fargate => keys::keep_fargate_part(&mut tree),
        };
        let wrong = keys::wrong_keys(&mut tree);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let arns = owners::named(&tree);
        let config = typed(tree)?;
        Ok(Self {
            passed_over,
            arns,
            ..config
        })
    }
}
