//! Token buckets: how many calls a second an account may make in a region.

use std::time::Duration;

/// A bucket that is full at the start and refills evenly.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    pub(super) fn full(per_second: u32, now: Duration) -> Self {
        Self {
            tokens: f64::from(per_second),
            filled_at: now,
        }
    }

    /// Takes a token; `false` when there is none left.
    pub(super) fn take(&mut self, per_second: u32, now: Duration) -> bool {
        let rate = f64::from(per_second);
        let gained = now.saturating_sub(self.filled_at).as_secs_f64() * rate;
        self.tokens = (self.tokens + gained).min(rate);
        self.filled_at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let mut bucket = Bucket::full(2, Duration::ZERO);
        assert!(bucket.take(2, Duration::ZERO));
        assert!(bucket.take(2, Duration::ZERO));
        assert!(!bucket.take(2, Duration::ZERO));
        assert!(!bucket.take(2, Duration::from_millis(400)));
        assert!(bucket.take(2, Duration::from_millis(500)));
        assert!(!bucket.take(2, Duration::from_millis(500)));
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        let mut bucket = Bucket::full(2, Duration::ZERO);
        assert!(!bucket.take(0, Duration::ZERO));
    }

    #[test]
    fn a_bucket_never_holds_more_than_one_second_of_calls() {
        let mut bucket = Bucket::full(2, Duration::ZERO);
        let later = Duration::from_mins(1);
        assert!(bucket.take(2, later));
        assert!(bucket.take(2, later));
        assert!(!bucket.take(2, later));
    }
}
