//! The service assembled: the API half, the worker half, or both in one process.
//!
//! The halves meet only in Postgres; in one process they also share a wake-up, which saves the way
//! through NOTIFY.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::seal::seal_in_background;
use crate::aws::{Aws, AwsOptions};
use crate::clock::Clock;
use crate::database::{Share, Shares};
use crate::db::tokens;
use crate::http::{Api, ApiOptions, ApiParts, WorkerHealth, webhook_rendering};
use crate::ops::Operations;
use crate::queue::listener::{self, Watchers};
use crate::queue::{Enqueuer, Worker, WorkerOptions};
use crate::rng::Rng;
use crate::webhooks::{Pump, Sender, SenderOptions};

/// The schema that this version needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What to run.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// The API, if it runs here.
    pub api: Option<ApiOptions>,
    /// The worker, if it runs here.
    pub worker: Option<WorkerOptions>,
    /// Where the worker's health is answered.
    pub worker_health: Option<SocketAddr>,
    /// AWS, for the worker.
    pub aws: AwsOptions,
    /// Callers may come with tokens of an issuer, which are not in the database.
    pub has_issuer: bool,
    /// How webhooks are told; workers do that.
    pub webhooks: SenderOptions,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database can't be asked.
    #[error("asking the database for its schema and its tokens")]
    Database(#[source] sqlx::Error),
    /// The schema is older than this version.
    #[error("the database's schema is not up to date: run `fargate-fleet migrate`")]
    Schema,
    /// Whoever came would be refused.
    #[error(
        "nobody could use the API: there is no valid token; make one with `fargate-fleet token \
         create --name NAME --role admin`"
    )]
    NoCallers,
    /// An address can't be listened on.
    #[error("listening on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// A running service.
pub struct Service {
    shares: Shares,
    api: Option<Api>,
    worker: Option<Arc<WorkerHalf>>,
    pump: Option<Pump>,
    health: Option<WorkerHealth>,
    stop_listening: CancellationToken,
    tasks: TaskTracker,
}

impl Service {
    /// Starts what the options name, on a database whose schema is up to date.
    pub async fn start(
        shares: Shares,
        (clock, rng): (Clock, Rng),
        options: ServiceOptions,
    ) -> Result<Self, StartError> {
        check_start(&shares, &options).await?;
        let (tasks, stop_listening) = (TaskTracker::new(), CancellationToken::new());
        let (wake, watchers) = (Arc::new(Notify::new()), Watchers::default());
        let listening = listener::listen(
            shares.listen.clone(),
            Arc::clone(&wake),
            watchers.clone(),
            stop_listening.clone(),
        );
        tasks.spawn(listening);
        tasks.spawn(seal_in_background(
            shares.engine.clone(),
            stop_listening.clone(),
        ));

        let sender = Sender::new(
            shares.engine.clone(),
            (clock.clone(), rng.clone()),
            webhook_rendering(),
            options.webhooks,
        );
        let worker = match options.worker {
            None => None,
            Some(worker) => {
                let parts = (clock.clone(), rng.clone());
                Some(start_worker(&shares, parts, &wake, (worker, options.aws)).await)
            }
        };
        let health =
            worker_health(worker.as_ref(), &shares.heartbeat, options.worker_health).await?;
        let api = match options.api {
            None => None,
            Some(api_options) => {
                let enqueuer = Enqueuer::start(shares.changes.clone(), wake, &tasks);
                let parts = ApiParts {
                    shares: shares.clone(),
                    enqueuer,
                    watchers,
                    clock,
                    rng,
                };
                let started = start_api(parts, worker.clone(), api_options).await;
                if let (Err(_), Some(worker)) = (&started, &worker) {
                    // It may have claimed jobs already.
                    let _ = worker.worker.drain(Duration::from_secs(1)).await;
                }
                Some(started?)
            }
        };
        let pump = worker.is_some().then(|| Pump::start(sender));
        Ok(Self {
            shares,
            api,
            worker,
            pump,
            health,
            stop_listening,
            tasks,
        })
    }

    /// Where the API listens.
    #[must_use]
    pub fn api_address(&self) -> Option<SocketAddr> {
        self.api.as_ref().map(Api::addr)
    }

