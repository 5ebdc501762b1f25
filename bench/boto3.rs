//! The fleet read by boto3, against the simulator: what B15 is compared with, alone.

use std::str::FromStr as _;

use anyhow::ensure;
use clap::Parser;
use fargate_fleet::sim::{FleetShape, ProfileSpec, SimOptions, Simulator};

use crate::Row;
use crate::peers::{FleetRead, read_fleet};

/// `boto3` reads the fleet with it.
pub const ROWS: &[Row] = &[Row {
    name: "boto3",
    shows: "all profiles of a simulated fleet, read by a boto3 script with 32 threads",
    run: |options| actix_web::rt::System::new().block_on(run(options)),
}];

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Options {
    /// Accounts x regions x clusters
    #[arg(long, value_parser = FleetShape::from_str, default_value = "50x2x10")]
    fleet: FleetShape,
    #[arg(long, default_value_t = 3)]
    profiles_per_cluster: u32,
}

async fn run(options: Vec<String>) -> anyhow::Result<()> {
    let Options {
        fleet,
        profiles_per_cluster,
    } = Options::try_parse_from(options)?;
    let simulator = Simulator::start(SimOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        fleet,
        ..SimOptions::default()
    })
    .await?;
    let mut clusters = Vec::new();
    for account in fleet.accounts() {
        for (region, cluster) in account.clusters {
            clusters.push((account.account_id.clone(), region, cluster));
        }
    }
    for (account, region, cluster) in &clusters {
        for number in 0..profiles_per_cluster {
            let spec = ProfileSpec {
                name: format!("fp-{number}"),
                ..ProfileSpec::default()
            };
            let control = simulator.control();
            control.put_profile(account, region, cluster, spec, "ACTIVE");
        }
    }
    let FleetRead {
        profiles,
        calls,
        throttled,
        seconds,
    } = read_fleet(&simulator.endpoint(), &clusters).await?;
    simulator.stop().await;
    println!(
        "{} clusters, {profiles} profiles in {seconds:.2} s: {calls} calls, {throttled} throttled, {:.0} calls/s",
        clusters.len(),
        f64::from(calls) / seconds
    );
    let there = clusters.len() * profiles_per_cluster as usize;
    ensure!(profiles as usize == there, "{there} profiles are there");
    Ok(())
}
