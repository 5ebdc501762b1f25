//! Callers and accounts that were looked up a moment ago, so that a burst of requests asks the
//! database once for each.
//!
//! A token or an account that is unknown, and work that its account does not allow, are looked up
//! again before they are refused. What is granted ends with the notification of a change, and without
//! one after a second. Jobs are none the worse for it: the enqueue looks whether the account is still
//! there, and a claim passes disabled ones over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::auth::Caller;
use super::problem::Problem;
use crate::db::accounts::Account;
use crate::queue::listener::Watchers;

/// How long the database's word counts.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long a token that counted is told from those of strangers.
const A_WHILE: Duration = Duration::from_mins(10);

/// The caches.
pub(super) struct Known {
    watchers: Watchers,
    /// The watchers' epoch that they are of.
    epoch: AtomicU64,
    callers: Cache<[u8; 32], Caller>,
    /// Tokens that counted not long ago.
    seen: Cache<[u8; 32], ()>,
    accounts: Cache<String, Arc<Account>>,
}

impl Known {
    pub fn new(watchers: Watchers) -> Self {
        Self {
            epoch: AtomicU64::new(watchers.epoch()),
            watchers,
            callers: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(A_MOMENT)
                .build(),
            seen: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(A_WHILE)
                .build(),
            accounts: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(A_MOMENT)
                .build(),
        }
    }

    /// Forgets everything when anything has changed.
    fn keep_up(&self) {
        let epoch = self.watchers.epoch();
        if self.epoch.swap(epoch, Ordering::Relaxed) != epoch {
            self.callers.invalidate_all();
            self.accounts.invalidate_all();
        }
    }

    /// The caller of a token: known, or found by `look`, once however many ask. It is told whether the
    /// token is a stranger's: one that has not counted for a while.
    pub async fn caller<F>(
        &self,
        (token, now): (&str, DateTime<Utc>),
        look: impl FnOnce(bool) -> F,
    ) -> Result<Caller, Problem>
    where
        F: Future<Output = Result<Caller, Problem>>,
    {
        self.keep_up();
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = self.callers.get(&key).await
            && known.has_expired(now)
        {
            self.callers.invalidate(&key).await;
        }
        let stranger = !self.seen.contains_key(&key);
        let found = self.callers.try_get_with(key, look(stranger)).await;
        if stranger && found.is_ok() {
            self.seen.insert(key, ()).await;
        }
        found.map_err(|problem: Arc<Problem>| Problem::clone(&problem))
    }

    /// The same for an account.
    pub async fn account(
        &self,
        account_id: &str,
        look: impl Future<Output = Result<Arc<Account>, Problem>>,
    ) -> Result<Arc<Account>, Problem> {
        self.keep_up();
        let found = self.accounts.try_get_with_by_ref(account_id, look).await;
        found.map_err(|problem: Arc<Problem>| Problem::clone(&problem))
    }

    /// What was just read counts from now on.
    pub async fn note_account(&self, account: Arc<Account>) {
        let id = account.account_id.clone();
        self.accounts.insert(id, account).await;
    }

    /// A token has changed; other processes are told by the database.
    pub fn forget_callers(&self) {
        self.callers.invalidate_all();
    }

    /// An account has changed.
    pub async fn forget_account(&self, account_id: &str) {
        self.accounts.invalidate(account_id).await;
    }
}
