//! The accounts that steps work in, read together: those asked for while one read is under way share
//! the next.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};
use tokio_util::task::TaskTracker;

use crate::db::accounts::{self, Account};
use crate::queue::group_commit::{Bounds, GroupCommit, GroupCommitError, Statement};

/// A reader of accounts; always as they are now.
pub(super) struct Accounts(GroupCommit<Read>);

struct Read(PgPool);

impl Accounts {
    pub fn new(pool: PgPool) -> Self {
        const BOUNDS: Bounds = Bounds {
            room: 16_384,
            rows: 500,
            statements: 1,
        };
        // The task ends when this is dropped.
        let tracker = TaskTracker::new();
        Self(GroupCommit::start(Read(pool), BOUNDS, &tracker))
    }

    pub async fn find(&self, account_id: &str) -> Result<Option<Account>, GroupCommitError> {
        self.0.commit(account_id.to_owned()).await
    }
}

impl Statement for Read {
    type Item = String;
    type Reply = Option<Account>;

    fn weight(_: &String) -> usize {
        1
    }

    fn pool(&self) -> &PgPool {
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
