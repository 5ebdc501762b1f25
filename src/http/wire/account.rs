//! An account as callers see it, and as they write it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::accounts as db;
use crate::domain::{
    AccountId, AccountName, AccountState, ExternalId, PrincipalArn, Region, RoleArn,
};

/// An AWS account of the fleet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "accountId is the contract's name"
)]
#[schema(examples(json!({
    "accountId": "111111111111",
    "name": "payments-production",
    "roleArn": "arn:aws:iam::111111111111:role/fargate-fleet",
    "externalId": "fleet-0197f6e2a1b07c3d8e4f5a6b7c8d9e0f",
    "podExecutionRoleARN": "arn:aws:iam::111111111111:role/fargate-pod-execution",
    "regions": ["eu-central-1"],
    "labels": {"team": "payments"},
    "state": "active",
    "createdAt": "2026-01-02T03:04:05Z",
    "updatedAt": "2026-01-02T03:04:05Z"
})))]
pub(in crate::http) struct Account {
    /// The AWS account's id.
    #[schema(value_type = AccountId)]
    pub account_id: String,
    /// What people call it.
    #[schema(value_type = AccountName)]
    pub name: String,
    /// The role that the fleet assumes in the account.
    #[schema(value_type = RoleArn)]
    pub role_arn: String,
    /// What the role's trust policy must demand as `sts:ExternalId`; minted by the service.
    #[schema(value_type = ExternalId)]
    pub external_id: String,
    /// The role of profiles that name none.
    #[serde(
        rename = "podExecutionRoleARN",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = RoleArn, required = false)]
    pub pod_execution_role_arn: Option<String>,
    /// IAM principals that become cluster admins, by access entries, of every cluster that is created
    /// here.
    #[serde(rename = "clusterAdminARNs", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<PrincipalArn>, required = false, max_items = 20)]
    pub cluster_admin_arns: Vec<String>,
    /// The permissions boundary of every role that is created here: the ARN of a policy.
    #[serde(
        rename = "permissionsBoundaryARN",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        max_length = 2048,
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub permissions_boundary_arn: Option<String>,
    /// Where jobs may run.
    #[schema(value_type = Vec<Region>, max_items = 50)]
    pub regions: Vec<String>,
    /// Free to use.
    #[schema(schema_with = super::super::openapi::shapes::labels)]
    pub labels: BTreeMap<String, String>,
    /// Whether the fleet works in it.
    #[schema(value_type = AccountState)]
    pub state: String,
    /// While parked: AWS's words at the last failure to assume the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4096)]
    pub parked_reason: Option<String>,
    /// While parked: when the role is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_probe_at: Option<DateTime<Utc>>,
    /// When the account was last verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_verified_at: Option<DateTime<Utc>>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<db::Account> for Account {
    fn from(row: db::Account) -> Self {
        let parked = row.state == "parked";
        Self {
            account_id: row.account_id,
            name: row.name,
            role_arn: row.role_arn,
            external_id: row.external_id,
            pod_execution_role_arn: row.pod_execution_role_arn,
            cluster_admin_arns: row.cluster_admin_arns,
            permissions_boundary_arn: row.permissions_boundary_arn,
            regions: row.regions,
            labels: row.labels.0,
            state: row.state,
            parked_reason: row.parked_reason.filter(|_| parked),
            next_probe_at: row.probe_at,
            last_verified_at: row.last_verified_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// An account to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "accountId": "111111111111",
    "name": "payments-production",
    "regions": ["eu-central-1"]
})))]
pub(in crate::http) struct AccountInput {
    /// The AWS account's id.
    pub account_id: AccountId,
    /// What people call it.
    pub name: AccountName,
    /// The role that the fleet assumes; `role/fargate-fleet` of the account by default.
    #[serde(default)]
    #[schema(value_type = RoleArn, required = false)]
    pub role_arn: Option<RoleArn>,
    /// The role of profiles that name none.
    #[serde(default, rename = "podExecutionRoleARN")]
    #[schema(value_type = RoleArn, required = false)]
    pub pod_execution_role_arn: Option<RoleArn>,
    /// IAM principals that become cluster admins, by access entries, of every cluster that is created
    /// here.
    #[serde(default, rename = "clusterAdminARNs")]
    #[schema(max_items = 20)]
    pub cluster_admin_arns: Vec<PrincipalArn>,
    /// The permissions boundary of every role that is created here: the ARN of a policy.
    #[serde(default, rename = "permissionsBoundaryARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub permissions_boundary_arn: Option<String>,
    /// Where jobs may run.
    #[schema(min_items = 1, max_items = 50)]
    pub regions: Vec<Region>,
    /// Free to use.
    #[serde(default)]
    #[schema(schema_with = super::super::openapi::shapes::labels, required = false)]
    pub labels: BTreeMap<String, String>,
}

/// What to change of an account. A field that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"name": "payments-staging", "labels": {"stage": "staging"}})))]
pub(in crate::http) struct AccountPatch {
    /// What people call it.
    #[serde(default)]
    #[schema(value_type = AccountName, required = false)]
    pub name: Option<AccountName>,
    /// The role that the fleet assumes.
    #[serde(default)]
    #[schema(value_type = RoleArn, required = false)]
    pub role_arn: Option<RoleArn>,
    /// The role of profiles that name none; an empty text removes it (as null does).
    #[serde(default, rename = "podExecutionRoleARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^(arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::[0-9]{12}:role/([!-.0-~][!-~]*/)?[A-Za-z0-9_+=,.@-]{1,64})?$"
    )]
    pub pod_execution_role_arn: Option<String>,
    /// IAM principals that become cluster admins of every cluster that is created here; replaces the
    /// list. Clusters that are there already stay as they are.
    #[serde(default, rename = "clusterAdminARNs")]
    #[schema(nullable = false, max_items = 20)]
    pub cluster_admin_arns: Option<Vec<PrincipalArn>>,
    /// The permissions boundary of every role that is created here; an empty text removes it (as null
    /// does).
    #[serde(default, rename = "permissionsBoundaryARN")]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+)?$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub permissions_boundary_arn: Option<String>,
    /// Where jobs may run; replaces the list.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 50)]
    pub regions: Option<Vec<Region>>,
    /// Free to use; replaces all labels.
    #[serde(default)]
    #[schema(schema_with = super::super::openapi::shapes::labels, required = false)]
    pub labels: Option<BTreeMap<String, String>>,
    /// `disabled` stops all work, `active` lets it go on and tries a parked account's role again.
    #[serde(default)]
    #[schema(schema_with = super::super::openapi::shapes::wanted_state, required = false)]
    pub state: Option<AccountState>,
}
