//! `migrate` as several machines run it when a new version is rolled out.

use super::support::{Process, Stage};

#[tokio::test]
async fn several_at_once_bring_an_empty_database_up_to_date() {
    let stage = Stage::new().await;
    sqlx::raw_sql("drop schema public cascade; create schema public")
        .execute(&stage.database.pool)
        .await
        .unwrap();
    let variables = [("DATABASE_URL", stage.url.as_str())];
    let started: Vec<Process> = (0..4)
        .map(|_| Process::start(&["migrate"], &variables))
        .collect();
    for process in started {
        let ended = process.ended().await;
        assert!(ended.status.success(), "{:#?}", ended.stderr);
    }
    // An index that was given up half-way would be there, and of no use.
    let sound: bool = sqlx::query_scalar("select bool_and(indisvalid) from pg_index")
        .fetch_one(&stage.database.pool)
        .await
        .unwrap();
    assert!(sound);
}
