//! Natural group commit: while one statement is under way, requests gather; when it returns, all
//! of them go in the next. No timer, so an idle queue pays nothing for it.
//!
//! Promises: every item is answered exactly once, after its statement has committed or failed; an
//! item that Postgres refuses fails alone, not with its batch; the waiting room is bounded, in items and in bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::bounded;
use crate::database::{self, Held, Share};

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
    bytes: usize,
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
    /// Bytes of one statement.
    pub bytes: usize,
    /// Statements under way at once, each on a connection of its own.
    pub statements: usize,
}

/// A handle to the writer task; clones share it.
pub struct GroupCommit<S: Statement> {
    sender: mpsc::Sender<Pending<S>>,
    room: Arc<Semaphore>,
    room_bytes: usize,
}

impl<S: Statement> Clone for GroupCommit<S> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            room: Arc::clone(&self.room),
            room_bytes: self.room_bytes,
        }
    }
}

impl<S: Statement> GroupCommit<S> {
    /// Starts the writer on `tracker`; it ends when the last handle is dropped.
    pub fn start(statement: S, bounds: Bounds, tracker: &TaskTracker) -> Self {
        let (sender, receiver) = mpsc::channel(bounds.room);
        let shared = Arc::new((statement, Mutex::new(receiver)));
        for _ in 0..bounds.statements {
            tracker.spawn(write_all(Arc::clone(&shared), bounds));
        }
        let room_bytes = bounds.room_bytes.min(Semaphore::MAX_PERMITS);
        Self {
            sender,
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
        let pending = Pending {
            item,
            bytes,
            room,
            reply,
        };
        self.sender.try_send(pending).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GroupCommitError::Full,
            mpsc::error::TrySendError::Closed(_) => GroupCommitError::Stopped,
        })?;
        answer.await.unwrap_or(Err(GroupCommitError::Stopped))
    }
}

type Shared<S> = (S, Mutex<mpsc::Receiver<Pending<S>>>);

async fn write_all<S: Statement>(shared: Arc<Shared<S>>, bounds: Bounds) {
    let (statement, receiver) = &*shared;
    let mut kept = None;
    while let Some(batch) = gather(receiver, bounds, &mut kept).await {
        write_batch(statement, batch, &mut kept).await;
    }
}

/// The writer's connection, and since when, while batch follows batch: one that stays has its plans
/// at hand.
type Kept = Option<(Held, Instant)>;

/// Then the pool has its turn: it knows whether the connection is to the primary still.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// What waits, when something does; nothing when nobody will ever bring anything more.
async fn gather<S: Statement>(
    receiver: &Mutex<mpsc::Receiver<Pending<S>>>,
    bounds: Bounds,
    kept: &mut Kept,
) -> Option<Vec<Pending<S>>> {
    let at_once = receiver.try_lock().ok().and_then(|mut receiver| {
        let first = receiver.try_recv().ok()?;
        Some((receiver, first))
    });
    let (mut receiver, first) = if let Some(both) = at_once {
        both
    } else {
        // Nobody waits with a connection in hand.
        *kept = None;
        let mut receiver = receiver.lock().await;
        let first = receiver.recv().await?;
        (receiver, first)
    };
    let (mut rows, mut bytes) = (S::weight(&first.item), first.bytes);
    let mut batch = vec![first];
    while rows < bounds.rows && bytes < bounds.bytes {
        let Ok(next) = receiver.try_recv() else { break };
        rows += S::weight(&next.item);
        bytes += next.bytes;
        batch.push(next);
    }
    Some(batch)
}

async fn write_batch<S: Statement>(statement: &S, batch: Vec<Pending<S>>, kept: &mut Kept) {
    let (mut items, mut replies, mut room) = (Vec::new(), Vec::new(), Vec::new());
    for pending in batch {
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
    drop(room);
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
