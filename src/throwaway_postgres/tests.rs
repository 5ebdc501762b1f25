//! What a throw-away server promises: an answer while it lives, and nothing left when it does not.

use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};

use super::{Options, StartError, ThrowawayPostgres};

async fn answers(url: &str) -> i32 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let one = sqlx::query_scalar("select 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    one
}

/// The server's process id, from the file that Postgres keeps while it runs.
fn postmaster(directory: &Path) -> Pid {
    let file = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().trim().parse().unwrap())
}

fn nothing_is_left(directory: &Path, server: Pid) -> bool {
    !directory.exists() && kill(server, None) == Err(Errno::ESRCH)
}

async fn eventually_nothing_is_left(directory: &Path, server: Pid) {
    let gone = async {
        while !nothing_is_left(directory, server) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), gone)
        .await
        .expect("the server and its directory are still there");
}

#[tokio::test]
async fn a_started_server_answers_and_stop_leaves_nothing() {
    let server = ThrowawayPostgres::start(Options::default()).await.unwrap();
    assert_eq!(answers(&server.url()).await, 1);
    assert_eq!(answers(&server.admin_url()).await, 1);
    let directory = server.directory().to_owned();
    let process = postmaster(&directory);
    server.stop().await;
    assert!(nothing_is_left(&directory, process));
}

#[tokio::test]
async fn a_drop_without_stop_leaves_nothing_even_with_a_client_connected() {
    let server = ThrowawayPostgres::start(Options::default()).await.unwrap();
    let _client = PgConnection::connect(&server.url()).await.unwrap();
    let directory = server.directory().to_owned();
    let process = postmaster(&directory);
    drop(server);
    eventually_nothing_is_left(&directory, process).await;
}

#[tokio::test]
async fn two_servers_run_side_by_side() {
    let (first, second) = tokio::join!(
        ThrowawayPostgres::start(Options::default()),
        ThrowawayPostgres::start(Options {
            durable: true,
            ..Options::default()
        }),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.port(), second.port());
    assert_eq!(answers(&first.url()).await, 1);
    assert_eq!(answers(&second.url()).await, 1);
    tokio::join!(first.stop(), second.stop());
}

/// So a test binary can keep one server in a static for all its tests, each with its own runtime.
#[test]
fn a_server_outlives_the_runtime_that_started_it() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let server = runtime()
        .block_on(ThrowawayPostgres::start(Options::default()))
        .unwrap();
    runtime().block_on(async {
        assert_eq!(answers(&server.url()).await, 1);
        let directory = server.directory().to_owned();
        let process = postmaster(&directory);
        server.stop().await;
        assert!(nothing_is_left(&directory, process));
    });
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = ThrowawayPostgres::start(Options::default()).await.unwrap();
    let url = server.url().replace(&server.password, "guess");
    let refused = PgConnection::connect(&url).await;
    assert!(refused.is_err());
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_its_log_says() {
    let options = Options {
        max_connections: 0,
        ..Options::default()
    };
    let error = ThrowawayPostgres::start(options).await.unwrap_err();
    assert!(
        matches!(&error, StartError::Ended { log } if log.contains("max_connections")),
        "{error}"
    );
}
