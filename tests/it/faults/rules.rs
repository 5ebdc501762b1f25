//! F9: the pure rules of scheduling, through random histories. `faults::seeds` says how to try more
//! seeds than these, and one of them again.

use std::time::{Duration, Instant};

use fargate_fleet::queue::backoff::{Backoff, RETRY};
use fargate_fleet::queue::budget::{Budget, Budgets, Rates};
use proptest::collection::vec;
use proptest::prelude::*;

use super::seeds::for_seeds;

const SEEDS: u32 = 10_000;

/// What a caller of AWS meets.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// It wants to call, and would wait so many milliseconds for it.
    Take(u64),
    /// AWS takes a call that was made just now.
    Taken,
    /// AWS answers 429 to a call that was made so many milliseconds ago.
    Throttled(u64),
}

fn rates() -> impl Strategy<Value = Rates> {
    let own = (1.0..100.0_f64, 1.0..20.0_f64, 0.05..1.0_f64, 1.0..100.0_f64);
    let own = own.prop_map(|(start, most, least, burst)| Rates {
        start,
        most: start * most,
        least: start * least,
        burst,
    });
    prop_oneof![Just(Rates::READ), Just(Rates::MUTATE), own]
}

/// Events, each some milliseconds after the one before.
fn history() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let pause = prop_oneof![3 => Just(0), 3 => 0..50_u64, 2 => 0..3_000_u64, 1 => 0..120_000_u64];
    let event = prop_oneof![
        6 => prop_oneof![Just(0), 0..500_u64].prop_map(Event::Take),
        2 => Just(Event::Taken),
        1 => (0..2_000_u64).prop_map(Event::Throttled),
    ];
    vec((pause, event), 1..40)
}

/// The budget as its rule tells it, in seconds since the beginning.
struct Reference {
    rates: Rates,
    now: f64,
    rate: f64,
    tokens: f64,
    slowed_at: f64,
    wanted_at: Option<f64>,
    taken_since: bool,
}

impl Reference {
    const fn new(rates: Rates) -> Self {
        Self {
            rates,
            now: 0.0,
            rate: rates.start,
            tokens: rates.burst,
            slowed_at: 0.0,
            wanted_at: None,
            taken_since: true,
        }
    }

    /// The rate grows by a fiftieth a second, for each second of calm: beyond the start only while
    /// somebody has had to wait within the last second.
    fn pass(&mut self, after: f64) {
        let before = std::mem::replace(&mut self.now, after);
        let seconds = after - before;
        let calm = |at: f64| at - self.slowed_at;
        let grown = self.rate * (0.01 * (calm(after).powi(2) - calm(before).powi(2))).exp();
        let wanted = self.wanted_at.is_some_and(|at| after - at <= 1.0);
        let bound = if wanted {
            self.rates.most
        } else {
            self.rates.start
        };
        self.rate = self.rate.max(grown.min(bound));
        let most = self.rates.burst.min(self.rate).max(1.0);
        self.tokens = most.min(self.tokens + seconds * self.rate);
    }

    fn throttled(&mut self, made: f64, now: f64) {
        if made >= self.slowed_at {
            self.pass(now);
            let left = if self.taken_since { 0.8 } else { 0.5 };
            self.rate = self.rates.least.max(self.rate * left);
            (self.tokens, self.slowed_at, self.taken_since) = (0.0, self.now, false);
        }
    }
}

