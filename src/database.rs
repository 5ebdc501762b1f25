//! The way to the database: its servers, which of them is the primary, and a pool that follows it.
//!
//! A process has several pools, one for each of its [`Shares`]; they follow the primary together.
//!
//! With one server a pool is sqlx's own. With several, or when the URL asks for
//! `target_session_attrs=read-write`, one task looks at the primary every second; when that is gone
//! or takes no more writes, it asks all servers until one does, and points the pools there.
//! Connections to where the primary was are thrown away, which costs no round trip in the normal case.

mod follow;
mod primary;
mod servers;
mod shares;
mod waiting;

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::task::TaskTracker;

pub use servers::{Servers, ServersError};
pub use shares::{Connections, Halves, Held, Share, Shares, Sizes, Work, holds_one, second};

/// How long one may wait for a connection; the API's answer 503 comes after that.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);
/// Between two rounds of asking all servers.
const ASK_AGAIN: Duration = Duration::from_millis(250);

impl Servers {
    /// The shares of a process: connections to the primary, made when they are needed. What follows
    /// the primary runs on `tasks` and ends when the shares are closed.
    pub async fn shares(&self, sizes: Sizes, tasks: &TaskTracker) -> Shares {
        Shares::of(self.pools(Shares::sizes(sizes), tasks).await)
    }

    /// A single share, for what is no service.
    pub async fn share(&self, connections: u32, tasks: &TaskTracker) -> Share {
        Share::of(self.pool(connections, tasks).await)
    }

    /// A bare pool, for tools; the service has shares.
    pub async fn pool(&self, connections: u32, tasks: &TaskTracker) -> PgPool {
        let [pool] = self.pools([connections], tasks).await;
        pool
    }

    async fn pools<const N: usize>(
        &self,
        connections: [u32; N],
        tasks: &TaskTracker,
    ) -> [PgPool; N] {
        let options = connections.map(|connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_WITHIN)
        });
        if self.follows() {
            follow::pools(options, self.all(), tasks).await
        } else {
            options.map(|options| follow::tested(options).connect_lazy_with(self.first().clone()))
        }
    }

    /// One connection, to the primary; with several servers it waits until there is one.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        if !self.follows() {
            return PgConnection::connect_with(self.first()).await;
        }
        loop {
            if let Some(primary) = primary::find(self.all()).await {
                return Ok(primary.connection);
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
}

/// Whether the database can't be reached or has no room, which passes; all else is a fault of ours.
#[must_use]
pub fn is_passing(error: &sqlx::Error) -> bool {
    // Connection lost, transaction rolled back, out of resources, shut down or in recovery.
    const CLASSES: [&str; 4] = ["08", "40", "53", "57"];
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            CLASSES.iter().any(|class| code.starts_with(class)) || code == "25006"
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
