//! A budget of AWS calls that finds out what AWS gives: less when AWS says "slower", more while it
//! is wanted and AWS does not complain.
//!
//! Pure: the time is passed in. One budget an (account, region, read or mutate), so that one
//! account's throttling is nobody else's.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Rates of a budget, in calls a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Where it starts, and what it recovers to by itself.
    pub start: f64,
    /// What it never rises above, however much is wanted.
    pub most: f64,
    /// What it never falls below.
    pub least: f64,
    /// Calls that may come at once; a second's calls where that is less.
    pub burst: f64,
}

impl Rates {
    /// Describes and lists.
    pub const READ: Self = Self {
        start: 50.0,
        most: 2_000.0,
        least: 0.5,
        burst: 50.0,
    };
    /// Creates and deletes.
    pub const MUTATE: Self = Self {
        start: 10.0,
        most: 200.0,
        least: 0.2,
        burst: 10.0,
    };
}

/// Rises by this part a second, for each second in which AWS has not said "slower": little at
/// first, because the limit is near, and ever faster after it, because the limit may have been
/// raised. Doubles in 8 seconds, and is tenfold in 15.
const GROWTH: f64 = 0.02;
/// What is left of the rate when AWS says "slower" after it took calls at this rate.
const A_LITTLE_LESS: f64 = 0.8;
/// And when it has taken none since it said so last: the rate is far off.
const MUCH_LESS: f64 = 0.5;
/// For how long a caller who had to wait makes the budget wanted.
const WANTED: Duration = Duration::from_secs(1);
const LONGEST_LINE: Duration = Duration::from_mins(1);

/// A token bucket whose rate moves.
#[derive(Debug, Clone)]
pub struct Budget {
    rates: Rates,
    rate: f64,
    /// Below zero when callers have been promised calls to come.
    tokens: f64,
    at: Instant,
    /// The last place in line that was given to a caller.
    line: Instant,
    /// When somebody last had to wait.
    wanted_at: Option<Instant>,
    /// When AWS last said "slower", or when it was first asked.
    slowed_at: Instant,
    /// AWS has taken a call that was made since.
    taken_since: bool,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub const fn new(rates: Rates, now: Instant) -> Self {
        Self {
            rates,
            rate: rates.start,
            tokens: rates.burst,
            at: now,
            line: now,
            wanted_at: None,
            slowed_at: now,
            taken_since: true,
        }
    }

    /// Takes one call, to be made after the wait that is answered, which is at most `patience`, if
    /// the promise stands by then.
    ///
    /// Otherwise says how long to stay away. Whoever is sent away has a place in line: each gets a
    /// later time, so that they don't come back all at once. A place costs nothing until its holder
    /// comes back, or those who come back would find nothing left.
    pub fn take(&mut self, now: Instant, patience: Duration) -> Result<Duration, Duration> {
        self.refill(now);
        // Who waited as long as told must not be sent to the end of the line by a rounded nanosecond.
        if self.tokens >= 1.0 - ROUNDING {
            self.tokens -= 1.0;
            return Ok(Duration::ZERO);
        }
        self.wanted_at = Some(now);
        let one = Duration::from_secs_f64(1.0 / self.rate);
        let wait = one.mul_f64(1.0 - self.tokens);
        if wait <= patience {
            self.tokens -= 1.0;
            return Ok(wait);
        }
        // A line of a minute is long enough: those behind it come back and see.
        self.line = (now + wait).max(self.line + one).min(now + LONGEST_LINE);
        Err(self.line - now)
    }

    /// AWS took a call that was made at `made`.
    pub fn taken(&mut self, made: Instant) {
        self.taken_since |= made >= self.slowed_at;
    }

    /// Whether a call that was promised at `at` may be made: it was promised at a rate that AWS
    /// has refused since, if not, and is to be taken anew.
    #[must_use]
    pub fn stands(&self, at: Instant) -> bool {
        at >= self.slowed_at
    }

    /// AWS said "slower" to a call that was made at `made`. Those that were under way when it said
    /// so the last time say nothing new. No promise stands any more.
    pub fn throttled(&mut self, made: Instant, now: Instant) {
        if made < self.slowed_at {
            return;
        }
        self.refill(now);
        self.tokens = 0.0;
        let left = if self.taken_since {
            A_LITTLE_LESS
        } else {
            MUCH_LESS
        };
        self.rate = (self.rate * left).max(self.rates.least);
        self.slowed_at = now;
        self.taken_since = false;
    }

    /// Calls a second, as of the last look.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    fn refill(&mut self, now: Instant) {
        let (before, now) = (self.at, self.at.max(now));
        let passed = (now - before).as_secs_f64();
        let calm = |at: Instant| at.saturating_duration_since(self.slowed_at).as_secs_f64();
        let growth = (GROWTH * passed * f64::midpoint(calm(before), calm(now))).exp();
        let wanted = self.wanted_at.is_some_and(|at| now - at <= WANTED);
        let bound = if wanted {
            self.rates.most
        } else {
            self.rates.start
        };
        self.at = now;
        self.rate = (self.rate * growth).min(bound).max(self.rate);
        let burst = self.rates.burst.min(self.rate).max(1.0);
        self.tokens = (self.tokens + passed * self.rate).min(burst);
    }

    /// As good as a new one: nothing is lost with it.
    fn is_at_rest(&self) -> bool {
        self.rate >= self.rates.start && self.tokens >= self.rates.burst
    }
}

