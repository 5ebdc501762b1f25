//! What one caller and one account may have of the connections of a share, and of the bytes of
//! bodies.
//!
//! | of the share | one caller | one account | all |
//! |---|---|---|---|
//! | `reads` | half of it | all but one | all of it |
//! | `changes` | a third of it | | all but the two of the writer of new jobs |
//!
//! Looks at tokens that were not used for a while, as at those of strangers, have half of `reads` at
//! most, all together.
//!
//! Of bodies, [`BODY_BYTES`] may be in hand at once in a process, and one caller may have half of
//! them: read, or being read, until the work that they ask for is handed on.
//!
//! Everyone may have at least one. A permit is held until the work ends, not until the caller hangs
//! up. Who waits for one waits without a connection in hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::auth::Caller;
use super::problem::Problem;
use crate::domain::ErrorCode;

/// How long one may wait for a permit.
const WITHIN: Duration = Duration::from_secs(3);
/// Bytes of bodies in hand at once. As a tree, a body takes some ten times as much.
pub(super) const BODY_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one caller's bodies that are worked on at once: more would keep the processors from others.
const WORKED_ON: usize = super::body::MAX_BODY;
/// Statements of the writer of new jobs that are under way at once.
const OF_THE_WRITER: usize = 2;
/// As many are remembered before those who have gone are forgotten.
const FEW: usize = 1_024;

/// The permits of a process.
pub(super) struct Permits {
    readers: Keyed,
    accounts: Keyed,
    strangers: Arc<Semaphore>,
    changers: Keyed,
    changes: Arc<Semaphore>,
    senders: Keyed,
    bodies: Arc<Semaphore>,
    worked_on: Keyed,
}

/// Leave to use a connection; given back when dropped.
pub(super) struct Permit(#[expect(dead_code, reason = "held")] [Option<OwnedSemaphorePermit>; 2]);

impl Permits {
    pub(super) fn new(reads: u32, changes: u32) -> Self {
        let (reads, changes) = (reads as usize, changes as usize);
        Self {
            readers: Keyed::new(reads / 2),
            accounts: Keyed::new(reads.saturating_sub(1)),
            strangers: Arc::new(Semaphore::new((reads / 2).max(1))),
            changers: Keyed::new(changes / 3),
            changes: Arc::new(Semaphore::new(changes.saturating_sub(OF_THE_WRITER).max(1))),
            senders: Keyed::new(BODY_BYTES / 2),
            bodies: Arc::new(Semaphore::new(BODY_BYTES)),
            worked_on: Keyed::new(WORKED_ON),
        }
    }

    /// For a read. The caller's permit comes first, so nobody who has one of an account waits for it.
    pub(super) async fn read(&self, caller: &Caller) -> Result<Permit, Problem> {
        let key = caller.key_owner();
        let own = self.readers.take(&key, 1).await;
        let own = own.ok_or_else(|| too_many("Your token has", self.readers.most, "reads"))?;
        let Some(account) = caller.only_account() else {
            return Ok(Permit([Some(own), None]));
        };
        let of_account = self.accounts.take(account, 1).await.ok_or_else(|| {
            let who = format!("The callers of account {account} have");
            too_many(&who, self.accounts.most, "reads")
        })?;
        Ok(Permit([Some(own), Some(of_account)]))
    }

    /// For a look at a token that nobody has used for a while.
    pub(super) async fn stranger(&self) -> Result<Permit, Problem> {
        let one = within(&self.strangers, 1).await.ok_or_else(|| {
            Problem::unavailable(
                "Too many tokens that were not used for a while come at once: repeat the request.",
            )
        })?;
        Ok(Permit([Some(one), None]))
    }

    /// For a change.
    pub(super) async fn change(&self, caller: &Caller) -> Result<Permit, Problem> {
        let own = self.changers.take(&caller.key_owner(), 1).await;
        let own = own.ok_or_else(|| too_many("Your token has", self.changers.most, "changes"))?;
        let one = within(&self.changes, 1).await;
        let one = one.ok_or_else(Problem::database_away)?;
        Ok(Permit([Some(own), Some(one)]))
    }
}

impl Permits {
    /// For a body of so many bytes, or for what is as large.
    pub(super) async fn body(&self, caller: &Caller, bytes: usize) -> Result<Permit, Problem> {
        let bytes = u32::try_from(bytes.clamp(1, BODY_BYTES / 2)).unwrap_or(u32::MAX);
        let own = self.senders.take(&caller.key_owner(), bytes).await;
        let own = own.ok_or_else(|| too_many_bytes(self.senders.most))?;
        let of_all = within(&self.bodies, bytes).await.ok_or_else(|| {
            Problem::unavailable(
                "The bodies that this process has in hand are as large as may be: repeat the \
                 request, with the same Idempotency-Key where it has one.",
            )
        })?;
        Ok(Permit([Some(own), Some(of_all)]))
    }

    /// For the work on a body that was read.
    pub(super) async fn work(&self, caller: &Caller, bytes: usize) -> Result<Permit, Problem> {
        let bytes = u32::try_from(bytes.clamp(1, WORKED_ON)).unwrap_or(u32::MAX);
        let own = self.worked_on.take(&caller.key_owner(), bytes).await;
        let own = own.ok_or_else(|| too_many_bytes(self.worked_on.most))?;
        Ok(Permit([Some(own), None]))
    }
}

/// So many permits for each key.
struct Keyed {
    most: usize,
    of: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Keyed {
    fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            of: Mutex::default(),
        }
    }

    async fn take(&self, key: &str, permits: u32) -> Option<OwnedSemaphorePermit> {
        within(&self.semaphore(key), permits).await
    }

    fn semaphore(&self, key: &str) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = of.get(key) {
            return Arc::clone(known);
        }
        if of.len() >= FEW {
            // Who has a permit, or waits for one, has a clone.
            of.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let fresh = Arc::new(Semaphore::new(self.most));
        of.insert(key.to_owned(), Arc::clone(&fresh));
        fresh
    }
}

