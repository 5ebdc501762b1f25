//! No statement may wait forever: a server that dies without a word answers nothing, and says so
//! to nobody.
//!
//! ```text
//! let mut connection = bounded::connection(share).await?;
//! let done = bounded::within(statement(&mut connection)).await;
//! bounded::given_back(connection, done)
//! ```

use std::io;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::database::{Held, Share};

/// How long the queue's own statements may take; each does far less work than that.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, in bounded time.
pub(crate) async fn connection(share: &Share) -> Result<Held, sqlx::Error> {
    timeout(PATIENCE, share.connection())
        .await
        .map_err(|_| silent())?
}

/// Some work on it, in bounded time.
pub(crate) async fn within<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<Result<T, sqlx::Error>, Elapsed> {
    timeout(PATIENCE, work).await
}

/// The same for what has no connection of a share to give back.
pub(super) async fn answered<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(work).await.map_err(|_| silent())?
}

/// Gives the connection back, unless it has fallen silent: its pool would wait for it.
pub(crate) fn given_back<T>(
    connection: Held,
    done: Result<Result<T, sqlx::Error>, Elapsed>,
) -> Result<T, sqlx::Error> {
    done.unwrap_or_else(|_| {
        connection.discard();
        Err(silent())
    })
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the database did not answer in time",
    ))
}
