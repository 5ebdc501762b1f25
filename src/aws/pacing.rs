//! Budgets of calls, one an (account, region, read or mutate).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::queue::budget::{Budgets, Rates};

/// Which of the two budgets a call draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Draw {
    /// Describes and lists.
    Read,
    /// Creates and deletes.
    Mutate,
}

type Key = (String, String, Draw);

/// The budgets of a process.
#[derive(Default)]
pub struct Pacing {
    budgets: Mutex<Budgets<Key>>,
}

impl Pacing {
    /// Takes one call, or says how long to wait for one.
    pub fn take(
        &self,
        account_id: &str,
        region: &str,
        draw: Draw,
        now: Instant,
    ) -> Result<(), Duration> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets
            .of(key(account_id, region, draw), rates(draw), now)
            .take(now)
    }

    /// AWS said "slower".
    pub fn throttled(&self, account_id: &str, region: &str, draw: Draw, now: Instant) {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets
            .of(key(account_id, region, draw), rates(draw), now)
            .throttled(now);
    }
}

fn key(account_id: &str, region: &str, draw: Draw) -> Key {
    (account_id.to_owned(), region.to_owned(), draw)
}

const fn rates(draw: Draw) -> Rates {
    match draw {
        Draw::Read => Rates::READ,
        Draw::Mutate => Rates::MUTATE,
    }
}
