//! LISTEN as a hint: one connection a process, for workers and for callers who wait for a job.
//!
//! Promises nothing: a notification may be lost, late or for nothing. Whoever waits also polls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{JOBS_CHANNEL, KNOWN_CHANNEL, READY_CHANNEL, bounded};
use crate::database::Share;

/// After so long without a word the connection is tested.
const QUIET: Duration = Duration::from_secs(10);

/// Those who wait for a change of a job.
#[derive(Clone, Default)]
pub struct Watchers {
    jobs: Arc<Mutex<HashMap<Uuid, Watched>>>,
    /// Raised when callers or accounts may have changed.
    epoch: Arc<AtomicU64>,
}

/// What is told of a change, and how many wait for it.
type Watched = (Arc<Notify>, usize);

/// One who waits; stops waiting when dropped.
pub struct Watch {
    watchers: Watchers,
    job_id: Uuid,
    notify: Arc<Notify>,
}

impl Watchers {
    /// Starts watching a job; changes from here on are noticed.
    #[must_use]
    pub fn watch(&self, job_id: Uuid) -> Watch {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (notify, watching) = jobs.entry(job_id).or_default();
        *watching += 1;
        Watch {
            watchers: self.clone(),
            job_id,
            notify: Arc::clone(notify),
        }
    }

    fn tell(&self, payload: &str) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if payload.is_empty() {
            jobs.values()
                .for_each(|(notify, _)| notify.notify_waiters());
            return;
        }
        for id in payload.split(',').filter_map(|id| Uuid::parse_str(id).ok()) {
            if let Some((notify, _)) = jobs.get(&id) {
                notify.notify_waiters();
            }
        }
    }

    /// Raised with every change of a caller or an account, and with everything that may hide one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    fn new_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    fn tell_all(&self) {
        self.new_epoch();
        self.tell("");
    }
}

impl Watch {
    /// A future that is already listening, to be made before the job is read.
    #[must_use]
    pub fn listen(&self) -> std::pin::Pin<Box<tokio::sync::futures::OwnedNotified>> {
        let mut listening = Box::pin(Arc::clone(&self.notify).notified_owned());
        listening.as_mut().enable();
        listening
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut jobs = self
            .watchers
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, watching)) = jobs.get_mut(&self.job_id) {
            *watching -= 1;
            if *watching == 0 {
                jobs.remove(&self.job_id);
            }
        }
    }
}

/// Listens until `stop`; reconnects when the connection is lost.
pub async fn listen(share: Share, wake: Arc<Notify>, watchers: Watchers, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = listen_once(&share, &wake, &watchers) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "listening for notifications; polling meanwhile");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

async fn listen_once(share: &Share, wake: &Notify, watchers: &Watchers) -> Result<(), sqlx::Error> {
    let mut listener = share.listener().await?;
    listener
        .listen_all([READY_CHANNEL, JOBS_CHANNEL, KNOWN_CHANNEL])
        .await?;
    // What was said while nobody listened.
    wake.notify_one();
    watchers.tell_all();
    while let Some(notification) = next(&mut listener).await? {
        match notification.channel() {
            READY_CHANNEL => wake.notify_one(),
            KNOWN_CHANNEL => watchers.new_epoch(),
            _ => watchers.tell(notification.payload()),
        }
    }
    Ok(())
}

/// The next notification. A connection that says nothing for long may have lost its server, which
/// nothing tells: it is asked.
async fn next(listener: &mut PgListener) -> Result<Option<PgNotification>, sqlx::Error> {
    loop {
        if let Ok(received) = timeout(QUIET, listener.try_recv()).await {
            return received;
        }
        bounded::answered(listener.execute("select 1")).await?;
    }
}
