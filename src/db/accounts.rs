//! The accounts of the fleet.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::types::Json;

/// An account's row.
#[derive(Debug, Clone)]
pub struct Account {
    /// 12 digits.
    pub account_id: String,
    /// What people call it.
    pub name: String,
    /// The role that workers assume.
    pub role_arn: String,
    /// What the role's trust policy demands.
    pub external_id: String,
    /// For profiles that name no role.
    pub pod_execution_role_arn: Option<String>,
    /// Who administers every cluster that is made: ARNs of IAM principals.
    pub cluster_admin_arns: Vec<String>,
    /// The permissions boundary of every role that is made.
    pub permissions_boundary_arn: Option<String>,
    /// Where jobs may run.
    pub regions: Vec<String>,
    /// Free to use.
    pub labels: Json<BTreeMap<String, String>>,
    /// `active`, `parked` or `disabled`.
    pub state: String,
    /// Failures to assume the role since the last success.
    pub role_failures: i32,
    /// AWS's words at the last failure.
    pub parked_reason: Option<String>,
    /// While parked: when the role is tried again.
    pub probe_at: Option<DateTime<Utc>>,
    /// When the account was last verified.
    pub last_verified_at: Option<DateTime<Utc>>,
    /// Raised by every change a person makes.
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Reads one account.
pub async fn find(
    executor: impl PgExecutor<'_>,
    account_id: &str,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"-- find_account
        select
            account_id, name, role_arn, external_id, pod_execution_role_arn,
            cluster_admin_arns, permissions_boundary_arn, regions,
            labels as "labels: Json<BTreeMap<String, String>>",
            state, role_failures, parked_reason, probe_at, last_verified_at, version,
            created_at, updated_at
        from accounts
        where account_id = $1"#,
        account_id,
    )
    .fetch_optional(executor)
    .await
}

/// Reads accounts by id; those that do not exist are left out.
pub async fn find_all(
    executor: impl PgExecutor<'_>,
    account_ids: &[String],
) -> Result<Vec<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"-- find_accounts
        select
            account_id, name, role_arn, external_id, pod_execution_role_arn,
            cluster_admin_arns, permissions_boundary_arn, regions,
            labels as "labels: Json<BTreeMap<String, String>>",
            state, role_failures, parked_reason, probe_at, last_verified_at, version,
            created_at, updated_at
        from accounts
        where account_id = any ($1)"#,
        account_ids,
    )
    .fetch_all(executor)
    .await
}

/// Which accounts to list.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Only these, when the caller may see no others.
    pub visible: Option<Vec<String>>,
    /// Only those in one of these states.
    pub states: Option<Vec<String>>,
    /// Only those after this one.
    pub after: Option<String>,
    /// Only this one, and those before it.
    pub to: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// The last of the next so many accounts, seen or not; none when fewer are left.
pub async fn reach(
    executor: impl PgExecutor<'_>,
    after: Option<&str>,
    rows: i64,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "-- list_accounts_reach
        select account_id
        from accounts
        where account_id > coalesce($1::text, '')
        order by account_id
        offset $2
        limit 1",
        after,
        rows - 1,
    )
    .fetch_optional(executor)
    .await
}

/// Lists accounts in the order of their ids.
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &AccountFilter,
) -> Result<Vec<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"-- list_accounts
        select
            account_id, name, role_arn, external_id, pod_execution_role_arn,
            cluster_admin_arns, permissions_boundary_arn, regions,
            labels as "labels: Json<BTreeMap<String, String>>",
            state, role_failures, parked_reason, probe_at, last_verified_at, version,
            created_at, updated_at
        from accounts
        where ($1::text[] is null or account_id = any ($1))
          and ($2::text[] is null or state = any ($2))
          and account_id > coalesce($3::text, '')
          and account_id <= coalesce($4::text, '~')
        order by account_id
        limit $5"#,
        filter.visible.as_deref() as Option<&[String]>,
        filter.states.as_deref() as Option<&[String]>,
        filter.after,
        filter.to,
        filter.limit,
    )
    .fetch_all(executor)
    .await
}
