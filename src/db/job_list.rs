//! Lists of jobs: a walk over the caller's accounts, newest first.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::walk::{Looked, MAX_SOURCES, WINDOW, Walk};

/// Ids hold the time at which the API drew them, rows the database's time when they were written.
/// These are as far apart as the clocks of the two and the wait for the database.
const APART: TimeDelta = TimeDelta::minutes(5);

/// Which jobs to list. Empty lists mean: any.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of one of these accounts; none means all.
    pub account_ids: Option<Vec<String>>,
    /// In one of these states.
    pub states: Vec<String>,
    /// Other text columns and the values they may have.
    pub any_of: Vec<(Column, Vec<String>)>,
    /// Of one of these operations.
    pub operation_ids: Vec<Uuid>,
    /// Made after this.
    pub created_after: Option<DateTime<Utc>>,
    /// Made before this.
    pub created_before: Option<DateTime<Utc>>,
    /// Only those older than this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
    /// Look at so many rows at most.
    pub rows: i64,
}

/// A column that callers can filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `kind`
    Kind,
    /// `region`
    Region,
    /// `cluster_name`
    ClusterName,
    /// `profile_name`
    ProfileName,
    /// `requested_by`
    RequestedBy,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Region => "region",
            Self::ClusterName => "cluster_name",
            Self::ProfileName => "profile_name",
            Self::RequestedBy => "requested_by",
        }
    }
}

/// What filters look at.
const COLUMNS: &str = "j.account_id, j.job_id, j.kind, j.region, j.cluster_name, j.profile_name,
    j.requested_by, j.created_at, j.phase, j.state, j.cancel_requested, j.accepted";

/// Rows of one account before an id. Pairs are compared, not the account alone: only the primary key
/// is in that order. For an account with few jobs Postgres might else walk the jobs of all accounts.
const OF_ACCOUNT: &str = " from job_rows j where (j.account_id, j.job_id) < (source.account_id, ";

/// Where a list's jobs are looked for.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// In these accounts, one by one.
    Accounts(&'a [String]),
    /// In these operations, which hold few jobs each.
    Operations,
    /// Among all jobs; those of other accounts are passed over.
    All,
}

/// The part of the jobs that a window looks at: older than one, and not older than another.
#[derive(Debug, Clone, Copy)]
struct Range {
    before: Uuid,
    from: Uuid,
}

/// Lists the ids of jobs, newest first. In a transaction of [`super::walk::begin_list`].
pub async fn list_ids(
    connection: &mut PgConnection,
    filter: &JobFilter,
) -> Result<Looked<Uuid, Uuid>, sqlx::Error> {
    let accounts = filter.account_ids.as_deref();
    if accounts.is_some_and(<[String]>::is_empty) {
        return Ok(Looked::nothing());
    }
    let source = match accounts {
        _ if !filter.operation_ids.is_empty() => Source::Operations,
        Some(accounts) if accounts.len() <= MAX_SOURCES => Source::Accounts(accounts),
        _ => Source::All,
    };
    let mut range = range(filter);
    if wants_unfinished(filter)
        && let Some(items) = unfinished(&mut *connection, source, filter, range).await?
    {
        let reached = None;
        return Ok(Looked { items, reached });
    }
    let mut walk = Walk::of(filter.rows);
    let mut items = Vec::new();
    loop {
        let limit = filter.limit - i64::try_from(items.len()).unwrap_or(i64::MAX);
        let reached = reached(&mut *connection, source, (filter, limit), range, &walk).await?;
        let window = Range {
            from: reached.unwrap_or(range.from),
            ..range
        };
        let mut query = matching(source, (filter, limit), window, &walk);
        let found: Vec<Uuid> = query
            .build_query_scalar()
            .fetch_all(&mut *connection)
            .await?;
        items.extend(found);
        let full = i64::try_from(items.len()).is_ok_and(|found| found >= filter.limit);
        let Some(reached) = reached.filter(|_| !full) else {
            return Ok(Looked {
                items,
                reached: None,
            });
        };
        if !walk.goes_on() {
            return Ok(Looked {
                items,
                reached: Some(reached),
            });
        }
        range.before = reached;
    }
}

/// Whether only jobs that are not over are wanted, and of no certain operation.
fn wants_unfinished(filter: &JobFilter) -> bool {
    const OVER: [&str; 3] = ["succeeded", "failed", "canceled"];
    let over = |state: &String| OVER.contains(&state.as_str());
    filter.operation_ids.is_empty() && !filter.states.is_empty() && !filter.states.iter().any(over)
}

