//! The server: start, drain, stop.
//!
//! Requests are taken on actix's own threads; whatever touches the database runs on the runtime
//! that called [`Api::start`] (see [`State::run`]).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_actix_web::AppExt as _;

use super::budget::Budgets;
use super::connections::Connections;
use super::cors::cors;
use super::denials::Denials;
use super::depth::Depths;
use super::envelope::envelope;
use super::fallback::fallback;
use super::known::Known;
use super::listener::Listener;
use super::readiness::Readiness;
use super::reads::Reads;
use super::state::{Database, Shared, State};
use super::tls::Tls;
use super::{docs, routes};
use crate::clock::Clock;
use crate::database::Shares;
use crate::limits::Limits;
use crate::oidc::{Oidc, OidcOptions};
use crate::queue::Enqueuer;
use crate::queue::listener::Watchers;
use crate::rng::Rng;
use crate::webhooks::Setup;

/// Settings of the API.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Threads that serve HTTP.
    pub workers: usize,
    /// The key of page tokens; without it one is made and kept in the database.
    pub page_token_secret: Option<Vec<u8>>,
    /// The issuer whose tokens count beside the API's own.
    pub oidc: Option<OidcOptions>,
    /// Divides AWS's usual durations in estimates: for simulators, whose clock runs faster.
    pub time_scale: f64,
    /// How long requests under way may take once the API stops.
    pub grace: Duration,
    /// What a request, a caller and an account may take.
    pub limits: Limits,
    /// The certificate to serve with; without it plain HTTP.
    pub tls: Option<Tls>,
    /// The origins whose web pages may call, as browsers send them.
    pub cors_origins: Vec<String>,
    /// Where webhooks may go, and what their secrets are sealed with.
    pub webhooks: Setup,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 2,
            page_token_secret: None,
            oidc: None,
            time_scale: 1.0,
            grace: Duration::from_secs(10),
            limits: Limits::default(),
            tls: None,
            cors_origins: Vec::new(),
            webhooks: Setup::default(),
        }
    }
}

/// What the API is built on.
pub struct ApiParts {
    /// The connections to the database.
    pub shares: Shares,
    /// The writer of jobs.
    pub enqueuer: Enqueuer,
    /// Those who wait for jobs; told by [`crate::queue::listener::listen`].
    pub watchers: Watchers,
    /// Time and ids.
    pub clock: Clock,
    /// Randomness fit for secrets.
    pub rng: Rng,
}

fn shared(
    parts: ApiParts,
    unready: Box<dyn Fn() -> Option<String> + Send + Sync>,
    options: &ApiOptions,
    (tasks, draining): (&TaskTracker, &CancellationToken),
) -> Arc<Shared> {
    let oidc = options
        .oidc
        .clone()
        .map(|oidc| Oidc::start(oidc, parts.clock.clone(), tasks, draining.clone()));
    Arc::new(Shared {
        known: Known::new(parts.watchers.clone()),
        oidc,
        budgets: Budgets::new(&options.limits, parts.clock.clone()),
        depths: Depths::new(&options.limits),
        denials: Denials::new(parts.clock.clone()),
        database: Database::new(&parts.shares),
        readiness: Readiness::new(parts.shares.heartbeat.clone(), Handle::current()),
        reads: Reads::new(&options.limits),
        enqueuer: parts.enqueuer,
        watchers: parts.watchers,
        clock: parts.clock,
        rng: parts.rng,
        unready,
        options: options.clone(),
        runtime: Handle::current(),
        tasks: tasks.clone(),
        draining: draining.clone(),
        page_key: OnceCell::new(),
        vault: OnceCell::new(),
    })
}

/// A running API.
pub struct Api {
    addr: SocketAddr,
    handle: ServerHandle,
    tasks: TaskTracker,
    draining: CancellationToken,
}

impl Api {
    /// Starts serving. `unready` says why the process's other half, if any, can't
    /// work.
    #[expect(
        clippy::unused_async,
        reason = "called inside the runtime that the pool belongs to"
    )]
    pub async fn start(
        parts: ApiParts,
        unready: impl Fn() -> Option<String> + Send + Sync + 'static,
        options: ApiOptions,
    ) -> io::Result<Self> {
        let tasks = TaskTracker::new();
        let draining = CancellationToken::new();
        let unready = Box::new(unready);
        let (engine, stop) = (parts.shares.engine.clone(), draining.clone());
        let shared = shared(parts, unready, &options, (&tasks, &draining));
        let writing = Arc::clone(&shared);
        tasks.spawn(async move { writing.denials.write(&engine, stop).await });
        let origins = options.cors_origins.clone();
        let connections = Connections::new(&options.limits, shared.clock.clone());
        tasks.spawn(connections.clone().watch(draining.clone()));
        let listener = Listener {
            limits: options.limits.clone(),
            connections,
            tls: options.tls.clone(),
            workers: options.workers.max(1),
            grace: options.grace,
        };
        let app = move || {
            let state = State::new(Arc::clone(&shared));
            App::new()
                .app_data(state.clone())
                .app_data(Data::new(state))
                .wrap(cors(&origins))
                .wrap(Compress::default())
                // The last one is the first that a request meets.
                .wrap(from_fn(envelope))
                .into_utoipa_app()
                .configure(routes::configure)
                .into_app()
                .configure(docs::configure)
                .default_service(web::to(fallback))
        };
        let (server, addr) = listener.serve(app, options.listen)?;
        let handle = server.handle();
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "serving HTTP");
            }
        });
        Ok(Self {
            addr,
            handle,
            tasks,
            draining,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops: takes no new connections, answers those who wait at once, refuses new requests on
    /// open connections with `shutting_down`, and lets the others end within `grace`.
    pub async fn stop(self, grace: Duration) {
        self.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.handle.stop(true))
            .await
            .is_err()
        {
            self.handle.stop(false).await;
        }
        let _ = tokio::time::timeout(grace, self.tasks.wait()).await;
    }
}
