//! Waiting for a database that is not there yet, or not for us: a server that starts, restarts or is out
//! of reach. What no waiting mends (a wrong password, no such database) ends it at once.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::servers::place;
use super::{Servers, primary};

/// How long one server may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// Between two lines in the log.
const TELL: Duration = Duration::from_secs(5);

/// What keeps a server from being used.
#[derive(Debug)]
enum Trouble {
    /// It may pass.
    Away(String),
    /// It does not.
    Refused(sqlx::Error),
}

impl Servers {
    /// Waits until there is a server that can be used, or `stop`: then `false`. Says every few seconds
    /// where it tries and why that fails.
    pub async fn wait(&self, stop: &CancellationToken) -> Result<bool, sqlx::Error> {
        let mut told: Option<Instant> = None;
        loop {
            let Some(troubles) = stop.run_until_cancelled(self.troubles()).await else {
                return Ok(false);
            };
            let troubles = match troubles {
                Ok(()) => {
                    if told.is_some() {
                        tracing::info!("the database answers");
                    }
                    return Ok(true);
                }
                Err(troubles) => troubles,
            };
            let causes = causes(troubles)?;
            if told.is_none_or(|at| at.elapsed() >= TELL) {
                told = Some(Instant::now());
                tracing::warn!("waiting for the database: {causes}");
            }
            let pause = tokio::time::sleep(TRY_AGAIN);
            if stop.run_until_cancelled(pause).await.is_none() {
                return Ok(false);
            }
        }
    }

    /// What keeps each server from being used; nothing when one of them can be.
    async fn troubles(&self) -> Result<(), Vec<(String, Trouble)>> {
        let tries = self.all().iter().map(|server| async move {
            let tried = attempt(server, self.follows()).await;
            tried.map_err(|trouble| (place(server), trouble))
        });
        let ends = join_all(tries).await;
        if ends.iter().any(Result::is_ok) {
            return Ok(());
        }
        Err(ends.into_iter().filter_map(Result::err).collect())
    }
}

async fn attempt(server: &PgConnectOptions, must_write: bool) -> Result<(), Trouble> {
    let connecting = timeout(PATIENCE, PgConnection::connect_with(server)).await;
    let mut connection = match connecting {
        Err(_) => return Err(Trouble::Away(format!("no answer in {PATIENCE:?}"))),
        Ok(Err(error)) => return Err(trouble(error)),
        Ok(Ok(connection)) => connection,
    };
    let usable = if must_write {
        primary::takes_writes(&mut connection).await
    } else {
        matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(())))
    };
    let _ = timeout(PATIENCE, connection.close()).await;
    if usable {
        Ok(())
    } else {
        Err(Trouble::Away("it takes no writes".to_owned()))
    }
}

fn trouble(error: sqlx::Error) -> Trouble {
    let lasting = match &error {
        // A wrong password or user; no such database; no right to connect to it.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("28") || code.starts_with("3D") || code.starts_with("42")
        }),
        sqlx::Error::Configuration(_) => true,
        _ => false,
    };
    if lasting {
        return Trouble::Refused(error);
    }
    Trouble::Away(match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    })
}

/// `host:port: cause`, of each; the first refusal when all are.
fn causes(troubles: Vec<(String, Trouble)>) -> Result<String, sqlx::Error> {
    let waits = troubles
        .iter()
        .any(|(_, trouble)| matches!(trouble, Trouble::Away(_)));
    let mut words = Vec::new();
    for (place, trouble) in troubles {
        match trouble {
            Trouble::Refused(error) if !waits => return Err(error),
            Trouble::Refused(error) => words.push(format!("{place}: {error}")),
            Trouble::Away(cause) => words.push(format!("{place}: {cause}")),
        }
    }
    Ok(words.join("; "))
}
