//! The circuit breaker of an account's role: after a few failures the account is parked, then one
//! job at a time probes it, until one gets through.

use sqlx::PgExecutor;

/// Failures in a row that park an account.
pub const FAILURES_TO_PARK: i32 = 3;

/// Whether the account was parked by this failure, or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Jobs of the account are no longer claimed, but for the probe.
    pub parked: bool,
}

/// Counts a failure to assume the role, and parks the account when it was one too many.
///
/// Between probes: half a minute, doubled with each that fails, up to ten minutes, divided by
/// `time_scale`.
pub async fn role_failed(
    executor: impl PgExecutor<'_>,
    account_id: &str,
    reason: &str,
    time_scale: f64,
) -> Result<Failed, sqlx::Error> {
    let state = sqlx::query_scalar!(
        "-- role_failed
        update accounts
        set role_failures = role_failures + case when state = 'parked' and not probing then 0 else 1 end,
            probing = false,
            parked_reason = $2,
            state = case
                when state = 'active' and role_failures + 1 >= $3 then 'parked'
                else state
            end,
            probe_at = case
                -- steps that were under way when the account was parked say nothing new
                when state = 'parked' and not probing then probe_at
                when state = 'parked' or (state = 'active' and role_failures + 1 >= $3)
                then now() + interval '1 second' / $4::float8 * least(
                    30 * power(2, least(greatest(role_failures + 1 - $3, 0), 10)),
                    600
                )
            end
        where account_id = $1
        returning state",
        account_id,
        reason,
        FAILURES_TO_PARK,
        time_scale.max(0.001),
    )
    .fetch_optional(executor)
    .await?;
    Ok(Failed {
        parked: state.is_some_and(|state| state == "parked"),
    })
}

/// The role was assumed: closes the breaker, and wakes the workers for the jobs that waited.
pub async fn role_worked(
    executor: impl PgExecutor<'_>,
    account_id: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- role_worked
        with mended as (
            update accounts
            set role_failures = 0,
                parked_reason = null,
                state = case when state = 'parked' then 'active' else state end,
                probing = false,
                probe_at = null
            where account_id = $1
              and (role_failures > 0 or state = 'parked')
            returning account_id
        )
        select pg_notify('fleet_ready', '')
        from mended",
        account_id,
    )
    .fetch_all(executor)
    .await?;
    Ok(())
}
