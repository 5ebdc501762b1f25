//! The simulator's clock, and the only place of it that asks for the time of day or a fresh id.
//!
//! Two times: `now` is the simulated one, which can be frozen and pushed ahead and by which profiles
//! change; `real` runs always and fills the token buckets.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A clock that starts at zero.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    started: Instant,
    frozen_at: Option<Duration>,
    lost: Duration,
    ahead: Duration,
    speed: f64,
}

impl Clock {
    pub(super) fn new(speed: f64) -> Self {
        Self {
            started: Instant::now(),
            frozen_at: None,
            lost: Duration::ZERO,
            ahead: Duration::ZERO,
            speed,
        }
    }

    /// Time since the start, never stopped.
    pub(super) fn real(&self) -> Duration {
        self.started.elapsed()
    }

    /// Time since the start without the time spent frozen. One second of it is one real second:
    /// the speed shortens the waits (see [`Clock::scale`]) instead of hurrying the clock.
    pub(super) fn now(&self) -> Duration {
        let real = self.frozen_at.unwrap_or_else(|| self.real());
        real.saturating_sub(self.lost) + self.ahead
    }

    pub(super) fn freeze(&mut self) {
        let real = self.real();
        self.frozen_at.get_or_insert(real);
    }

    pub(super) fn thaw(&mut self) {
        if let Some(frozen_at) = self.frozen_at.take() {
            self.lost += self.real().saturating_sub(frozen_at);
        }
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen_at.is_some()
    }

    /// Pushes the clock ahead by a duration as AWS would see it.
    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += self.scale(by);
    }

    /// How long something takes here that takes `aws` at AWS.
    pub(super) fn scale(&self, aws: Duration) -> Duration {
        aws.div_f64(self.speed)
    }
}

/// The time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator stands for another party: it has a clock of its own"
)]
pub(super) fn wall() -> DateTime<Utc> {
    Utc::now()
}

/// A fresh id, for ARNs, request ids and credentials.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator stands for another party: it draws its own ids"
)]
pub(super) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

/// Seconds since the epoch, as AWS's JSON protocols write times.
pub(super) fn epoch_seconds(at: DateTime<Utc>) -> f64 {
    Duration::from_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_still_and_loses_the_time() {
        let mut clock = Clock::new(60.0);
        clock.freeze();
        let before = clock.now();
        while clock.real() < before + Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        assert_eq!(clock.now(), before);
        clock.thaw();
        assert!(clock.now() < clock.real());
    }

    #[test]
    fn advancing_counts_in_the_time_of_aws() {
        let mut clock = Clock::new(60.0);
        clock.freeze();
        let before = clock.now();
        clock.advance(Duration::from_mins(2));
        assert_eq!(clock.now(), before + Duration::from_secs(2));
    }
}
