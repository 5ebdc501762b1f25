//! Lists look at a bounded number of rows, whatever the filters and however long the history is.
//!
//! Held on a small history with a small bound: what counts is that the rows and index entries that
//! Postgres looks at follow the bound and not the history, with plans for the values at hand and with
//! plans for any values. The plans at ten million rows are in `docs/plans`.

use chrono::{DateTime, TimeDelta, Utc};
use fargate_fleet::clock::Clock;
use fargate_fleet::db::audit_list::{self, AuditFilter};
use fargate_fleet::db::job_list::{self, Column, JobFilter};
use fargate_fleet::db::operations::{self, OperationFilter};
use fargate_fleet::db::webhook_deliveries::{self, DeliveryFilter};
use fargate_fleet::db::{jobs, walk};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::support::database::Database;

/// The bound of the lists here.
const ROWS: i64 = 500;
/// After so many runs of a statement Postgres considers a plan for any values.
const RUNS: usize = 7;
/// Rows of each kind in `plans/history.sql`: many times the bound.
const HISTORY: i32 = 20_000;
const ACCOUNT: &str = "000000000007";

/// What Postgres has looked at in a table since the transaction began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LookedAt {
    /// Scans of the whole table.
    scans: i64,
    /// Rows.
    rows: i64,
    /// Entries of its indexes.
    entries: i64,
}

async fn looked_at(connection: &mut PgConnection, table: &str) -> LookedAt {
    let (scans, rows, entries) = sqlx::query_as(
        "select
            pg_stat_get_xact_numscans($1::text::regclass),
            pg_stat_get_xact_tuples_returned($1::text::regclass)
                + pg_stat_get_xact_tuples_fetched($1::text::regclass),
            (
                select sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint
                from pg_index
                where indrelid = $1::text::regclass
            )",
    )
    .bind(table)
    .fetch_one(connection)
    .await
    .unwrap();
    LookedAt {
        scans,
        rows,
        entries,
    }
}

/// Runs a read often, and fails when it ever looks at the whole table or at more rows than it may.
async fn hold(
    connection: &mut PgConnection,
    (table, what, bound): (&str, &str, i64),
    read: impl AsyncFn(&mut PgConnection),
) {
    for run in 0..RUNS {
        let mut list = walk::begin_list(&mut *connection).await.unwrap();
        let before = looked_at(&mut list, table).await;
        read(&mut *list).await;
        let after = looked_at(&mut list, table).await;
        let rows = after.rows - before.rows;
        let entries = after.entries - before.entries;
        assert_eq!(
            after.scans, before.scans,
            "{what}, run {run}: {table} is read whole"
        );
        assert!(rows <= bound, "{what}, run {run}: {rows} rows of {table}");
        assert!(
            entries <= 3 * bound,
            "{what}, run {run}: {entries} entries of {table}"
        );
    }
}

/// A history of finished jobs of 50 accounts, one a second, the newest a second ago.
async fn fill(database: &Database) {
    sqlx::raw_sql(include_str!("plans/history.sql"))
        .execute(&database.pool)
        .await
        .unwrap();
    // Not in one text with others: those are one transaction.
    sqlx::raw_sql("vacuum analyze")
        .execute(&database.pool)
        .await
        .unwrap();
}

