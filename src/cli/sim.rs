//! `sim`: the simulated AWS alone.

use std::net::SocketAddr;

use clap::Args;

use super::fleet_shape::FleetShape;

/// What `sim` takes.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Address and port of the simulated AWS
    #[arg(long, default_value = "127.0.0.1:4580")]
    listen: SocketAddr,
    /// Divides AWS's waiting times
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// Accounts x regions x clusters
    #[arg(long, default_value = "3x2x2")]
    fleet: FleetShape,
}

impl Sim {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self {
            listen,
            speed,
            fleet,
        } = self;
        let _ = (listen, speed, fleet);
        std::future::ready(Err(anyhow::anyhow!("`sim` is not wired up yet"))).await
    }
}
