//! The loop in a worker process: fan out, claim, send; until it is told to stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::sender::Sender;
use crate::db::webhook_deliveries::{Claimed, UnderWay};

/// Between two sweeps of old deliveries.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);

/// How long one look at the database may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two tries to write what came of a sending.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The running loop.
pub struct Pump {
    tracker: TaskTracker,
    stopping: CancellationToken,
    abandon: CancellationToken,
}

impl Pump {
    /// Starts sending.
    #[must_use]
    pub fn start(sender: Sender) -> Self {
        let pump = Self {
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            abandon: CancellationToken::new(),
        };
        let turning = Turning {
            slots: Arc::new(Semaphore::new(sender.options().in_all.into())),
            under_way: Arc::default(),
            sent: Arc::new(Notify::new()),
            tracker: pump.tracker.clone(),
            abandon: pump.abandon.clone(),
            sender,
        };
        pump.tracker.spawn(turning.run(pump.stopping.clone()));
        pump
    }

    /// Claims no more, and lets what is on its way end within `grace`. What does not is sent again
    /// when its lease has run out.
    pub async fn drain(&self, grace: Duration) {
        self.stopping.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_err()
        {
            self.abandon.cancel();
            let _ = tokio::time::timeout(Duration::from_secs(1), self.tracker.wait()).await;
        }
    }
}

/// The deliveries that are under way, by the owner of their webhooks.
#[derive(Default)]
struct Sending(Mutex<HashMap<String, UnderWay>>);

/// One of them; over when dropped.
struct Held {
    sending: Arc<Sending>,
    owner: String,
    failing: bool,
}

impl Sending {
    fn begin(sending: &Arc<Self>, claimed: &Claimed) -> Held {
        let held = Held {
            sending: Arc::clone(sending),
            owner: claimed.owner.clone(),
            failing: claimed.failing,
        };
        held.add(1);
        held
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn by_owner(&self) -> HashMap<String, UnderWay> {
        self.held().clone()
    }
}

impl Held {
    fn add(&self, one: i64) {
        let mut held = self.sending.held();
        let of_owner = held.entry(self.owner.clone()).or_default();
        of_owner.all += one;
        if self.failing {
            of_owner.failing += one;
        }
        if of_owner.all == 0 {
            held.remove(&self.owner);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.add(-1);
    }
}

struct Turning {
    sender: Sender,
    slots: Arc<Semaphore>,
    under_way: Arc<Sending>,
    sent: Arc<Notify>,
    tracker: TaskTracker,
    abandon: CancellationToken,
}

impl Turning {
    async fn run(self, stopping: CancellationToken) {
        let poll_interval = self.sender.options().poll_interval;
        let mut swept_at = None;
        loop {
            // A server that dies without a word shall not hold the loop.
            match tokio::time::timeout(PATIENCE, self.turn()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "looking for webhook deliveries"),
                Err(_) => tracing::warn!("the database is silent on webhook deliveries"),
            }
            let now = self.sender.clock().monotonic();
            if swept_at.is_none_or(|at| now.saturating_duration_since(at) > SWEEP_INTERVAL) {
                swept_at = Some(now);
                if let Err(error) = self.sender.sweep().await {
                    tracing::warn!(%error, "sweeping old webhook deliveries");
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                // There may be more for the webhook that was busy.
                () = self.sent.notified() => {}
                () = tokio::time::sleep(poll_interval) => {}
            }
        }
    }

    async fn turn(&self) -> Result<(), sqlx::Error> {
        if !self.sender.anything().await? {
            return Ok(());
        }
        self.sender.fan_out().await?;
        let room = self.slots.available_permits();
        if room == 0 {
            return Ok(());
        }
        for claimed in self
            .sender
            .claim_beside(room, self.under_way.by_owner())
            .await?
        {
            let held = Sending::begin(&self.under_way, &claimed);
            // No more were claimed than there are permits, and only this task takes them.
            let permit = Arc::clone(&self.slots).try_acquire_owned();
            let (sender, sent) = (self.sender.clone(), Arc::clone(&self.sent));
            let (abandon, lease) = (self.abandon.clone(), sender.options().lease);
            self.tracker.spawn(async move {
                let sending = Box::pin(send(&sender, claimed));
                tokio::select! {
                    () = sending => {}
                    () = abandon.cancelled() => {}
                    // Then it is somebody else's.
                    () = tokio::time::sleep(lease) => {}
                }
                drop((held, permit));
                sent.notify_one();
            });
        }
        Ok(())
    }
}

/// Sends, and writes what came of it: again and again while the lease stands, because what a receiver
/// has accepted would come to it a second time.
async fn send(sender: &Sender, claimed: Claimed) {
    let sent = sender.send(&claimed).await;
    let mut pause = FIRST_PAUSE;
    loop {
        match sender.settle(&claimed, &sent).await {
            Ok(true) => return,
            Ok(false) => {
                tracing::info!(
                    delivery.id = %claimed.delivery_id,
                    "a webhook delivery was taken over while it was sent, or is written already"
                );
                return;
            }
            Err(error) => tracing::warn!(
                %error,
                delivery.id = %claimed.delivery_id,
                "writing what came of a webhook delivery; trying again while its lease stands"
            ),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
