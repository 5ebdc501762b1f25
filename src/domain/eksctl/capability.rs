//! An entry of `capabilities`: what EKS runs for a cluster, outside of it.

use super::policies::{boundary, policy_arns, policy_document, role_arn};
use crate::domain::access_entry::AccessPolicyInput;
use crate::domain::schema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::Array;

/// An EKS capability, with the role under which it acts. EKS takes one of each type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capability {
    /// Its name, unique in the cluster: letters, digits, `-` and `_`.
    #[schema(
        required = true,
        nullable = false,
        max_length = 100,
        examples("ack-capability")
    )]
    pub name: Option<String>,
    /// `ACK` (AWS Controllers for Kubernetes), `ARGOCD` (Argo CD) or `KRO` (Kube Resource Orchestrator).
    #[serde(rename = "type")]
    #[schema(required = true, nullable = false, max_length = 16, examples("ACK"))]
    pub kind: Option<String>,
    /// The role, if it exists: then none is created. It has no path.
    #[serde(default)]
    #[schema(schema_with = role_arn, required = false)]
    pub role_arn: Option<String>,
    /// ARNs of policies of the role that is created.
    #[serde(rename = "attachPolicyARNs", default)]
    #[schema(schema_with = policy_arns)]
    pub attach_policy_arns: Vec<String>,
    /// A policy of the role that is created, written out.
    #[serde(default)]
    #[schema(schema_with = policy_document, required = false)]
    pub attach_policy: Option<Value>,
    /// The permissions boundary of the role that is created.
    #[serde(default)]
    #[schema(schema_with = boundary, required = false)]
    pub permissions_boundary: Option<String>,
    /// What becomes of the Kubernetes resources that it made when it is deleted: `RETAIN`, which is the
    /// default and all that AWS has.
    #[schema(nullable = false, max_length = 16, examples("RETAIN"))]
    pub delete_propagation_policy: Option<String>,
    /// What EKS lets the role do in the cluster, besides what a capability of this type can do anyway.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub access_policies: Vec<AccessPolicyInput>,
    /// The settings of Argo CD; of no other type.
    #[schema(nullable = false)]
    pub configuration: Option<CapabilityConfiguration>,
    /// AWS tags of the stacks of the capability and of its role.
    #[serde(default)]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
}

/// The `configuration` of a capability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapabilityConfiguration {
    /// The settings of Argo CD.
    #[schema(nullable = false)]
    pub argocd: Option<ArgoCdConfiguration>,
}

/// The settings of Argo CD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ArgoCDConfiguration)]
pub struct ArgoCdConfiguration {
    /// The namespace that it looks at; AWS's default is `argocd`.
    #[schema(nullable = false, max_length = 63, examples("argocd"))]
    pub namespace: Option<String>,
    /// From where its server can be reached; from the internet if it is absent.
    #[schema(nullable = false)]
    pub network_access: Option<ArgoCdNetworkAccess>,
    /// Who may do what in it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub rbac_role_mappings: Vec<ArgoCdRoleMapping>,
    /// The instance of IAM Identity Center whose users can log in.
    #[schema(required = true, nullable = false)]
    pub aws_idc: Option<ArgoCdAwsIdc>,
}

/// From where the server of Argo CD can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ArgoCDNetworkAccess)]
pub struct ArgoCdNetworkAccess {
    /// VPC endpoints that exist; with any, the internet is shut out.
    #[serde(default)]
    #[schema(schema_with = endpoints)]
    pub vpce_ids: Vec<String>,
}

/// A role of Argo CD and who has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ArgoCDRoleMapping)]
pub struct ArgoCdRoleMapping {
    /// `ADMIN`, `EDITOR` or `VIEWER`.
    #[serde(default)]
    #[schema(required = true, max_length = 16, examples("ADMIN"))]
    pub role: String,
    /// Users and groups of IAM Identity Center.
    #[serde(default)]
    #[schema(required = true, max_items = 100)]
    pub identities: Vec<SsoIdentity>,
}

/// A user or a group of IAM Identity Center.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SSOIdentity)]
pub struct SsoIdentity {
    /// Its id there.
    #[serde(default)]
    #[schema(
        required = true,
        max_length = 128,
        examples("38414300-1041-708a-01af-abc123defg")
    )]
    pub id: String,
    /// `SSO_USER` or `SSO_GROUP`.
    #[serde(rename = "type", default)]
    #[schema(required = true, max_length = 16, examples("SSO_USER"))]
    pub kind: String,
}

/// An instance of IAM Identity Center.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ArgoCDAWSIDC)]
pub struct ArgoCdAwsIdc {
    /// The ARN of the instance.
    #[serde(default)]
    #[schema(
        required = true,
        max_length = 2048,
        examples("arn:aws:sso:::instance/ssoins-1234567890abcdef")
    )]
    pub idc_instance_arn: String,
    /// The region of the instance; that of the cluster if it is absent.
    #[schema(nullable = false, max_length = 32, examples("us-west-2"))]
    pub idc_region: Option<String>,
}

fn endpoints() -> Array {
    let about = "Ids of VPC endpoints that exist.";
    schema::text_list(
        about,
        10,
        schema::text(64, "^vpce-[0-9A-Za-z-]+$"),
        json!(["vpce-1234567890abcdef0"]),
    )
}
