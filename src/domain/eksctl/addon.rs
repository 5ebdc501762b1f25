//! The `addons` of a config, and its `addonsConfig`.

use super::pod_identity_association::PodIdentityAssociation;
use super::policies::{WellKnownPolicies, boundary, policy_arns, policy_document};
use crate::domain::role_arn::RoleArn;
use crate::domain::schema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An EKS add-on of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClusterAddon)]
pub struct Addon {
    /// The add-on's name.
    #[schema(
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        examples("vpc-cni")
    )]
    pub name: String,
    /// Its version; EKS's default for the Kubernetes version if it is absent. The beginning of a
    /// version (`v1.20`, `1.20.1`) is the newest of these that fits the Kubernetes version, `latest`
    /// the newest of all.
    #[schema(nullable = false, max_length = 64, examples("v1.20.1-eksbuild.1"))]
    pub version: Option<String>,
    /// Its settings: JSON or YAML, as text.
    #[schema(
        nullable = false,
        max_length = 16384,
        examples("{\"replicaCount\": 3}")
    )]
    pub configuration_values: Option<String>,
    /// What happens to settings that differ in the cluster: `none` or `overwrite`.
    #[schema(nullable = false, max_length = 16, examples("overwrite"))]
    pub resolve_conflicts: Option<String>,
    /// The role of its service account.
    #[serde(rename = "serviceAccountRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub service_account_role_arn: Option<String>,
    /// ARNs of policies of a role that is created for its service account. Needs `iam.withOIDC`.
    #[serde(rename = "attachPolicyARNs", default)]
    #[schema(schema_with = policy_arns)]
    pub attach_policy_arns: Vec<String>,
    /// A policy of such a role, written out.
    #[serde(default)]
    #[schema(schema_with = policy_document, required = false)]
    pub attach_policy: Option<Value>,
    /// Policies for what many clusters run, of such a role.
    #[schema(nullable = false)]
    pub well_known_policies: Option<WellKnownPolicies>,
    /// The permissions boundary of such a role.
    #[serde(default)]
    #[schema(schema_with = boundary, required = false)]
    pub permissions_boundary: Option<String>,
    /// Roles of its service accounts by EKS Pod Identity.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub pod_identity_associations: Vec<PodIdentityAssociation>,
    /// `true`: its service accounts get the roles that EKS recommends, by EKS Pod Identity.
    #[schema(nullable = false)]
    pub use_default_pod_identity_associations: Option<bool>,
    /// Where in the cluster it is.
    #[schema(nullable = false)]
    pub namespace_config: Option<AddonNamespaceConfig>,
    /// Its AWS tags.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `namespaceConfig` of an add-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddonNamespaceConfig {
    /// The namespace that it is installed into, in place of its own.
    #[schema(nullable = false, max_length = 63, examples("monitoring"))]
    pub namespace: Option<String>,
}

/// The `addonsConfig` of a cluster to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddonsConfig {
    /// `true`: the cluster gets only the add-ons that the file names.
    #[schema(nullable = false)]
    pub disable_default_addons: Option<bool>,
    /// `true`: every add-on that needs a role, and names none, gets the roles that EKS recommends, by
    /// EKS Pod Identity.
    #[schema(nullable = false)]
    pub auto_apply_pod_identity_associations: Option<bool>,
}
