//! The issuer's keys as they were read last, and when they are read again.
//!
//! One task reads them: at start, when a token names a key that is not there, and, so that a key
//! that was taken back stops counting, when a token comes and they are older than ten minutes. It
//! never begins twice within 30 seconds. Requests wait for it only when no known key would do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fetch;
use super::key_set::{Found, Key, KeySet};
use super::options::Issuer;
use super::refusal::Refusal;
use super::token::Head;
use crate::clock::Clock;

/// Between the beginnings of two readings, at least.
const GAP: Duration = Duration::from_secs(30);
/// When keys are old enough to be read again without need.
const OLD: Duration = Duration::from_mins(10);

/// The keys; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    seen: watch::Receiver<Seen>,
    asked: Arc<Notify>,
    clock: Clock,
}

/// What the readings so far gave.
#[derive(Clone, Debug, Default)]
struct Seen {
    keys: Option<Arc<KeySet>>,
    read_at: Option<Instant>,
    /// When the last reading began, however it ended.
    tried_at: Option<Instant>,
}

impl Keys {
    /// Starts the task that reads.
    pub(super) fn follow(
        issuer: Issuer,
        clock: Clock,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (publish, seen) = watch::channel(Seen::default());
        let asked = Arc::new(Notify::new());
        let reader = Reader {
            issuer,
            clock: clock.clone(),
            asked: Arc::clone(&asked),
            publish,
        };
        tasks.spawn(async move {
            tokio::select! {
                () = reader.run() => {}
                () = stop.cancelled() => {}
            }
        });
        Self { seen, asked, clock }
    }

    /// The key that a token's header names.
    pub(super) async fn find(&self, head: &Head) -> Result<Arc<Key>, Refusal> {
        let mut watched = self.seen.clone();
        let seen = watched.borrow_and_update().clone();
        let since = |at: Instant| self.clock.monotonic().saturating_duration_since(at);
        let may_ask = seen.tried_at.is_none_or(|at| since(at) >= GAP);
        match seen.find(head) {
            Found::Unknown if may_ask => {}
            found => {
                if may_ask && seen.read_at.is_some_and(|at| since(at) >= OLD) {
                    self.asked.notify_one();
                }
                return seen.judge(found);
            }
        }
        self.asked.notify_one();
        // An error says that the process ends: what is known has to do.
        let _ = watched.changed().await;
        let seen = watched.borrow().clone();
        seen.judge(seen.find(head))
    }
}

impl Seen {
    fn find(&self, head: &Head) -> Found {
        let keys = self.keys.as_ref();
        keys.map_or(Found::Unknown, |keys| keys.find(head))
    }

    fn judge(&self, found: Found) -> Result<Arc<Key>, Refusal> {
        match found {
            Found::Key(key) => Ok(key),
            Found::Unknown if self.keys.is_none() => Err(Refusal::NoKeys),
            Found::Unknown | Found::Unfit => Err(Refusal::Signature),
        }
    }
}

/// The one that reads.
struct Reader {
    issuer: Issuer,
    clock: Clock,
    asked: Arc<Notify>,
    publish: watch::Sender<Seen>,
}

impl Reader {
    async fn run(self) {
        loop {
            let began = self.clock.monotonic();
            self.read(began).await;
            // Whoever asked meanwhile has been answered by what was just read.
            loop {
                self.asked.notified().await;
                if self.clock.monotonic().saturating_duration_since(began) >= GAP {
                    break;
                }
            }
        }
    }

    async fn read(&self, began: Instant) {
        let issuer = self.issuer.as_str();
        let keys = match fetch::keys(&self.issuer).await {
            Ok(keys) => {
                tracing::info!(
                    oidc.issuer = issuer,
                    keys = keys.len(),
                    "read the keys of the OIDC issuer"
                );
                Some(Arc::new(keys))
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    oidc.issuer = issuer,
                    "can't read the keys of the OIDC issuer: those known go on working, others \
                     are refused"
                );
                None
            }
        };
        self.publish.send_modify(|seen| {
            seen.tried_at = Some(began);
            if let Some(keys) = keys {
                seen.keys = Some(keys);
                seen.read_at = Some(began);
            }
        });
    }
}
