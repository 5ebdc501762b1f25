//! Lists of the audit trail: a walk over the trail, over what some actors did, or over the caller's
//! accounts, newest first.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::audit::AuditRow;
use super::walk::{Looked, MAX_SOURCES, Walk};

/// The trail is in the order of time, but for as long as a transaction takes.
const APART: TimeDelta = TimeDelta::minutes(1);

/// Which changes to list. Empty lists mean: any.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By one of these.
    pub actors: Vec<String>,
    /// One of these operations.
    pub actions: Vec<String>,
    /// Of one of these accounts; none means all, and those of no account.
    pub account_ids: Option<Vec<String>>,
    /// Only those that were refused, or only those that were not.
    pub denied: Option<bool>,
    /// After this.
    pub created_after: Option<DateTime<Utc>>,
    /// Before this.
    pub created_before: Option<DateTime<Utc>>,
    /// Only those older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
    /// Look at so many rows at most.
    pub rows: i64,
}

/// What a walk goes along: each of these values has an index in the order of the trail.
struct Source {
    column: Option<&'static str>,
    values: Vec<String>,
}

/// The part of the trail that a window looks at: older than one row, and not older than another.
#[derive(Debug, Clone, Copy)]
struct Range {
    before: i64,
    from: i64,
}

/// Lists changes, newest first. In a transaction of [`super::walk::begin_list`].
pub async fn list(
    connection: &mut PgConnection,
    filter: &AuditFilter,
) -> Result<Looked<AuditRow, i64>, sqlx::Error> {
    let source = source(filter);
    if source.column.is_some() && source.values.is_empty() {
        return Ok(Looked::nothing());
    }
    let mut range = range(&mut *connection, filter).await?;
    let mut walk = Walk::of(filter.rows);
    let mut items: Vec<AuditRow> = Vec::new();
    loop {
        let limit = filter.limit - i64::try_from(items.len()).unwrap_or(i64::MAX);
        // Where every row is wanted, the newest of each source are enough.
        let every = !narrows(&source, filter) && limit <= walk.each(source.values.len());
        let reached: Option<i64> = if every {
            None
        } else {
            let mut query = reach(&source, range, &walk);
            let reach = query.build_query_scalar();
            reach.fetch_optional(&mut *connection).await?
        };
        let window = Range {
            from: reached.unwrap_or(range.from),
            ..range
        };
        let mut query = matching(&source, (filter, limit), window, &walk);
        let found: Vec<AuditRow> = query.build_query_as().fetch_all(&mut *connection).await?;
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

/// What few people did is found by who they are; else the accounts are walked, if they are not many.
fn source(filter: &AuditFilter) -> Source {
    let (column, mut values) = match &filter.account_ids {
        Some(none) if none.is_empty() => (Some("account_id"), Vec::new()),
        _ if !filter.actors.is_empty() && filter.actors.len() <= MAX_SOURCES => {
            (Some("actor"), filter.actors.clone())
        }
        Some(accounts) if accounts.len() <= MAX_SOURCES => (Some("account_id"), accounts.clone()),
        _ => (None, Vec::new()),
    };
    values.sort_unstable();
    values.dedup();
    Source { column, values }
}

/// Whether some rows of the source are not wanted.
fn narrows(source: &Source, filter: &AuditFilter) -> bool {
    let other = |column: &str, asked: bool| asked && source.column != Some(column);
    !filter.actions.is_empty()
        || filter.denied.is_some()
        || filter.created_after.is_some()
        || filter.created_before.is_some()
        || other("actor", !filter.actors.is_empty())
        || other("account_id", filter.account_ids.is_some())
}

/// The rows between which all of the wanted time lie.
async fn range(connection: &mut PgConnection, filter: &AuditFilter) -> Result<Range, sqlx::Error> {
    let before = filter
        .created_before
        .and_then(|before| before.checked_add_signed(APART));
    let after = filter
        .created_after
        .and_then(|after| after.checked_sub_signed(APART));
    let latest = match before {
        Some(before) => first_since(&mut *connection, before).await?,
        None => i64::MAX,
    };
    let from = match after {
        Some(after) => first_since(&mut *connection, after).await?,
        None => i64::MIN,
    };
    Ok(Range {
        before: filter.before.unwrap_or(i64::MAX).min(latest),
        from,
    })
}

/// About the first row since a time: numbers grow with time, so halving finds it in a few looks.
async fn first_since(
    connection: &mut PgConnection,
    time: DateTime<Utc>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- first_audit_event_since
        with recursive halved (low, high) as (
            select coalesce(min(event_seq), 0), coalesce(max(event_seq), 0) + 1
            from audit_events
            union all
            select
                case when later then low else middle.event_seq + 1 end,
                case when later then (low + high) / 2 else high end
            from halved
            left join lateral (
                select a.event_seq, a.occurred_at
                from audit_events a
                where a.event_seq >= (low + high) / 2
                order by a.event_seq
                limit 1
            ) as middle on true
            cross join lateral (
                select middle.event_seq is null
                    or middle.event_seq >= high
                    or middle.occurred_at >= $1 as later
            ) as side
            where low < high
        )
        select max(low) as "first!"
        from halved"#,
        time,
    )
    .fetch_one(connection)
    .await
}

/// The statement that finds the oldest row of the next window.
fn reach(source: &Source, range: Range, walk: &Walk) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("-- list_audit_events_reach\nselect last.event_seq from ");
    let sources = from_source(&mut query, source, "e.event_seq");
    in_range(&mut query, source, range);
    query.push(" offset ").push_bind(walk.each(sources) - 1);
    query.push(" limit 1) as last order by last.event_seq desc limit 1");
    query
}

