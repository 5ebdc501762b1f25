//! One row a worker process says that it lives; leases point at it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::types::PgInterval;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Handler, Shared};
use crate::database::Share;
use crate::queue::bounded;
use crate::queue::lease::Standing;

/// Registers, then renews three times a lease; registers anew, under a new id, when it was too late.
pub(super) async fn beat<H: Handler>(
    shared: Arc<Shared<H>>,
    publish: watch::Sender<Option<Standing>>,
    ended: CancellationToken,
) {
    let lease = shared.options.lease;
    while !shared.abandon.is_cancelled() {
        let sent = Instant::now();
        let current = publish.borrow().clone();
        match current {
            None => match register(
                &shared.heartbeat,
                shared.clock.uuid(),
                &shared.options.host,
                lease,
            )
            .await
            {
                Ok(worker) => {
                    publish.send_replace(Some(Standing::new(worker, sent, lease)));
                    shared.wake.notify_one();
                }
                Err(error) => tracing::warn!(%error, "registering the worker"),
            },
            Some(standing) => renew(&shared.heartbeat, &standing, sent, lease, &publish).await,
        }
        let pause = next_beat(publish.borrow().as_ref(), lease);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.abandon.cancelled() => return,
            // Steps that end while the worker stops need their lease to the last.
            () = ended.cancelled() => return,
        }
    }
}

fn next_beat(standing: Option<&Standing>, lease: Duration) -> Duration {
    if standing.is_some() {
        lease / 3
    } else {
        (lease / 10).min(Duration::from_secs(1))
    }
}

async fn renew(
    share: &Share,
    standing: &Standing,
    sent: Instant,
    lease: Duration,
    publish: &watch::Sender<Option<Standing>>,
) {
    let left = standing.until().saturating_duration_since(sent);
    let renewed = tokio::time::timeout(left, touch(share, standing.worker, left)).await;
    match renewed {
        Ok(Ok(true)) => standing.renew(sent, lease),
        Ok(Err(error)) if standing.holds() => tracing::warn!(%error, "renewing the leases"),
        _ => {
            tracing::warn!(worker.id = %standing.worker, "leases lost; the steps stop here");
            standing.lost.cancel();
            publish.send_replace(None);
        }
    }
}

async fn register(
    share: &Share,
    worker: Uuid,
    host: &str,
    lease: Duration,
) -> Result<Uuid, sqlx::Error> {
    let lease = PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(lease.as_micros()).unwrap_or(i64::MAX),
    };
    sqlx::query!(
        "-- register_worker
        insert into workers (worker_id, host, lease)
        values ($1, $2, $3)",
        worker,
        host,
        lease,
    )
    .execute(&mut *bounded::connection(share).await?)
    .await?;
    Ok(worker)
}

/// Writes the heartbeat. The bound is that of the lease: a connection that is silent for longer is
/// of no use.
async fn touch(share: &Share, worker: Uuid, left: Duration) -> Result<bool, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let touching = sqlx::query!(
        "-- heartbeat
        update workers
        set heartbeat_at = now()
        where worker_id = $1",
        worker,
    )
    .execute(&mut *connection);
    // A little sooner than the caller gives up, so that the connection can be thrown away.
    let touched = tokio::time::timeout(left.mul_f64(0.9), touching).await;
    Ok(bounded::given_back(connection, touched)?.rows_affected() == 1)
}

/// The worker has stopped in good order.
pub(super) async fn deregister(share: &Share, worker: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- deregister_worker
        delete from workers
        where worker_id = $1",
        worker,
    )
    .execute(&mut *bounded::connection(share).await?)
    .await?;
    Ok(())
}
