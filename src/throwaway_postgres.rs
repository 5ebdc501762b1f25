//! A Postgres server that lives exactly as long as its owner: behind `demo` and behind the tests.
//!
//! Every start makes a cluster of its own in a fresh directory (mode 0700) on a free port of
//! 127.0.0.1, with a random password; no existing cluster is ever opened. Nothing is left behind:
//! `stop`, a drop, Ctrl-C and even `kill -9` of the owner end the server and remove the directory,
//! because a supervisor (`supervisor.sh`) holds the other end of a pipe that only the owner keeps
//! open.
//!
//! Postgres refuses to run as root; then the server runs as `postgres`, else as `nobody`. The
//! crates `postgresql_embedded` and `pgtemp` do not do that (and the former downloads a server
//! from the internet), which is why this module exists. It uses whatever server is installed.

mod binaries;
mod error;
mod os_user;
mod supervisor;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

pub use binaries::find as find_programs;
pub use error::StartError;
pub use os_user::{OsUser, for_server as os_user};
use supervisor::Supervisor;

/// The superuser, and the name of the database that callers get.
const NAME: &str = "fleet";
/// How long a server may take from its start to its first answer.
const READY_WITHIN: Duration = Duration::from_secs(15);
/// The pause between two attempts to connect while the server starts.
const READY_POLL: Duration = Duration::from_millis(20);
/// How many ports are tried, should another process take the free one we found.
const PORT_ATTEMPTS: usize = 5;

/// How a throw-away server is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of `initdb` and `postgres`; `None` looks in the usual places.
    pub binaries: Option<PathBuf>,
    /// Keeps `fsync`, `full_page_writes` and `synchronous_commit` on, for honest benchmarks.
    pub durable: bool,
    /// Postgres' `max_connections`.
    pub max_connections: u16,
    /// Postgres' `shared_buffers`, in MiB.
    pub shared_buffers_mib: u16,
    /// Where its directory is made; `None` is the system's temporary directory.
    pub parent: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            binaries: None,
            durable: false,
            max_connections: 200,
            shared_buffers_mib: 64,
            parent: None,
        }
    }
}

/// A running server; dropping it stops it and removes its data.
#[derive(Debug)]
pub struct ThrowawayPostgres {
    supervisor: Supervisor,
    port: u16,
    password: String,
}

impl ThrowawayPostgres {
    /// Makes a cluster and starts a server on it; returns when the database `fleet` answers.
    ///
    /// # Errors
    ///
    /// No server is installed, it cannot be started, or it is not ready in 15 seconds; then the
    /// error carries the end of the server's log.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let binaries = binaries::find(options.binaries.as_deref()).await?;
        let mut attempt = 1;
        loop {
            match Self::start_once(&binaries, &options).await {
                Err(StartError::PortTaken { .. }) if attempt < PORT_ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn start_once(binaries: &Path, options: &Options) -> Result<Self, StartError> {
        let port = free_port()?;
        let password = random_password()?;
        let arguments = server_arguments(port, options);
        let supervisor =
            Supervisor::spawn((binaries, options.parent.as_deref()), &password, arguments)?;
        let server = Self {
            supervisor,
            port,
            password,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// The URL of the database `fleet`, with its password: never log it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// The URL of the maintenance database `postgres`, for the same superuser.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.url_of("postgres")
    }

    /// The directory that holds the server's data, log and socket while it runs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.supervisor.directory()
    }

    /// The server's port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server and returns when it is gone and its directory is removed.
    pub async fn stop(self) {
        self.supervisor.stop().await;
    }

    fn url_of(&self, database: &str) -> String {
        let Self { port, password, .. } = self;
        format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    async fn wait_until_ready(&self) -> Result<(), StartError> {
        match tokio::time::timeout(READY_WITHIN, self.connect_and_create()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StartError::NotReady {
                seconds: READY_WITHIN.as_secs(),
                log: self.supervisor.log_tail(),
            }),
        }
    }

    async fn connect_and_create(&self) -> Result<(), StartError> {
        let mut connection = self.first_connection().await?;
        let create = format!("create database {NAME}");
        connection
            .execute(sqlx::AssertSqlSafe(create))
            .await
            .map_err(StartError::Database)?;
        connection.close().await.map_err(StartError::Database)
    }

    /// Retries until the server answers or has ended; the caller bounds the time.
    async fn first_connection(&self) -> Result<PgConnection, StartError> {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(NAME)
            .password(&self.password)
            .database("postgres")
            .ssl_mode(PgSslMode::Disable);
        loop {
            if let Ok(connection) = options.connect().await {
                return Ok(connection);
            }
            if self.supervisor.server_has_ended() {
                return Err(self.why_it_ended());
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    fn why_it_ended(&self) -> StartError {
        let log = self.supervisor.log_tail();
        if log.contains("could not bind") || log.contains("Address already in use") {
            return StartError::PortTaken { port: self.port };
        }
        StartError::Ended { log }
    }
}

/// A port that was free a moment ago; the server's own bind decides.
fn free_port() -> Result<u16, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| StartError::Io {
            doing: "looking for a free port",
            source,
        })
}

/// 192 bits from the operating system, in characters that need no escaping in a URL.
fn random_password() -> Result<String, StartError> {
    let mut bytes = [0_u8; 24];
    rand::rngs::OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(StartError::Randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn server_arguments(port: u16, options: &Options) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("max_connections={}", options.max_connections),
        format!("shared_buffers={}MB", options.shared_buffers_mib),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    if !options.durable {
        settings.extend(
            [
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
            ]
            .map(str::to_owned),
        );
    }
    settings
        .into_iter()
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect()
}
