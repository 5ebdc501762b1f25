//! What people change about accounts: register, edit, delete.

use std::collections::BTreeMap;

use sqlx::PgExecutor;
use sqlx::types::Json;

use super::accounts::Account;

/// An account to be registered.
#[derive(Debug, Clone)]
pub struct NewAccount {
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
    pub labels: BTreeMap<String, String>,
}

/// What a person may set, as it shall be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What people call it.
    pub name: String,
    /// The role that workers assume.
    pub role_arn: String,
    /// For profiles that name no role.
    pub pod_execution_role_arn: Option<String>,
    /// Who administers every cluster that is made: ARNs of IAM principals.
    pub cluster_admin_arns: Vec<String>,
    /// The permissions boundary of every role that is made.
    pub permissions_boundary_arn: Option<String>,
    /// Where jobs may run.
    pub regions: Vec<String>,
    /// Free to use.
    pub labels: BTreeMap<String, String>,
    /// `active` or `disabled`; none leaves it, and the circuit breaker, as they are.
    pub state: Option<&'static str>,
}

/// Registers an account; `false` when it is registered already.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    account: &NewAccount,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "-- insert_account
        insert into accounts (
            account_id, name, role_arn, external_id, pod_execution_role_arn, regions, labels,
            cluster_admin_arns, permissions_boundary_arn
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (account_id) do nothing",
        account.account_id,
        account.name,
        account.role_arn,
        account.external_id,
        account.pod_execution_role_arn,
        &account.regions,
        Json(&account.labels) as _,
        &account.cluster_admin_arns,
        account.permissions_boundary_arn,
    )
    .execute(executor)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reads an account and holds it until the transaction ends: nobody else can change it meanwhile, and
/// jobs can be enqueued.
pub async fn find_for_change(
    executor: impl PgExecutor<'_>,
    account_id: &str,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"-- find_account_for_change
        select
            account_id, name, role_arn, external_id, pod_execution_role_arn,
            cluster_admin_arns, permissions_boundary_arn, regions,
            labels as "labels: Json<BTreeMap<String, String>>",
            state, role_failures, parked_reason, probe_at, last_verified_at, version,
            created_at, updated_at
        from accounts
        where account_id = $1
        for no key update"#,
        account_id,
    )
    .fetch_optional(executor)
    .await
}

/// Reads an account that is to be deleted, and holds it: no job can be enqueued meanwhile.
pub async fn find_for_update(
    executor: impl PgExecutor<'_>,
    account_id: &str,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"-- find_account_for_update
        select
            account_id, name, role_arn, external_id, pod_execution_role_arn,
            cluster_admin_arns, permissions_boundary_arn, regions,
            labels as "labels: Json<BTreeMap<String, String>>",
            state, role_failures, parked_reason, probe_at, last_verified_at, version,
            created_at, updated_at
        from accounts
        where account_id = $1
        for update"#,
        account_id,
    )
    .fetch_optional(executor)
    .await
}

/// Writes an account's settings. Setting it active closes its circuit breaker and wakes the workers.
pub async fn update(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    settings: &Settings,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- update_account
        with changed as (
            update accounts
            set name = $2,
                role_arn = $3,
                pod_execution_role_arn = $4,
                regions = $5,
                labels = $6,
                cluster_admin_arns = $8,
                permissions_boundary_arn = $9,
                state = coalesce($7, state),
                role_failures = case when $7::text is null then role_failures else 0 end,
                parked_reason = case when $7::text is null then parked_reason end,
                probe_at = case when $7::text is null then probe_at end,
                version = version + 1,
                updated_at = now()
            where account_id = $1
            returning state
        )
        select pg_notify('fleet_ready', '')
        from changed
        where state = 'active' and $7 = 'active'",
        account_id,
        settings.name,
        settings.role_arn,
        settings.pod_execution_role_arn,
        &settings.regions,
        Json(&settings.labels) as _,
        settings.state,
        &settings.cluster_admin_arns,
        settings.permissions_boundary_arn,
    )
    .fetch_all(executor)
    .await?;
    Ok(())
}

/// Counts the unfinished jobs of an account; asked while [`find_for_update`] holds it.
pub async fn unfinished_jobs(
    executor: impl PgExecutor<'_>,
    account_id: &str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- unfinished_jobs
        select count(*) as "jobs!"
        from job_rows
        where account_id = $1
          and phase in ('ready', 'blocked', 'parked')"#,
        account_id,
    )
    .fetch_one(executor)
    .await
}

/// Deletes an account's row. Its jobs stay as history.
pub async fn delete(executor: impl PgExecutor<'_>, account_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- delete_account
        delete from accounts
        where account_id = $1",
        account_id,
    )
    .execute(executor)
    .await?;
    Ok(())
}
