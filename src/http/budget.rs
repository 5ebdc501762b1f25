//! What one caller may ask of this process: requests in a minute, and requests under way.
//!
//! Only callers whose token is valid have a budget, so a stranger can neither use up that of another
//! nor make this grow. A budget that was not used for a minute is full again, and forgotten.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::problem::Problem;
use crate::clock::Clock;
use crate::domain::ErrorCode;
use crate::limits::Limits;

/// What the rate is counted in.
const WINDOW: Duration = Duration::from_mins(1);
/// As many callers are remembered before anybody is forgotten.
const FEW: usize = 1_024;

/// The name that both headers give the policy.
const POLICY_NAME: &str = "\"default\"";
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

type Limiter = RateLimiter<NotKeyed, InMemoryState, Time, StateInformationMiddleware>;

/// Our clock, for the limiter.
#[derive(Clone)]
struct Time(Clock);

impl governor::clock::Clock for Time {
    type Instant = Instant;

    fn now(&self) -> Instant {
        self.0.monotonic()
    }
}

/// The budgets of all callers.
pub(super) struct Budgets {
    per_minute: Option<NonZeroU32>,
    concurrent: u32,
    time: Time,
    begun: Instant,
    callers: RwLock<Callers>,
}

struct Callers {
    known: HashMap<String, Arc<Budget>>,
    /// At how many those who have gone are looked for.
    crowd: usize,
}

struct Budget {
    rate: Option<Limiter>,
    under_way: AtomicU32,
    /// In milliseconds since the budgets began.
    used_at: AtomicU64,
}

/// A request under way; over when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    _held: Arc<Held>,
}

struct Held(Arc<Budget>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    limit: u32,
    remaining: u32,
    /// Until the budget is full, or until there is room for one request when there is none.
    resets_in: Duration,
}