#[test]
fn a_budget_gives_what_its_rule_gives() {
    for_seeds(SEEDS, &(rates(), history()), |(rates, history)| {
        let begun = Instant::now();
        let mut now = begun;
        let mut budget = Budget::new(rates, now);
        let mut reference = Reference::new(rates);
        let mut line = now;
        for (pause, event) in history {
            now += Duration::from_millis(pause);
            let seconds = (now - begun).as_secs_f64();
            match event {
                Event::Taken => {
                    budget.taken(now);
                    reference.taken_since = true;
                }
                Event::Throttled(ago) => {
                    let made = (now - begun).saturating_sub(Duration::from_millis(ago));
                    budget.throttled(begun + made, now);
                    reference.throttled(made.as_secs_f64(), seconds);
                }
                Event::Take(patience) => {
                    let patience = Duration::from_millis(patience);
                    reference.pass(seconds);
                    let at_once = reference.tokens >= 1.0 - 1e-4;
                    if reference.tokens < 1.0 + 1e-4 {
                        // Only where rounding can't tell whether it had to wait is either right.
                        reference.wanted_at = Some(reference.now)
                            .filter(|_| !at_once)
                            .or(reference.wanted_at);
                    }
                    let wait = (1.0 - reference.tokens) / reference.rate;
                    match budget.take(now, patience) {
                        Ok(told) => {
                            prop_assert!(told <= patience);
                            prop_assert!(
                                (told.as_secs_f64() - wait.max(0.0)).abs() < 1e-3,
                                "{told:?} {wait}"
                            );
                            reference.tokens -= 1.0;
                        }
                        Err(told) => {
                            prop_assert!(wait > patience.as_secs_f64() - 1e-3, "{told:?} {wait}");
                            let (turn, last) = (now + told, now + Duration::from_mins(1));
                            prop_assert!(turn <= last, "a line of more than a minute");
                            prop_assert!(turn > line || turn == last, "two have one place");
                            line = turn;
                        }
                    }
                }
            }
            let off = (budget.rate() - reference.rate).abs() / reference.rate;
            prop_assert!(off < 1e-3, "{} for {}", budget.rate(), reference.rate);
            prop_assert!(budget.rate() >= rates.least && budget.rate() <= rates.most);
        }
        Ok(())
    });
}

#[test]
fn who_waits_as_long_as_told_and_alone_gets_a_call() {
    for_seeds(SEEDS, &(rates(), history()), |(rates, history)| {
        let mut now = Instant::now();
        let mut budget = Budget::new(rates, now);
        for (pause, event) in history {
            now += Duration::from_millis(pause);
            match event {
                Event::Taken => budget.taken(now),
                Event::Throttled(_) => budget.throttled(now, now),
                Event::Take(_) => {
                    if let Err(wait) = budget.take(now, Duration::ZERO) {
                        now += wait;
                        let then = budget.take(now, Duration::ZERO);
                        prop_assert_eq!(then, Ok(Duration::ZERO), "after {:?}", wait);
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn one_accounts_throttling_is_nobody_elses() {
    for_seeds(SEEDS, &(rates(), history()), |(rates, history)| {
        let mut now = Instant::now();
        let mut budgets = Budgets::default();
        budgets.of("quiet", rates, now);
        for (pause, event) in history {
            now += Duration::from_millis(pause);
            let noisy = budgets.of("noisy", rates, now);
            match event {
                Event::Taken => noisy.taken(now),
                Event::Throttled(_) => noisy.throttled(now, now),
                Event::Take(patience) => drop(noisy.take(now, Duration::from_millis(patience))),
            }
        }
        let quiet = budgets.of("quiet", rates, now);
        prop_assert_eq!(quiet.take(now, Duration::ZERO), Ok(Duration::ZERO));
        prop_assert!((quiet.rate() - rates.start).abs() < 1e-9);
        Ok(())
    });
}

#[test]
fn delays_are_those_of_the_list_and_the_last_repeats() {
    const LIST: [u64; 5] = [1, 3, 10, 30, 7];
    for_seeds(SEEDS, &any::<u32>(), |n| {
        let list = Backoff::millis(&LIST);
        let expected = LIST[usize::try_from(n).unwrap().min(LIST.len() - 1)];
        prop_assert_eq!(list.delay(n), Duration::from_millis(expected));
        prop_assert!(RETRY.delay(n) <= RETRY.delay(n.saturating_add(1)));
        prop_assert_eq!(Backoff::millis(&[]).delay(n), Duration::from_secs(1));
        Ok(())
    });
}
