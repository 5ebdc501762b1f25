//! The ground both sides stand on: one Postgres with default durability, a fresh database a run.

use fargate_fleet::config::Environment;
use fargate_fleet::database::Servers;
use fargate_fleet::service::MIGRATIONS;
use fargate_fleet::throwaway_postgres::{Options, ThrowawayPostgres};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio_util::task::TaskTracker;

/// A server whose commits are durable: `fsync`, `full_page_writes` and `synchronous_commit` on.
pub struct Ground {
    postgres: ThrowawayPostgres,
}

impl Ground {
    /// Starts the server.
    pub async fn start() -> anyhow::Result<Self> {
        let options = Options {
            binaries: Environment::read().postgres_binaries(),
            durable: true,
            shared_buffers_mib: 512,
            ..Options::default()
        };
        let postgres = ThrowawayPostgres::start(options).await?;
        Ok(Self { postgres })
    }

    /// The URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        self.postgres
            .url()
            .replace("/fleet?", &format!("/{database}?"))
    }

    /// Makes an empty database, in place of an older one of that name.
    pub async fn empty(&self, database: &str) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.postgres.admin_url()).await?;
        let drop = format!("drop database if exists {database} with (force)");
        admin.execute(AssertSqlSafe(drop)).await?;
        let create = format!("create database {database}");
        admin.execute(AssertSqlSafe(create)).await?;
        admin.close().await?;
        Ok(())
    }

    /// Makes an empty database with our schema; a pool on it.
    pub async fn ours(&self, database: &str) -> anyhow::Result<PgPool> {
        self.empty(database).await?;
        let pool = self.pool(database, 10).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(pool)
    }

    /// Another pool on a database, as the service makes its own.
    pub async fn pool(&self, database: &str, connections: u32) -> anyhow::Result<PgPool> {
        let servers: Servers = self.url(database).parse()?;
        Ok(servers.pool(connections, &TaskTracker::new()).await)
    }

    /// Stops the server and removes its data.
    pub async fn stop(self) {
        self.postgres.stop().await;
    }
}
