//! Time and the ids drawn from it: the one place that reads the machine's clock.
//!
//! Due times and leases are the database's; this is for what a process decides by itself.
//! Tests hold a [`ManualClock`], whose time moves only when they say so and whose ids repeat.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

/// Where a component takes the time and new ids from; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<ManualTime>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The time of day, in microseconds: what Postgres keeps, so that a stored time reads back equal.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            Source::System => system_now(),
            Source::Manual(time) => lock(time).now,
        };
        now.trunc_subsecs(6)
    }

    /// A reading that never goes back, for measuring how long something took.
    #[must_use]
    pub fn monotonic(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Manual(time) => lock(time).instant,
        }
    }

    /// A new `UUIDv7`: later ids sort after earlier ones of the same process.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            Source::System => system_uuid(),
            Source::Manual(time) => lock(time).next_uuid(),
        }
    }
}

/// The hand on a test's clock.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<ManualTime>>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        let time = ManualTime {
            now,
            instant: Instant::now(),
            ids: 0,
        };
        Self(Arc::new(Mutex::new(time)))
    }

    /// What the components under test are given.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(Arc::clone(&self.0)))
    }

    /// Moves the time of day and the monotonic reading on.
    pub fn advance(&self, by: Duration) {
        let mut time = lock(&self.0);
        time.now += by;
        time.instant += by;
    }
}

#[derive(Debug)]
struct ManualTime {
    now: DateTime<Utc>,
    instant: Instant,
    ids: u64,
}

impl ManualTime {
    fn next_uuid(&mut self) -> Uuid {
        self.ids += 1;
        let mut low = [0_u8; 10];
        low[2..].copy_from_slice(&self.ids.to_be_bytes());
        let millis = u64::try_from(self.now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &low).into_uuid()
    }
}

fn lock(time: &Mutex<ManualTime>) -> MutexGuard<'_, ManualTime> {
    time.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place that draws ids")]
fn system_uuid() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let hand = ManualClock::at(DateTime::UNIX_EPOCH);
        let clock = hand.clock();
        let before = clock.monotonic();
        hand.advance(Duration::from_secs(90));
        assert_eq!(clock.now().timestamp(), 90);
        assert_eq!(clock.monotonic() - before, Duration::from_secs(90));
    }

    #[test]
    fn ids_grow_and_carry_the_time() {
        let hand = ManualClock::at(DateTime::UNIX_EPOCH + Duration::from_secs(7));
        for clock in [Clock::system(), hand.clock()] {
            let (first, second) = (clock.uuid(), clock.uuid());
            assert!(first < second);
            assert_eq!(first.get_version_num(), 7);
        }
        assert_eq!(hand.clock().uuid().get_timestamp().unwrap().to_unix().0, 7);
    }

    #[test]
    fn the_system_clock_keeps_what_postgres_can() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1000, 0);
    }
}
