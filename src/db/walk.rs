//! Lists look at a bounded number of rows.
//!
//! A list walks its rows by key, newest first, in windows: a first statement finds the key at which
//! the window ends, by the index alone; a second one reads the rows down to that key and keeps those
//! that the filters let through. A page that is not full when the walk has looked at its share of rows
//! is short, even empty, and the next one goes on where the walk ended.
//!
//! Everything of a page is read in one transaction: all its statements see the same rows, and none
//! runs longer than [`begin_list`] allows.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, PgTransaction};
use uuid::Uuid;

/// Rows of one window: what a disk with 3,000 reads a second brings within a second.
pub const WINDOW: i64 = 2_000;
/// A walk that has taken so long begins no other window.
const LONG_ENOUGH: Duration = Duration::from_millis(250);
/// More sources than these, such as accounts, are not walked one by one.
pub const MAX_SOURCES: usize = 100;

/// What a walk found.
#[derive(Debug, Clone)]
pub struct Looked<T, K> {
    /// The rows that were asked for, in their order.
    pub items: Vec<T>,
    /// Where the walk ended before the page was full; `None` when it saw everything.
    pub reached: Option<K>,
}

impl<T, K> Looked<T, K> {
    /// Nothing is there, and nothing more will be.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            items: Vec::new(),
            reached: None,
        }
    }
}

/// Begins the transaction of a list: each of its statements may take a second.
///
/// The limit is set inside the transaction, so it holds through a pooler of transactions too.
pub async fn begin_list(connection: &mut PgConnection) -> Result<PgTransaction<'_>, sqlx::Error> {
    const BEGIN: &str = "begin isolation level repeatable read, read only; \
                         set local statement_timeout = '1s'";
    connection.begin_with(BEGIN).await
}

/// Begins the transaction of a read by key: each of its statements may take three seconds.
pub async fn begin_read(connection: &mut PgConnection) -> Result<PgTransaction<'_>, sqlx::Error> {
    const BEGIN: &str = "begin isolation level repeatable read, read only; \
                         set local statement_timeout = '3s'";
    connection.begin_with(BEGIN).await
}

/// The accounts that are asked for and may be seen; none means all.
#[must_use]
pub fn accounts(visible: Option<Vec<String>>, asked: Vec<String>) -> Option<Vec<String>> {
    let mut accounts = match (visible, asked.is_empty()) {
        (None, true) => return None,
        (None, false) => asked,
        (Some(visible), true) => visible,
        (Some(visible), false) => {
            let seen = |id: &String| visible.contains(id);
            asked.into_iter().filter(seen).collect()
        }
    };
    accounts.sort_unstable();
    accounts.dedup();
    Some(accounts)
}

/// The next id after this one: `before` of a list that holds this one alone.
pub(super) fn after(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// One page's walk: how many rows it may still look at, and for how long it has.
pub(super) struct Walk {
    left: i64,
    window: i64,
    begun: Instant,
}

impl Walk {
    /// A walk that may look at `rows` rows.
    pub(super) fn of(rows: i64) -> Self {
        Self {
            left: rows,
            window: WINDOW.min(rows).max(1),
            begun: Instant::now(),
        }
    }

    /// Rows of each of so many sources that the next window looks at.
    pub(super) fn each(&self, sources: usize) -> i64 {
        let sources = i64::try_from(sources).unwrap_or(i64::MAX).max(1);
        (self.window / sources).max(1)
    }

    /// Whether there may be another window after this one.
    pub(super) fn goes_on(&mut self) -> bool {
        self.left -= self.window;
        self.left > 0 && self.begun.elapsed() < LONG_ENOUGH
    }
}
