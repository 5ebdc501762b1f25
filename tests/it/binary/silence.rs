//! A database that dies without a word: requests are answered all the same.

use std::time::Duration;

use reqwest::Method;
use tokio::time::Instant;

use super::support::{ACCOUNT, Caller, Process, Stage, free_address, profile, profiles, until};
use crate::support::silence::{Silent, silenceable};
use nix::sys::signal::Signal;
use tokio_util::task::TaskTracker;

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

/// A port that nobody listens on, then a server that hangs up, then the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_a_database_that_is_away_and_says_why() {
    let mut stage = Stage::new().await;
    stage.token("viewer", &[]).await;
    let url: sqlx::postgres::PgConnectOptions = stage.url.parse().unwrap();
    let (host, port) = (url.get_host().to_owned(), url.get_port());
    let address = free_address();
    let away = stage
        .url
        .replace(&format!(":{port}/"), &format!(":{}/", address.port()));
    let variables = [
        ("DATABASE_URL", away.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
    ];
    let mut api = Process::start(&["serve", "--role", "api"], &variables);
    let place = format!("{}:{}", url.get_host(), address.port());
    let refused = format!("waiting for the database: {place}: Connection refused");
    api.logs(|line| line.contains(&refused)).await;

    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let resets = TaskTracker::new().spawn(async move {
        for _ in 0..3 {
            drop(listener.accept().await.unwrap());
        }
        listener
    });
    let listener = resets.await.unwrap();
    let forward = TaskTracker::new().spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = tokio::net::TcpStream::connect((host.as_str(), port))
                .await
                .unwrap();
            TaskTracker::new().spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    api.logs(|line| line.contains("serving")).await;
    api.signal(Signal::SIGTERM);
    assert!(api.ended().await.status.success());
    forward.abort();
    stage.url = away;
}

#[tokio::test]
async fn a_start_that_waits_can_be_ended_and_what_no_waiting_mends_ends_it() {
    let variables = [
        (
            "DATABASE_URL",
            "postgres://nobody:hunter2@127.0.0.1:9/nothing",
        ),
        ("FLEET_LISTEN", "127.0.0.1:0"),
    ];
    let mut api = Process::start(&["serve", "--role", "api"], &variables);
    let line = api
        .logs(|line| line.contains("waiting for the database"))
        .await;
    assert!(
        line.contains("127.0.0.1:9: ") && !line.contains("hunter2"),
        "{line}"
    );
    api.signal(Signal::SIGTERM);
    assert!(api.ended().await.status.success());

    let stage = Stage::new().await;
    let (before, _) = stage.url.rsplit_once('/').unwrap();
    let nothing = format!("{before}/no_such_database");
    let variables = [
        ("DATABASE_URL", nothing.as_str()),
        ("FLEET_LISTEN", "127.0.0.1:0"),
    ];
    let ended = Process::start(&["serve", "--role", "api"], &variables);
    let ended = ended.ended().await;
    assert_eq!(ended.status.code(), Some(1));
    let told = ended.stderr.join("\n");
    assert!(told.contains("no_such_database"), "{told}");
}
