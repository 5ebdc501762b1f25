//! Why a throw-away server did not start; every sentence says what to do or what was seen.

use std::path::PathBuf;

/// The reasons for which [`super::ThrowawayPostgres::start`] fails.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No directory holds both `initdb` and `postgres`.
    #[error(
        "no PostgreSQL server is installed: run `apt-get install postgresql` (Debian, Ubuntu) or \
         `brew install postgresql` (macOS), or name the directory of `initdb` in FLEET_POSTGRES_BIN"
    )]
    NotInstalled,
    /// The directory that the caller named lacks the programs.
    #[error(
        "{} (from FLEET_POSTGRES_BIN) holds no `initdb` and `postgres`: name the directory that \
         does, or unset it to use an installed server",
        .0.display()
    )]
    NotInDirectory(PathBuf),
    /// Postgres refuses root, and no other user is there to run it.
    #[error("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")]
    NoUser,
    /// Another process took the port first, several times in a row.
    #[error("port {port} was taken by another process before the server could bind it")]
    PortTaken {
        /// The last port tried.
        port: u16,
    },
    /// `initdb` or the server ended by itself.
    #[error("the PostgreSQL server ended while it started; its log ends with:\n{log}")]
    Ended {
        /// The last lines of the log.
        log: String,
    },
    /// The server runs and does not answer.
    #[error("the PostgreSQL server was not ready in {seconds} s; its log ends with:\n{log}")]
    NotReady {
        /// How long it was given.
        seconds: u64,
        /// The last lines of the log.
        log: String,
    },
    /// The server answers, but its database could not be made.
    #[error("making the database on the throw-away PostgreSQL server")]
    Database(#[source] sqlx::Error),
    /// The operating system gave no random bytes.
    #[error("drawing a password for the throw-away PostgreSQL server")]
    Randomness(#[source] rand::rand_core::OsError),
    /// A file, a process or a socket could not be made.
    #[error("{doing} for the throw-away PostgreSQL server")]
    Io {
        /// What was under way.
        doing: &'static str,
        /// The operating system's reason.
        source: std::io::Error,
    },
}