/// The jobs of a page of unfinished ones; none when there are so many that walking finds them soon.
///
/// Indexes hold those that are ready, blocked and parked, each kind apart. Of each kind so many are
/// looked at; if there are no more, these are all.
async fn unfinished(
    connection: &mut PgConnection,
    source: Source<'_>,
    filter: &JobFilter,
    range: Range,
) -> Result<Option<Vec<Uuid>>, sqlx::Error> {
    let max = filter.rows.min(WINDOW);
    let mut query = QueryBuilder::new("-- list_unfinished_jobs\nwith ready as materialized (");
    of_phase(
        &mut query,
        source,
        ("ready", "j.account_id", "j.account_id, j.ready_seq"),
        max,
    );
    query.push("), blocked as materialized (");
    // The index of blocked jobs has accounts in this order.
    let key = "j.account_id collate \"C\"";
    let order = "j.account_id collate \"C\", j.lane, j.seq";
    of_phase(&mut query, source, ("blocked", key, order), max);
    query.push("), parked as materialized (");
    of_phase(&mut query, Source::All, ("parked", "", "j.due_at"), max);
    query.push(
        "), complete as (
            select 1 as one
            where (select count(*) from ready) < ",
    );
    query.push_bind(max);
    query.push(" and (select count(*) from blocked) < ");
    query.push_bind(max);
    query.push(" and (select count(*) from parked) < ");
    query.push_bind(max);
    query.push(
        ") select page.job_id
        from complete
        left join lateral (
            select j.job_id
            from (
                select * from ready union all select * from blocked union all select * from parked
            ) as j
            where j.job_id < ",
    );
    query.push_bind(range.before);
    query.push(" and j.job_id >= ").push_bind(range.from);
    of_accounts(&mut query, filter);
    narrow(&mut query, filter);
    query.push(" order by j.job_id desc limit ");
    query.push_bind(filter.limit);
    query.push(") as page on true order by page.job_id desc");
    let found: Vec<Option<Uuid>> = query.build_query_scalar().fetch_all(connection).await?;
    // One row at least when these are all, if only to say that there is none.
    Ok((!found.is_empty()).then(|| found.into_iter().flatten().collect()))
}

/// The first jobs of a phase in the order of its index.
fn of_phase(
    query: &mut QueryBuilder<Postgres>,
    source: Source<'_>,
    (phase, key, order): (&str, &str, &str),
    max: i64,
) {
    if let Source::Accounts(accounts) = source {
        query.push("select found.* from unnest(");
        query.push_bind(accounts.to_vec());
        query.push("::text[]) as source (account_id) cross join lateral (select ");
        query
            .push(COLUMNS)
            .push(" from job_rows j where ")
            .push(key);
        query
            .push(" = source.account_id and j.phase = '")
            .push(phase);
        query.push("' order by ").push(order).push(" limit ");
        query.push_bind(max).push(") as found limit ");
    } else {
        query.push("select ").push(COLUMNS);
        query.push(" from job_rows j where j.phase = '").push(phase);
        query.push("' order by ").push(order).push(" limit ");
    }
    query.push_bind(max);
}

/// The ids between which all jobs of the wanted time lie.
fn range(filter: &JobFilter) -> Range {
    let latest = filter
        .created_before
        .and_then(|before| before.checked_add_signed(APART))
        .map_or(Uuid::max(), first_of);
    let from = filter
        .created_after
        .and_then(|after| after.checked_sub_signed(APART))
        .map_or(Uuid::nil(), first_of);
    Range {
        before: filter.before.unwrap_or(Uuid::max()).min(latest),
        from,
    }
}

/// The lowest id of a moment.
fn first_of(time: DateTime<Utc>) -> Uuid {
    const LAST: u64 = (1 << 48) - 1;
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(u128::from(millis.min(LAST)) << 80)
}

/// The oldest job that the next window looks at; none when it looks at all that are left.
async fn reached(
    connection: &mut PgConnection,
    source: Source<'_>,
    (filter, limit): (&JobFilter, i64),
    range: Range,
    walk: &Walk,
) -> Result<Option<Uuid>, sqlx::Error> {
    match source {
        Source::Operations => Ok(None),
        Source::Accounts(accounts) => {
            let each = walk.each(accounts.len());
            // Every job is wanted, so the newest of each account are enough.
            if !narrows(filter) && limit <= each {
                return Ok(None);
            }
            sqlx::query_scalar!(
                r#"-- list_jobs_reach: where the window of so many jobs of each account ends
                select last.job_id
                from unnest($1::text[]) as source (account_id)
                cross join lateral (
                    select j.job_id
                    from job_rows j
                    where (j.account_id, j.job_id) < (source.account_id, $2::uuid)
                      and (j.account_id, j.job_id) >= (source.account_id, $3::uuid)
                    order by j.account_id desc, j.job_id desc
                    offset $4
                    limit 1
                ) as last
                order by last.job_id desc
                limit 1"#,
                accounts,
                range.before,
                range.from,
                each - 1,
            )
            .fetch_optional(connection)
            .await
        }
        Source::All => {
            let each = walk.each(1);
            if !narrows(filter) && filter.account_ids.is_none() && limit <= each {
                return Ok(None);
            }
            sqlx::query_scalar!(
                r#"-- list_all_jobs_reach: where the window of so many jobs ends
                select job_id
                from job_rows
                where job_id < $1
                  and job_id >= $2
                order by job_id desc
                offset $3
                limit 1"#,
                range.before,
                range.from,
                each - 1,
            )
            .fetch_optional(connection)
            .await
        }
    }
}

/// Whether some jobs of the accounts are not wanted.
fn narrows(filter: &JobFilter) -> bool {
    !filter.states.is_empty()
        || !filter.any_of.is_empty()
        || filter.created_after.is_some()
        || filter.created_before.is_some()
}

/// The statement that reads a window, and keeps what is wanted of it. It holds only the conditions
/// that were asked for, so that Postgres plans for them.
fn matching(
    source: Source<'_>,
    (filter, limit): (&JobFilter, i64),
    range: Range,
    walk: &Walk,
) -> QueryBuilder<Postgres> {
    // Where every job is wanted, no more are read than a page holds.
    let every = !narrows(filter) && (is_of_accounts(source) || filter.account_ids.is_none());
    let most = |each: i64| if every { each.min(limit) } else { each };
    let mut query = QueryBuilder::new("-- list_jobs\nselect j.job_id from ");
    match source {
        Source::Accounts(accounts) => {
            query.push("unnest(").push_bind(accounts.to_vec());
            query.push("::text[]) as source (account_id) cross join lateral (select ");
            query.push(COLUMNS).push(OF_ACCOUNT);
            query.push_bind(range.before);
            query.push(") and (j.account_id, j.job_id) >= (source.account_id, ");
            query.push_bind(range.from);
            query.push(") order by j.account_id desc, j.job_id desc limit ");
            query.push_bind(most(walk.each(accounts.len())));
        }
        Source::All => {
            query.push("(select ").push(COLUMNS);
            query
                .push(" from job_rows j where j.job_id < ")
                .push_bind(range.before);
            query.push(" and j.job_id >= ").push_bind(range.from);
            query.push(" order by j.job_id desc limit ");
            query.push_bind(most(walk.each(1)));
        }
        // Without the fence Postgres might look for a few jobs of an operation among all jobs.
        Source::Operations => {
            query.push("(select ").push(COLUMNS);
            query.push(" from job_rows j where j.operation_id = any (");
            query.push_bind(filter.operation_ids.clone());
            query.push(") offset 0");
        }
    }
    query
        .push(") as j where j.job_id < ")
        .push_bind(range.before);
    query.push(" and j.job_id >= ").push_bind(range.from);
    if !is_of_accounts(source) {
        of_accounts(&mut query, filter);
    }
    narrow(&mut query, filter);
    query.push(" order by j.job_id desc limit ");
    query.push_bind(limit);
    query
}

fn is_of_accounts(source: Source<'_>) -> bool {
    matches!(source, Source::Accounts(_))
}

fn of_accounts(query: &mut QueryBuilder<Postgres>, filter: &JobFilter) {
    if let Some(accounts) = &filter.account_ids {
        query.push(" and j.account_id = any (");
        query.push_bind(accounts.clone()).push(")");
    }
}

fn narrow(query: &mut QueryBuilder<Postgres>, filter: &JobFilter) {
    for (column, values) in &filter.any_of {
        query.push(" and j.").push(column.name()).push(" = any (");
        query.push_bind(values.clone()).push(")");
    }
    if !filter.states.is_empty() {
        // As the view `jobs` has it. Whether a job is leased is asked by a subquery that stays one:
        // as a join, its plan would depend on how many leases there were at the last analyze.
        query.push(
            " and case
                when j.phase = 'finished' then j.state
                when (select l.job_id from leases l where (l.account_id, l.job_id) = (j.account_id, j.job_id)) is null
                    then j.state
                when j.cancel_requested and not j.accepted then 'canceling'
                else 'running'
            end = any (",
        );
        query.push_bind(filter.states.clone()).push(")");
    }
    if let Some(after) = filter.created_after {
        query.push(" and j.created_at > ").push_bind(after);
    }
    if let Some(before) = filter.created_before {
        query.push(" and j.created_at < ").push_bind(before);
    }
}
