//! What steps read from the database, read together: what is asked for while one read is under way
//! shares the next.

use std::collections::HashMap;

use sqlx::PgConnection;
use tokio_util::task::TaskTracker;

use crate::database::Share;
use crate::db::accounts::{self, Account};
use crate::db::jobs::{self, Place};
use crate::queue::group_commit::{Bounds, GroupCommit, GroupCommitError, Statement};

const BOUNDS: Bounds = Bounds {
    room: 16_384,
    room_bytes: 0,
    rows: 500,
    bytes: usize::MAX,
    statements: 1,
};

/// A reader; always of what is there now.
pub(super) struct Reads {
    accounts: GroupCommit<Accounts>,
    deletions: GroupCommit<UnfollowedDeletions>,
}

impl Reads {
    pub fn new(share: &Share) -> Self {
        // The tasks end when this is dropped.
        let tracker = TaskTracker::new();
        Self {
            accounts: GroupCommit::start(Accounts(share.clone()), BOUNDS, &tracker),
            deletions: GroupCommit::start(UnfollowedDeletions(share.clone()), BOUNDS, &tracker),
        }
    }

    /// The account that a job works in.
    pub async fn account(&self, account_id: &str) -> Result<Option<Account>, GroupCommitError> {
        self.accounts.commit(account_id.to_owned()).await
    }

    /// See [`jobs::unfollowed_deletions`].
    pub async fn unfollowed_deletion(
        &self,
        place: Place,
    ) -> Result<Option<String>, GroupCommitError> {
        self.deletions.commit(place).await
    }
}

struct Accounts(Share);

impl Statement for Accounts {
    type Item = String;
    type Reply = Option<Account>;

    fn weight(_: &String) -> usize {
        1
    }

    fn share(&self) -> &Share {
        &self.0
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        ids: &[String],
    ) -> Result<Vec<Option<Account>>, sqlx::Error> {
        let found: HashMap<String, Account> = accounts::find_all(connection, ids)
            .await?
            .into_iter()
            .map(|account| (account.account_id.clone(), account))
            .collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}

struct UnfollowedDeletions(Share);

impl Statement for UnfollowedDeletions {
    type Item = Place;
    type Reply = Option<String>;

    fn weight(_: &Place) -> usize {
        1
    }

    fn share(&self) -> &Share {
        &self.0
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        places: &[Place],
    ) -> Result<Vec<Option<String>>, sqlx::Error> {
        let found = jobs::unfollowed_deletions(connection, places).await?;
        Ok(places
            .iter()
            .map(|place| found.get(place).cloned())
            .collect())
    }
}
