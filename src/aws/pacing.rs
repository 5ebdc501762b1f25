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
pub struct Pacing {
    budgets: Mutex<Budgets<Key>>,
    time_scale: f64,
}

impl Pacing {
    /// `time_scale` multiplies the rates: for simulators, whose clock runs faster.
    #[must_use]
    pub fn new(time_scale: f64) -> Self {
        Self {
            budgets: Mutex::default(),
            time_scale,
        }
    }

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
            .of(key(account_id, region, draw), self.rates(draw), now)
            .take(now)
    }

    fn rates(&self, draw: Draw) -> Rates {
        let Rates {
            most,
            least,
            burst,
            recovery,
        } = match draw {
            Draw::Read => Rates::READ,
            Draw::Mutate => Rates::MUTATE,
        };
        let scale = self.time_scale;
        Rates {
            most: most * scale,
            least: least * scale,
            burst: burst * scale,
            recovery: recovery * scale,
        }
    }

    /// AWS said "slower".
    pub fn throttled(&self, account_id: &str, region: &str, draw: Draw, now: Instant) {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets
            .of(key(account_id, region, draw), self.rates(draw), now)
            .throttled(now);
    }
}

fn key(account_id: &str, region: &str, draw: Draw) -> Key {
    (account_id.to_owned(), region.to_owned(), draw)
}
