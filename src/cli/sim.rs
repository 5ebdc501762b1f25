//! `sim`: the simulated AWS alone.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use fargate_fleet::shutdown::Shutdown;
use fargate_fleet::sim::{FleetShape, SimOptions, Simulator};

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
        let shutdown = Shutdown::new();
        shutdown.watch_signals().context("watching for signals")?;
        let options = SimOptions {
            listen: self.listen,
            speed: f64::from(self.speed),
            fleet: self.fleet,
            ..SimOptions::default()
        };
        let simulator = Simulator::start(options)
            .await
            .with_context(|| format!("starting the simulated AWS on {}", self.listen))?;
        println!("simulated AWS on {}", simulator.endpoint());
        shutdown.token().cancelled().await;
        simulator.stop().await;
        Ok(())
    }
}
