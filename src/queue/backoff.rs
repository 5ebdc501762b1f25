//! Delays as readable lists: the n-th wait is the n-th entry, the last entry repeats.

use std::time::Duration;

/// A list of delays. Jitter is added by whoever waits.
#[derive(Debug, Clone, Copy)]
pub struct Backoff(&'static [u64]);

impl Backoff {
    /// Delays in milliseconds; an empty list waits a second each time.
    #[must_use]
    pub const fn millis(delays: &'static [u64]) -> Self {
        Self(delays)
    }

    /// The delay before try number `n`, counted from 0.
    #[must_use]
    pub fn delay(self, n: u32) -> Duration {
        let at = usize::try_from(n)
            .unwrap_or(usize::MAX)
            .min(self.0.len().saturating_sub(1));
        Duration::from_millis(self.0.get(at).copied().unwrap_or(1_000))
    }

    /// How many delays the list names.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether the list names none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Between attempts of a step that failed in a way that looks like a fault of ours.
pub const RETRY: Backoff = Backoff::millis(&[1_000, 3_000, 10_000, 30_000]);

/// Between tries while there is trouble that passes by itself. Each pause is about a third of the time
/// that the trouble has lasted, so that its end is noticed soon after.
pub const TROUBLE: Backoff = Backoff::millis(&[
    2_000, 3_000, 5_000, 8_000, 12_000, 18_000, 27_000, 40_000, 60_000, 90_000, 120_000, 180_000,
    240_000, 300_000,
]);

/// While AWS says "slower"; the budget of calls spaces them beyond that.
pub const THROTTLED: Backoff =
    Backoff::millis(&[2_000, 3_000, 5_000, 8_000, 12_000, 20_000, 30_000]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_delay_repeats() {
        let list = Backoff::millis(&[10, 20]);
        assert_eq!(list.delay(0), Duration::from_millis(10));
        assert_eq!(list.delay(1), Duration::from_millis(20));
        assert_eq!(list.delay(u32::MAX), Duration::from_millis(20));
    }
}
