//! Natural group commit: while one statement is under way, requests gather; when it returns, all
//! of them go in the next. No timer, so an idle queue pays nothing for it.
//!
//! Promises: every item is answered exactly once, after its statement has committed or failed; an
//! item that Postgres refuses fails alone, not with its batch; the waiting room is bounded, in items and
//! in bytes, and its owners take turns ([`waiting`]).

mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use super::bounded;
use crate::database::{self, Held, Share};
use waiting::{Batch, Closed, Size, Waiting};

/// A statement that serves many items at once.
pub trait Statement: Send + Sync + 'static {
    /// What one caller brings.
    type Item: Send + Sync + 'static;
    /// What one caller gets.
    type Reply: Send + 'static;
    /// Rows that an item adds to the statement.
    fn weight(item: &Self::Item) -> usize;
    /// Bytes that an item takes while it waits, about; 0 where that is bounded elsewhere.
    #[must_use]
    fn bytes(_: &Self::Item) -> usize {
        0
    }
    /// Bytes that an item adds to the statement, about; 0 where they are few.
    #[must_use]
    fn written(_: &Self::Item) -> usize {
        0
    }
    /// Who brings it: the waiting room serves its owners in turn.
    #[must_use]
    fn owner(_: &Self::Item) -> &str {
        ""
    }
    /// Puts right what may have made Postgres refuse a sound item; whether there was anything.
    fn mend(
        &self,
        _: &mut PgConnection,
        _: &Self::Item,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send {
        std::future::ready(Ok(false))
    }
    /// Where its connections are from.
    fn share(&self) -> &Share;
    /// Runs the statement and commits; replies in the order of the items.
    fn run(
        &self,
        connection: &mut PgConnection,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Reply>, sqlx::Error>> + Send;
}

/// Why an item was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GroupCommitError {
    /// The waiting room is full.
    #[error("too many writes are waiting for the database")]
    Full,
    /// The process is shutting down.
    #[error("the writer has stopped")]
    Stopped,
    /// The statement failed; shared by all of its batch.
    #[error("writing to the database")]
    Database(#[source] Arc<sqlx::Error>),
}

impl GroupCommitError {
    /// The database will never take this item, however often it is tried.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Database(error) if is_data_error(error))
    }
}

type Reply<S> = Result<<S as Statement>::Reply, GroupCommitError>;

struct Pending<S: Statement> {
    item: S::Item,
    /// Of the waiting room; given back when the statement has ended.
    room: OwnedSemaphorePermit,
    reply: oneshot::Sender<Reply<S>>,
}

/// How much a writer takes on.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Items that may wait.
    pub room: usize,
    /// Bytes that may wait, or be under way.
    pub room_bytes: usize,
    /// Rows of one statement.
    pub rows: usize,
    /// Bytes of one statement, and of what one owner has in all that are under way.
    pub bytes: usize,
    /// Statements under way at once, each on a connection of its own.
    pub statements: usize,
}

/// A handle to the writer tasks; clones share it.
pub struct GroupCommit<S: Statement> {
    door: Arc<Door<S>>,
    room: Arc<Semaphore>,
    room_bytes: usize,
}

/// Where items come in. When the last handle has dropped it, nothing more comes.
struct Door<S: Statement>(Waiting<Pending<S>>);

impl<S: Statement> Drop for Door<S> {
    fn drop(&mut self) {
        self.0.complete();
    }
}

impl<S: Statement> Clone for GroupCommit<S> {
    fn clone(&self) -> Self {
        Self {
            door: Arc::clone(&self.door),
            room: Arc::clone(&self.room),
            room_bytes: self.room_bytes,
        }
    }
}

impl<S: Statement> GroupCommit<S> {
    /// Starts the writers on `tracker`; they end when the last handle is dropped.
    pub fn start(statement: S, bounds: Bounds, tracker: &TaskTracker) -> Self {
        let most = Size {
            rows: bounds.rows,
            bytes: bounds.bytes,
        };
        let waiting = Waiting::new(bounds.room, most, bounds.statements);
        let statement = Arc::new(statement);
        for _ in 0..bounds.statements {
            tracker.spawn(write_all(Arc::clone(&statement), Writer(waiting.clone())));
        }
        let room_bytes = bounds.room_bytes.min(Semaphore::MAX_PERMITS);
        Self {
            door: Arc::new(Door(waiting)),
            room: Arc::new(Semaphore::new(room_bytes)),
            room_bytes,
        }
    }

    /// Commits one item with whatever else is waiting.
    pub async fn commit(&self, item: S::Item) -> Reply<S> {
        if database::holds_one() {
            // The writer needs a connection of its own, perhaps this one.
            return Err(GroupCommitError::Database(Arc::new(database::second())));
        }
        let bytes = S::bytes(&item).min(self.room_bytes);
        let room = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(room);
        let room = room.map_err(|_| GroupCommitError::Full)?;
        let (reply, answer) = oneshot::channel();
        let size = Size {
            rows: S::weight(&item),
            bytes: S::written(&item),
        };
        let owner = S::owner(&item).to_owned();
        let pending = Pending { item, room, reply };
        let taken_in = self.door.0.push(&owner, pending, size);
        taken_in.map_err(|closed| match closed {
            Closed::Full => GroupCommitError::Full,
            Closed::Stopped => GroupCommitError::Stopped,
        })?;
        answer.await.unwrap_or(Err(GroupCommitError::Stopped))
    }
}