/// The statement that reads a window, and keeps what is wanted of it. It holds only the conditions
/// that were asked for, so that Postgres plans for them.
fn matching(
    source: &Source,
    (filter, limit): (&AuditFilter, i64),
    range: Range,
    walk: &Walk,
) -> QueryBuilder<Postgres> {
    const COLUMNS: &str = "e.event_seq, e.occurred_at, e.actor, e.on_behalf_of, e.action,
        e.account_id, e.resource, e.subject_id, e.request_id, e.detail";
    let mut query = QueryBuilder::new("-- list_audit_events\nselect e.* from ");
    let sources = from_source(&mut query, source, COLUMNS);
    in_range(&mut query, source, range);
    let each = walk.each(sources);
    let every = !narrows(source, filter);
    query.push(" limit ");
    query.push_bind(if every { each.min(limit) } else { each });
    query.push(") as e where true");
    let texts = [
        ("account_id", filter.account_ids.as_deref()),
        ("actor", Some(filter.actors.as_slice())),
        ("action", Some(filter.actions.as_slice())),
    ];
    for (column, values) in texts {
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            query.push(" and e.").push(column).push(" = any (");
            query.push_bind(values.to_vec()).push(")");
        }
    }
    match filter.denied {
        Some(true) => query.push(" and e.detail ->> 'outcome' = 'denied'"),
        Some(false) => query.push(" and (e.detail ->> 'outcome' = 'denied') is not true"),
        None => &mut query,
    };
    if let Some(after) = filter.created_after {
        query.push(" and e.occurred_at > ").push_bind(after);
    }
    if let Some(before) = filter.created_before {
        query.push(" and e.occurred_at < ").push_bind(before);
    }
    query.push(" order by e.event_seq desc limit ");
    query.push_bind(limit);
    query
}

/// Opens the subquery that is read of each source; how many there are.
fn from_source(query: &mut QueryBuilder<Postgres>, source: &Source, columns: &str) -> usize {
    let sources = if source.column.is_some() {
        query.push("unnest(").push_bind(source.values.clone());
        query.push("::text[]) as source (value) cross join lateral ");
        source.values.len()
    } else {
        1
    };
    query.push("(select ").push(columns);
    query.push(" from audit_events e where ");
    sources
}

/// The rows of a source in a range, newest first. Pairs are compared, not the value alone: only the
/// index of that column is in that order. For a value with few rows Postgres might else walk the
/// whole trail.
fn in_range(query: &mut QueryBuilder<Postgres>, source: &Source, range: Range) {
    let Range { before, from } = range;
    let Some(column) = source.column else {
        query.push("e.event_seq < ").push_bind(before);
        query.push(" and e.event_seq >= ").push_bind(from);
        query.push(" order by e.event_seq desc");
        return;
    };
    for (comparison, bound) in [("<", before), (">=", from)] {
        query.push("(e.").push(column).push(", e.event_seq) ");
        query.push(comparison).push(" (source.value, ");
        query.push_bind(bound).push("::bigint) and ");
    }
    query.push("true order by e.").push(column);
    query.push(" desc, e.event_seq desc");
}
