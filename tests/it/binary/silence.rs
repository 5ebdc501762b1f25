//! A database that dies without a word: requests are answered all the same.

use std::time::Duration;

use reqwest::Method;
use tokio::time::Instant;

use super::support::{ACCOUNT, Caller, Stage, profile, profiles, until};
use crate::support::silence::{Silent, silenceable};

/// A connection may take 3 seconds, a piece of a request's work 5; more than that is hanging.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_is_answered_with_503_in_seconds() {
    let mut stage = Stage::new().await;
    let admin = stage.token("admin", &[]).await;
    let (port, silence) = silenceable(&stage.url).await;
    let url: sqlx::postgres::PgConnectOptions = stage.url.parse().unwrap();
    let old = format!(":{}/", url.get_port());
    stage.url = stage.url.replace(&old, &format!(":{port}/"));
    let (api, address) = stage.api().await;
    let caller = Caller::new(&address, &admin);
    stage.register(&caller).await;

    silence.send(Silent::All).unwrap();
    let asked = Instant::now();
    let path = profiles(ACCOUNT);
    let (read, write) = tokio::join!(
        caller.get("/v1/jobs"),
        caller.call(Method::POST, &path, Some(profile("web"))),
    );
    let took = asked.elapsed();
    for (status, problem) in [read, write] {
        assert_eq!(status, 503, "{problem}");
        assert_eq!(problem["code"], "deadline_exceeded", "{problem}");
        assert_eq!(problem["retryable"], true, "{problem}");
        assert!(problem["retryAfterSeconds"].is_u64(), "{problem}");
    }
    assert!(took < ANSWERED_WITHIN, "it took {took:?}");

    // New connections find a server again.
    silence.send(Silent::Old).unwrap();
    until("requests are answered again", || async {
        caller.get("/v1/jobs").await.0 == 200
    })
    .await;
    api.die().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_does_not_end_is_answered_with_503_in_seconds() {
    let stage = Stage::new().await;
    let viewer = stage.token("viewer", &[]).await;
    let (api, address) = stage.api().await;
    let caller = Caller::new(&address, &viewer);
    let mut other = stage.database.pool.begin().await.unwrap();
    sqlx::query("lock table jobs")
        .execute(&mut *other)
        .await
        .unwrap();
    let asked = Instant::now();
    let (status, problem) = caller.get("/v1/jobs").await;
    assert_eq!(status, 503, "{problem}");
    assert_eq!(problem["code"], "deadline_exceeded", "{problem}");
    assert!(asked.elapsed() < ANSWERED_WITHIN);
    other.rollback().await.unwrap();
    assert_eq!(caller.get("/v1/jobs").await.0, 200);
    api.die().await;
    stage.end().await;
}
