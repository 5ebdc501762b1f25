//! `migrate`: brings the schema up to date; safe to run twice, and from several machines at once.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use fargate_fleet::config::Environment;
use fargate_fleet::service::MIGRATIONS;
use sqlx::Connection as _;

/// How long connecting may take, name resolution and TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// What `migrate` takes: nothing; the database is a setting.
#[derive(Debug, Args)]
pub(crate) struct Migrate {}

impl Migrate {
    /// Applies what is missing, one migration after another, under Postgres' advisory lock.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let database = environment.database()?;
        let mut connection = tokio::time::timeout(CONNECT_WITHIN, database.servers.connect())
            .await
            .context("the database did not answer in 30 s")?
            .context("connecting to the database")?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .context("applying the migrations")?;
        tracing::info!("the schema is up to date");
        connection
            .close()
            .await
            .context("closing the connection to the database")
    }
}
