//! eksctl's `ClusterConfig` for a cluster that is to be created, read but not yet checked.
//!
//! Every key that is not listed here is refused by name, wherever it stands.

pub mod addon;
pub mod nodegroup;
pub mod vpc;

pub use addon::NewClusterAddon;
pub use nodegroup::{NewClusterNodegroup, NewClusterNodegroupIam};
pub use vpc::{
    NewClusterEndpoints, NewClusterNat, NewClusterSubnet, NewClusterSubnets, NewClusterVpc,
    SubnetMap,
};

use super::keys;
use super::spec::ClusterSpec;
use crate::domain::access_entry::AccessEntryInput;
use crate::domain::decode::{json_tree, typed, yaml_tree};
use crate::domain::ids::Region;
use crate::domain::invalid::Invalid;
use crate::domain::profile::ProfileInput;
use crate::domain::role_arn::RoleArn;
use crate::domain::schema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A cluster to create: eksctl's `ClusterConfig`, or, together with `fargate=true`, only its
/// `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = FullClusterConfig, examples(json!({
    "apiVersion": "eksctl.io/v1alpha5",
    "kind": "ClusterConfig",
    "metadata": {"name": "prod-2", "region": "eu-central-1"},
    "nodeGroups": [{"name": "ng-1", "instanceType": "m5.large", "desiredCapacity": 1}],
    "fargateProfiles": [{"name": "fp-default", "selectors": [{"namespace": "default"}]}]
})))]
pub struct NewClusterConfig {
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
    pub metadata: NewClusterMetadata,
    /// Roles, and the OIDC provider of the cluster.
    #[schema(nullable = false)]
    pub iam: Option<NewClusterIam>,
    /// The network.
    #[schema(nullable = false)]
    pub vpc: Option<NewClusterVpc>,
    /// The zones of a VPC of its own; without them they are chosen.
    #[serde(default)]
    #[schema(schema_with = zones)]
    pub availability_zones: Vec<String>,
    /// The control plane's logs.
    #[schema(nullable = false)]
    pub cloud_watch: Option<NewClusterCloudWatch>,
    /// How callers of Kubernetes are known.
    #[schema(nullable = false)]
    pub access_config: Option<NewClusterAccess>,
    /// EKS add-ons besides, or with settings for, vpc-cni, kube-proxy, coredns and metrics-server,
    /// which every cluster gets; metrics-server only where AWS has it.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub addons: Vec<NewClusterAddon>,
    /// What goes for all add-ons.
    #[schema(nullable = false)]
    pub addons_config: Option<NewClusterAddonsConfig>,
    /// The Fargate profiles, created in this order.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub fargate_profiles: Vec<ProfileInput>,
    /// Nodegroups that EKS manages.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub managed_node_groups: Vec<NewClusterNodegroup>,
    /// Self-managed nodegroups: autoscaling groups.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub node_groups: Vec<NewClusterNodegroup>,
}

/// The `metadata` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClusterMetadata {
    /// The cluster's name: letters, digits and `-`, as its stacks are named after it. A cluster
    /// without one gets one when it is created: adjective, noun, seconds since 1970.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        pattern = "^[0-9A-Za-z][A-Za-z0-9-]*$",
        examples("prod-2")
    )]
    pub name: Option<String>,
    /// The cluster's region.
    #[schema(value_type = Region)]
    pub region: String,
    /// The Kubernetes version, in quotes; 1.34 if it is absent or `auto`; the newest that EKS offers
    /// if it is `latest`. EKS is asked whether it makes clusters of it before anything is made.
    #[schema(
        nullable = false,
        max_length = 8,
        pattern = r"^(1\.[0-9]{2}|auto|latest)$",
        examples("1.34")
    )]
    pub version: Option<String>,
    /// AWS tags of everything that is created.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `iam` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FullClusterIam)]
