//! `serve`: the real thing, as API, as worker or as both.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use fargate_fleet::aws::AwsOptions;
use fargate_fleet::clock::Clock;
use fargate_fleet::config::{Environment, ServeConfig};
use fargate_fleet::database::{Halves, is_passing};
use fargate_fleet::http::{ApiOptions, Tls};
use fargate_fleet::open_files;
use fargate_fleet::queue::WorkerOptions;
use fargate_fleet::rng::Rng;
use fargate_fleet::service::{Service, ServiceOptions, StartError};
use fargate_fleet::shutdown::Shutdown;
use fargate_fleet::webhooks::{Roots, Rules, SenderOptions, Setup};
use tokio_util::task::TaskTracker;

/// What `serve` takes; the rest are settings.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which half to run
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

/// The halves, which meet only in Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Both in one process
    All,
    /// The API alone: needs no AWS credentials
    Api,
    /// The worker alone: opens no public port
    Worker,
}

impl From<Role> for Halves {
    fn from(role: Role) -> Self {
        match role {
            Role::All => Self::Both,
            Role::Api => Self::Api,
            Role::Worker => Self::Worker,
        }
    }
}

impl Serve {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let mut config = environment.serve()?;
        let connections = match self.role {
            Role::Worker => 0,
            Role::All | Role::Api => config.http.limits.connections,
        };
        config.http.limits.connections =
            open_files::make_room(connections, config.database.connections.total)?;
        let shutdown = Shutdown::new();
        shutdown.watch_signals().context("watching for signals")?;
        let following = TaskTracker::new();
        let database = &config.database;
        let waited = database.servers.wait(&shutdown.token()).await;
        if !waited.context("connecting to the database")? {
            return Ok(());
        }
        let sizes = database.connections.divided(self.role.into());
        let shares = database.servers.shares(sizes, &following).await;
        let parts = (Clock::system(), Rng::from_os());
        let options = options(&config, self.role)?;
        let service = loop {
            let started = Service::start(shares.clone(), parts.clone(), options.clone()).await;
            match started {
                // It went away again: nothing was begun yet.
                Err(StartError::Database(error)) if is_passing(&error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the database went away at start; waiting for it"
                    );
                    if !database.servers.wait(&shutdown.token()).await? {
                        return Ok(());
                    }
                }
                started => break started?,
            }
        };
        let address = service.api_address().map(|address| address.to_string());
        tracing::info!(address, role = ?self.role, "serving");
        shutdown.token().cancelled().await;
        tokio::select! {
            () = service.drain(config.shutdown_grace) => {}
            () = shutdown.hurried() => {}
        }
        Ok(())
    }
}

fn api_options(config: &ServeConfig) -> anyhow::Result<ApiOptions> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let http = &config.http;
    let tls = http.tls.clone();
    let tls = tls.map(|files| Tls::load(files.certificate, files.key));
    Ok(ApiOptions {
        listen: http.listen,
        workers: http.workers.unwrap_or(threads),
        page_token_secret: http
            .page_token_secret
            .as_ref()
            .map(|secret| secret.expose().as_bytes().to_vec()),
        oidc: http.oidc.clone(),
        time_scale: f64::from(config.aws.time_scale),
        grace: config.shutdown_grace,
        limits: http.limits.clone(),
        tls: tls.transpose()?,
        cors_origins: http.cors_origins.clone(),
        webhooks: webhooks(config),
    })
}

fn options(config: &ServeConfig, role: Role) -> anyhow::Result<ServiceOptions> {
    let time_scale = f64::from(config.aws.time_scale);
    let slots = u32::try_from(config.worker.slots).unwrap_or(u32::MAX);
    let worker = WorkerOptions {
        slots,
        // No account may take all slots, however many jobs it has.
        slots_an_account: (slots / 4 * 3).max(1),
        lease: config.worker.lease,
        poll_interval: config.worker.poll_interval,
        read_history: config.worker.read_history,
        time_scale,
        host: environment_host(),
        ..WorkerOptions::default()
    };
    let api = (role != Role::Worker).then(|| api_options(config));
    let roots = match &config.webhooks.authorities {
        Some(file) if role != Role::Api => Roots::load(file)?,
        _ => Roots::default(),
    };
    Ok(ServiceOptions {
        api: api.transpose()?,
        has_issuer: config.http.oidc.is_some(),
        worker_health: config.worker.metrics_listen,
        worker: (role != Role::Api).then_some(worker),
        aws: AwsOptions {
            endpoint_url: config.aws.endpoint_url.clone(),
            time_scale,
            ..AwsOptions::default()
        },
        webhooks: SenderOptions {
            setup: webhooks(config),
            roots,
            poll_interval: config.worker.poll_interval,
            ..SenderOptions::default()
        },
    })
}

/// The same for both halves.
fn webhooks(config: &ServeConfig) -> Setup {
    let key = config.webhooks.secrets_key.as_ref();
    Setup {
        rules: Rules {
            allow_http: config.webhooks.allow_http,
            allowed: config.webhooks.allowed.clone(),
            ..Rules::default()
        },
        secrets_key: key.map(|key| key.expose().as_bytes().to_vec()),
    }
}

/// What tells one worker from another in the workers table.
fn environment_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} {}", name.trim(), std::process::id())
}
