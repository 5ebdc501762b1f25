//! How long a caller who was let in may stay: for answers that take their time.
//!
//! A token ends on its day. One of the API also ends when it is revoked; the database is asked for
//! that when it has told that some token or account has changed, and now and then, as a notification
//! can be lost.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::auth::Caller;
use super::budget::Slot;
use super::state::State;
use crate::db::tokens;

/// The longest between two looks.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// The stay of one caller.
pub(super) struct Tenure {
    state: State,
    token_id: Option<Uuid>,
    slot: Option<Slot>,
    expires_at: Option<DateTime<Utc>>,
    /// The watchers' epoch at which the token was last known to stand.
    epoch: u64,
    looked_at: Instant,
}

impl Tenure {
    pub(super) fn of(state: &State, caller: &Caller) -> Self {
        Self {
            state: state.clone(),
            token_id: caller.token_id(),
            slot: caller.slot(),
            expires_at: caller.expires_at(),
            epoch: caller.epoch(),
            looked_at: Instant::now(),
        }
    }

    /// Whether the caller has to go. While the database can't be asked, nobody has to.
    pub(super) async fn is_over(&mut self) -> bool {
        let now = self.state.clock.now();
        if self.expires_at.is_some_and(|at| at <= now) {
            return true;
        }
        // Read first: a change after it raises it again.
        let epoch = self.state.watchers.epoch();
        let due = epoch != self.epoch || self.looked_at.elapsed() >= LOOK_AFTER;
        let Some(token_id) = self.token_id.filter(|_| due) else {
            return false;
        };
        let looking = self.state.look_up(self.slot.clone(), move |connection| {
            Box::pin(async move { Ok(tokens::find(connection, None, token_id).await?) })
        });
        let Ok(found) = looking.await else {
            return false;
        };
        self.epoch = epoch;
        self.looked_at = Instant::now();
        found.is_none_or(|row| row.revoked_at.is_some())
    }
}
