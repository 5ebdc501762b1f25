//! One row a transaction, by `pgbench` with prepared statements.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::{Latency, body, with_table};

/// What pgbench says.
pub struct Inserts {
    pub tps: f64,
    /// Of each transaction, from pgbench's own log
    pub latency: Latency,
}

/// Inserts from so many clients for so long.
pub async fn measure(url: &str, clients: u32, seconds: u32) -> anyhow::Result<Inserts> {
    drop(with_table(url).await?);
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("insert.sql");
    let statement = format!("insert into floor (body) values ('{}');\n", body());
    std::fs::write(&script, statement)?;
    let output = Command::new(pgbench())
        .current_dir(directory.path())
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={seconds}"))
        .arg("--file=insert.sql")
        .arg(url)
        .output()
        .await
        .context("pgbench comes with the PostgreSQL server")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "pgbench: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tps = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next())
        .context("pgbench tells its tps")?;
    Ok(Inserts {
        tps: tps.parse()?,
        latency: Latency::of(logged(directory.path())?),
    })
}

/// Beside the other binaries, where they are named; else on the path.
fn pgbench() -> PathBuf {
    fargate_fleet::config::Environment::read()
        .postgres_binaries()
        .map_or_else(|| "pgbench".into(), |binaries| binaries.join("pgbench"))
}

/// The third column of every log is a transaction's time in microseconds.
fn logged(directory: &std::path::Path) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !entry
            .file_name()
            .to_string_lossy()
            .starts_with("pgbench_log")
        {
            continue;
        }
        for line in std::fs::read_to_string(entry.path())?.lines() {
            let time = line.split(' ').nth(2).context("a log has six columns")?;
            times.push(Duration::from_micros(time.parse()?));
        }
    }
    Ok(times)
}
