//! The chain over the audit trail: nothing is missed, and nothing is changed unseen.

use fargate_fleet::audit::chain::Head;
use fargate_fleet::audit::seal::Sealer;
use fargate_fleet::audit::verify::{Break, Sound, VerifyError, verify};
use fargate_fleet::database::Share;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgExecutor, PgPool};

use crate::support::database::Database;

async fn record(executor: impl PgExecutor<'_>, actor: &str) {
    sqlx::query(
        "insert into audit_events (actor, action, account_id, resource, detail)
        values ($1, 'test', '111111111111', '/test', '{\"b\": 1.50, \"a\": [null]}')",
    )
    .bind(actor)
    .execute(executor)
    .await
    .unwrap();
}

/// The database as the sealer takes it.
fn share(pool: &PgPool) -> Share {
    Share::of(pool.clone())
}

async fn verified(pool: &PgPool, known: Option<Head>) -> Result<Sound, VerifyError> {
    verify(&mut pool.acquire().await.unwrap(), known).await
}

async fn sound(pool: &PgPool) -> Sound {
    verified(pool, None).await.unwrap()
}

/// The rows in the order of their seals.
async fn sealed(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("select event_seq from audit_seals order by seal_no")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// What an attacker does who owns the tables.
async fn tamper(connection: &mut PgConnection, sql: &str) {
    let sql = format!(
        "alter table audit_events disable trigger user;
        alter table audit_seals disable trigger user;
        {sql}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn rows_are_sealed_in_order_and_found_sound() {
    let database = Database::new().await;
    let pool = &database.pool;
    assert_eq!(sound(pool).await.head, Head::START);
    let mut sealer = Sealer::default();
    assert_eq!(sealer.round(&share(pool)).await.unwrap(), None);
    for actor in ["a", "b", "c"] {
        record(pool, actor).await;
    }
    let head = sealer.round(&share(pool)).await.unwrap().unwrap();
    assert_eq!(head.seal_no, 3);
    record(pool, "d").await;
    let found = sound(pool).await;
    assert_eq!((found.rows, found.unsealed, found.head), (3, 1, head));
    // Another process takes over; nothing new makes nothing new.
    let next = Sealer::default()
        .round(&share(pool))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.seal_no, 4);
    assert_eq!(sealer.round(&share(pool)).await.unwrap(), None);
    assert_eq!(sealed(pool).await, [1, 2, 3, 4]);
    for known in [Head::START, head, next] {
        assert_eq!(verified(pool, Some(known)).await.unwrap().rows, 4);
    }
}

#[tokio::test]
async fn a_row_that_is_committed_late_is_not_missed() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut sealer = Sealer::default();
    let mut late = pool.begin().await.unwrap();
    record(&mut *late, "first").await;
    record(pool, "second").await;
    sealer.round(&share(pool)).await.unwrap();
    assert_eq!(sealed(pool).await, [2], "the others need not wait for it");

    let mut later = pool.begin().await.unwrap();
    record(&mut *later, "third").await;
    for actor in ["fourth", "fifth", "sixth"] {
        record(pool, actor).await;
        sealer.round(&share(pool)).await.unwrap();
        assert_eq!(sealer.round(&share(pool)).await.unwrap(), None);
    }
    assert_eq!(sealed(pool).await, [2, 4, 5, 6]);
    late.commit().await.unwrap();
    sealer.round(&share(pool)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(sealer.round(&share(pool)).await.unwrap(), None);
    }
    later.commit().await.unwrap();
    sealer.round(&share(pool)).await.unwrap();
    assert_eq!(
        sealed(pool).await,
        [2, 4, 5, 6, 1, 3],
        "in the order of their commits"
    );
    let found = sound(pool).await;
    assert_eq!((found.rows, found.unsealed), (6, 0));
}

#[tokio::test]
async fn a_number_that_was_rolled_back_holds_nothing_up() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut sealer = Sealer::default();
    for round in 0..4 {
        let mut undone = pool.begin().await.unwrap();
        record(&mut *undone, "never").await;
        record(pool, "ever").await;
        sealer.round(&share(pool)).await.unwrap();
        undone.rollback().await.unwrap();
        sealer.round(&share(pool)).await.unwrap();
        assert_eq!(sound(pool).await.rows, round + 1);
    }
    assert_eq!(sealed(pool).await, [2, 4, 6, 8]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_and_several_sealers_make_one_chain() {
    const WRITERS: usize = 8;
    const ROWS: usize = 40;
    let database = Database::new().await;
    let write = |writer: usize| {
        let pool = database.pool.clone();
        async move {
            for row in 0..ROWS {
                let mut transaction = pool.begin().await.unwrap();
                record(&mut *transaction, &format!("writer {writer}")).await;
                if row % 3 == writer % 3 {
                    // Others overtake it.
                    tokio::task::yield_now().await;
                    record(&pool, "meanwhile").await;
                }
                if row % 7 == 0 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        }
    };
    let done = tokio_util::sync::CancellationToken::new();
    let seal = || {
        let (pool, done) = (database.another_pool(), done.clone());
        async move {
            let mut sealer = Sealer::default();
            while !done.is_cancelled() {
                sealer.round(&share(&pool)).await.unwrap();
            }
        }
    };
    let writing = async {
        futures_util::future::join_all((0..WRITERS).map(write)).await;
        done.cancel();
    };
    tokio::join!(writing, seal(), seal(), seal());
    Sealer::default()
        .round(&share(&database.pool))
        .await
        .unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from audit_events")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let found = sound(&database.pool).await;
    assert_eq!(
        (found.rows, found.unsealed, found.head.seal_no),
        (rows, 0, rows)
    );
}

#[tokio::test]
async fn a_long_trail_is_sealed_at_once() {
    let database = Database::new().await;
    let pool = &database.pool;
    sqlx::query(
        "insert into audit_events (actor, action, resource)
        select 'a', 'test', '/' from generate_series(1, 12000)",
    )
    .execute(pool)
    .await
    .unwrap();
    let head = Sealer::default().round(&share(pool)).await.unwrap();
    assert_eq!(head.unwrap().seal_no, 12_000);
    assert_eq!(sound(pool).await.rows, 12_000);
}

#[tokio::test]
async fn audit_rows_and_seals_are_append_only() {
    let database = Database::new().await;
    let pool = &database.pool;
    record(pool, "a").await;
    Sealer::default().round(&share(pool)).await.unwrap();
    for (table, column) in [("audit_events", "actor"), ("audit_seals", "sealed_at")] {
        for change in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(change.clone()))
                .execute(pool)
                .await;
            let refused = refused.expect_err(&change);
            let refused = refused.as_database_error().unwrap();
            assert_eq!(refused.code().as_deref(), Some("42501"), "{change}");
            assert_eq!(refused.message(), format!("{table} is append-only"));
        }
    }
    assert_eq!(sound(pool).await.rows, 1);
}

#[tokio::test]
async fn whatever_is_changed_is_found_and_named() {
    let database = Database::new().await;
    let pool = &database.pool;
    for _ in 0..6 {
        record(pool, "a").await;
    }
    let head = Sealer::default()
        .round(&share(pool))
        .await
        .unwrap()
        .unwrap();
    let (event_seq, seal_no) = (3, 3);
    let changed = Break::RowChanged { event_seq, seal_no };
    let exchanged = Break::SealChanged { event_seq, seal_no };
    let gone = Break::SealRemoved { seal_no };
    let cut = Break::CutOff { end: 2, seal_no: 6 };
    let row = |column: &str| format!("update audit_events set {column} where event_seq = 3");
    let seal = |column: &str| format!("update audit_seals set {column} where seal_no = 3");
    let mut connection = pool.acquire().await.unwrap();
    for (sql, expected) in [
        (row("actor = 'b'"), &changed),
        (row("on_behalf_of = 'b'"), &changed),
        (row("action = 'b'"), &changed),
        (row("account_id = null"), &changed),
        (row("resource = 'b'"), &changed),
        (row("subject_id = '0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f'"), &changed),
        (row("request_id = ''"), &changed),
        (row("detail = '{\"a\": [null], \"b\": 1.5}'"), &changed),
        (row("occurred_at = occurred_at + interval '1 microsecond'"), &changed),
        ("delete from audit_events where event_seq = 3".to_owned(), &Break::RowRemoved { event_seq, seal_no }),
        (seal("row_sha256 = sha256('x')"), &exchanged),
        (seal("seal_sha256 = sha256('x')"), &exchanged),
        (seal("sealed_at = sealed_at + interval '1 microsecond'"), &exchanged),
        (seal("event_seq = 9"), &Break::SealChanged { event_seq: 9, seal_no }),
        ("delete from audit_seals where seal_no = 3".to_owned(), &gone),
        ("delete from audit_seals where seal_no = 3; delete from audit_events where event_seq = 3".to_owned(), &gone),
        ("delete from audit_seals where seal_no > 2; delete from audit_events where event_seq > 2".to_owned(), &cut),
    ] {
        let mut transaction = connection.begin().await.unwrap();
        tamper(&mut transaction, &sql).await;
        let found = verify(&mut transaction, Some(head)).await;
        match found {
            Err(VerifyError::Broken { sound: 2, what }) => assert_eq!(what, *expected, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
        transaction.rollback().await.unwrap();
    }
    assert_eq!(verify(&mut connection, Some(head)).await.unwrap().rows, 6);
}

#[tokio::test]
async fn a_chain_that_was_rewritten_is_found_by_who_kept_its_head() {
    let database = Database::new().await;
    let pool = &database.pool;
    for _ in 0..4 {
        record(pool, "a").await;
    }
    let head = Sealer::default().round(&share(pool)).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let rewritten = "update audit_events set actor = 'b' where event_seq = 2;
        delete from audit_seals;
        alter table audit_events enable trigger user;
        alter table audit_seals enable trigger user;";
    tamper(&mut connection, rewritten).await;
    Sealer::default().round(&share(pool)).await.unwrap();
    assert_eq!(sound(pool).await.rows, 4);
    match verified(pool, head).await {
        Err(VerifyError::Broken { what, .. }) => assert_eq!(what, Break::OtherChain { seal_no: 4 }),
        other => panic!("{other:?}"),
    }
}
