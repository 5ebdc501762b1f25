//! What every request can reach; cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::ApiOptions;
use super::budget::Budgets;
use super::depth::Depths;
use super::known::Known;
use super::page_token::PageKey;
use super::problem::Problem;
use crate::clock::Clock;
use crate::db;
use crate::oidc::Oidc;
use crate::queue::enqueue::Placed;
use crate::queue::listener::Watchers;
use crate::queue::{Enqueuer, Submission, Submitted};
use crate::rng::Rng;
use crate::webhooks::Vault;

/// How long the database may take for one piece of a request's work. Longer than a connection may
/// take, so that it is that which is told.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shared parts of the API.
#[derive(Clone)]
pub(super) struct State(Arc<Shared>);

pub(super) struct Shared {
    pub pool: PgPool,
    pub enqueuer: Enqueuer,
    pub watchers: Watchers,
    pub clock: Clock,
    pub rng: Rng,
    /// Why the other half of the process can't work, if it can't.
    pub unready: Box<dyn Fn() -> Option<String> + Send + Sync>,
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
    /// What seals the secrets of webhooks.
    pub vault: OnceCell<Vault>,
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl State {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Runs what touches the database on the runtime that the pool belongs to.
    ///
    /// Connections stay with the runtime that opened them, and those of the HTTP threads end with
    /// the server. A caller who hangs up does not stop it, so no transaction is cut in half; a
    /// database that falls silent does, so that no request hangs.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        T: Send + 'static,
    {
        let work = bounded(work).in_current_span();
        let task = self.tasks.spawn_on(work, &self.runtime);
        match task.await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a request's work ended early");
                let detail = "This is a fault of the service: report it with the request id.";
                Err(Problem::new(crate::domain::ErrorCode::Internal, detail))
            }
        }
    }

    /// Commits a submission. One that takes too long may still be committed: its key tells.
    pub(super) async fn submit(
        &self,
        submission: Submission,
    ) -> Result<(Submitted, Option<Placed>), Problem> {
        let submitting = async { Ok(self.enqueuer.place(submission).await?) };
        bounded(submitting).await
    }

    /// The key of page tokens: the configured one, or one made by whoever needed it first.
    pub(super) async fn page_key(&self) -> Result<PageKey, Problem> {
        let key = self.page_key.get_or_try_init(|| async {
            if let Some(secret) = &self.options.page_token_secret {
                return Ok(PageKey::new(secret.clone()));
            }
            let (pool, fresh) = (self.pool.clone(), self.rng.bytes::<32>());
            self.run(async move {
                let secret = db::secrets::get_or_create(&pool, "page_token", &fresh).await?;
                Ok(PageKey::new(secret))
            })
            .await
        });
        key.await.cloned()
    }
}

async fn bounded<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| {
            tracing::warn!("the database did not answer a request in {PATIENCE:?}");
            Err(Problem::database_away())
        })
}