async fn within(semaphore: &Arc<Semaphore>, permits: u32) -> Option<OwnedSemaphorePermit> {
    let taking = Arc::clone(semaphore).acquire_many_owned(permits);
    tokio::time::timeout(WITHIN, taking).await.ok()?.ok()
}

fn too_many(who: &str, most: usize, what: &str) -> Problem {
    let detail = format!(
        "{who} as many {what} at the database as they may have at once ({most}), and none has ended \
         within {} seconds: ask for less at a time.",
        WITHIN.as_secs()
    );
    Problem::new(ErrorCode::RateLimited, detail).retry_after(1)
}

fn too_many_bytes(most: usize) -> Problem {
    let detail = format!(
        "The bodies of your token's requests under way come to {most} bytes, which is as much as they \
         may, and none has ended within {} seconds: send less at a time.",
        WITHIN.as_secs()
    );
    Problem::new(ErrorCode::RateLimited, detail).retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is there at once, without a wait.
    fn at_once(keyed: &Keyed, key: &str, permits: u32) -> Option<OwnedSemaphorePermit> {
        keyed.semaphore(key).try_acquire_many_owned(permits).ok()
    }

    #[test]
    fn one_key_never_has_more_than_its_part() {
        let keyed = Keyed::new(2);
        let held = (at_once(&keyed, "a", 1), at_once(&keyed, "a", 1));
        assert!(held.0.is_some() && held.1.is_some());
        assert!(at_once(&keyed, "a", 1).is_none());
        assert!(at_once(&keyed, "b", 1).is_some(), "the others have theirs");
        drop(held);
        assert!(at_once(&keyed, "a", 1).is_some());
    }

    #[test]
    fn bytes_are_permits_too() {
        let keyed = Keyed::new(1_000);
        let large = at_once(&keyed, "a", 900);
        assert!(at_once(&keyed, "a", 101).is_none());
        assert!(at_once(&keyed, "a", 100).is_some());
        assert!(at_once(&keyed, "b", 1_000).is_some());
        drop(large);
        assert!(at_once(&keyed, "a", 1_000).is_some());
    }

    #[test]
    fn everyone_has_one_at_least_and_who_has_gone_is_forgotten() {
        let keyed = Keyed::new(0);
        let held = at_once(&keyed, "stays", 1);
        assert!(held.is_some());
        for n in 0..FEW {
            assert!(at_once(&keyed, &n.to_string(), 1).is_some());
        }
        assert_eq!(keyed.of.lock().unwrap().len(), 2);
    }
}
