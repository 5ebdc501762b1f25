//! `serve`: the real thing, as API, as worker or as both.

use clap::{Args, ValueEnum};
use fargate_fleet::config::Environment;

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

impl Serve {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let config = environment.serve()?;
        let _ = (config, self.role);
        std::future::ready(Err(anyhow::anyhow!("`serve` is not wired up yet"))).await
    }
}