    /// Answers what is under way, hands the leases back, and stops; at most about `grace`.
    pub async fn drain(self, grace: Duration) {
        let worker = async {
            if let Some(worker) = &self.worker
                && let Err(error) = worker.worker.drain(grace).await
            {
                tracing::warn!(%error, "handing the leases back; they run out by themselves");
            }
        };
        let pump = async {
            if let Some(pump) = &self.pump {
                pump.drain(grace).await;
            }
        };
        let api = async {
            if let Some(api) = self.api {
                api.stop(grace).await;
            }
        };
        tokio::join!(worker, pump, api);
        if let Some(health) = self.health {
            health.stop().await;
        }
        self.stop_listening.cancel();
        self.tasks.close();
        // The writers end when the last handle to them is gone.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
        let _ = tokio::time::timeout(Duration::from_secs(2), self.shares.close()).await;
    }
}

/// Whether any caller could be let in: by a token of the database, or by one of an issuer.
async fn has_a_way_to_authenticate(share: &Share, has_issuer: bool) -> Result<bool, StartError> {
    if has_issuer {
        return Ok(true);
    }
    let asked = async { tokens::any_valid(&mut *share.connection().await?).await };
    asked.await.map_err(StartError::Database)
}

/// The worker, and AWS as it sees it.
struct WorkerHalf {
    worker: Worker,
    aws: Aws,
}

impl WorkerHalf {
    /// Why it can't work, if it can't.
    fn unready(&self) -> Option<String> {
        if !self.worker.is_healthy() {
            let why = "The worker of this process is not registered or has lost its leases.";
            return Some(why.to_owned());
        }
        let trouble = self.aws.credentials_trouble()?;
        Some(format!("No job can run here: {trouble}."))
    }
}

async fn start_worker(
    shares: &Shares,
    (clock, rng): (Clock, Rng),
    wake: &Arc<Notify>,
    (options, aws): (WorkerOptions, AwsOptions),
) -> Arc<WorkerHalf> {
    let aws = Aws::new(aws, clock.clone(), rng.clone()).await;
    let operations = Operations::new(shares.engine.clone(), aws.clone(), options.time_scale);
    let wake = Arc::clone(wake);
    let worker = Worker::start(shares, operations, (clock, rng), wake, options);
    Arc::new(WorkerHalf { worker, aws })
}

async fn start_api(
    parts: ApiParts,
    worker: Option<Arc<WorkerHalf>>,
    options: ApiOptions,
) -> Result<Api, StartError> {
    let address = options.listen;
    let unready = move || worker.as_ref().and_then(|worker| worker.unready());
    Api::start(parts, unready, options)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

async fn worker_health(
    worker: Option<&Arc<WorkerHalf>>,
    share: &Share,
    address: Option<SocketAddr>,
) -> Result<Option<WorkerHealth>, StartError> {
    let (Some(worker), Some(address)) = (worker.cloned(), address) else {
        return Ok(None);
    };
    let unready = move || worker.unready();
    WorkerHealth::start(share.clone(), unready, address)
        .await
        .map(Some)
        .map_err(|source| StartError::Listen { address, source })
}

/// The schema is up to date, and an API has callers.
async fn check_start(shares: &Shares, options: &ServiceOptions) -> Result<(), StartError> {
    check_schema(&shares.engine).await?;
    if options.api.is_some()
        && !has_a_way_to_authenticate(&shares.engine, options.has_issuer).await?
    {
        return Err(StartError::NoCallers);
    }
    Ok(())
}

/// Every migration that this version knows has been applied.
async fn check_schema(share: &Share) -> Result<(), StartError> {
    let asked = async {
        let mut connection = share.connection().await?;
        sqlx::query_scalar("select version from _sqlx_migrations where success")
            .fetch_all(&mut *connection)
            .await
    };
    let applied: Vec<i64> = match asked.await {
        Ok(applied) => applied,
        // 42P01: there is no such table, so nothing was ever migrated.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {
            return Err(StartError::Schema);
        }
        Err(error) => return Err(StartError::Database(error)),
    };
    let missing = MIGRATIONS
        .iter()
        .any(|migration| !applied.contains(&migration.version));
    if missing {
        Err(StartError::Schema)
    } else {
        Ok(())
    }
}
