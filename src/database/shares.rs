//! The connections of a process, divided into shares that never lend to each other.
//!
//! | share | who uses it | of 10, with API and worker |
//! |---|---|---|
//! | `listen` | LISTEN, for as long as the process runs | 1 |
//! | `heartbeat` | the heartbeat of the worker, `/readyz` | 1 |
//! | `engine` | claims, outcomes, repairs, what steps read, webhooks, sealing | 3 |
//! | `changes` | the writer of new jobs (two), changes that callers make | 3 |
//! | `reads` | what callers read, and what is looked up for each request | 2 |
//!
//! Promises: no request can use up the connections of `listen`, `heartbeat` and `engine`; who holds a
//! connection gets no second one, so nobody waits for a connection with one in hand.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool, PgTransaction, Postgres};
use tokio::task::Id;

/// Connections of each share. `listen` always has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// For the heartbeat, and for `/readyz`.
    pub heartbeat: u32,
    /// For the queue's own work.
    pub engine: u32,
    /// For changes of callers.
    pub changes: u32,
    /// For reads of callers.
    pub reads: u32,
}

/// What of the service runs in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halves {
    /// The API alone.
    Api,
    /// The worker alone.
    Worker,
    /// Both.
    Both,
}

/// What a process may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// In all. Fewer than each share's one count as that many.
    pub total: u32,
    /// Of them, for changes; none: a part of the total.
    pub changes: Option<u32>,
    /// Of them, for reads; none: a part of the total.
    pub reads: Option<u32>,
}

impl Connections {
    /// So many in all, divided as usual.
    #[must_use]
    pub const fn of(total: u32) -> Self {
        Self {
            total,
            changes: None,
            reads: None,
        }
    }

    /// Divides them. Each share has at least one; what is not said goes to the engine.
    #[must_use]
    pub fn divided(self, halves: Halves) -> Sizes {
        if halves == Halves::Worker {
            return Sizes {
                heartbeat: 1,
                engine: self.total.saturating_sub(2).max(1),
                changes: 1,
                reads: 1,
            };
        }
        // Without LISTEN and the heartbeat.
        let left = self.total.saturating_sub(2);
        let (changes, reads) = if halves == Halves::Api {
            // The engine only seals the audit trail.
            (left / 2, left.saturating_sub(left / 2 + 1))
        } else {
            (left * 3 / 8, left / 4)
        };
        let changes = self.changes.unwrap_or(changes).max(1);
        let reads = self.reads.unwrap_or(reads).max(1);
        Sizes {
            heartbeat: 1,
            engine: left.saturating_sub(changes + reads).max(1),
            changes,
            reads,
        }
    }
}

/// The shares of a process; clones share them.
#[derive(Clone)]
pub struct Shares {
    /// For LISTEN.
    pub listen: Share,
    /// For the heartbeat.
    pub heartbeat: Share,
    /// For the queue's own work.
    pub engine: Share,
    /// For changes of callers.
    pub changes: Share,
    /// For reads of callers.
    pub reads: Share,
}

impl Shares {
    /// Shares that are pools of their own, in the order of the fields.
    #[must_use]
    pub fn of([listen, heartbeat, engine, changes, reads]: [PgPool; 5]) -> Self {
        Self {
            listen: Share::of(listen),
            heartbeat: Share::of(heartbeat),
            engine: Share::of(engine),
            changes: Share::of(changes),
            reads: Share::of(reads),
        }
    }

    /// Shares that are all of one pool: for what has no callers.
    #[must_use]
    pub fn on(pool: &PgPool) -> Self {
        Self::of([(); 5].map(|()| pool.clone()))
    }

    /// The sizes of the pools, in the order of the fields.
    pub(super) const fn sizes(sizes: Sizes) -> [u32; 5] {
        [1, sizes.heartbeat, sizes.engine, sizes.changes, sizes.reads]
    }

    /// Closes all connections.
    pub async fn close(&self) {
        tokio::join!(
            self.listen.close(),
            self.heartbeat.close(),
            self.engine.close(),
            self.changes.close(),
            self.reads.close(),
        );
    }
}

/// One share: a pool that hands out one connection to a task at a time. Clones share it.
#[derive(Clone)]
pub struct Share {
    pool: PgPool,
}

