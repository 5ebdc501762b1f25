//! Randomness that is passed in: from the operating system in service, from a seed in tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};

/// A cryptographically strong source of random values; clones share one stream.
#[derive(Clone, Debug)]
pub struct Rng(Arc<Mutex<StdRng>>);

impl Rng {
    /// Seeded by the operating system: fit for tokens and secrets.
    #[must_use]
    pub fn from_os() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same values on every run.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.lock().fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `bound`, each as likely as the others; 0 when `bound` is 0.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.lock().random_range(0..bound)
        }
    }

    /// `base` made longer or shorter by up to `fraction` of itself (0.2 = ±20 %), so that what
    /// began together does not come back together.
    #[must_use]
    pub fn jitter(&self, base: Duration, fraction: f64) -> Duration {
        let fraction = fraction.clamp(0.0, 1.0);
        base.mul_f64(1.0 + self.lock().random_range(-fraction..=fraction))
    }

    fn lock(&self) -> MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let (one, two) = (Rng::seeded(1), Rng::seeded(1));
        assert_eq!(one.bytes::<16>(), two.bytes::<16>());
        assert_ne!(Rng::from_os().bytes::<16>(), Rng::from_os().bytes::<16>());
    }

    #[test]
    fn jitter_stays_within_its_fraction() {
        let rng = Rng::seeded(2);
        let base = Duration::from_secs(10);
        for _ in 0..1000 {
            let jittered = rng.jitter(base, 0.2);
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&jittered));
        }
        assert_eq!(rng.jitter(base, 0.0), base);
    }

    #[test]
    fn below_respects_its_bound() {
        let rng = Rng::seeded(3);
        assert!((0..1000).all(|_| rng.below(3) < 3));
        assert_eq!(rng.below(0), 0);
    }
}
