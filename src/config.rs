//! The settings: the only reader of the environment.
//!
//! Everything is parsed at start, into types that cannot be wrong; all problems are told at once,
//! each naming its variable and the rule it breaks, never a secret's value. A `FLEET_` variable
//! that does not exist is a problem too: a typo must not become a silent default.

mod limits;
mod oidc;
mod problem;
mod reader;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::database::{Connections, Servers};
use crate::limits::Limits;
use crate::oidc::OidcOptions;
pub use problem::{ConfigError, Problem};
use reader::Reader;
pub use secret::Secret;
pub use settings::{SETTINGS, Setting, settings_table};

/// What the process was started with.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Everything that `serve` needs.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The database.
    pub database: DatabaseConfig,
    /// The API half.
    pub http: HttpConfig,
    /// The worker half.
    pub worker: WorkerConfig,
    /// How AWS is called.
    pub aws: AwsConfig,
    /// How webhooks are told.
    pub webhooks: WebhookConfig,
    /// How long work under way may take to finish after SIGTERM.
    pub shutdown_grace: Duration,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Its server, or its servers.
    pub servers: Servers,
    /// The connections of this process, and how they are divided.
    pub connections: Connections,
}

/// How the API listens.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Its address.
    pub listen: SocketAddr,
    /// Its threads; `None` is one a CPU.
    pub workers: Option<usize>,
    /// What page tokens are signed with; `None` takes the one kept in the database.
    pub page_token_secret: Option<Secret>,
    /// The issuer whose tokens count beside the API's own.
    pub oidc: Option<OidcOptions>,
    /// What a request, a caller and an account may take.
    pub limits: Limits,
    /// The certificate to serve with; `None` serves plain HTTP.
    pub tls: Option<TlsConfig>,
    /// The origins whose web pages may call.
    pub cors_origins: Vec<String>,
}

/// A certificate, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How jobs are worked on.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Steps under way at the same time.
    pub slots: usize,
    /// How long a silent worker keeps its jobs.
    pub lease: Duration,
    /// How often the queue is looked at when no notification comes.
    pub poll_interval: Duration,
    /// How long reads are kept.
    pub read_history: Duration,
    /// Where metrics and a worker's health are answered; `None` opens no port.
    pub metrics_listen: Option<SocketAddr>,
}

/// How AWS is called.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// Divides the pauses between two looks at AWS; 1 for the real one.
    pub time_scale: u32,
    /// A simulated AWS instead of the real one.
    pub endpoint_url: Option<String>,
}

/// How webhooks are told.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// `http` URLs too.
    pub allow_http: bool,
    /// Networks that are allowed although they are not public.
    pub allowed: Vec<IpNet>,
    /// A PEM file of authorities that their certificates may be of, beside the system's.
    pub authorities: Option<PathBuf>,
    /// What their secrets are sealed with; `None` takes the key kept in the database.
    pub secrets_key: Option<Secret>,
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The shape of a line.
    pub format: LogFormat,
    /// A filter of `tracing`.
    pub filter: String,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// To be read.
    Text,
    /// To be collected.
    Json,
}

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn read() -> Self {
        // What is not UTF-8 is kept in a form that no rule accepts.
        let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
        Self(
            std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        )
    }

    /// The same with one variable set, as `demo` does for its embedded parts.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// What `serve` needs.
    ///
    /// # Errors
    ///
    /// All problems of all settings, at once.
    pub fn serve(&self) -> Result<ServeConfig, ConfigError> {
        let mut reader = Reader::new(&self.0);
        let (database, http) = (reader.database(), reader.http());
        let (worker, aws) = (reader.worker(), reader.aws());
        let webhooks = reader.webhooks();
        let shutdown_grace = reader.seconds("FLEET_SHUTDOWN_GRACE_SECONDS", 0..=600);
        // Checked here too, so that one start tells every problem.
        let _ = reader.log();
        let config = ServeConfig {
            database,
            http,
            worker,
            aws,
            webhooks,
            shutdown_grace,
        };
        reader.finish(config)
    }

    /// What `migrate` and `token` need: the database alone.
    ///
    /// # Errors
    ///
    /// `DATABASE_URL` is missing or is not one, or a `FLEET_` variable does not exist.
    pub fn database(&self) -> Result<DatabaseConfig, ConfigError> {
        let mut reader = Reader::new(&self.0);
        let database = reader.database();
        reader.finish(database)
    }

    /// How to log.
    ///
    /// # Errors
    ///
    /// `FLEET_LOG_FORMAT` or `RUST_LOG` break their rules, or a `FLEET_` variable does not exist.
    pub fn log(&self) -> Result<LogConfig, ConfigError> {
        let mut reader = Reader::new(&self.0);
        let log = reader.log();
        reader.finish(log)
    }

    /// Where the throw-away server's programs are, when they are in no usual place.
    #[must_use]
    pub fn postgres_binaries(&self) -> Option<PathBuf> {
        let value = self
            .0
            .get("FLEET_POSTGRES_BIN")
            .filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    }
}
