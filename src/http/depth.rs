//! How many jobs an account has unfinished, for the bound on them.
//!
//! The database is asked once a second for an account that gets jobs; in between this process
//! counts those that it adds. So the bound is exact for one process within a second, and may be
//! passed by what several processes add in that second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::future::Cache;

use super::auth::Needs;
use super::extract::Call;
use super::problem::Problem;
use crate::db;
use crate::domain::ErrorCode;
use crate::limits::Limits;

/// How long the database's word counts.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The counts of accounts that got jobs a moment ago.
pub(super) struct Depths {
    most: i64,
    accounts: Cache<String, Arc<AtomicI64>>,
}

impl Depths {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.unfinished_jobs.into(),
            accounts: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(A_MOMENT)
                .build(),
        }
    }
}

impl<R: Needs> Call<R> {
    /// Counts these jobs as added; `false`, and nothing counted, where the account has no room.
    pub(super) async fn has_room(&self, account_id: &str, jobs: usize) -> Result<bool, Problem> {
        let depths = &self.state.depths;
        if depths.most == 0 {
            return Ok(true);
        }
        let look = async {
            let (id, most) = (account_id.to_owned(), depths.most);
            let count = self.state.look_up(self.caller.slot(), move |connection| {
                Box::pin(
                    async move { Ok(db::jobs::count_unfinished(connection, &id, most).await?) },
                )
            });
            Ok(Arc::new(AtomicI64::new(count.await?)))
        };
        let count = depths.accounts.try_get_with_by_ref(account_id, look).await;
        let count = count.map_err(|problem: Arc<Problem>| Problem::clone(&problem))?;
        let jobs = i64::try_from(jobs).unwrap_or(i64::MAX);
        if count.fetch_add(jobs, Ordering::Relaxed) + jobs <= depths.most {
            return Ok(true);
        }
        count.fetch_sub(jobs, Ordering::Relaxed);
        Ok(false)
    }

    /// The account has no room.
    pub(super) fn full(&self, account_id: &str) -> Problem {
        let detail = format!(
            "Account {account_id} may have {} unfinished jobs, and these would be more: nothing was \
             queued. Wait until some have ended; GET /v1/jobs?accountId={account_id} lists them.",
            self.state.depths.most
        );
        Problem::new(ErrorCode::RateLimited, detail).retry_after(10)
    }
}
