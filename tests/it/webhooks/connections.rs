//! Deliveries beside other work on the database: how many connections they may have.

use std::sync::Arc;
use std::time::Duration;

use fargate_fleet::webhooks::{Pump, SenderOptions};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Semaphore;

use super::support::{Receiver, count, options, patch, post, sender_on};
use crate::support::app::{ACCOUNT, TestApp};

/// A process's pool, as small as it may be beside LISTEN.
fn small_pool(app: &TestApp, patience: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(5)
        .acquire_timeout(patience)
        .connect_lazy_with((*app.pool.connect_options()).clone())
}

fn at_once() -> SenderOptions {
    SenderOptions {
        timeout: Duration::from_secs(50),
        ..options()
    }
}

/// Waits, for a bounded time, until so many rows are there.
async fn until(app: &TestApp, from: &str, rows: i64) {
    let waiting = async {
        while count(&app.pool, from).await != rows {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    let stands = count(&app.pool, from).await;
    assert!(waited.is_ok(), "{stands} of {rows}: {from}");
}

/// Connections of this database that wait for a lock.
const WAITING: &str =
    "pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";

/// As many receivers as are told at once are slow, answer at the same moment, and then the database
/// is slow to take what came of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deliveries_hold_no_connection_while_they_are_sent_and_few_after_it() {
    let gate = Arc::new(Semaphore::new(0));
    let (app, receiver) = (TestApp::start().await, Receiver::gated(&gate).await);
    for n in 0..8 {
        let webhook = app.create_webhook(&receiver.url()).await;
        if n % 2 == 0 {
            // One owner's deliveries may fill half of the slots.
            patch(&app, &webhook, json!({"accountIds": [ACCOUNT]})).await;
        }
        for _ in 0..8 {
            post(&app, &webhook, "test").await;
        }
    }
    let pool = small_pool(&app, Duration::from_secs(10));
    let pump = Pump::start(sender_on(&pool, at_once()));
    receiver.wait_for(64).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(pool.acquire().await.expect("none is held while sending"));
    }
    drop(all);
    let mut slow = app.pool.begin().await.unwrap();
    sqlx::query("select from webhooks for update")
        .execute(&mut *slow)
        .await
        .unwrap();
    gate.add_permits(64);
    until(&app, WAITING, 1).await;
    // One is for the pump's look for more.
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(pool.acquire().await.expect("the others' connections"));
    }
    assert_eq!(
        count(&app.pool, WAITING).await,
        1,
        "one at a time is written"
    );
    drop(others);
    slow.rollback().await.unwrap();
    until(&app, "webhook_deliveries where state = 'succeeded'", 64).await;
    assert_eq!(receiver.count(), 64, "each is sent once");
    pump.drain(Duration::from_secs(10)).await;
    receiver.stop().await;
    app.end().await;
}

/// The pool is exhausted for longer than an acquire waits, just when the receiver has accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_receiver_accepted_is_written_when_the_database_has_time_again() {
    let gate = Arc::new(Semaphore::new(0));
    let (app, receiver) = (TestApp::start().await, Receiver::gated(&gate).await);
    let webhook = app.create_webhook(&receiver.url()).await;
    post(&app, &webhook, "test").await;
    let pool = small_pool(&app, Duration::from_millis(100));
    let pump = Pump::start(sender_on(&pool, at_once()));
    receiver.wait_for(1).await;
    let mut all = Vec::new();
    while all.len() < 5 {
        all.extend(pool.acquire().await);
    }
    gate.add_permits(1);
    // As long as the write's own attempts.
    for _ in 0..3 {
        assert!(pool.acquire().await.is_err());
    }
    drop(all);
    until(&app, "webhook_deliveries where state = 'succeeded'", 1).await;
    assert_eq!(receiver.count(), 1, "it is not sent again");
    pump.drain(Duration::from_secs(10)).await;
    receiver.stop().await;
    app.end().await;
}