impl Standing {
    /// Says so, as draft-ietf-httpapi-ratelimit-headers has it.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let policy = format!("{POLICY_NAME};q={};w={}", self.limit, WINDOW.as_secs());
        let standing = format!(
            "{POLICY_NAME};r={};t={}",
            self.remaining,
            seconds(self.resets_in)
        );
        for (name, value) in [(POLICY, policy), (STANDING, standing)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

impl Budgets {
    pub(super) fn new(limits: &Limits, clock: Clock) -> Self {
        Self {
            per_minute: NonZeroU32::new(limits.requests_per_minute),
            concurrent: limits.concurrent_requests,
            begun: clock.monotonic(),
            time: Time(clock),
            callers: RwLock::new(Callers {
                known: HashMap::new(),
                crowd: FEW,
            }),
        }
    }

    /// Takes one request off a caller's budget: how the caller stands, and the slot if there is one.
    pub(super) fn take(&self, caller: &str) -> (Option<Standing>, Result<Slot, Problem>) {
        let budget = self.of(caller);
        let (standing, wait) = self.rate(&budget);
        if let Some(wait) = wait {
            return (standing, Err(too_many(standing, wait)));
        }
        let before = budget.under_way.fetch_add(1, Ordering::Relaxed);
        // Given back when it is dropped, also right here.
        let held = Held(budget);
        if self.concurrent > 0 && before >= self.concurrent {
            return (standing, Err(too_many_at_once(self.concurrent)));
        }
        let slot = Slot {
            _held: Arc::new(held),
        };
        (standing, Ok(slot))
    }

    /// The standing, and how long to wait when nothing is left.
    fn rate(&self, budget: &Budget) -> (Option<Standing>, Option<Duration>) {
        let (Some(rate), Some(limit)) = (&budget.rate, self.per_minute) else {
            return (None, None);
        };
        let standing = |remaining, resets_in| Standing {
            limit: limit.get(),
            remaining,
            resets_in,
        };
        match rate.check() {
            Ok(left) => {
                let remaining = left.remaining_burst_capacity().min(limit.get());
                let full_in = WINDOW / limit.get() * (limit.get() - remaining);
                (Some(standing(remaining, full_in)), None)
            }
            Err(until) => {
                let wait = until.wait_time_from(self.time.now());
                (Some(standing(0, wait)), Some(wait))
            }
        }
    }

    fn of(&self, caller: &str) -> Arc<Budget> {
        let now = self.millis();
        let known = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = known.known.get(caller) {
            budget.used_at.store(now, Ordering::Relaxed);
            return Arc::clone(budget);
        }
        drop(known);
        let mut callers = self.callers.write().unwrap_or_else(PoisonError::into_inner);
        callers.make_room(now);
        let fresh = || Arc::new(self.fresh(now));
        let budget = callers.known.entry(caller.to_owned()).or_insert_with(fresh);
        Arc::clone(budget)
    }

    fn fresh(&self, now: u64) -> Budget {
        let rate = self.per_minute.and_then(|limit| {
            let quota = Quota::with_period(WINDOW / limit.get())?.allow_burst(limit);
            let limiter = RateLimiter::direct_with_clock(quota, self.time.clone());
            Some(limiter.with_middleware::<StateInformationMiddleware>())
        });
        Budget {
            rate,
            under_way: AtomicU32::new(0),
            used_at: AtomicU64::new(now),
        }
    }

    fn millis(&self) -> u64 {
        let since = self.time.now().duration_since(self.begun).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

impl Callers {
    /// Forgets those whose budgets are full again, once there are many.
    fn make_room(&mut self, now: u64) {
        if self.known.len() < self.crowd {
            return;
        }
        let window = u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX);
        self.known.retain(|_, budget| {
            // More than the map holds it: a request is under way.
            Arc::strong_count(budget) > 1
                || now.saturating_sub(budget.used_at.load(Ordering::Relaxed)) < window
        });
        self.crowd = FEW.max(2 * self.known.len());
    }
}

fn too_many(standing: Option<Standing>, wait: Duration) -> Problem {
    let limit = standing.map_or(0, |standing| standing.limit);
    let detail = format!(
        "Your token may make {limit} requests a minute, and has: wait for as long as Retry-After \
         says, and spread your requests."
    );
    Problem::new(ErrorCode::RateLimited, detail).retry_after(seconds(wait))
}

fn too_many_at_once(most: u32) -> Problem {
    let detail = format!(
        "Your token has {most} requests under way, and may have no more: wait for some to end."
    );
    Problem::new(ErrorCode::RateLimited, detail).retry_after(1)
}

/// Whole seconds, none too few.
fn seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::clock::ManualClock;

    fn budgets(per_minute: u32, concurrent: u32) -> (Budgets, ManualClock) {
        let hand = ManualClock::at(DateTime::UNIX_EPOCH);
        let limits = Limits {
            requests_per_minute: per_minute,
            concurrent_requests: concurrent,
            ..Limits::default()
        };
        (Budgets::new(&limits, hand.clock()), hand)
    }

    fn told(standing: Standing) -> (String, String) {
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        let text = |name| headers.get(name).unwrap().to_str().unwrap().to_owned();
        (text(POLICY), text(STANDING))
    }

    #[test]
    fn a_budget_is_used_up_and_fills_again() {
        let (budgets, hand) = budgets(6, 0);
        for left in (0..6).rev() {
            let (standing, slot) = budgets.take("one");
            assert!(slot.is_ok());
            assert_eq!(standing.unwrap().remaining, left);
        }
        let (standing, refused) = budgets.take("one");
        let problem = refused.err().unwrap();
        assert_eq!(problem.code, ErrorCode::RateLimited);
        assert_eq!(problem.retry_after_seconds, Some(10));
        let (policy, standing) = told(standing.unwrap());
        assert_eq!(policy, "\"default\";q=6;w=60");
        assert_eq!(standing, "\"default\";r=0;t=10");
        assert!(budgets.take("other").1.is_ok(), "each has its own");

        hand.advance(Duration::from_secs(10));
        assert!(budgets.take("one").1.is_ok());
        assert!(budgets.take("one").1.is_err());
        hand.advance(WINDOW);
        let (standing, slot) = budgets.take("one");
        assert!(slot.is_ok());
        assert_eq!(told(standing.unwrap()).1, "\"default\";r=5;t=10");
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let (budgets, _) = budgets(0, 2);
        let (standing, first) = budgets.take("one");
        assert_eq!(standing, None, "no rate, nothing to tell");
        let second = budgets.take("one").1;
        let twin = second.as_ref().ok().cloned();
        assert_eq!(budgets.take("one").1.err().unwrap().status, 429);
        drop(second);
        assert!(budgets.take("one").1.is_err(), "its twin goes on");
        drop(twin);
        assert!(budgets.take("one").1.is_ok());
        drop(first);
    }

    #[test]
    fn callers_who_have_gone_are_forgotten() {
        let (budgets, hand) = budgets(10, 10);
        let stays = budgets.take("stays").1;
        for n in 1..FEW {
            budgets.take(&n.to_string()).1.ok().unwrap();
        }
        let count = || budgets.callers.read().unwrap().known.len();
        assert_eq!(count(), FEW);
        hand.advance(WINDOW);
        budgets.take("new").1.ok().unwrap();
        assert_eq!(count(), 2, "the new one, and who has a request under way");
        drop(stays);
    }

    #[test]
    fn without_limits_nothing_is_refused() {
        let (budgets, _) = budgets(0, 0);
        let slots: Vec<_> = (0..5_000).map(|_| budgets.take("one").1).collect();
        assert!(slots.iter().all(Result::is_ok));
    }
}
