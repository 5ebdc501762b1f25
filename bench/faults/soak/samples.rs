//! What is measured of a process and of the tables, and whether it grew.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::PgPool;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::figures::median;

/// Those that every job is written to.
const TABLES: [&str; 5] = ["job_rows", "leases", "lanes", "workers", "job_events"];
/// Live rows from which on a table is large: beside fewer, what dies in the minute between two
/// rounds of autovacuum is no small part.
const LARGE: f64 = 10_000.0;
/// More than autovacuum lets pass in a table of one row.
const FEW: f64 = 100.0;
const TEN_MINUTES: f64 = 600.0;

/// All samples, in order.
#[derive(Default)]
pub struct Samples(Vec<Sample>);

struct Sample {
    /// Seconds since the first.
    at: f64,
    memory_mib: f64,
    open_files: f64,
    /// Live and dead rows of each table.
    rows: BTreeMap<String, (f64, f64)>,
}

/// The dead rows of one table.
pub struct DeadRows {
    pub table: &'static str,
    live: f64,
    /// Dead rows of all: the median over the second half.
    share: f64,
    /// The most at any sample of the second quarter, and of the last.
    most_before: f64,
    most_after: f64,
}

impl DeadRows {
    /// A large table is judged by its share. In a small one, whose rows come and go or are written
    /// over and over, all but a few are dead until the next vacuum: there the number must not grow.
    pub fn are_too_many(&self) -> bool {
        if self.live >= LARGE {
            self.share >= 0.2
        } else {
            self.most_after > 1.5 * self.most_before + FEW
        }
    }
}

impl std::fmt::Display for DeadRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            table,
            live,
            share,
            most_before,
            most_after,
        } = self;
        let share = share * 100.0;
        write!(
            f,
            "{table}: {share:.1} % dead of {live:.0} live; at most {most_before:.0} dead in the \
             second quarter, {most_after:.0} in the last"
        )
    }
}

/// Samples until it is over.
pub async fn take(
    process: u32,
    pool: &PgPool,
    every: Duration,
    over: &CancellationToken,
) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    let began = Instant::now();
    let mut next = began;
    loop {
        tokio::select! {
            () = sleep_until(next) => {}
            () = over.cancelled() => return Ok(samples),
        }
        next += every;
        let sample = Sample {
            at: began.elapsed().as_secs_f64(),
            memory_mib: memory_mib(process)?,
            open_files: open_files(process)?,
            rows: rows(pool).await?,
        };
        println!("{}", sample.line());
        samples.0.push(sample);
    }
}

impl Sample {
    fn line(&self) -> String {
        let Self {
            at,
            memory_mib,
            open_files,
            rows,
        } = self;
        let rows = rows
            .iter()
            .map(|(table, (live, dead))| format!("{table} {live}+{dead}"))
            .collect::<Vec<_>>();
        let rows = rows.join(", ");
        format!("{at:6.0} s  {memory_mib:6.1} MiB  {open_files} files  live+dead: {rows}")
    }
}

impl Samples {
    /// By least squares over the second half.
    pub fn memory_slope(&self) -> f64 {
        let half = self.second_half();
        let points: Vec<_> = half.iter().map(|s| (s.at, s.memory_mib)).collect();
        slope(&points) * TEN_MINUTES
    }

    /// From where to where, in words.
    pub fn memory(&self) -> String {
        let at = |sample: Option<&Sample>| sample.map_or(f64::NAN, |sample| sample.memory_mib);
        let (first, last) = (at(self.0.first()), at(self.0.last()));
        let most = self.0.iter().map(|s| s.memory_mib).fold(first, f64::max);
        format!("{first:.1} MiB at first, {last:.1} at last, {most:.1} at most")
    }

    /// The medians of the second quarter and of the last.
    pub fn open_files(&self) -> (f64, f64) {
        let quarter = self.0.len() / 4;
        let of = |samples: &[Sample]| {
            let files: Vec<f64> = samples.iter().map(|s| s.open_files).collect();
            median(&files)
        };
        let second = &self.0[quarter..2 * quarter];
        (of(second), of(&self.0[self.0.len() - quarter..]))
    }

    /// What became of the dead rows of each table over the second half.
    pub fn dead_rows(&self) -> Vec<DeadRows> {
        let quarter = self.0.len() / 4;
        let of_table = |table: &'static str| {
            let of = |samples: &[Sample], what: fn(&(f64, f64)) -> f64| -> Vec<f64> {
                let rows = samples.iter().filter_map(|sample| sample.rows.get(table));
                rows.map(what).collect()
            };
            let most = |samples: &[Sample]| {
                let dead = of(samples, |(_, dead)| *dead);
                dead.into_iter().fold(0.0, f64::max)
            };
            let half = self.second_half();
            DeadRows {
                table,
                live: median(&of(half, |(live, _)| *live)),
                share: median(&of(half, |(live, dead)| dead / (live + dead).max(1.0))),
                most_before: most(&self.0[quarter..2 * quarter]),
                most_after: most(&self.0[self.0.len() - quarter..]),
            }
        };
        TABLES.into_iter().map(of_table).collect()
    }

    fn second_half(&self) -> &[Sample] {
        &self.0[self.0.len() / 2..]
    }
}

/// The rise of the straight line that fits the points best.
#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let rise: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let run: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    rise / run
}

/// What of the process is in memory; as Linux tells it.
fn memory_mib(process: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.context("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "a number of files")]
fn open_files(process: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/fd");
    let files = std::fs::read_dir(&path).with_context(|| format!("reading {path}"))?;
    Ok(files.count() as f64)
}

async fn rows(pool: &PgPool) -> anyhow::Result<BTreeMap<String, (f64, f64)>> {
    let rows: Vec<(String, f64, f64)> = sqlx::query_as(
        "select relname::text, n_live_tup::float8, n_dead_tup::float8
         from pg_stat_user_tables
         where relname = any ($1)",
    )
    .bind(TABLES.map(str::to_owned).to_vec())
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(table, live, dead)| (table, (live, dead)))
        .collect())
}