const ROUNDING: f64 = 1e-6;

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
                !budget.is_at_rest()
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
        start: 10.0,
        most: 40.0,
        least: 1.0,
        burst: 2.0,
    };
    const NO_PATIENCE: Duration = Duration::ZERO;

    fn close(a: Duration, milliseconds: u64) -> bool {
        a.abs_diff(Duration::from_millis(milliseconds)) <= Duration::from_millis(1)
    }

    #[test]
    fn a_burst_passes_and_the_next_waits_its_turn() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        assert_eq!(budget.take(start, NO_PATIENCE), Ok(Duration::ZERO));
        assert_eq!(budget.take(start, NO_PATIENCE), Ok(Duration::ZERO));
        let first = budget.take(start, NO_PATIENCE).unwrap_err();
        let second = budget.take(start, NO_PATIENCE).unwrap_err();
        assert!(
            close(first, 100) && close(second, 200),
            "each gets a later time"
        );
    }

    #[test]
    fn who_waits_as_long_as_told_gets_a_call() {
        let rates = Rates {
            start: 33.273_593_448_429_89,
            most: 33.273_593_448_429_89,
            burst: 1.0,
            ..RATES
        };
        let mut now = Instant::now();
        let mut budget = Budget::new(rates, now);
        for _ in 0..100 {
            if let Err(wait) = budget.take(now, NO_PATIENCE) {
                now += wait;
                assert_eq!(budget.take(now, NO_PATIENCE), Ok(Duration::ZERO));
            }
        }
    }

    #[test]
    fn the_patient_are_promised_calls_to_come_as_far_as_their_patience_goes() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let patience = Duration::from_millis(250);
        let waits: Vec<_> = (0..4)
            .map(|_| budget.take(start, patience).unwrap())
            .collect();
        assert_eq!(waits[..2], [Duration::ZERO; 2]);
        assert!(close(waits[2], 100) && close(waits[3], 200), "{waits:?}");
        let away = budget.take(start, patience).unwrap_err();
        assert!(close(away, 300), "{away:?}");
    }

    #[test]
    fn a_rate_that_is_far_off_is_halved_call_by_call() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let mut now = start;
        for _ in 0..20 {
            now += Duration::from_millis(50);
            budget.throttled(now, now);
        }
        assert!((budget.rate() - RATES.least).abs() < 0.01, "{budget:?}");
    }

    #[test]
    fn calls_that_were_under_way_say_nothing_new() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let later = start + Duration::from_millis(20);
        budget.throttled(start, later);
        budget.throttled(start, later + Duration::from_millis(1));
        budget.taken(start);
        assert!((budget.rate() - 8.0).abs() < 0.01, "{budget:?}");
        budget.throttled(later, later + Duration::from_millis(20));
        assert!((budget.rate() - 4.0).abs() < 0.01, "none was taken since");
    }

    #[test]
    fn promises_of_a_rate_that_was_refused_are_void() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let patience = Duration::from_secs(5);
        for _ in 0..20 {
            budget.take(start, patience).unwrap();
        }
        assert!(budget.stands(start));
        let later = start + Duration::from_millis(1);
        budget.throttled(start, later);
        assert!(!budget.stands(start) && budget.stands(later));
        let anew = budget.take(later, patience).unwrap();
        assert!(close(anew, 125), "the first of a new line: {anew:?}");
    }

    #[test]
    fn time_wins_the_rate_back_and_only_demand_more() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        budget.throttled(start, start);
        let mut now = start + Duration::from_secs(100);
        assert!(budget.take(now, NO_PATIENCE).is_ok());
        assert!((budget.rate() - RATES.start).abs() < 1e-9);
        for _ in 0..1_000 {
            now += Duration::from_millis(20);
            let _ = budget.take(now, NO_PATIENCE);
        }
        assert!((budget.rate() - RATES.most).abs() < 1e-9, "{budget:?}");
    }

    /// What matters: nearly all that AWS gives is used, and AWS hardly ever has to refuse.
    #[test]
    fn the_limit_is_found_and_used_with_few_refusals() {
        for limit in [4.0, 20.0, 200.0] {
            let (taken, refused) = against_a_bucket(limit, Duration::from_mins(2));
            let most = limit * 121.0;
            assert!(taken >= 0.9 * most, "{taken} of {most} at {limit} a second");
            assert!(
                refused <= 0.1 * taken,
                "{refused} refused of {taken} at {limit} a second"
            );
        }
    }

    /// Callers without end before a bucket of AWS's that holds a second's calls.
    fn against_a_bucket(limit: f64, time: Duration) -> (f64, f64) {
        let start = Instant::now();
        let mut budget = Budget::new(Rates::READ, start);
        let (mut now, mut aws, mut taken, mut refused) = (start, limit, 0.0, 0.0);
        while now < start + time {
            let wait = budget.take(now, Duration::from_mins(1)).unwrap();
            let pause = wait.max(Duration::from_millis(1));
            aws = (aws + pause.as_secs_f64() * limit).min(limit);
            now += pause;
            if aws >= 1.0 {
                aws -= 1.0;
                taken += 1.0;
                budget.taken(now);
            } else {
                refused += 1.0;
                budget.throttled(now, now);
            }
        }
        (taken, refused)
    }

    #[test]
    fn nobody_waits_more_than_a_minute_in_line() {
        let start = Instant::now();
        let mut budget = Budget::new(RATES, start);
        let longest = (0..10_000)
            .filter_map(|_| budget.take(start, NO_PATIENCE).err())
            .max();
        assert!(longest <= Some(Duration::from_mins(1)));
    }
}
