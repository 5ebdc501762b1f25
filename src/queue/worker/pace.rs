//! How many jobs a worker holds: as many as it has slots, and those that the slots will have used up
//! by the time the next claim is answered.
//!
//! Steps that ask AWS take longer than a claim by far; then nothing is claimed ahead, and what one
//! worker has no slot for stays there for the others. Very short steps would leave the slots idle
//! for most of every claim.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::loops::LARGEST_CLAIM;

/// Steps may outrun the writing of their outcomes by so many; then claims wait.
const MOST_UNWRITTEN: usize = 2_000;

/// Counts the jobs in hand, and knows how long steps and claims take.
pub(super) struct Pace {
    slots: usize,
    /// Claimed, and their step has not ended.
    held: AtomicUsize,
    /// Their step has ended, and its outcome is not written yet.
    writing: AtomicUsize,
    freed: Notify,
    step: Average,
    claim: Average,
}

impl Pace {
    pub fn new(slots: usize) -> Self {
        Self {
            slots,
            held: AtomicUsize::new(0),
            writing: AtomicUsize::new(0),
            freed: Notify::new(),
            // Until something is known: a step takes long, a claim nothing.
            step: Average::new(Duration::from_secs(1)),
            claim: Average::new(Duration::ZERO),
        }
    }

    /// One more job is in hand.
    pub fn took(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// One fewer: its step ended after so long, or was never begun.
    pub fn let_go(&self, step: Option<Duration>) {
        if let Some(step) = step {
            self.step.add(step);
        }
        self.held.fetch_sub(1, Ordering::Relaxed);
        self.freed.notify_one();
    }

    /// An outcome is to be written.
    pub fn writes(&self) {
        self.writing.fetch_add(1, Ordering::Relaxed);
    }

    /// It is written, or nobody will.
    pub fn wrote(&self) {
        self.writing.fetch_sub(1, Ordering::Relaxed);
        self.freed.notify_one();
    }

    /// A claim was answered after so long.
    pub fn claimed(&self, took: Duration) {
        self.claim.add(took);
    }

    /// How many jobs may be in hand.
    pub fn most(&self) -> usize {
        self.slots + ahead(self.slots, self.step.get(), self.claim.get())
    }

    /// How many jobs may be claimed now.
    pub fn room(&self) -> usize {
        let free = self
            .most()
            .saturating_sub(self.held.load(Ordering::Relaxed));
        let unwritten = self.writing.load(Ordering::Relaxed);
        free.min(MOST_UNWRITTEN.saturating_sub(unwritten))
    }

    /// Waits until a claim is worth its statement: for an eighth of the slots, or a moment for one.
    pub async fn roomy(&self) {
        const MOMENT: Duration = Duration::from_millis(5);
        let moment = tokio::time::sleep(MOMENT);
        tokio::pin!(moment);
        let mut enough = (self.slots / 8).max(1);
        while self.room() < enough {
            tokio::select! {
                () = self.freed.notified() => {}
                () = &mut moment, if enough > 1 => enough = 1,
            }
        }
    }
}

/// What `slots` use up in twice the time of a claim; never more than four times the slots, nor than
/// a claim takes.
fn ahead(slots: usize, step: Duration, claim: Duration) -> usize {
    let step = step.as_micros().max(1);
    let used_up = 2 * claim.as_micros() * slots as u128 / step;
    let most = (4 * slots).min(LARGEST_CLAIM);
    usize::try_from(used_up).unwrap_or(usize::MAX).min(most)
}

/// A moving average; what two threads write at once may lose one of the two.
struct Average(AtomicU64);

impl Average {
    fn new(value: Duration) -> Self {
        Self(AtomicU64::new(nanos(value)))
    }

    fn add(&self, value: Duration) {
        let old = self.0.load(Ordering::Relaxed);
        self.0
            .store(old - old / 8 + nanos(value) / 8, Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

fn nanos(value: Duration) -> u64 {
    u64::try_from(value.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn slow_steps_claim_nothing_ahead_and_quick_ones_what_they_use_up() {
        assert_eq!(ahead(64, ms(500), ms(3)), 0);
        assert_eq!(ahead(64, ms(100), ms(3)), 3);
        assert_eq!(ahead(24, ms(2), ms(2)), 48);
        assert_eq!(ahead(24, Duration::ZERO, ms(2)), 96, "bounded");
        assert_eq!(ahead(24, ms(1), Duration::ZERO), 0);
    }

    #[test]
    fn room_is_what_is_not_in_hand() {
        let pace = Pace::new(4);
        for _ in 0..4 {
            pace.took();
        }
        assert_eq!(pace.room(), 0);
        pace.let_go(None);
        assert_eq!(pace.room(), 1);
    }

    #[tokio::test]
    async fn one_free_slot_is_claimed_for_after_a_moment() {
        let pace = Pace::new(64);
        for _ in 0..63 {
            pace.took();
        }
        pace.roomy().await;
        assert_eq!(pace.room(), 1);
    }
}
