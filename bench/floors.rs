//! What Postgres itself needs on this machine for the smallest thing of a kind: the floors that our figures are
//! measured against. Each takes the URL of a database that may be used up, and makes its own table.

pub mod bulk;
pub mod chain;
pub mod insert;
pub mod wake;

use std::time::Duration;

use clap::Parser;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::Row;
use crate::figures::percentile;
use crate::ground::Ground;

/// `floors` prints them all.
pub const ROWS: &[Row] = &[Row {
    name: "floors",
    shows: "what Postgres needs for one INSERT, for many, and to wake a claimer",
    run: |options| tokio::runtime::Runtime::new()?.block_on(print(options)),
}];

/// The middle and the slow end of a latency.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub p50: Duration,
    pub p95: Duration,
}

impl Latency {
    fn of(mut samples: Vec<Duration>) -> Self {
        Self {
            p50: percentile(&mut samples, 0.5),
            p95: percentile(&mut samples, 0.95),
        }
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:?}, p95 {:?}", self.p50, self.p95)
    }
}

/// About 400 bytes of JSON, as the peers' jobs carry.
fn body() -> String {
    format!(
        r#"{{"number": 123456, "key": 123, "filler": "{}"}}"#,
        "x".repeat(350)
    )
}

/// A connection that has made the table anew.
async fn with_table(url: &str) -> anyhow::Result<PgConnection> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute("drop table if exists floor").await?;
    connection
        .execute(
            "create table floor (
                id bigint generated always as identity primary key,
                body jsonb not null,
                claimed boolean not null default false
            )",
        )
        .await?;
    Ok(connection)
}

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    /// How long each throughput is measured
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// How often each latency is measured
    #[arg(long, default_value_t = 500)]
    samples: u32,
}

async fn print(options: Vec<String>) -> anyhow::Result<()> {
    let Options { seconds, samples } = Options::try_parse_from(options)?;
    let ground = Ground::start().await?;
    ground.empty("floors").await?;
    let url = ground.url("floors");
    let eight = insert::measure(&url, 8, seconds).await?;
    println!(
        "one-row INSERT, 8 clients: {:.0} tps, {}",
        eight.tps, eight.latency
    );
    let one = insert::measure(&url, 1, seconds).await?;
    println!(
        "one-row INSERT, 1 client: {:.0} tps, {}",
        one.tps, one.latency
    );
    let rows = bulk::rows_per_second(&url, seconds).await?;
    println!("UNNEST of 500 rows, 2 connections: {rows:.0} rows/s");
    let wake = wake::measure(&url, samples).await?;
    println!("INSERT + NOTIFY + claim: {wake}");
    let chain = chain::measure(&url, samples).await?;
    println!("3 INSERT + 2 NOTIFY, one after the other: {chain}");
    ground.stop().await;
    Ok(())
}
