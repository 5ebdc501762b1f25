//! F8: the drain under load of `tests/it/faults/drain.rs`, 50 times instead of CI's 5.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::Row;

pub const ROW: Row = Row {
    name: "F8",
    shows: "SIGTERM under load, 50 times: only 503 while draining, leases handed back, in time",
    run,
};

fn run(_: Vec<String>) -> anyhow::Result<()> {
    let test = "cargo test --test it faults::drain -- --nocapture";
    let mut words = test.split(' ');
    let status = Command::new(words.next().unwrap_or_default())
        .args(words)
        .env("DRAIN_ROUNDS", "50")
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "the test failed");
    Ok(())
}
