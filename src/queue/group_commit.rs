//! Natural group commit: while one statement is under way, requests gather; when it returns, all
//! of them go in the next. No timer, so an idle queue pays nothing for it.
//!
//! Promises: every item is answered exactly once, after its statement has committed or failed; an
//! item that Postgres refuses fails alone, not with its batch; the waiting room is bounded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::bounded;

/// A statement that serves many items at once.
pub trait Statement: Send + Sync + 'static {
    /// What one caller brings.
    type Item: Send + Sync + 'static;
    /// What one caller gets.
    type Reply: Send + 'static;
    /// Rows that an item adds to the statement.
    fn weight(item: &Self::Item) -> usize;
    /// The database.
    fn pool(&self) -> &PgPool;
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
    reply: oneshot::Sender<Reply<S>>,
}

/// How much a writer takes on.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Items that may wait.
    pub room: usize,
    /// Rows of one statement.
    pub rows: usize,
    /// Statements under way at once, each on a connection of its own.
    pub statements: usize,
}

/// A handle to the writer task; clones share it.
pub struct GroupCommit<S: Statement> {
    sender: mpsc::Sender<Pending<S>>,
}

impl<S: Statement> Clone for GroupCommit<S> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
        }
    }
}

impl<S: Statement> GroupCommit<S> {
    /// Starts the writer on `tracker`; it ends when the last handle is dropped.
    pub fn start(statement: S, bounds: Bounds, tracker: &TaskTracker) -> Self {
        let (sender, receiver) = mpsc::channel(bounds.room);
        let shared = Arc::new((statement, Mutex::new(receiver)));
        for _ in 0..bounds.statements {
            tracker.spawn(write_all(Arc::clone(&shared), bounds.rows));
        }
        Self { sender }
    }

    /// Commits one item with whatever else is waiting.
    pub async fn commit(&self, item: S::Item) -> Reply<S> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .try_send(Pending { item, reply })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => GroupCommitError::Full,
                mpsc::error::TrySendError::Closed(_) => GroupCommitError::Stopped,
            })?;
        answer.await.unwrap_or(Err(GroupCommitError::Stopped))
    }
}

type Shared<S> = (S, Mutex<mpsc::Receiver<Pending<S>>>);

async fn write_all<S: Statement>(shared: Arc<Shared<S>>, most_rows: usize) {
    let (statement, receiver) = &*shared;
    let mut kept = None;
    while let Some(batch) = gather(receiver, most_rows, &mut kept).await {
        write_batch(statement, batch, &mut kept).await;
    }
}

/// The writer's connection, and since when, while batch follows batch: one that stays has its plans
/// at hand.
type Kept = Option<(PoolConnection<Postgres>, Instant)>;

/// Then the pool has its turn: it knows whether the connection is to the primary still.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// What waits, when something does; nothing when nobody will ever bring anything more.
async fn gather<S: Statement>(
    receiver: &Mutex<mpsc::Receiver<Pending<S>>>,
    most_rows: usize,
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
    let mut rows = S::weight(&first.item);
    let mut batch = vec![first];
    while rows < most_rows {
        let Ok(next) = receiver.try_recv() else { break };
        rows += S::weight(&next.item);
        batch.push(next);
    }
    Some(batch)
}

async fn write_batch<S: Statement>(statement: &S, batch: Vec<Pending<S>>, kept: &mut Kept) {
    let (items, replies): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|pending| (pending.item, pending.reply))
        .unzip();
    match run_undisturbed(statement, &items, kept).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that went away has lost interest, not its row.
                let _ = reply.send(Ok(answer));
            }
        }
        Err(error) if items.len() > 1 && is_data_error(&error) => {
            for (item, reply) in items.into_iter().zip(replies) {
                let alone = run_once(statement, std::slice::from_ref(&item), kept).await;
                let answer = match alone {
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
        None => (bounded::connection(statement.pool()).await?, Instant::now()),
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