/// Sets of accounts: one, some, more than are walked one by one, all.
fn account_sets() -> [(&'static str, Option<Vec<String>>); 4] {
    let accounts = |count: usize| (0..count).map(|n| format!("{n:012}")).collect::<Vec<_>>();
    [
        ("one account", Some(vec![ACCOUNT.to_owned()])),
        ("40 accounts", Some(accounts(40))),
        ("300 accounts", Some(accounts(300))),
        ("all accounts", None),
    ]
}

/// A time in the middle of the history.
fn middle() -> DateTime<Utc> {
    Clock::system().now() - TimeDelta::seconds(i64::from(HISTORY) / 2)
}

fn job_filters() -> Vec<(&'static str, JobFilter)> {
    let filter = JobFilter::default;
    let column = |column, value: &str| JobFilter {
        any_of: vec![(column, vec![value.to_owned()])],
        ..filter()
    };
    vec![
        ("no filter", filter()),
        (
            "state",
            JobFilter {
                states: vec!["failed".to_owned()],
                ..filter()
            },
        ),
        (
            "unfinished states",
            JobFilter {
                states: vec!["running".to_owned(), "waiting".to_owned()],
                ..filter()
            },
        ),
        ("kind", column(Column::Kind, "create_cluster")),
        ("region", column(Column::Region, "us-east-1")),
        ("cluster", column(Column::ClusterName, "prod-2")),
        ("profile", column(Column::ProfileName, "fp")),
        ("requestedBy", column(Column::RequestedBy, "nobody")),
        (
            "operation",
            JobFilter {
                operation_ids: vec![Uuid::from_u128(5)],
                ..filter()
            },
        ),
        (
            "createdAfter",
            JobFilter {
                created_after: Some(middle()),
                ..column(Column::RequestedBy, "nobody")
            },
        ),
        (
            "createdBefore",
            JobFilter {
                created_before: Some(middle()),
                ..column(Column::RequestedBy, "nobody")
            },
        ),
        (
            "a later page",
            JobFilter {
                before: Some(Uuid::from_u128(u128::MAX >> 9)),
                ..column(Column::RequestedBy, "nobody")
            },
        ),
    ]
}

#[tokio::test]
async fn lists_of_jobs_look_at_no_more_rows_than_they_may() {
    let database = Database::new().await;
    fill(&database).await;
    let mut connection = database.pool.acquire().await.unwrap();
    for (accounts, account_ids) in account_sets() {
        for (filter, narrow) in job_filters() {
            let what = format!("jobs of {accounts}, {filter}");
            let filter = JobFilter {
                account_ids: account_ids.clone(),
                limit: 51,
                rows: ROWS,
                ..narrow
            };
            hold(
                &mut connection,
                ("job_rows", &what, ROWS + 100),
                async |list| {
                    job_list::list_ids(list, &filter).await.unwrap();
                },
            )
            .await;
        }
    }
}

/// The oldest 90 jobs of the history are not over: a third is parked, the others wait behind these.
const UNFINISHED: &str = "update job_rows
        set phase = case when lane_no = 0 then 'parked' else 'blocked' end,
            state = case when lane_no = 0 then 'waiting' else 'queued' end,
            lane = 'eu-central-1/' || n / 3,
            due_at = now() + interval '1 hour', finished_at = null
        from (
            select job_id as old, n, n % 3 as lane_no
            from (
                select job_id, row_number() over (order by job_id) as n from job_rows
            ) as oldest
            where n <= 90
        ) as oldest
        where job_id = old";

/// What is unfinished is found at once, however much is newer; where much is, walking finds it.
#[tokio::test]
async fn unfinished_jobs_are_found_behind_a_long_history() {
    let database = Database::new().await;
    fill(&database).await;
    for statement in [UNFINISHED, "vacuum analyze job_rows"] {
        let statement = sqlx::raw_sql(statement);
        statement.execute(&database.pool).await.unwrap();
    }
    let mut connection = database.pool.acquire().await.unwrap();
    let states = |states: &[&str]| states.iter().map(|state| (*state).to_owned()).collect();
    for (accounts, account_ids) in account_sets() {
        let of_account = |id: &str| {
            account_ids
                .as_ref()
                .is_none_or(|ids| ids.iter().any(|one| one == id))
        };
        let oldest = (0..90).map(|n| format!("{:012}", (HISTORY - n) % 50));
        let expected = oldest.filter(|id| of_account(id)).count();
        let filter = JobFilter {
            account_ids: account_ids.clone(),
            states: states(&["waiting", "queued", "running"]),
            limit: 101,
            rows: ROWS,
            ..JobFilter::default()
        };
        hold(
            &mut connection,
            ("job_rows", accounts, ROWS),
            async |list| {
                let found = job_list::list_ids(list, &filter).await.unwrap();
                assert_eq!(
                    (found.items.len(), found.reached),
                    (expected, None),
                    "{accounts}"
                );
                assert!(found.items.is_sorted_by(|one, next| one > next));
            },
        )
        .await;
        // More than a window looks at: then the newest first, as ever.
        let few = JobFilter {
            rows: 20,
            ..filter.clone()
        };
        let mut list = walk::begin_list(&mut connection).await.unwrap();
        let found = job_list::list_ids(&mut list, &few).await.unwrap();
        assert!(found.reached.is_some() || expected < 20, "{accounts}");
    }
}

fn audit_filters() -> Vec<(&'static str, AuditFilter)> {
    let filter = AuditFilter::default;
    let nobody = || AuditFilter {
        actions: vec!["none".to_owned()],
        ..filter()
    };
    vec![
        ("no filter", filter()),
        ("action", nobody()),
        (
            "actor",
            AuditFilter {
                actors: vec!["actor-1".to_owned()],
                ..nobody()
            },
        ),
        (
            "actors",
            AuditFilter {
                actors: vec!["actor-1".to_owned(), "nobody".to_owned()],
                ..nobody()
            },
        ),
        (
            "createdAfter",
            AuditFilter {
                created_after: Some(middle()),
                ..nobody()
            },
        ),
        (
            "createdBefore",
            AuditFilter {
                created_before: Some(middle()),
                ..nobody()
            },
        ),
        (
            "a later page",
            AuditFilter {
                before: Some(9_000),
                ..nobody()
            },
        ),
    ]
}

#[tokio::test]
async fn lists_of_the_audit_trail_look_at_no_more_rows_than_they_may() {
    let database = Database::new().await;
    fill(&database).await;
    let mut connection = database.pool.acquire().await.unwrap();
    for (accounts, account_ids) in account_sets() {
        for (name, narrow) in &audit_filters() {
            let what = format!("changes of {accounts}, {name}");
            let filter = AuditFilter {
                account_ids: account_ids.clone(),
                limit: 51,
                rows: ROWS,
                ..narrow.clone()
            };
            hold(
                &mut connection,
                ("audit_events", &what, ROWS + 100),
                async |list| {
                    audit_list::list(list, &filter).await.unwrap();
                },
            )
            .await;
        }
    }
}

/// The walk finds the moment from which a filter by time begins, so a page of it is not empty.
#[tokio::test]
async fn a_filter_by_time_begins_at_its_time() {
    let database = Database::new().await;
    fill(&database).await;
    let mut connection = database.pool.acquire().await.unwrap();
    let mut list = walk::begin_list(&mut connection).await.unwrap();
    let (before, rows) = (Some(middle()), ROWS);
    let filter = JobFilter {
        created_before: before,
        limit: 51,
        rows,
        ..JobFilter::default()
    };
    let found = job_list::list_ids(&mut list, &filter).await.unwrap();
    assert_eq!(found.items.len(), 51);
    let filter = AuditFilter {
        created_before: before,
        limit: 51,
        rows,
        ..AuditFilter::default()
    };
    let found = audit_list::list(&mut list, &filter).await.unwrap();
    assert_eq!(found.items.len(), 51);
    assert!(
        found
            .items
            .iter()
            .all(|row| row.occurred_at < before.unwrap())
    );
    // And ends with it: nothing older is looked at.
    let after = Some(Clock::system().now() - TimeDelta::seconds(30));
    let filter = AuditFilter {
        created_after: after,
        limit: 51,
        rows,
        ..AuditFilter::default()
    };
    let found = audit_list::list(&mut list, &filter).await.unwrap();
    assert!(
        (25..=35).contains(&found.items.len()),
        "{}",
        found.items.len()
    );
    assert!(found.reached.is_none());
}

#[tokio::test]
async fn other_lists_look_at_no_more_rows_than_they_may() {
    let database = Database::new().await;
    fill(&database).await;
    let mut connection = database.pool.acquire().await.unwrap();
    for (accounts, account_ids) in account_sets() {
        let what = format!("operations of {accounts}");
        let filter = OperationFilter {
            account_ids,
            limit: 51,
            rows: ROWS,
            ..OperationFilter::default()
        };
        hold(
            &mut connection,
            ("operations", &what, walk::WINDOW + 200),
            async |list| {
                operations::list(list, &filter).await.unwrap();
            },
        )
        .await;
        // Their jobs are counted: a hundred of each.
        hold(
            &mut connection,
            ("job_rows", &what, ROWS + 100),
            async |list| {
                operations::list(list, &filter).await.unwrap();
            },
        )
        .await;
    }
    for before in [None, Some(Uuid::from_u128(9_000))] {
        let filter = DeliveryFilter {
            webhook_id: Uuid::from_u128(1),
            states: Some(vec!["failed".to_owned()]),
            before,
            from: None,
            limit: 51,
        };
        let table = ("webhook_deliveries", "deliveries", ROWS + 100);
        hold(&mut connection, table, async |list| {
            let from = webhook_deliveries::reach(&mut *list, filter.webhook_id, before, ROWS);
            let filter = DeliveryFilter {
                from: from.await.unwrap(),
                ..filter.clone()
            };
            webhook_deliveries::list(&mut *list, &filter).await.unwrap();
        })
        .await;
    }
}

/// Reading a job costs the same at any depth of its lane.
#[tokio::test]
async fn a_place_in_a_lane_costs_the_same_at_any_depth() {
    let database = Database::new().await;
    sqlx::raw_sql(
        "insert into job_rows (
            account_id, job_id, kind, region, cluster_name, lane, phase, state, due_at, ready_seq,
            input, message, requested_by, deadline_at
        )
        select
            '000000000007', lpad(to_hex(n), 32, '0')::uuid, 'create_fargate_profile', 'eu-central-1',
            'prod-1', 'eu-central-1/prod-1', case when n = 1 then 'ready' else 'blocked' end, 'queued',
            now(), n, '{}', 'Queued.', 'somebody', now()
        from generate_series(1, 20000) as n;
        insert into lanes (account_id, lane, pending)
        values ('000000000007', 'eu-central-1/prod-1', 20000)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let statement = sqlx::raw_sql("vacuum analyze job_rows");
    statement.execute(&database.pool).await.unwrap();
    let mut connection = database.pool.acquire().await.unwrap();
    for (what, ids) in [
        ("the last", vec![Uuid::from_u128(20_000)]),
        ("the first", vec![Uuid::from_u128(2)]),
        ("a page", (19_000..20_000).map(Uuid::from_u128).collect()),
    ] {
        let bound = 1_100 + i64::try_from(ids.len()).unwrap();
        hold(&mut connection, ("job_rows", what, bound), async |read| {
            let found = jobs::load(&mut *read, None, &ids).await.unwrap();
            assert_eq!(found.len(), ids.len());
        })
        .await;
    }
}
