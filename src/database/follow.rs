//! Pools that follow the primary.
//!
//! Promises: a connection that they hand out was made to the server that is the primary, after that
//! became one; nobody waits on a connection that fell silent; an acquire costs no round trip, but
//! for one on a connection that has been idle.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::servers::place;
use super::{ASK_AGAIN, primary};

/// How long a start waits for a primary before it goes on without one.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// A connection that has been idle for longer is tested before it is used.
const FRESH: Duration = Duration::from_secs(1);
/// How long that test may take.
const TEST_WITHIN: Duration = Duration::from_secs(1);

/// Since when the primary has been one; `None` while there is none.
#[derive(Clone, Default)]
struct Reign(Arc<Mutex<Option<Instant>>>);

impl Reign {
    fn begins(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn ends(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether a connection of this age was made in it.
    fn has_seen(&self, age: Duration) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| age <= since.elapsed())
    }
}

/// Makes the pools, once a primary is found.
pub(super) async fn pools<const N: usize>(
    options: [PgPoolOptions; N],
    servers: &[PgConnectOptions],
    tasks: &TaskTracker,
) -> [PgPool; N] {
    let reign = Reign::default();
    let pools =
        options.map(|options| hooked(options, &reign).connect_lazy_with(servers[0].clone()));
    let (found, first) = oneshot::channel();
    tasks.spawn(follow(pools.to_vec(), servers.to_vec(), reign, found));
    if timeout(FIRST_WITHIN, first).await.is_err() {
        tracing::warn!("no database server takes writes; trying on");
    }
    pools
}

fn hooked(options: PgPoolOptions, reign: &Reign) -> PgPoolOptions {
    let (before_use, after_use) = (reign.clone(), reign.clone());
    options
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                if primary::takes_writes(connection).await {
                    return Ok(());
                }
                Err(sqlx::Error::Protocol("the server takes no writes".into()))
            })
        })
        .before_acquire(move |connection, meta| {
            let usable = before_use.has_seen(meta.age);
            Box::pin(
                async move { Ok(usable && (meta.idle_for < FRESH || lives(connection).await)) },
            )
        })
        .after_release(move |_, meta| {
            let usable = after_use.has_seen(meta.age);
            Box::pin(async move { Ok(usable) })
        })
}

/// The same test for a pool of one server: a round trip only for a connection that has been idle.
pub(super) fn tested(options: PgPoolOptions) -> PgPoolOptions {
    options
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            let fresh = meta.idle_for < FRESH;
            Box::pin(async move { Ok(fresh || lives(connection).await) })
        })
}

async fn lives(connection: &mut PgConnection) -> bool {
    matches!(timeout(TEST_WITHIN, connection.ping()).await, Ok(Ok(())))
}

/// Points the pools at the primary, whichever that is, until the last of them is closed.
async fn follow(
    pools: Vec<PgPool>,
    servers: Vec<PgConnectOptions>,
    reign: Reign,
    found: oneshot::Sender<()>,
) {
    let mut found = Some(found);
    let following = async {
        loop {
            let Some(primary) = primary::find(&servers).await else {
                tokio::time::sleep(ASK_AGAIN).await;
                continue;
            };
            let place = place(&primary.server);
            for pool in &pools {
                pool.set_connect_options(primary.server.clone());
            }
            reign.begins();
            tracing::info!(database.primary = %place, "found the primary");
            if let Some(found) = found.take() {
                // The start may have gone on without.
                let _ = found.send(());
            }
            primary.watch().await;
            reign.ends();
            tracing::warn!(database.primary = %place, "the primary is gone or takes no writes; asking all servers");
        }
    };
    let Some(last) = pools.last() else { return };
    // An error means that the pool was closed.
    let _ = last.close_event().do_until(following).await;
}
