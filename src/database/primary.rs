//! Which server is the primary: the one whose sessions may write.

use std::time::Duration;

use futures_util::future::{FutureExt as _, select_ok};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

/// How long a server may take to say what it is; one that takes longer is of no use.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Between two looks at a primary.
const LOOK: Duration = Duration::from_secs(1);

/// The primary, and a connection to it.
pub(super) struct Primary {
    pub(super) server: PgConnectOptions,
    pub(super) connection: PgConnection,
}

/// Asks all servers at once; `None` when none of them takes writes.
pub(super) async fn find(servers: &[PgConnectOptions]) -> Option<Primary> {
    let asked = servers.iter().map(|server| {
        async move {
            let connected = timeout(PATIENCE, PgConnection::connect_with(server)).await;
            let mut connection = connected.ok()?.ok()?;
            takes_writes(&mut connection).await.then(|| Primary {
                server: server.clone(),
                connection,
            })
        }
        .map(|primary| primary.ok_or(()))
        .boxed()
    });
    let (primary, _) = select_ok(asked).await.ok()?;
    Some(primary)
}

/// Whether this session may write: its server answers, and is no standby.
pub(super) async fn takes_writes(connection: &mut PgConnection) -> bool {
    let asked = sqlx::query_scalar("select current_setting('transaction_read_only') = 'off'")
        .fetch_one(connection);
    matches!(timeout(PATIENCE, asked).await, Ok(Ok(true)))
}

impl Primary {
    /// Returns when it is the primary no more.
    pub(super) async fn watch(mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if !takes_writes(&mut self.connection).await {
                return;
            }
        }
    }
}
