//! What every request can reach; cheap to clone.
//!
//! Work at the database is a closure that is given one connection, or one transaction. It runs on
//! another thread, and a [`State`] can't be sent there: so it has no way to a second connection.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{PgConnection, PgTransaction};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::ApiOptions;
use super::auth::Caller;
use super::budget::Budgets;
use super::denials::Denials;
use super::depth::Depths;
use super::known::Known;
use super::page_token::PageKey;
use super::permits::{Permit, Permits};
use super::problem::Problem;
use super::readiness::Readiness;
use super::reads::Reads;
use crate::clock::Clock;
use crate::database::{Share, Shares};
use crate::db::{self, walk};
use crate::oidc::Oidc;
use crate::queue::enqueue::Placed;
use crate::queue::listener::Watchers;
use crate::queue::{Enqueuer, Submission, Submitted};
use crate::rng::Rng;
use crate::webhooks::Vault;

/// How long a request waits for one piece of its work at the database. Longer than a connection may
/// take, so that it is that which is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the work may go on when nobody waits for it any more.
const LONGEST: Duration = Duration::from_secs(30);

/// Work on a connection in hand.
pub(super) type Work<'c, T> = BoxFuture<'c, Result<T, Problem>>;

/// The shared parts of the API.
#[derive(Clone)]
pub(super) struct State {
    shared: Arc<Shared>,
    /// Stays on the thread of its request: what runs elsewhere can't reach the database through it.
    here: PhantomData<*const ()>,
}

pub(super) struct Shared {
    pub database: Database,
    pub enqueuer: Enqueuer,
    pub watchers: Watchers,
    pub clock: Clock,
    pub rng: Rng,
    /// Why the other half of the process can't work, if it can't.
    pub unready: Box<dyn Fn() -> Option<String> + Send + Sync>,
    pub readiness: Readiness,
    pub options: ApiOptions,
    /// Where the database is talked to.
    pub runtime: Handle,
    pub tasks: TaskTracker,
    pub draining: CancellationToken,
    pub page_key: OnceCell<PageKey>,
    pub known: Known,
    pub oidc: Option<Oidc>,
    pub budgets: Budgets,
    pub depths: Depths,
    pub reads: Reads,
    pub denials: Denials,
    /// What seals the secrets of webhooks.
    pub vault: OnceCell<Vault>,
}

/// The connections that requests may use, and who may have how many of them.
pub(super) struct Database {
    changes: Share,
    reads: Share,
    permits: Permits,
}