/// The tasks that hold a connection, of any share.
static HOLDERS: LazyLock<Mutex<HashSet<Id>>> = LazyLock::new(Mutex::default);

impl Share {
    /// A share that is a pool.
    #[must_use]
    pub fn of(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The most connections that it has.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// A connection, in bounded time. Refused to a task that holds one already: with both it could
    /// wait for itself.
    pub async fn connection(&self) -> Result<Held, sqlx::Error> {
        let turn = Turn::begin()?;
        let connection = self.pool.acquire().await?;
        Ok(Held {
            connection,
            _turn: turn,
        })
    }

    /// A transaction on a connection, got in the same way; undone when it is dropped.
    pub async fn begin(&self) -> Result<Work, sqlx::Error> {
        let turn = Turn::begin()?;
        let transaction = self.pool.begin().await?;
        Ok(Work {
            transaction,
            _turn: turn,
        })
    }

    /// A connection for LISTEN, which keeps it.
    pub async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        PgListener::connect_with(&self.pool).await
    }

    /// Closes its connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection in hand; given back when dropped.
pub struct Held {
    connection: PoolConnection<Postgres>,
    _turn: Turn,
}

impl Held {
    /// Throws the connection away instead of giving it back.
    pub fn discard(self) {
        drop(self.connection.detach());
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// A transaction in hand.
pub struct Work {
    transaction: PgTransaction<'static>,
    _turn: Turn,
}

impl Work {
    /// Keeps what was done.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }

    /// Undoes what was done.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.transaction.rollback().await
    }
}

impl Deref for Work {
    type Target = PgTransaction<'static>;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.transaction
    }
}

/// Whether the task that asks holds a connection: then it must not wait for another task that needs
/// one.
#[must_use]
pub fn holds_one() -> bool {
    let Some(task) = tokio::task::try_id() else {
        return false;
    };
    let holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    holders.contains(&task)
}

/// That a task holds a connection, or waits for one. What is no task of the runtime is not counted.
struct Turn(Option<Id>);

impl Turn {
    fn begin() -> Result<Self, sqlx::Error> {
        let task = tokio::task::try_id();
        let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        match task {
            Some(task) if !holders.insert(task) => {
                tracing::error!("a task that holds a connection asked for a second one");
                Err(second())
            }
            task => Ok(Self(task)),
        }
    }
}

/// The refusal of a second connection.
#[must_use]
pub fn second() -> sqlx::Error {
    sqlx::Error::Configuration("a second connection was asked for while one is held".into())
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
            holders.remove(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::task::TaskTracker;

    use super::*;

    fn sizes(total: u32, halves: Halves) -> [u32; 5] {
        Shares::sizes(Connections::of(total).divided(halves))
    }

    #[test]
    fn the_total_is_divided_and_each_share_has_at_least_one() {
        assert_eq!(sizes(10, Halves::Both), [1, 1, 3, 3, 2]);
        assert_eq!(sizes(10, Halves::Api), [1, 1, 1, 4, 3]);
        assert_eq!(sizes(10, Halves::Worker), [1, 1, 8, 1, 1]);
        assert_eq!(sizes(40, Halves::Both), [1, 1, 15, 14, 9]);
        for halves in [Halves::Both, Halves::Api, Halves::Worker] {
            assert_eq!(sizes(2, halves), [1, 1, 1, 1, 1]);
            for total in 5..=1000 {
                let used: u32 = sizes(total, halves).iter().sum();
                // Pools that nobody uses never open a connection.
                let unused = if halves == Halves::Worker { 2 } else { 0 };
                assert_eq!(used - unused, total, "{halves:?}");
            }
        }
    }

    #[test]
    fn what_is_said_is_taken_from_the_engine() {
        let said = Connections {
            reads: Some(20),
            changes: Some(4),
            ..Connections::of(30)
        };
        assert_eq!(Shares::sizes(said.divided(Halves::Both)), [1, 1, 4, 4, 20]);
    }

    #[tokio::test]
    async fn a_task_has_one_turn_at_a_time() {
        let asked = TaskTracker::new().spawn(async {
            let first = Turn::begin();
            let second = Turn::begin();
            assert!(first.is_ok() && second.is_err());
            drop((first, second));
            Turn::begin().is_ok()
        });
        assert!(asked.await.unwrap());
    }
}
