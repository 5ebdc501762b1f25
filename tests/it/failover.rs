//! A pool on several servers: it goes where writes are taken.
//!
//! A server that takes no writes stands for a standby here; `bench/run F3` has a real one.

use std::time::Duration;

use fargate_fleet::config::Environment;
use fargate_fleet::database::Servers;
use fargate_fleet::throwaway_postgres::{Options, ThrowawayPostgres};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio_util::task::TaskTracker;

use crate::support::database::in_memory;

/// Bounds only catch a mistake: what they wait for takes a small part of them.
const BOUND: Duration = Duration::from_secs(30);
/// Of a pool.
const CONNECTIONS: u32 = 4;
/// Of both servers, which end with the test.
const PASSWORD: &str = "swordfish";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_go_to_the_server_that_takes_writes() {
    let (first, second) = two_servers().await;
    let (ours, theirs) = (i32::from(first.port()), i32::from(second.port()));
    let tasks = TaskTracker::new();
    takes_writes(&first, false).await;
    let pool = both(&first, &second).pool(CONNECTIONS, &tasks).await;
    assert_eq!(ports(&pool).await.unwrap(), all(theirs));

    takes_writes(&second, false).await;
    takes_writes(&first, true).await;
    until_all_are(&pool, ours).await;

    let mut direct = both(&first, &second).connect().await.unwrap();
    assert_eq!(port(&mut direct).await.unwrap(), ours);
    drop(direct);
    pool.close().await;
    tasks.close();
    let ended = tokio::time::timeout(BOUND, tasks.wait()).await;
    assert!(ended.is_ok(), "closing the pool ends what follows");
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_gone_is_replaced_by_the_other_server() {
    let (first, second) = two_servers().await;
    takes_writes(&second, false).await;
    let pool = both(&first, &second)
        .pool(CONNECTIONS, &TaskTracker::new())
        .await;
    assert_eq!(ports(&pool).await.unwrap(), all(i32::from(first.port())));
    first.stop().await;
    takes_writes(&second, true).await;
    until_all_are(&pool, i32::from(second.port())).await;
    pool.close().await;
    second.stop().await;
}

/// Two servers with the same password.
async fn two_servers() -> (ThrowawayPostgres, ThrowawayPostgres) {
    let start = async || {
        let options = Options {
            binaries: Environment::read().postgres_binaries(),
            parent: in_memory(),
            ..Options::default()
        };
        let server = ThrowawayPostgres::start(options).await.expect("a server");
        let alter = format!("alter role fleet password '{PASSWORD}'");
        execute(&server.admin_url(), &alter).await;
        server
    };
    tokio::join!(start(), start())
}

/// The URL of a database on these hosts.
fn url(hosts: &str, database: &str) -> String {
    format!("postgres://fleet:{PASSWORD}@{hosts}/{database}?sslmode=disable")
}

fn both(first: &ThrowawayPostgres, second: &ThrowawayPostgres) -> Servers {
    let (first, second) = (first.port(), second.port());
    let hosts = format!("127.0.0.1:{first},127.0.0.1:{second}");
    url(&hosts, "fleet").parse().unwrap()
}

async fn takes_writes(server: &ThrowawayPostgres, takes: bool) {
    let admin = url(&format!("127.0.0.1:{}", server.port()), "postgres");
    let value = if takes { "off" } else { "on" };
    let alter = format!("alter system set default_transaction_read_only = {value}");
    execute(&admin, &alter).await;
    execute(&admin, "select pg_reload_conf()").await;
}

async fn execute(url: &str, statement: &str) {
    let mut admin = PgConnection::connect(url).await.unwrap();
    admin.execute(AssertSqlSafe(statement)).await.unwrap();
    admin.close().await.unwrap();
}

async fn port(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("select inet_server_port()")
        .fetch_one(connection)
        .await
}

/// Where the pool's connections go, all held at the same time.
async fn ports(pool: &PgPool) -> Result<Vec<i32>, sqlx::Error> {
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(pool.acquire().await?);
    }
    let mut ports = Vec::new();
    for connection in &mut held {
        ports.push(port(connection).await?);
    }
    Ok(ports)
}

fn all(port: i32) -> Vec<i32> {
    vec![port; CONNECTIONS as usize]
}

async fn until_all_are(pool: &PgPool, wanted: i32) {
    let followed = async {
        while ports(pool).await.ok() != Some(all(wanted)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let followed = tokio::time::timeout(BOUND, followed).await;
    assert!(followed.is_ok(), "the pool did not follow in {BOUND:?}");
}