impl Database {
    pub(super) fn new(shares: &Shares) -> Self {
        let (changes, reads) = (shares.changes.clone(), shares.reads.clone());
        Self {
            permits: Permits::new(reads.size(), changes.size()),
            changes,
            reads,
        }
    }
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl State {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            here: PhantomData,
        }
    }

    /// Reads for a caller, with the caller's permit for as long as that takes.
    pub(super) async fn read<T, F>(&self, caller: &Caller, work: F) -> Result<T, Problem>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.database.permits.read(caller).await?;
        let held = (permit, caller.slot());
        let reading = on_connection(self.database.reads.clone(), held, move |connection| {
            Box::pin(async move { work(&mut *walk::begin_read(connection).await?).await })
        });
        self.run(reading).await
    }

    /// Reads a page of a list: all its statements see the same rows, and none takes long.
    pub(super) async fn list<T, F>(&self, caller: &Caller, work: F) -> Result<T, Problem>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.database.permits.read(caller).await?;
        let held = (permit, caller.slot());
        let listing = on_connection(self.database.reads.clone(), held, move |connection| {
            Box::pin(async move { work(&mut *walk::begin_list(connection).await?).await })
        });
        self.run(listing).await
    }

    /// Leave for a body of so many bytes, or for what is as large.
    pub(super) async fn body(&self, caller: &Caller, bytes: usize) -> Result<Permit, Problem> {
        self.database.permits.body(caller, bytes).await
    }

    /// Leave for the work on a body that was read.
    pub(super) async fn work(&self, caller: &Caller, bytes: usize) -> Result<Permit, Problem> {
        self.database.permits.work(caller, bytes).await
    }

    /// Leave for a look at a token that nobody has used for a while.
    pub(super) async fn stranger(&self) -> Result<Permit, Problem> {
        self.database.permits.stranger().await
    }

    /// Looks up what a request needs before it can be judged, and holds something meanwhile. A look
    /// costs a row by its key, so a caller needs no permit for it.
    pub(super) async fn look_up<T, F, H>(&self, held: H, work: F) -> Result<T, Problem>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
        H: Send + 'static,
    {
        self.run(on_connection(self.database.reads.clone(), held, work))
            .await
    }

    /// Changes something for a caller, in one transaction: kept when the work succeeds, and undone
    /// when it fails, or when the caller has been answered without it.
    pub(super) async fn change<T, F>(&self, caller: &Caller, work: F) -> Result<T, Problem>
    where
        F: for<'c> FnOnce(&'c mut PgTransaction<'static>) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.database.permits.change(caller).await?;
        let held = (permit, caller.slot());
        self.run(in_transaction(self.database.changes.clone(), held, work))
            .await
    }

    /// Runs what needs no connection of ours, or holds one, on the runtime that connections belong to.
    ///
    /// Connections stay with the runtime that opened them, and those of the HTTP threads end with
    /// the server. A caller who hangs up does not stop the work, so no transaction is cut in half,
    /// and what the work holds is given back when it ends. No request waits for long.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        T: Send + 'static,
    {
        let task = self.tasks.spawn_on(work.in_current_span(), &self.runtime);
        match timeout(PATIENCE, task).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                tracing::error!(%error, "a request's work ended early");
                let detail = "This is a fault of the service: report it with the request id.";
                Err(Problem::new(crate::domain::ErrorCode::Internal, detail))
            }
            Err(_) => Err(silent()),
        }
    }

    /// Commits a submission. One that takes too long may still be committed: its key tells.
    pub(super) async fn submit(
        &self,
        caller: &Caller,
        submission: Submission,
    ) -> Result<(Submitted, Option<Placed>), Problem> {
        let (enqueuer, slot) = (self.enqueuer.clone(), caller.slot());
        self.run(async move {
            let placed = enqueuer.place(submission).await;
            drop(slot);
            Ok(placed?)
        })
        .await
    }

    /// The key of page tokens: the configured one, or one made by whoever needed it first.
    pub(super) async fn page_key(&self) -> Result<PageKey, Problem> {
        let key = self.page_key.get_or_try_init(|| async {
            if let Some(secret) = &self.options.page_token_secret {
                return Ok(PageKey::new(secret.clone()));
            }
            let fresh = self.rng.bytes::<32>();
            self.look_up((), move |connection| {
                Box::pin(async move {
                    let kept = db::secrets::get_or_create(connection, "page_token", &fresh);
                    Ok(PageKey::new(kept.await?))
                })
            })
            .await
        });
        key.await.cloned()
    }
}

/// Work on a connection. It has it for a bounded time; then the connection is thrown away.
async fn on_connection<T, F, H>(share: Share, held: H, work: F) -> Result<T, Problem>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T>,
{
    let mut connection = share.connection().await?;
    let done = timeout(LONGEST, work(&mut connection)).await;
    let done = done.unwrap_or_else(|_| {
        connection.discard();
        Err(silent())
    });
    drop(held);
    done
}

async fn in_transaction<T, F, H>(share: Share, held: H, work: F) -> Result<T, Problem>
where
    F: for<'c> FnOnce(&'c mut PgTransaction<'static>) -> Work<'c, T>,
{
    let begun = Instant::now();
    let mut transaction = share.begin().await?;
    let done = match timeout(LONGEST, work(&mut transaction)).await {
        Ok(Ok(done)) if begun.elapsed() < PATIENCE => {
            transaction.commit().await?;
            Ok(done)
        }
        Ok(Err(problem)) => {
            if let Err(error) = transaction.rollback().await {
                tracing::debug!(%error, "undoing a change");
            }
            Err(problem)
        }
        _ => {
            drop(transaction);
            Err(silent())
        }
    };
    drop(held);
    done
}

fn silent() -> Problem {
    tracing::warn!("the database did not answer a request in {PATIENCE:?}");
    Problem::database_away()
}

#[cfg(test)]
mod tests {
    use super::State;

    /// Two ways to `check` for what can be sent to another thread, and one for what can't: this
    /// compiles while a state can't.
    #[test]
    fn work_at_the_database_cannot_take_a_state_along() {
        trait OneWay<A> {
            fn check() {}
        }
        struct Sent;
        impl<T> OneWay<()> for T {}
        impl<T: Send> OneWay<Sent> for T {}
        <State as OneWay<_>>::check();
    }
}