pub struct NewClusterIam {
    /// The role that the control plane acts under; without it one is created.
    #[serde(rename = "serviceRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub service_role_arn: Option<String>,
    /// The permissions boundary of that role, if it is created; without it, the account's.
    #[serde(rename = "serviceRolePermissionsBoundary")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub service_role_permissions_boundary: Option<String>,
    /// The role of profiles that name none; without it one is created.
    #[serde(rename = "fargatePodExecutionRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub fargate_pod_execution_role_arn: Option<String>,
    /// The permissions boundary of the role that is created; without it, the account's.
    #[serde(rename = "fargatePodExecutionRolePermissionsBoundary")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub fargate_pod_execution_role_permissions_boundary: Option<String>,
    /// Whether IAM shall trust the cluster's OIDC issuer.
    #[serde(rename = "withOIDC")]
    #[schema(nullable = false)]
    pub with_oidc: Option<bool>,
}

/// The `addonsConfig` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClusterAddonsConfig {
    /// `true`: the cluster gets only the add-ons that the file names.
    #[schema(nullable = false)]
    pub disable_default_addons: Option<bool>,
}

/// The `cloudWatch` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClusterCloudWatch {
    /// Which logs of the control plane are kept.
    #[schema(nullable = false)]
    pub cluster_logging: Option<NewClusterLogging>,
}

/// The control plane's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClusterLogging {
    /// Any of `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`; `*` or `all` is
    /// each of them.
    #[serde(default)]
    #[schema(schema_with = log_types)]
    pub enable_types: Vec<String>,
}

/// The `accessConfig` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClusterAccess {
    /// `API_AND_CONFIG_MAP` (the default), `API` or `CONFIG_MAP`.
    #[schema(nullable = false, max_length = 32, examples("API_AND_CONFIG_MAP"))]
    pub authentication_mode: Option<String>,
    /// Whether the creating role (the fleet's role in the account) administers the cluster; true
    /// if it is absent.
    #[schema(nullable = false)]
    pub bootstrap_cluster_creator_admin_permissions: Option<bool>,
    /// Who may use the cluster, and how; made right after its stack.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub access_entries: Vec<AccessEntryInput>,
}

fn zones() -> utoipa::openapi::schema::Array {
    let about = "Zones of the region, at least two; without them they are chosen.";
    let example = serde_json::json!(["eu-central-1a", "eu-central-1b"]);
    schema::text_list(about, 8, schema::text(40, ""), example)
}

fn log_types() -> utoipa::openapi::schema::Array {
    let about = "Any of api, audit, authenticator, controllerManager, scheduler; * or all is each.";
    let example = serde_json::json!(["audit", "api"]);
    schema::text_list(about, 10, schema::text(32, ""), example)
}

impl NewClusterConfig {
    /// Reads a YAML file of exactly one document.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Invalid>> {
        Self::from_tree(yaml_tree(text)?)
    }

    /// Reads a JSON document.
    pub fn from_json(text: &str) -> Result<Self, Vec<Invalid>> {
        Self::from_tree(json_tree(text.as_bytes())?)
    }

    /// Gives the cluster a name, if it has none; whether it got one.
    pub fn name_if_absent(&mut self, make: impl FnOnce() -> String) -> bool {
        let absent = self.metadata.name.is_none();
        if absent {
            self.metadata.name = Some(make());
        }
        absent
    }

    fn from_tree(mut tree: Value) -> Result<Self, Vec<Invalid>> {
        keys::drop_nulls(&mut tree);
        let wrong = keys::wrong_keys(&tree);
        if wrong.is_empty() {
            typed(tree)
        } else {
            Err(wrong)
        }
    }

    /// Checks everything; all that is wrong is told at once. `fargate` asks for eksctl's default
    /// profile, as `eksctl create cluster --fargate` does.
    pub fn validate(self, fargate: bool) -> Result<ClusterSpec, Vec<Invalid>> {
        super::rules::check(self, fargate)
    }
}

#[cfg(test)]
mod tests;