/// A writer's place at the waiting room. However the writer ends, the room knows.
struct Writer<S: Statement>(Waiting<Pending<S>>);

impl<S: Statement> Drop for Writer<S> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

async fn write_all<S: Statement>(statement: Arc<S>, writer: Writer<S>) {
    let mut kept = None;
    while let Some(batch) = gather(&writer.0, &mut kept).await {
        write_batch(&*statement, batch, &mut kept).await;
    }
}

/// The writer's connection, and since when, while batch follows batch: one that stays has its plans
/// at hand.
type Kept = Option<(Held, Instant)>;

/// Then the pool has its turn: it knows whether the connection is to the primary still.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// What waits, when something does; nothing when nobody will ever bring anything more.
async fn gather<S: Statement>(
    waiting: &Waiting<Pending<S>>,
    kept: &mut Kept,
) -> Option<Batch<Pending<S>>> {
    if let Some(batch) = waiting.take() {
        return Some(batch);
    }
    // Nobody waits with a connection in hand.
    *kept = None;
    waiting.next().await
}

async fn write_batch<S: Statement>(statement: &S, batch: Batch<Pending<S>>, kept: &mut Kept) {
    let (mut items, mut replies, mut room) = (Vec::new(), Vec::new(), Vec::new());
    for pending in batch.items {
        items.push(pending.item);
        replies.push(pending.reply);
        room.push(pending.room);
    }
    match run_undisturbed(statement, &items, kept).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that went away has lost interest, not its row.
                let _ = reply.send(Ok(answer));
            }
        }
        Err(error) if is_data_error(&error) => {
            let mut known = (items.len() == 1).then_some(error);
            for (item, reply) in items.into_iter().zip(replies) {
                let answer = match run_alone(statement, &item, known.take(), kept).await {
                    Ok(mut answers) => answers.pop().ok_or(GroupCommitError::Stopped),
                    Err(error) => Err(GroupCommitError::Database(Arc::new(error))),
                };
                let _ = reply.send(answer);
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for reply in replies {
                let _ = reply.send(Err(GroupCommitError::Database(Arc::clone(&error))));
            }
        }
    }
    drop((room, batch.under_way));
}

/// One item by itself, once more when something was mended for it. `known` is why it was refused.
async fn run_alone<S: Statement>(
    statement: &S,
    item: &S::Item,
    known: Option<sqlx::Error>,
    kept: &mut Kept,
) -> Result<Vec<S::Reply>, sqlx::Error> {
    let items = std::slice::from_ref(item);
    let error = match known {
        Some(refused) => refused,
        None => match run_once(statement, items, kept).await {
            Ok(replies) => return Ok(replies),
            Err(error) => error,
        },
    };
    if is_data_error(&error) && mended(statement, item, kept).await? {
        return run_once(statement, items, kept).await;
    }
    Err(error)
}

async fn mended<S: Statement>(
    statement: &S,
    item: &S::Item,
    kept: &mut Kept,
) -> Result<bool, sqlx::Error> {
    // Given back, so that this task holds one at most.
    *kept = None;
    let mut connection = bounded::connection(statement.share()).await?;
    let done = bounded::within(statement.mend(&mut connection, item)).await;
    bounded::given_back(connection, done)
}

/// A statement that Postgres gave up for another one's sake is simply run again.
async fn run_undisturbed<S: Statement>(
    statement: &S,
    items: &[S::Item],
    kept: &mut Kept,
) -> Result<Vec<S::Reply>, sqlx::Error> {
    const TRIES: u32 = 3;
    let mut tried = 1;
    loop {
        match run_once(statement, items, kept).await {
            Err(error) if tried < TRIES && has_class(&error, &["40"]) => tried += 1,
            outcome => return outcome,
        }
    }
}

async fn run_once<S: Statement>(
    statement: &S,
    items: &[S::Item],
    kept: &mut Kept,
) -> Result<Vec<S::Reply>, sqlx::Error> {
    let young = kept.take().filter(|(_, since)| since.elapsed() < KEPT_FOR);
    let (mut connection, since) = match young {
        Some(kept) => kept,
        None => (
            bounded::connection(statement.share()).await?,
            Instant::now(),
        ),
    };
    let done = bounded::within(statement.run(&mut connection, items)).await;
    if let Ok(Ok(replies)) = done {
        *kept = Some((connection, since));
        return Ok(replies);
    }
    bounded::given_back(connection, done)
}

/// Postgres refused what one of the items holds; the others may be sound.
pub(super) fn is_data_error(error: &sqlx::Error) -> bool {
    has_class(error, &["22", "23", "54"])
}

/// Whether the error's SQLSTATE is of one of these classes: 22 data exception, 23 integrity
/// constraint violation, 40 transaction rollback (a deadlock, say), 54 too large.
fn has_class(error: &sqlx::Error, classes: &[&str]) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
}
