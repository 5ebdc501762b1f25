//! `demo`: everything in one process on embedded parts; nothing is left behind.

use std::net::SocketAddr;

use clap::Args;
use fargate_fleet::config::Environment;

use super::fleet_shape::FleetShape;

/// What `demo` takes.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address and port of the API
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The admin token to accept; without it a random one is made and printed
    #[arg(long)]
    token: Option<String>,
    /// Divides AWS's waiting times
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// Accounts x regions x clusters
    #[arg(long, default_value = "3x2x2")]
    fleet: FleetShape,
}

impl Demo {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let Self {
            listen,
            token,
            speed,
            fleet,
        } = self;
        let _ = (environment.postgres_binaries(), listen, token, speed);
        let _ = (fleet.accounts, fleet.regions, fleet.clusters);
        std::future::ready(Err(anyhow::anyhow!("`demo` is not wired up yet"))).await
    }
}
