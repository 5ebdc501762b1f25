//! Clusters, add-ons and nodegroups as they are in EKS. Every text passes through as AWS sent it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profile::HealthIssue;
use super::schema;

/// A cluster, as EKS has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = Cluster, examples(json!({
    "name": "prod-1",
    "accountId": "111111111111",
    "region": "eu-central-1",
    "arn": "arn:aws:eks:eu-central-1:111111111111:cluster/prod-1",
    "status": "ACTIVE",
    "version": "1.34"
})))]
pub struct ClusterView {
    /// Its name.
    #[schema(required = true, max_length = 100, examples("prod-1"))]
    pub name: String,
    /// The AWS account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 12, examples("111111111111"))]
    pub account_id: Option<String>,
    /// The AWS region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 32, examples("eu-central-1"))]
    pub region: Option<String>,
    /// Its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub arn: Option<String>,
    /// CREATING, ACTIVE, DELETING, FAILED, UPDATING, PENDING, or a value AWS adds later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("ACTIVE"))]
    pub status: Option<String>,
    /// Of Kubernetes, such as `1.34`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("1.34"))]
    pub version: Option<String>,
    /// Of EKS, such as `eks.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("eks.5"))]
    pub platform_version: Option<String>,
    /// The URL of its Kubernetes API; absent while it is being created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub endpoint: Option<String>,
    /// Who signs that URL's certificate: PEM in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 65_536)]
    pub certificate_authority: Option<String>,
    /// Who signs the tokens of its service accounts: a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub oidc_issuer: Option<String>,
    /// The role of its control plane.
    #[serde(rename = "roleARN", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2048)]
    pub role_arn: Option<String>,
    /// Its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("vpc-0a1b2c3d4e5f60718"))]
    pub vpc_id: Option<String>,
    /// The subnets that its control plane reaches.
    #[serde(rename = "subnetIds", skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = subnets)]
    pub subnets: Vec<String>,
    /// The security groups it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = security_groups)]
    pub security_groups: Vec<String>,
    /// The security group that EKS made for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("sg-0a1b2c3d4e5f60718"))]
    pub cluster_security_group: Option<String>,
    /// The addresses of its services.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("10.100.0.0/16"))]
    pub service_cidr: Option<String>,
    /// Who decides who may come in: `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, examples("API_AND_CONFIG_MAP"))]
    pub authentication_mode: Option<String>,
    /// Whether its Kubernetes API can be reached from the internet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub endpoint_public_access: Option<bool>,
    /// Whether its Kubernetes API can be reached from its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub endpoint_private_access: Option<bool>,
    /// Whether EKS refuses to delete it while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deletion_protection: Option<bool>,
    /// Its AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(schema_with = schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub created_at: Option<DateTime<Utc>>,
    /// What ails it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub health_issues: Vec<HealthIssue>,
}

impl ClusterView {
    /// The same, with its place.
    #[must_use]
    pub fn at(self, account_id: &str, region: &str) -> Self {
        Self {
            account_id: Some(account_id.to_owned()),
            region: Some(region.to_owned()),
            ..self
        }
    }
}

fn subnets() -> utoipa::openapi::schema::Array {
    let about = "The subnets that its control plane reaches.";
    let example = serde_json::json!(["subnet-0a1b2c3d4e5f60718"]);
    schema::text_list(about, 100, schema::text(64, ""), example)
}

fn security_groups() -> utoipa::openapi::schema::Array {
    let about = "The security groups it was given.";
    let example = serde_json::json!(["sg-0a1b2c3d4e5f60718"]);
    schema::text_list(about, 100, schema::text(64, ""), example)
}

/// An add-on of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addon {
    /// Such as `coredns`.
    pub name: String,
    /// CREATING, ACTIVE, UPDATING, DEGRADED, `CREATE_FAILED`, ..., or a value AWS adds later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Such as `v1.11.4-eksbuild.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// JSON or YAML, as the add-on's schema has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_values: Option<String>,
    /// The role of its service account.
    #[serde(
        rename = "serviceAccountRoleARN",
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_role_arn: Option<String>,
    /// Its AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// What ails it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub health_issues: Vec<HealthIssue>,
}

/// A managed nodegroup of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Nodegroup {
    /// Its name.
    pub name: String,
    /// CREATING, ACTIVE, UPDATING, DELETING, `CREATE_FAILED`, ..., or a value AWS adds later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Such as `m5.large`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// Nodes wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_size: Option<i32>,
    /// The fewest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_size: Option<i32>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<i32>,
    /// The role of its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_role: Option<String>,
    /// Where its nodes are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
    /// Labels of its nodes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// What ails it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub health_issues: Vec<HealthIssue>,
}
