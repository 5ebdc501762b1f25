//! A budget of AWS calls that halves when AWS says "slower" and recovers by itself.
//!
//! Pure: the time is passed in. One budget an (account, region, read or mutate), so that one
//! account's throttling is nobody else's.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Rates of a budget, in calls a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Where it starts, and what it recovers to.
    pub most: f64,
    /// What it never falls below.
    pub least: f64,
    /// Calls that may come at once.
    pub burst: f64,
    /// Calls a second won back each second.
    pub recovery: f64,
}

impl Rates {
    /// Describes and lists.
    pub const READ: Self = Self {
        most: 50.0,
        least: 0.5,
        burst: 50.0,
        recovery: 1.0,
    };
    /// Creates and deletes.
    pub const MUTATE: Self = Self {
        most: 10.0,
        least: 0.2,
        burst: 10.0,
        recovery: 0.2,
    };
}

/// A token bucket whose rate moves: down by half on a throttle, up by a little each second.
#[derive(Debug, Clone)]
pub struct Budget {
    rates: Rates,
    rate: f64,
    tokens: f64,
    at: Instant,
    /// The last place in line that was given to a caller.
    line: Instant,
    shrunk_at: Option<Instant>,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub const fn new(rates: Rates, now: Instant) -> Self {
        Self {
            rates,
            rate: rates.most,
            tokens: rates.burst,
            at: now,
            line: now,
            shrunk_at: None,
        }
    }

    /// Takes one call, or says how long to wait for one. Whoever is told to wait has a place in
    /// line: each gets a later time, so that they don't come back all at once. A place costs
    /// nothing until its holder comes back, or those who come back would find nothing left.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.refill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let one = Duration::from_secs_f64(1.0 / self.rate);
        let first = now + one.mul_f64(1.0 - self.tokens);
        // A line of a minute is long enough: those behind it come back and see.
        self.line = first.max(self.line + one).min(now + LONGEST_LINE);
        Err(self.line - now)
    }

    /// AWS said "slower": half the rate, at most once a second, and no burst.
    pub fn throttled(&mut self, now: Instant) {
        self.refill(now);
        let recently = self
            .shrunk_at
            .is_some_and(|at| now.saturating_duration_since(at) < ONE_SECOND);
        if !recently {
            self.rate = (self.rate / 2.0).max(self.rates.least);
            self.shrunk_at = Some(now);
        }
        self.tokens = self.tokens.min(0.0);
    }

    /// Calls a second, as of the last look.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.rate = (self.rate + passed * self.rates.recovery).min(self.rates.most);
        self.tokens = (self.tokens + passed * self.rate).min(self.rates.burst);
    }
}

const LONGEST_LINE: Duration = Duration::from_mins(1);
const ONE_SECOND: Duration = Duration::from_secs(1);

/// Budgets by key; those that have been full and unused are forgotten.
#[derive(Debug)]
pub struct Budgets<K> {
    budgets: HashMap<K, Budget>,
}

impl<K> Default for Budgets<K> {
    fn default() -> Self {
        Self {
            budgets: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash> Budgets<K> {
    /// Beyond this many, budgets that have recovered are dropped: a new one is the same.
    const MANY: usize = 4_096;

    /// The budget of `key`, made full when there is none.
    pub fn of(&mut self, key: K, rates: Rates, now: Instant) -> &mut Budget {
        if self.budgets.len() >= Self::MANY {
            self.budgets.retain(|_, budget| {
                budget.refill(now);
                budget.rate < budget.rates.most || budget.tokens < budget.rates.burst
            });
        }
        self.budgets
            .entry(key)
            .or_insert_with(|| Budget::new(rates, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        most: 10.0,
        least: 1.0,
        burst: 2.0,
        recovery: 1.0,
    };

    #[test]
    fn a_burst_passes_and_the_next_waits_its_turn() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        assert_eq!(budget.take(start), Ok(()));
        assert_eq!(budget.take(start), Ok(()));
        let first = budget.take(start).unwrap_err();
        let second = budget.take(start).unwrap_err();
        assert!(first >= Duration::from_millis(99) && first <= Duration::from_millis(101));
        assert!(second > first, "each gets a later time");
    }

    #[test]
    fn a_throttle_halves_the_rate_and_time_wins_it_back() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        budget.throttled(start);
        assert!((budget.rate() - 5.0).abs() < 1e-9);
        budget.throttled(start + Duration::from_millis(10));
        assert!(budget.rate() > 4.9, "a burst of throttles is one sign");
        for second in 2..20 {
            budget.throttled(start + Duration::from_secs(2 * second));
        }
        assert!(budget.rate() >= RATES.least);
        let later = start + Duration::from_secs(100);
        assert_eq!(budget.take(later), Ok(()));
        assert!((budget.rate() - RATES.most).abs() < 1e-9);
    }

    #[test]
    fn nobody_waits_more_than_a_minute_in_line() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let longest = (0..10_000).filter_map(|_| budget.take(start).err()).max();
        assert!(longest <= Some(Duration::from_mins(1)));
    }
}
