//! How many live reads a caller, and an account, have unfinished, for the bound on them.
//!
//! This process remembers the jobs of the reads that it made. When a caller or an account has as many
//! as it may, the database is asked which of them are over, at most ten times a second. So the bound
//! is one of each process, and costs nothing until it is met.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::auth::Needs;
use super::extract::Call;
use super::problem::Problem;
use super::submit::READ_DEADLINE;
use crate::db;
use crate::domain::ErrorCode;
use crate::limits::Limits;

/// An account may have so many times the reads of a caller.
const CALLERS_AN_ACCOUNT: usize = 2;
/// Between two questions about the same reads.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// As many callers and accounts are remembered before any is forgotten.
const FEW: usize = 1_024;

/// The unfinished reads of all callers and accounts.
pub(super) struct Reads {
    max: usize,
    held: Mutex<Held>,
}

struct Held {
    owners: HashMap<Owner, Unfinished>,
    /// At how many those without reads are looked for.
    many: usize,
}

/// Whose reads they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Caller(String),
    Account(String),
}

#[derive(Default)]
struct Unfinished {
    /// The jobs, and when each was made.
    jobs: HashMap<Uuid, Instant>,
    asked_at: Option<Instant>,
}

impl Reads {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max: usize::try_from(limits.unfinished_reads).unwrap_or(usize::MAX),
            held: Mutex::new(Held {
                owners: HashMap::new(),
                many: FEW,
            }),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn max(&self, owner: &Owner) -> usize {
        match owner {
            Owner::Caller(_) => self.max,
            Owner::Account(_) => self.max.saturating_mul(CALLERS_AN_ACCOUNT),
        }
    }

    /// Counts a read of all these owners; otherwise the one that has no room, and nothing is counted.
    fn add(&self, owners: &[Owner; 2], job_id: Uuid) -> Result<(), Owner> {
        let now = Instant::now();
        let mut held = self.held();
        held.make_room(now);
        for owner in owners {
            let reads = held.owners.get(owner).map_or(0, |reads| reads.jobs.len());
            if reads >= self.max(owner) {
                return Err(owner.clone());
            }
        }
        for owner in owners {
            let reads = held.owners.entry(owner.clone()).or_default();
            reads.jobs.insert(job_id, now);
        }
        Ok(())
    }

    /// The reads of an owner, to ask whether they are over; none when that was asked a moment ago.
    fn to_ask(&self, owner: &Owner) -> Option<Vec<Uuid>> {
        let now = Instant::now();
        let mut held = self.held();
        let reads = held.owners.get_mut(owner)?;
        let lately = |at: Instant| now.saturating_duration_since(at) < ASK_AGAIN;
        if reads.asked_at.is_some_and(lately) {
            return None;
        }
        reads.asked_at = Some(now);
        Some(reads.jobs.keys().copied().collect())
    }

    fn remove(&self, owner: &Owner, job_ids: &[Uuid]) {
        if let Some(reads) = self.held().owners.get_mut(owner) {
            reads.jobs.retain(|id, _| !job_ids.contains(id));
        }
    }
}

impl Held {
    /// Forgets reads past their deadline, and owners without reads, once there are many owners.
    fn make_room(&mut self, now: Instant) {
        if self.owners.len() < self.many {
            return;
        }
        for reads in self.owners.values_mut() {
            let age = |at: Instant| now.saturating_duration_since(at);
            reads.jobs.retain(|_, at| age(*at) < 2 * READ_DEADLINE);
        }
        self.owners.retain(|_, reads| !reads.jobs.is_empty());
        self.many = FEW.max(2 * self.owners.len());
    }
}

impl<R: Needs> Call<R> {
    /// Counts a read that is about to be made, or refuses it.
    pub(super) async fn take_read(&self, account_id: &str, job_id: Uuid) -> Result<(), Problem> {
        let reads = &self.state.reads;
        if reads.max == 0 {
            return Ok(());
        }
        let owners = self.owners(account_id);
        // Each of the two may have to be asked about once.
        for _ in 0..owners.len() {
            let Err(full) = reads.add(&owners, job_id) else {
                return Ok(());
            };
            let Some(ids) = reads.to_ask(&full) else {
                return Err(self.too_many_reads(&full));
            };
            let asking = self.state.look_up(self.caller.slot(), move |connection| {
                Box::pin(async move { Ok(db::jobs::finished_of(connection, &ids).await?) })
            });
            reads.remove(&full, &asking.await?);
        }
        reads
            .add(&owners, job_id)
            .map_err(|full| self.too_many_reads(&full))
    }

    /// A read is over, or was not made.
    pub(super) fn give_read_back(&self, account_id: &str, job_id: Uuid) {
        for owner in self.owners(account_id) {
            self.state.reads.remove(&owner, &[job_id]);
        }
    }

    fn owners(&self, account_id: &str) -> [Owner; 2] {
        [
            Owner::Caller(self.caller.key_owner()),
            Owner::Account(account_id.to_owned()),
        ]
    }

    fn too_many_reads(&self, owner: &Owner) -> Problem {
        let max = self.state.reads.max(owner);
        let who = match owner {
            Owner::Caller(_) => "Your token".to_owned(),
            Owner::Account(id) => format!("Account {id}"),
        };
        let detail = format!(
            "{who} has {max} live reads that are not over, and may have no more: wait for some to \
             end."
        );
        Problem::new(ErrorCode::RateLimited, detail).retry_after(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(max: u32) -> Reads {
        Reads::new(&Limits {
            unfinished_reads: max,
            ..Limits::default()
        })
    }

    fn owners(caller: &str, account: &str) -> [Owner; 2] {
        [
            Owner::Caller(caller.to_owned()),
            Owner::Account(account.to_owned()),
        ]
    }

    #[test]
    fn a_caller_and_an_account_have_bounds_of_their_own() {
        let reads = reads(2);
        let mut ids = (1_u128..).map(Uuid::from_u128);
        let mut add = |caller: &str| reads.add(&owners(caller, "account"), ids.next().unwrap());
        for caller in ["a", "a", "b"] {
            assert_eq!(add(caller), Ok(()));
        }
        assert_eq!(add("a"), Err(Owner::Caller("a".to_owned())));
        assert_eq!(add("d"), Ok(()));
        assert_eq!(add("e"), Err(Owner::Account("account".to_owned())));
        reads.remove(&Owner::Account("account".to_owned()), &[Uuid::from_u128(1)]);
        reads.remove(&Owner::Caller("a".to_owned()), &[Uuid::from_u128(1)]);
        assert_eq!(add("a"), Ok(()));
    }

    #[test]
    fn the_database_is_asked_once_in_a_while() {
        let reads = reads(1);
        let [caller, account] = owners("a", "account");
        reads
            .add(&[caller.clone(), account], Uuid::from_u128(1))
            .unwrap();
        assert_eq!(reads.to_ask(&caller), Some(vec![Uuid::from_u128(1)]));
        assert_eq!(reads.to_ask(&caller), None);
    }

    #[test]
    fn who_has_no_reads_is_forgotten() {
        let reads = reads(1);
        for n in 1..=FEW {
            let id = Uuid::from_u128(n as u128);
            let owners = owners(&n.to_string(), &n.to_string());
            reads.add(&owners, id).unwrap();
            reads.remove(&owners[0], &[id]);
            reads.remove(&owners[1], &[id]);
        }
        reads
            .add(&owners("last", "last"), Uuid::from_u128(0))
            .unwrap();
        assert_eq!(reads.held().owners.len(), 2);
    }
}
